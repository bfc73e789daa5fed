"""The send log as a page and as a file."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
from console_visiting import Visiting, visiting
from shop import Shop, playbook, step
from sqlalchemy import update

from automation.database.schema import messages

NOW = "2026-03-05T12:00:00Z"
FORMULAS = ("=1+1", "+1", "-1", "@sum", "\t=1", "\r=1")


def found(console: Visiting, query: str = "", role: str = "support") -> list[str]:
    """The customers whose messages the page shows, from the top."""
    page = console.signed_in(role).get(f"/log{query}")
    assert page.status_code == 200, page.text
    return re.findall(r'<a href="/customer\?id=([^"]+)">', page.text)


def test_the_newest_messages_stand_at_the_top(console: Visiting) -> None:
    assert sorted(found(console)) == ["ada", "ada", "bob", "bob", "eve", "eve"]
    page = console.signed_in("viewer").get("/log").text
    assert "Planned" in page
    assert "We have no usable address or number for this channel." in page


@pytest.mark.parametrize(
    ("query", "whose"),
    [
        ("?q=ada", ["ada", "ada"]),
        ("?q=BOB@example.com", ["bob", "bob"]),
        ("?status=sent", ["ada", "bob"]),
        ("?reason=no_address", ["eve"]),
        ("?step=two&channel=email", ["ada", "bob", "eve"]),
        ("?playbook=hello&status=planned", ["ada", "bob", "eve"]),
        ("?channel=sms", []),
        ("?since=2026-03-02&until=2026-03-02&step=one", ["ada", "bob", "eve"]),
        ("?until=2026-03-01", []),
        ("?q=nobody", []),
        ("?q=%00", []),
        ("?status=nonsense", []),
    ],
)
def test_each_filter_shows_what_it_says(console: Visiting, query: str, whose: list[str]) -> None:
    assert sorted(found(console, query)) == whose


def test_what_is_asked_for_stays_in_the_form(console: Visiting) -> None:
    page = console.signed_in("viewer").get("/log?q=ada&status=sent&since=2026-03-01").text
    assert re.search(r'name="q"[^>]*value="ada"', page)
    assert '<option value="sent" selected>' in page
    assert re.search(r'name="since"[^>]*value="2026-03-01"', page)


def test_what_is_no_date_is_said_and_the_form_stays(console: Visiting) -> None:
    answer = console.signed_in("viewer").get("/log?q=ada&since=soon")
    assert answer.status_code == 422
    assert "&#34;soon&#34; is no date" in answer.text
    assert 'value="ada"' in answer.text


@pytest.fixture
def many(shop: Shop) -> Iterator[Visiting]:
    """Two pages and a half of messages."""
    shop.write(hello=playbook(step("one")))
    shop.customers(*(f"c{number:03}" for number in range(120)))
    shop.evaluate("2026-03-02T05:00:00Z")
    with visiting(shop, NOW) as console:
        yield console


def test_pages_lead_to_older_ones_and_back(many: Visiting) -> None:
    visitor, seen = many.signed_in("viewer"), list[str]()
    path, pages = "/log?status=planned", list[str]()
    while path:
        page = visitor.get(path).text
        pages.append(page)
        seen += re.findall(r'<a href="/customer\?id=([^"]+)">', page)
        older = re.search(r'href="([^"]+)">Older', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert len(pages) == 3
    assert sorted(seen) == [f"c{number:03}" for number in range(120)]
    newer = re.search(r'href="([^"]+)">Newer', pages[2])
    assert newer is not None
    back = visitor.get(newer[1].replace("&amp;", "&")).text
    assert re.findall(r"/messages/(\d+)", back) == re.findall(r"/messages/(\d+)", pages[1])


def cells(console: Visiting, role: str, query: str = "") -> list[dict[str, str]]:
    answer = console.signed_in(role).get(f"/log.csv{query}")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_the_file_has_the_rows_of_the_filter_in_words(console: Visiting) -> None:
    rows = cells(console, "support", "?reason=no_address&step=one")
    assert [(row["customer_id"], row["status"], row["status_in_words"]) for row in rows] == [
        ("eve", "skipped", "skipped")
    ]
    assert rows[0]["reason_in_words"] == "We have no usable address or number for this channel."
    assert len(cells(console, "support")) == 6


def test_who_may_not_read_addresses_finds_masks_on_the_page_and_in_the_file(console: Visiting) -> None:
    for role, is_clear in (("support", True), ("admin", True), ("marketer", False), ("viewer", False)):
        page = console.signed_in(role).get("/log?q=ada").text
        assert ("ada@example.com" in page) == is_clear
        addresses = {row["to"] for row in cells(console, role, "?q=ada")}
        assert addresses == ({"ada@example.com"} if is_clear else {"a…@e….com"})


def test_who_asked_for_one_customer_reads_that_one_alone(console: Visiting) -> None:
    visitor = console.signed_in("viewer")
    visitor.post("/unmask", data={"id": "ada", "reason": "she called"})
    assert {row["to"] for row in cells(console, "viewer")} == {"ada@example.com", "b…@e….com", ""}


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_cell_that_a_spreadsheet_would_run_is_text(console: Visiting, formula: str) -> None:
    with console.database.writing() as connection:
        connection.execute(update(messages).values(provider_id=formula).where(messages.c.status == "sent"))
    rows = cells(console, "support", "?status=sent")
    assert {row["provider_id"] for row in rows} == {f"'{formula}"}


def test_a_long_file_comes_as_a_stream(many: Visiting) -> None:
    with many.signed_in("support").stream("GET", "/log.csv") as answer:
        assert "content-length" not in answer.headers
        lines = "".join(answer.iter_text()).splitlines()
    assert len(lines) == 121


def test_nothing_that_somebody_searches_for_becomes_markup(console: Visiting) -> None:
    page = console.signed_in("viewer").get("/log", params={"q": '"><script>alert(1)</script>'}).text
    assert "<script>alert" not in page
