"""The console in a real browser: every page at the widths and in the colors people use, and nothing that axe finds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from console_visiting import NOW, Visiting, a_day_in, visiting
from looking import LOOKS, is_accessible, is_whole, looked_at
from shop import Shop, at

from automation.web.accounts.users import add_user

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PASSWORD = "correct horse battery staple"
PAGES = ["/account", "/audit", "/users", "/nowhere"]


@pytest.fixture
def console(shop: Shop) -> Iterator[Visiting]:
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver has an event loop here
        elsewhere.submit(a_day_in, shop).result()
    with visiting(shop) as found:
        yield found


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_somebody_chooses_a_password_signs_out_and_in_again(browser: "Browser", console: Visiting) -> None:
    with console.database.writing() as connection:
        token = add_user(connection, "bea", "admin", "Ada", at(NOW))
    with looked_at(browser, console) as page:
        page.goto(f"/welcome/{token}")
        is_accessible(page)
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("The same again").fill(PASSWORD)
        page.get_by_role("button").click()
        page.goto("/audit")
        page.get_by_role("button", name="Sign out").click()
        page.goto("/audit")
        is_accessible(page)
        page.get_by_label("Name").fill("bea")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        assert page.url == f"{console.address}/audit"
        assert page.get_by_role("cell", name="signed_in").count() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_whole_and_accessible_at_every_width_and_color(
    browser: "Browser", console: Visiting, path: str
) -> None:
    for width, height, scheme in LOOKS:
        look = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
        with looked_at(browser, console, "admin", **look) as page:
            page.goto(path)
            is_whole(page)
            is_accessible(page)
