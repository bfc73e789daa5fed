"""No page shows an address to those who must not read it, whatever it is in."""

import httpx
import pytest
from console_access import ACCESS
from console_visiting import Visiting
from sqlalchemy import update

from automation.database.schema import attempts, outcomes
from automation.web.console.formats import customer_url

ADDRESSES = ("ada@example.com", "bob@example.com", "ada%40example.com", "+12015550123", "12015550123")


def places(console: Visiting) -> list[str]:
    """Every page there is to read, of Ada where it is of somebody."""
    number = next(row.message_id for row in console.shop.rows() if row.customer_id == "ada")
    known = {
        "/customer": customer_url("ada") + "&playbook=hello",
        "/customers": "/customers?q=ada",
        "/messages/{message_id}": f"/messages/{number}",
        "/messages/{message_id}/html": f"/messages/{number}/html",
        "/playbooks/{key}": "/playbooks/hello",
        "/playbooks/{key}/preview": "/playbooks/hello/preview?step=one&customer=ada",
        "/playbooks/{key}/preview/frame": "/playbooks/hello/preview/frame?step=one&customer=ada",
    }
    return [known.get(path, path) for method, path in ACCESS if method == "GET" and "{token}" not in path]


@pytest.fixture
def talkative(console: Visiting) -> Visiting:
    """Providers put addresses into what they answer."""
    said = "no mailbox ada@example.com for +12015550123"
    with console.database.writing() as connection:
        connection.execute(update(attempts).values(detail=said))
        connection.execute(update(outcomes).values(detail=said))
    return console


def shown(visitor: httpx.Client, path: str) -> list[str]:
    text = visitor.get(path).text
    return [one for one in ADDRESSES if one in text]


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_no_page_shows_an_address_to_them(talkative: Visiting, role: str) -> None:
    visitor = talkative.signed_in(role)
    assert {path: found for path in places(talkative) if (found := shown(visitor, path))} == {}


def test_support_staff_read_them(talkative: Visiting) -> None:
    support = talkative.signed_in("support")
    read = {path for path in places(talkative) if shown(support, path)}
    assert {customer_url("ada") + "&playbook=hello", "/customers?q=ada", "/log", "/log.csv"} <= read


def test_an_unmasked_customer_is_read_and_nobody_else(talkative: Visiting) -> None:
    viewer = talkative.signed_in("viewer")
    viewer.post("/unmask", data={"id": "ada", "reason": "she called"})
    assert "ada@example.com" in shown(viewer, customer_url("ada"))
    assert "ada@example.com" in shown(viewer, "/log")
    assert "bob@example.com" not in shown(viewer, "/log")
