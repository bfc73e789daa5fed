"""The console in a real browser: every page at the widths and in the colors people use, and nothing that axe finds."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from browsing import NARROW, SIZES, TOO_WIDE, TWICE
from console_visiting import NOW, Visiting, a_day_in, visiting
from shop import Shop, at

from automation.web.accounts.users import add_user
from automation.web.console.call import COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD = "correct horse battery staple"
PAGES = ["/account", "/audit", "/users", "/nowhere", "/customers?q=a", "/customer?id=ada&playbook=*"]
LOOKS = [(*size, scheme) for size in (*SIZES.values(), NARROW) for scheme in ("light", "dark")]


@pytest.fixture
def console(shop: Shop) -> Iterator[Visiting]:
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver has an event loop here
        elsewhere.submit(a_day_in, shop).result()
    with visiting(shop) as found:
        yield found


@contextmanager
def looked_at(browser: "Browser", console: Visiting, role: str | None = None, **more: Any) -> "Iterator[Page]":
    """A page of somebody with that role; it complains about nothing and asks nobody else."""
    context = browser.new_context(base_url=console.address, **more)
    if role is not None:
        token = console.token_of(role)
        secure = console.address.replace("http:", "https:")  # this machine is as good as TLS to a browser
        own = {"name": COOKIE, "value": token, "url": secure, "secure": True, "httpOnly": True}
        context.add_cookies([own])  # type: ignore[list-item]
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert [one for one in complaints if "404 (Not Found)" not in one] == []
    assert [url for url in asked if not url.startswith((console.address, "data:"))] == []


def is_accessible(page: "Page") -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (it needs playwright)

    found = Axe().run(page).response["violations"]
    told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]
    assert told == [], page.url


def is_whole(page: "Page") -> None:
    assert page.evaluate(TOO_WIDE) == 0, page.url
    assert page.evaluate(TWICE) == 0, page.url
    assert page.locator("h1").count() == page.locator("main").count() == 1, page.url


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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("look", [SIZES["desk"], NARROW] if "desk" in SIZES else [*SIZES.values(), NARROW])
def test_a_customers_page_is_accessible_with_everything_opened(
    browser: "Browser", console: Visiting, look: tuple[int, int]
) -> None:
    with looked_at(browser, console, "support", viewport={"width": look[0], "height": look[1]}) as page:
        page.goto("/customer?id=ada&playbook=*")
        page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")
        is_whole(page)
        is_accessible(page)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_customers_are_found_while_somebody_types_and_the_address_keeps_what_they_typed(
    browser: "Browser", console: Visiting
) -> None:
    with looked_at(browser, console, "support") as page:
        page.goto("/customers")
        page.get_by_label("Whom are you looking for?").press_sequentially("ad")
        page.get_by_role("link", name="ada").wait_for()
        assert page.url == f"{console.address}/customers?q=ad"
        page.get_by_role("link", name="ada").click()
        assert page.get_by_role("heading", level=1).inner_text().startswith("ada")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_support_unsubscribes_somebody_and_reads_that_it_is_done(browser: "Browser", console: Visiting) -> None:
    with looked_at(browser, console, "support") as page:
        page.goto("/customer?id=ada")
        page.get_by_text("Unsubscribe them").first.click()
        page.locator("#unsubscribe-reason").fill("she called")
        page.get_by_role("button", name="Unsubscribe them").click()
        assert "They are unsubscribed" in page.get_by_role("status").inner_text()
        assert page.get_by_text("is not written to").count() == 1
