"""Whatever a customer, a provider or a template writes: on no page of the console does it become a script."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from console_browsing import signed_in_context
from console_visiting import Visiting, visiting
from hostile_shop import hostile_day, ids
from hostile_texts import PAYLOADS
from shop import Shop

from automation.web.console.formats import customer_url, message_url

if TYPE_CHECKING:
    from playwright.sync_api import Browser

LISTS = ("/", "/log", "/customers?q=h", "/playbooks", "/playbooks/hello", "/lifecycle", "/audit", "/health", "/users")
ECHOES = (
    "/customers?{q}",
    "/log?{q}",
    "/log?{status}",
    "/log?{playbook}",
    "/audit?{actor}",
    "/audit?{about}",
    "/sign-in?{next}",
    "/playbooks/hello/preview?{customer}",
    "/lifecycle?{since}",
    "/customer?{id}",
)
AT_A_TIME = 1  # of the echoes for each text, in turn
ONLY_IN_MAIL = "/html"  # what a template of the shop's own says is shown in a frame that runs nothing


@pytest.fixture
def console(shop: Shop) -> Iterator[Visiting]:
    with ThreadPoolExecutor(1) as elsewhere:  # the browser's driver has an event loop here
        elsewhere.submit(hostile_day, shop).result()
    with visiting(shop) as found:
        yield found


def of_one(console: Visiting) -> Iterator[str]:
    """The pages of each customer and of their message."""
    written = {row.customer_id: row.message_id for row in console.shop.rows()}
    for customer_id in ids():
        yield customer_url(customer_id)
        yield message_url(written[customer_id])


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_no_hostile_text_becomes_a_script(browser: "Browser", console: Visiting) -> None:
    hacked: list[str] = []
    broken: list[str] = []
    with signed_in_context(browser, console, "admin") as context:
        page = context.new_page()
        context.expose_binding("hacked", lambda source: hacked.append(source["page"].url))
        page.on("dialog", lambda dialog: hacked.append(dialog.message))
        page.on("console", lambda message: broken.append(f"{page.url}: {message.text}"))
        for path in (*LISTS, *of_one(console)):
            answer = page.goto(path)
            assert answer is not None
            assert answer.status == 200, path
            assert page.url.startswith(console.address), path
    assert hacked == []
    # A page that has nothing to refuse has let no script in; a mail in its frame may have one, and it is refused.
    assert [one for one in broken if ONLY_IN_MAIL not in one and "about:srcdoc" not in one] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_somebody_asks_for_is_shown_as_text(console: Visiting) -> None:
    admin = console.signed_in("admin")
    for number, payload in enumerate(PAYLOADS):
        for echo in (ECHOES * 2)[number % len(ECHOES) :][:AT_A_TIME]:
            name = echo.partition("{")[2].rstrip("}")
            answer = admin.get(echo.format(**{name: urlencode({name: payload})}))
            assert answer.status_code < 500, (echo, payload)
            if any(sign in payload for sign in "<>\"'"):
                assert payload not in answer.text, (echo, payload)
