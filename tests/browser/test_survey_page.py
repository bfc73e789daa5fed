"""The page of a survey in a real browser: by finger, by keyboard, by day and by night."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from browsing import NARROW, SIZES, is_sound, opened
from serving import served
from shop import Shop
from surveying import DAY1, LATER, answers, ask, link

from automation.database.engine import connect
from automation.delivery.sandbox import SandboxServer
from automation.web.survey_words import SURVEY_WORDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

STARTER = Path(__file__).parents[2] / "playbooks/surveys"
EN = SURVEY_WORDS["en"]
# What a finger has to hit, by the narrower side: https://www.w3.org/TR/WCAG22/#target-size-enhanced
TARGETS = """Math.min(...[...document.querySelectorAll('.answers label, button, textarea')]
    .flatMap(one => [one.getBoundingClientRect().width, one.getBoundingClientRect().height]))"""
ROWS = """new Set([...document.querySelectorAll('.scale label')]
    .map(one => Math.round(one.getBoundingClientRect().top))).size"""


@pytest.fixture
def asked(tmp_path: Path, sqlite_url: str, sandbox: SandboxServer) -> Iterator[Shop]:
    """The surveys that are shipped, for a customer who reads English and one who reads German."""
    database = connect(sqlite_url)
    shop = Shop(tmp_path, database, sandbox.url)
    ask(shop)
    for path in STARTER.glob("*.toml"):
        (tmp_path / "playbooks/surveys" / path.name).write_bytes(path.read_bytes())
    shop.customers("ada", locale="en-GB")
    shop.customers("anna", locale="de-DE")
    shop.evaluate(DAY1)
    yield shop
    database.close()


@pytest.fixture
def address(asked: Shop) -> Iterator[str]:
    with served(asked, LATER) as found:
        yield found


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, browser: "Browser", address: str) -> Iterator["Page"]:
    yield from opened(browser, address, SIZES[request.param])


def press(page: "Page", button: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=button).click()


def test_a_person_follows_a_number_in_the_mail_sends_it_and_adds_words(asked: Shop, address: str, page: "Page") -> None:
    page.goto(address + link(asked) + "?a=9")
    is_sound(page)
    assert page.get_by_role("radio", name="9").is_checked()
    assert page.evaluate(TARGETS) >= 44
    press(page, EN.send)
    assert "Thank you" in page.get_by_role("status").inner_text()
    is_sound(page)
    page.get_by_role("radio", name="10").check()
    page.get_by_role("textbox").fill("Fast\nand friendly")
    press(page, EN.change)
    assert page.get_by_role("textbox").input_value() == "Fast\nand friendly"
    assert [one["nps"] for one in answers(asked)] == [9, 10]


def test_a_form_without_an_answer_is_not_sent(asked: Shop, address: str, page: "Page") -> None:
    page.goto(address + link(asked, survey="leaving"))
    assert page.evaluate(TARGETS) >= 44
    page.get_by_role("button", name=EN.send).click()
    assert page.evaluate("document.querySelector('input').validity.valueMissing")
    page.get_by_role("radio", name="Prices or delivery costs").check()
    press(page, EN.send)
    assert [one["left_because"] for one in answers(asked)] == ["price"]


def test_the_keyboard_is_enough(asked: Shop, address: str, page: "Page") -> None:
    page.goto(address + link(asked) + "?a=3")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.value") == "4"
    assert page.evaluate("getComputedStyle(document.activeElement.nextElementSibling).outlineStyle") == "solid"
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert [one["nps"] for one in answers(asked)] == [4]


def test_the_numbers_stand_in_one_row_on_a_desk_and_wrap_where_there_is_no_room(
    asked: Shop,
    address: str,
    browser: "Browser",
) -> None:
    for size, rows in ((SIZES["desk"], 1), (SIZES["telephone"], 2), (NARROW, 3)):
        for page in opened(browser, address, size, color_scheme="dark"):
            page.goto(address + link(asked, "anna"))
            is_sound(page)
            assert (page.evaluate(ROWS), page.evaluate(TARGETS) >= 44) == (rows, True)
