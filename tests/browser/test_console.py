"""The console in a real browser: every page at the widths and in the colors people use, and nothing that axe finds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Literal

import pytest
from browsing import NARROW, SIZES
from console_access import ACCESS
from console_browsing import is_accessible, is_whole, looked_at
from console_visiting import NOW, Visiting, a_day_in, visiting
from shop import Shop, at

from automation.web.accounts.users import add_user
from automation.web.console.formats import customer_url

if TYPE_CHECKING:
    from playwright.sync_api import Browser

PASSWORD = "correct horse battery staple"
LOOKS: tuple[tuple[int, int, Literal["light", "dark"]], ...] = (
    (*SIZES["desk"], "light"),
    (*SIZES["desk"], "dark"),
    (*SIZES["telephone"], "light"),
    (*NARROW, "dark"),
)
CLOSELY = {LOOKS[0], LOOKS[-1]}  # axe takes its time
# What there is to see at each address of the table of pages; None: it is no page to look at.
PLACES = {
    "/welcome/{token}": "/welcome/unknown",
    "/messages/{message_id}": "/messages/{message}",
    "/messages/{message_id}/html": None,
    "/customer": customer_url("ada"),
    "/playbooks/{key}": "/playbooks/hello",
    "/playbooks/{key}/preview": "/playbooks/hello/preview?step=one",
    "/playbooks/{key}/preview/frame": None,
    "/log.csv": None,
    "/mailbox/{number}": "/mailbox/1",
    "/mailbox/{number}/html": None,
}
PAGES = sorted({path for method, path in ACCESS if method == "GET"} - {"/sign-in"})


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
        assert page.url == f"{console.address}/"
        page.goto("/audit")
        page.get_by_role("button", name="Sign out").click()
        page.goto("/audit")
        is_accessible(page)
        page.get_by_label("Name").fill("bea")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        assert page.url == f"{console.address}/audit"
        assert page.get_by_role("cell", name="signed in").count() == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_page_is_whole_and_accessible_at_every_width_and_color(browser: "Browser", console: Visiting) -> None:
    message = console.shop.rows()[0].message_id
    paths = [place.format(message=message) for place in (PLACES.get(path, path) for path in PAGES) if place]
    with looked_at(browser, console, "admin") as page:
        for path in (*paths, "/nowhere"):
            page.goto(path)
            for width, height, scheme in LOOKS:
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=scheme)
                is_whole(page)
                if (width, height, scheme) in CLOSELY:
                    is_accessible(page)
