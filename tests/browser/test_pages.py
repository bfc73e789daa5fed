"""The pages that customers see, in a real browser, on a telephone and on a desk."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import NARROW, SIZES, is_sound, opened
from serving import served
from shop import Shop, at, playbook, step

from automation.customers.suppress import suppress_address
from automation.database.engine import Database, connect
from automation.database.schema import consents
from automation.delivery.desk import open_desk
from automation.delivery.sandbox import SandboxServer
from automation.web.words import WORDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DAY1, LATER = "2026-03-02T05:00:00Z", "2026-03-02T12:00:00Z"


@pytest.fixture
def planned(tmp_path: Path, sqlite_url: str, sandbox: SandboxServer) -> Iterator[Shop]:
    database: Database = connect(sqlite_url)
    shop = Shop(tmp_path, database, sandbox.url)
    texts = step("two", "hello/text", "sms", late_by="3 days")
    letter = playbook(step("one", late_by="3 days"), topic="shop_news")
    shop.write(care=playbook(step("one", late_by="3 days") + texts), letter=letter)
    shop.customers("ada", locale="en-GB")
    shop.customers("anna", locale="de-DE", phone="+4915112345678")
    shop.evaluate(DAY1)
    yield shop
    database.close()


@pytest.fixture
def address(planned: Shop) -> Iterator[str]:
    with served(planned, LATER) as found:
        yield found


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: "Browser", address: str) -> Iterator["Page"]:
    """A page that complains to no console and asks nobody else for anything."""
    yield from opened(browser, address, SIZES[request.param])


def link(shop: Shop, customer: str = "ada", place: str = "p") -> str:
    row = next(one for one in shop.rows() if one.customer_id == customer and one.channel == "email")
    with shop.database.reading() as connection:
        url = open_desk(connection, shop.settings, shop.book).links(row.message_id).preferences
    return url.removeprefix(shop.settings.business.public_url).replace("/p/", f"/{place}/")


def withdrawn(shop: Shop) -> list[tuple[str, str, str]]:
    return [(row.channel, row.topic, row.source) for row in shop.rows(consents) if not row.granted]


def test_a_person_opens_the_page_unticks_a_topic_saves_and_sees_it_saved(
    planned: Shop, address: str, page: "Page"
) -> None:
    page.goto(address + link(planned))
    is_sound(page)
    offers = page.get_by_role("group", name="Email").get_by_label("Offers")
    assert offers.is_checked()
    offers.uncheck()
    save(page)
    assert WORDS["en"].saved in page.get_by_role("status").inner_text()
    assert page.title().startswith(WORDS["en"].saved)
    assert not page.get_by_role("group", name="Email").get_by_label("Offers").is_checked()
    assert page.get_by_label("Shop news").is_checked()
    is_sound(page)
    page.reload()
    assert withdrawn(planned) == [("email", "offers", "page")]


def save(page: "Page") -> None:
    """The page that answers has come."""
    with page.expect_navigation():
        page.get_by_role("button", name="Save").click()


def test_a_person_switches_texts_off_and_on_again(planned: Shop, address: str, page: "Page") -> None:
    page.goto(address + link(planned))
    page.get_by_label(WORDS["en"].all_sms).uncheck()
    save(page)
    texts = page.get_by_role("group", name="Text messages")
    assert [box.is_checked() for box in texts.get_by_role("checkbox").all()] == [False, False]
    page.get_by_label(WORDS["en"].all_sms).check()
    save(page)
    assert [box.is_checked() for box in texts.get_by_role("checkbox").all()] == [True, True]


def test_a_person_unsubscribes_by_button_and_may_choose_instead(planned: Shop, address: str, page: "Page") -> None:
    page.goto(address + link(planned, place="u"))
    is_sound(page)
    page.get_by_role("button", name="Unsubscribe").click()
    assert page.get_by_role("status").inner_text() == WORDS["en"].done
    assert withdrawn(planned) == [("email", "*", "link")]
    is_sound(page)
    page.get_by_role("link", name=WORDS["en"].choose).click()
    assert not page.get_by_label(WORDS["en"].all_email).is_checked()


def test_the_keyboard_is_enough(planned: Shop, address: str, page: "Page") -> None:
    page.goto(address + link(planned))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.value") == "email:*"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Space")
    assert "line-through" in page.evaluate(
        "getComputedStyle(document.querySelector('.topic label')).textDecorationLine"
    )
    page.keyboard.press("Enter")
    page.wait_for_url("**saved=1")
    assert withdrawn(planned) == [("email", "*", "page")]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [NARROW, (640, 400)], ids=["narrow", "zoomed"])
def test_nothing_is_cut_off_where_there_is_little_room(
    planned: Shop, address: str, browser: "Browser", size: tuple[int, int], scheme: str
) -> None:
    """A window of 1280 pixels at 200 % has 640."""
    with planned.database.writing() as connection:
        suppress_address(connection, "sms", "+4915112345678", "unsubscribed", "sandbox_sms", at(LATER))
    for page in opened(browser, address, size, color_scheme=scheme):
        for path in (link(planned, "anna"), link(planned, "anna", "u"), "/p/x", "/u/x"):
            page.goto(address + path)
            is_sound(page)
