"""A support person's minute: who is it, why did they not get it, send it again, and please stop it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from browsing import SIZES
from console_browsing import is_accessible, looked_at
from console_visiting import NOW, Visiting, a_day_in, visiting
from shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


def elsewhere(work: Any, *given: Any) -> Any:
    """In a thread of its own: the browser's driver has an event loop here."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work, *given).result()


@pytest.fixture
def console(shop: Shop) -> Iterator[Visiting]:
    elsewhere(a_day_in, shop)
    with visiting(shop) as found:
        yield found


def found(page: "Page", words: str) -> None:
    """The customer, by whatever the caller says."""
    page.get_by_role("link", name="Customers").click()
    page.get_by_label("Whom are you looking for?").fill(words)
    page.get_by_role("button", name="Find").click()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("size", SIZES)
def test_somebody_is_found_told_why_written_to_again_and_then_left_alone(
    browser: "Browser", console: Visiting, size: str
) -> None:
    width, height = SIZES[size]
    with looked_at(browser, console, "support", viewport={"width": width, "height": height}) as page:
        page.goto("/")
        found(page, "ADA@example.com ")
        page.get_by_role("link", name="ada", exact=True).click()
        page.locator("main").get_by_role("link", name="hello / one").first.click()
        page.frame_locator("iframe").get_by_text("Come back, please.").wait_for()
        page.get_by_label("Why it goes again").fill("she deleted it")
        page.get_by_role("button", name="Send it again").click()
        is_accessible(page)
        elsewhere(console.shop.send, NOW)
        assert [one["recipient"] for one in console.shop.log()].count("ada@example.com") == 2

        page.locator("main").get_by_role("link", name="ada", exact=True).first.click()
        page.locator("summary", has_text="Close an address").click()
        form = page.locator("details", has_text="Close an address")
        form.get_by_label("Why").fill("she asked us to stop")
        form.get_by_role("button").click()
        is_accessible(page)
        elsewhere(console.shop.send, "2026-03-06T11:00:00Z")
        ada = {row.step: (row.status, row.reason) for row in console.shop.rows() if row.customer_id == "ada"}
        assert ada["two"][0] == "skipped"
        assert [one["recipient"] for one in console.shop.log()].count("ada@example.com") == 2


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_it_is_read_why_somebody_was_left_out(browser: "Browser", console: Visiting) -> None:
    with looked_at(browser, console, "viewer") as page:
        page.goto("/log?status=skipped")
        page.get_by_role("row", name="eve").get_by_role("link").first.click()
        assert page.get_by_text("We have no usable address").first.is_visible()
