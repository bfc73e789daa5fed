"""Rows that could break something: refused when they are imported, or the end of their own message and of no other."""

import csv
import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

import pytest
from shop import Shop, at, playbook, step

from automation.customers.load import import_customers, import_events
from automation.database.schema import customers, events
from automation.delivery.verify import verify

LONG_AGO, DAY1, NOON1 = "2026-01-01T00:00:00Z", "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
RTL, EMOJI = "\u202bمرحبا\u202c", "Zoë 🧑‍🚀"
EMAIL = """+++
subject = "For {{ customer.first_name | default('you') }}"
+++
{{ customer.note | default('No note') }}, {{ facts.nps | default('no answer') }}.
"""
TEXT = "For {{ customer.first_name | default('you') }}: {{ facts.nps | default('no answer') }}. Reply STOP to opt out."
Rows = Mapping[str, dict[str, Any]]

# By the column that is refused: customers whose row does not come in.
REFUSED: dict[str, tuple[str, dict[str, Any]]] = {
    "nul": ("first_name", {"first_name": "a\0b"}),
    "nul id\0": ("id", {}),
    "nul_name": ("a\0b", {"a\0b": "x"}),
    "nul_inside": ("note", {"note": {"x": ["\0"]}}),
    "half": ("first_name", {"first_name": "Ann \ud83d"}),
    "other_half": ("note", {"note": "\udc00"}),
    "half_id\ud800": ("id", {}),
    "2**63": ("note", {"note": 2**63}),
    "-2**63": ("note", {"note": -(2**63)}),
    "10**400": ("note", {"note": 10**400}),
    "megabyte": ("", {"note": "x" * 1_000_000}),
    "deep": ("note", {"note": json.loads("[" * 50 + "]" * 50)}),
    "escape": ("first_name", {"first_name": "a\x1b[31mb"}),
    "no_day": ("note", {"note": "2026-02-31"}),
    "two\nlines": ("id", {}),
    "new_header": ("email", {"email": "a@example.com\r\nBcc: eve@example.com"}),
    "two_people": ("email", {"email": "a@example.com, eve@example.com"}),
    "two_numbers": ("phone", {"phone": "+12015550100\r\n+12015550101"}),
}
# By the subject of the email; None: it cannot be sent.
TAKEN: dict[str, tuple[str | None, dict[str, Any]]] = {
    "ada": ("For Ada", {"first_name": "Ada"}),
    "crlf": (None, {"first_name": "Ann\r\nBcc: eve@example.com"}),
    "lf": (None, {"first_name": "Ann\nTo: eve@example.com"}),
    "separator": (None, {"first_name": "Ann\u2028Lee"}),
    "rtl": (f"For {RTL}", {"first_name": RTL}),
    "emoji": (f"For {EMOJI}", {"first_name": EMOJI}),
    "زبون": (f"For {EMOJI}", {"first_name": EMOJI, "email": "rtl-id@example.com"}),
    "code": ("For {{ 7 * 7 }}<b>{% raw %}", {"first_name": "{{ 7 * 7 }}<b>{% raw %}"}),
    "sql": ("For '); DROP TABLE messages; --", {"first_name": "'); DROP TABLE messages; --"}),
    "number": ("For 7", {"first_name": 7}),
    "large": ("For 999999999999999", {"first_name": 10**15 - 1}),
    "yes": ("For True", {"first_name": True}),
    "list": (None, {"first_name": ["Ann"]}),
    "object": (None, {"first_name": {"a": "Ann"}}),
    "long": (f"For {'x' * 60_000}", {"first_name": "x" * 60_000}),
    "zoe": ("For Zoe", {"first_name": "Zoe"}),
}


RAW = (
    b'{"id": "raw", "note": ' + b"9" * 5000 + b"}",
    b'{"id": "raw", "note": "\xff"}',
    b'{"id": "raw", "note": "\0"}',
    b'{"id": "raw", "note": NaN}',
    b'{"id": "raw"',
)

# By the column that is refused: answers to a survey that do not come in.
UNHEARD: dict[str, tuple[str, Any]] = {
    "nul": ("nps", "a\0b"),
    "half": ("nps", "\udfff"),
    "2**63": ("nps", 2**63),
    "megabyte": ("", "x" * 1_000_000),
    "10**400": ("nps", -(10**400)),
}
# By what the text to the customer says: answers of every kind, of which only a number counts.
HEARD: dict[str, tuple[str, Any]] = {
    "ada": ("9", 9),
    "crlf": ("9.5", 9.5),
    "lf": ("-1", -1),
    "separator": ("no answer", "\u2028"),
    "rtl": ("no answer", RTL),
    "emoji": ("no answer", EMOJI),
    "code": ("no answer", "{{ 7 * 7 }}"),
    "sql": ("0", -0.0),
    "large": ("999999999999999", 10**15 - 1),
    "list": ("no answer", [9]),
    "object": ("no answer", {"a": 9}),
    "yes": ("no answer", True),
    "zoe": ("no answer", "two\r\nlines"),
}


# Whose text cannot be put together, or is too long for a text.
SILENT = {"list", "object", "long"}


def in_file(shop: Shop, rows: list[bytes]) -> Path:
    path = shop.folder / "rows.jsonl"
    path.write_bytes(b"\n".join(rows))
    return path


def refused(done: Any) -> dict[int, str]:
    """The column that is refused, by line."""
    text = Path(done.rejects_file).read_text(encoding="utf-8")
    return {int(one["line"]): one["column"] for one in csv.DictReader(text.splitlines())}


def mixed(bad: Sequence[bytes], good: Sequence[bytes]) -> list[bytes]:
    """A bad row before each good one, and the rest of the bad ones at the end."""
    pairs = zip_longest(bad, good)
    return [row for pair in pairs for row in pair if row is not None]


@pytest.fixture
def poisoned(shop: Shop) -> Shop:
    """An email and a text to everybody, whose words come from the customers and their answers."""
    email, text = step("email", "poison/email"), step("text", "poison/text", "sms")
    shop.write(care=playbook(email), texts=playbook(text, kind="transactional"))
    for name, words in (("email.en.md", EMAIL), ("text.en.txt", TEXT)):
        (shop.folder / "templates/poison").mkdir(exist_ok=True)
        (shop.folder / "templates/poison" / name).write_text(words, encoding="utf-8")
    return shop


def number(place: int) -> str:
    return f"+120155501{place:02}"


def person(key: str, row: dict[str, Any], place: int) -> bytes:
    known = {"id": key, "email": f"{place}@example.com", "phone": number(place), "timezone": "Europe/Rome"}
    return json.dumps({**known, "email_consent": True, "sms_consent": True, **row}).encode()


def answer(key: str, value: Any) -> bytes:
    known = {"event_id": f"answer-{key}", "event": "Survey", "customer_id": key, "ts": "2026-01-31T09:00:00Z"}
    return json.dumps({**known, "properties": {"nps": value}}).encode()


def people() -> list[bytes]:
    return [person(key, row, place) for place, (key, (_, row)) in enumerate(TAKEN.items())]


def answers() -> list[bytes]:
    return [answer(key, value) for key, (_, value) in HEARD.items()]


def refusals(rows: Sequence[bytes], bad: Sequence[bytes], columns: Sequence[str]) -> dict[int, str]:
    return dict(zip((rows.index(one) + 1 for one in bad), columns, strict=True))


def test_a_poisoned_customer_is_refused_alone_with_its_column(poisoned: Shop) -> None:
    bad = [*(person(key, row, 0) for key, (_, row) in REFUSED.items()), *RAW]
    rows = mixed(bad, people())
    done = import_customers(poisoned.database, in_file(poisoned, rows), at(LONG_AGO))
    assert refused(done) == refusals(rows, bad, [*(column for column, _ in REFUSED.values()), *[""] * len(RAW)])
    assert {row.customer_id for row in poisoned.rows(customers)} == set(TAKEN)


def test_a_poisoned_event_is_refused_alone_with_its_column(poisoned: Shop) -> None:
    bad = [answer(key, value) for key, (_, value) in UNHEARD.items()]
    rows = mixed(bad, answers())
    done = import_events(poisoned.database, in_file(poisoned, rows), at(LONG_AGO))
    assert refused(done) == refusals(rows, bad, [column for column, _ in UNHEARD.values()])
    assert {row.customer_id for row in poisoned.rows(events)} == set(HEARD)


def test_a_message_that_cannot_be_put_together_ends_alone(poisoned: Shop) -> None:
    for load, rows in ((import_customers, people()), (import_events, answers())):
        assert load(poisoned.database, in_file(poisoned, rows), at(LONG_AGO)).rejected == 0
    poisoned.evaluate(DAY1)
    poisoned.send(NOON1)
    unsent = {(row.customer_id, row.step, row.status, row.reason) for row in poisoned.rows() if row.status != "sent"}
    cannot = {(key, "email", "failed", "cannot_render") for key, (subject, _) in TAKEN.items() if subject is None}
    neither = {(key, "text", "failed", "cannot_render") for key in ("list", "object")}
    assert unsent == {*cannot, *neither, ("long", "text", "rejected", "provider_refused")}
    ids = {str(row.message_id): row.customer_id for row in poisoned.rows()}
    log = poisoned.log()
    subjects = {ids[one["mid"]]: one["subject"] for one in log if one["kind"] == "postmark"}
    assert subjects == {key: subject for key, (subject, _) in TAKEN.items() if subject is not None}
    texts = {
        one["recipient"]: one["text"].removesuffix(". Reply STOP to opt out.") for one in log if not one["subject"]
    }
    said = {key: texts[number(place)].rpartition(": ")[2] for place, key in enumerate(TAKEN) if key not in SILENT}
    assert said == {key: HEARD.get(key, ("no answer",))[0] for key in said}
    assert verify(poisoned.database, poisoned.settings).ok
