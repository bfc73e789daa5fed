"""The page of one customer: what is told of them, to whom, and why."""

import html
import re
from pathlib import Path
from typing import Any

import pytest
from console_visiting import NOW, Visiting
from shop import Shop, at
from sqlalchemy import update
from typed import Run, typing

from automation.customers.suppress import suppress_address
from automation.customers.wish import Wish, record_wish
from automation.database.schema import customers
from automation.delivery.health import by_hand

RUN = "2026-03-02T05:00:00Z"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    return typing(monkeypatch, capsys)


def page(console: Visiting, role: str = "support", **query: str) -> str:
    answer = console.signed_in(role).get("/customer", params={"id": "ada", **query})
    assert answer.status_code == 200, answer.text
    return answer.text.partition("<main")[2]


def told(text: str) -> list[str]:
    """What the time line says happened, the newest first."""
    return re.findall(r'data-what="(\w+)"', text)


def test_it_tells_who_they_are_where_they_stand_and_what_will_be_sent(console: Visiting) -> None:
    text = page(console)
    assert "ada@example.com" in text
    assert "New" in text
    assert "hello / two" in text.partition('id="planned"')[2]
    assert text.count("may be written to") == 2


def test_everything_that_happened_is_told_the_newest_first_and_by_kind(console: Visiting) -> None:
    assert told(page(console)) == ["message", "message", "entered", "stage", "consent", "consent"]
    assert told(page(console, kind="consent")) == ["consent", "consent"]
    assert "Nothing of this kind" in page(console, kind="text")


def test_older_things_are_on_the_next_page(console: Visiting, lived: Shop) -> None:
    lived.orders("ada", *(f"2026-02-01T09:{minute:02}:00Z" for minute in range(60)))
    first = page(console)
    (older,) = re.findall(r'href="([^"]*before=[^"]*)"', first)
    second = console.signed_in("support").get(html.unescape(older)).text
    assert (len(told(first)), len(told(second))) == (50, 16)
    assert told(second)[-2:] == ["consent", "consent"]


def checks(text: str) -> dict[str, Any]:
    """Verdict, reason and the rules with whether they hold, of each playbook."""
    found = {}
    for part in re.split(r'<details class="verdict" ', text)[1:]:
        (key,) = re.findall(r'id="why-([^"]+)"', part)
        (verdict,), (reason,) = re.findall(r'data-verdict="(\w+)"', part), re.findall(r'data-reason="(\w+)"', part)
        rules = re.findall(r'<li class="(passed|failed)[^"]*" data-rule="([^"]*)"', part)
        found[key] = (verdict, reason, [(html.unescape(rule), passed == "passed") for passed, rule in rules])
    return found


@pytest.mark.parametrize(("day", "now"), [("", NOW), ("2026-03-01", "2026-03-01T22:59:59.999999Z")])
@pytest.mark.parametrize("playbook", ["*", "hello"])
def test_the_explanation_is_that_of_the_command_line_on_any_day(
    console: Visiting, lived: Shop, run: Run, playbook: str, day: str, now: str
) -> None:
    config = ("--config", str(lived.folder / "config.toml"), "--now", now, "--json")
    typed = run("explain", "ada", *(() if playbook == "*" else (playbook,)), *config).json
    expected = {
        one["playbook"]: (
            one["verdict"],
            one["reason"],
            [(check["rule"], check["passed"]) for check in one["checks"]],
        )
        for one in typed["playbooks"]
    }
    assert checks(page(console, playbook=playbook, day=day)) == expected
    assert {"2026-03-01": "would_enter", "": "in_progress"}[day] == expected["hello"][0]


def test_each_message_leads_to_why_it_was_sent_that_day(console: Visiting) -> None:
    links = re.findall(r'href="([^"]+)" aria-label="Why hello / one', page(console))
    assert [html.unescape(link) for link in links] == ["/customer?id=ada&playbook=hello&day=2026-03-02#why"]
    assert "sent on 2026-03-02 12:00 CET" in console.signed_in("support").get(html.unescape(links[0])).text


def test_the_verdict_is_told_in_words(console: Visiting) -> None:
    assert "they are in it." in page(console, playbook="hello")


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"id": "nobody"}, 404),
        ({"id": "a\0b"}, 404),
        ({"id": ""}, 404),
        ({}, 400),
        ({"id": "ada", "kind": "mesage"}, 400),
        ({"id": "ada", "before": "yesterday"}, 400),
        ({"id": "ada", "playbook": "helo"}, 404),
        ({"id": "ada", "playbook": "*", "day": "soon"}, 400),
        ({"id": "ada", "playbook": "*", "day": "9999-12-31"}, 400),
    ],
)
def test_what_is_not_there_is_told_and_breaks_nothing(console: Visiting, query: dict[str, str], status: int) -> None:
    assert console.signed_in("support").get("/customer", params=query).status_code == status


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_others_read_masks_until_they_say_why_and_have_no_buttons(console: Visiting, role: str) -> None:
    with console.database.writing() as connection:
        note = "ada@example.com called from +12015550123"
        by_hand.pause(connection, "customer:ada", "Bea", note, None, at(RUN))
    text = page(console, role, playbook="*")
    assert "ada@example.com" not in text
    assert "+12015550123" not in text
    assert 'action="/customer/' not in text
    console.signed_in(role).post("/unmask", data={"id": "ada", "reason": "she called"})
    text = page(console, role, playbook="*")
    assert "ada@example.com called from +12015550123" in text
    assert 'action="/unmask"' not in text


def test_what_stands_against_a_channel_is_told_with_its_reason(console: Visiting) -> None:
    with console.database.writing() as connection:
        suppress_address(connection, "email", "ada@example.com", "bounced_hard", "postmark", at(RUN))
        record_wish(connection, Wish("ada", "sms", "*", granted=False), "Bea", "", at(RUN))
    text = page(console).partition('id="ways"')[2].partition("</section>")[0]
    assert "The address is on the list" in text
    assert "Messages came back" in text
    assert "has not agreed" in text


def test_of_an_erased_customer_the_history_is_told_and_nothing_can_be_done(console: Visiting) -> None:
    gone: dict[str, Any] = {"erased_at": at(RUN), "email": None, "phone": None, "attributes": {}}
    with console.database.writing() as connection:
        connection.execute(update(customers).where(customers.c.customer_id == "ada").values(gone))
    text = page(console)
    assert "erased on request" in text
    assert 'action="/customer/' not in text
    assert "message" in told(text)


def test_while_the_marketers_files_have_mistakes_what_is_on_record_is_told(console: Visiting, lived: Shop) -> None:
    Path(lived.folder / "playbooks" / "hello.toml").write_text("name = 1", encoding="utf-8")
    text = page(console, playbook="*")
    assert "hello.toml" in text
    assert "message" in told(text)
    assert "ada@example.com" in text
