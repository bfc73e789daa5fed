"""Customers in a real browser: found while somebody types, told on a page that is whole, and acted for."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from browsing import NARROW, SIZES
from console_browsing import is_accessible, is_whole, looked_at
from console_visiting import Visiting, a_day_in, visiting
from shop import Shop

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def console(shop: Shop) -> Iterator[Visiting]:
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver has an event loop here
        elsewhere.submit(a_day_in, shop).result()
    with visiting(shop) as found:
        yield found


@pytest.mark.parametrize("size", [SIZES["desk"], NARROW])
def test_a_customers_page_is_accessible_with_everything_opened(
    browser: "Browser", console: Visiting, size: tuple[int, int]
) -> None:
    width, height = size
    with looked_at(browser, console, "support", viewport={"width": width, "height": height}) as page:
        page.goto("/customer?id=ada&playbook=*")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        is_whole(page)
        is_accessible(page)


def test_customers_are_found_while_somebody_types_and_the_address_keeps_what_they_typed(
    browser: "Browser", console: Visiting
) -> None:
    with looked_at(browser, console, "support") as page:
        page.goto("/customers")
        page.get_by_label("Whom are you looking for?").press_sequentially("ad")
        page.get_by_role("link", name="ada").wait_for()
        page.wait_for_url(f"{console.address}/customers?q=ad")
        page.get_by_role("link", name="ada").click()
        assert page.get_by_role("heading", level=1).inner_text().startswith("ada")


def test_support_unsubscribes_somebody_and_reads_that_it_is_done(browser: "Browser", console: Visiting) -> None:
    with looked_at(browser, console, "support") as page:
        page.goto("/customer?id=ada")
        page.get_by_text("Unsubscribe them").first.click()
        page.locator("#unsubscribe-reason").fill("she called")
        page.get_by_role("button", name="Unsubscribe them").click()
        assert "They are unsubscribed" in page.get_by_role("status").inner_text()
        assert page.get_by_text("is not written to").count() == 1
