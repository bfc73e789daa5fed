"""A shop that asks its customers something, and the page on which they answer, as a browser asks for it."""

import re
from html import unescape
from typing import Any

import httpx
import loopback
from shop import Shop, playbook, step

from automation.database.schema import events
from automation.delivery.desk import open_desk

DAY1, NOON, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
NPS = """
name = "Would they recommend us?"
property = "nps"
question = { en = "Would you recommend us?", pl = "Czy nas polecisz?" }
comment = { en = "Why?", pl = "Dlaczego?" }
thanks = { en = "Thank you.", pl = "Dziękujemy." }
[scale]
from = 0
to = 10
low = { en = "never", pl = "nigdy" }
high = { en = "gladly", pl = "chętnie" }
"""
LEAVING = """
name = "Why they left"
property = "left_because"
question = { en = "Why <did> you leave?" }
thanks = { en = "Thank you." }
[[choices]]
key = "price"
text = { en = "Prices or delivery costs & so on" }
[[choices]]
key = "other"
text = { en = "Something else" }
"""
MAIL = """+++
subject = "One question"
+++
[Ask me]({{ "nps" | survey }}) or [three]({{ "nps" | survey(3) }})
"""


def ask(shop: Shop, **playbooks: str) -> None:
    """The files of a shop with two surveys and a mail that links to one."""
    shop.write(**({"survey": playbook(step("ask", "survey/ask", late_by="3 days"))} | playbooks))
    files = {"playbooks/surveys/nps.toml": NPS, "playbooks/surveys/leaving.toml": LEAVING}
    for name, text in (files | {"templates/survey/ask.en.md": MAIL}).items():
        path = shop.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def link(shop: Shop, customer: str = "ada", survey: str = "nps") -> str:
    """The path that stands in the customer's mail."""
    row = next(one for one in shop.rows() if one.customer_id == customer)
    with shop.database.reading() as connection:
        url = open_desk(connection, shop.settings, shop.book).links(row.message_id).surveys
    return f"{url.removeprefix(shop.settings.business.public_url)}/{survey}"


def get(url: str, **given: Any) -> httpx.Response:
    return loopback.get(url, **given)


def post(url: str, value: str, comment: str | None = None, **given: Any) -> httpx.Response:
    return loopback.post(url, data={"a": value} | ({"comment": comment} if comment else {}), **given)


def choices(page: httpx.Response) -> list[str]:
    return [unescape(one) for one in re.findall(r'<input type="radio" name="a" value="([^"]*)"', page.text)]


def chosen(page: httpx.Response) -> list[str]:
    return re.findall(r'<input type="radio" name="a" value="([^"]*)" required checked', page.text)


def comment_in(page: httpx.Response) -> str:
    return unescape(page.text.split('maxlength="2000">\n')[1].split("</textarea>")[0])


def answers(shop: Shop) -> list[dict[str, Any]]:
    """The properties of every answer, in the order they were given, without what names its message."""
    found = [row.properties for row in shop.rows(events) if row.name == "Survey Answered"]
    return [{key: one[key] for key in one if key not in {"message_id", "playbook"}} for one in found]
