"""Pages of the console in a real browser, and what can be told of each by looking at it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from browsing import TOO_WIDE, TWICE
from console_visiting import Visiting

from automation.web.console.call import COOKIE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

# What a browser says of a page that is not there, or of a picture in somebody's mail that it does not load.
EXPECTED = ("404 (Not Found)",)


@contextmanager
def signed_in_context(
    browser: "Browser", console: Visiting, role: str | None, **more: Any
) -> "Iterator[BrowserContext]":
    """Windows of somebody with that role; of somebody who is not signed in without one."""
    context = browser.new_context(base_url=console.address, **more)
    if role is not None:
        secure = console.address.replace("http:", "https:")  # this machine is as good as TLS to a browser
        own = {"name": COOKIE, "value": console.token_of(role), "url": secure, "secure": True, "httpOnly": True}
        context.add_cookies([own])  # type: ignore[list-item]
    yield context
    context.close()


@contextmanager
def looked_at(browser: "Browser", console: Visiting, role: str | None = None, **more: Any) -> "Iterator[Page]":
    """A page of somebody with that role; it complains about nothing and asks nobody else."""
    complaints: list[str] = []
    asked: list[str] = []
    with signed_in_context(browser, console, role, **more) as context:
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on("request", lambda request: asked.append(request.url))
        yield page
    assert [one for one in complaints if not any(words in one for words in EXPECTED)] == []
    assert [url for url in asked if not url.startswith((console.address, "data:"))] == []


def is_accessible(page: "Page") -> None:
    """What axe finds, each with the first places."""
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415 (it needs playwright)

    found = Axe().run(page).response["violations"]
    told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]
    if told:
        pytest.fail(f"{page.url}: {told}")


def is_whole(page: "Page") -> None:
    assert page.evaluate(TOO_WIDE) == 0, page.url
    assert page.evaluate(TWICE) == 0, page.url
    assert page.locator("h1").count() == page.locator("main").count() == 1, page.url
