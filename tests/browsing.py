"""A page in a browser that watches what it does, and what can be told of any page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from automation.web.words import WORDS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIZES = {"telephone": (390, 844), "desk": (1280, 800)}
NARROW = (320, 640)
UNLABELED = """[...document.querySelectorAll('input:not([type=hidden]), button')]
    .filter(one => !(one.labels && one.labels.length) && !one.textContent.trim()).length"""
LOOSE = (
    "[...document.querySelectorAll('[aria-describedby]')].filter(one => !one.ariaDescribedByElements?.length).length"
)
TWICE = "(all => all.length - new Set(all).size)([...document.querySelectorAll('[id]')].map(one => one.id))"
SMALL = """[...document.querySelectorAll('label, button, input[type=checkbox]')]
    .filter(one => one.getBoundingClientRect().height < 22).length"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def opened(browser: "Browser", address: str, size: tuple[int, int], **more: Any) -> Iterator["Page"]:
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **more)
    page = context.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith((address, "data:"))] == []


def is_sound(page: "Page") -> None:
    """What can be told of a page by looking at it from outside."""
    for question in (UNLABELED, LOOSE, TWICE, SMALL, TOO_WIDE):
        assert page.evaluate(question) == 0, question
    assert page.locator("h1").count() == page.locator("main").count() == 1
    assert page.locator("html").get_attribute("lang") in WORDS
    assert page.title().endswith(" · Example Shop")
    assert page.evaluate("document.styleSheets[0].cssRules.length") > 0
