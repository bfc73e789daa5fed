"""What happened to one customer, in order: every row of every table once, whatever the size of a page."""

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop import Shop, at, playbook, step
from sqlalchemy import Connection, delete, insert

from automation.customers.lookup import find_customer
from automation.customers.suppress import lift_suppression, suppress_address
from automation.customers.wish import Wish, record_wish
from automation.database.audit import note
from automation.database.engine import Database
from automation.database.hooks import inbound_texts
from automation.database.schema import (
    consents,
    customers,
    enrollments,
    events,
    lifted_suppressions,
    messages,
    outcomes,
    shard_of,
    stage_changes,
    suppressions,
)
from automation.delivery.answers.timeline import Moment, Place, time_line
from automation.delivery.answers.timeline_sources import KINDS, SOURCES
from automation.delivery.health import by_hand
from automation.delivery.hooks import InboundText
from automation.delivery.outcomes.texts import hear
from automation.errors import BadInput

RUN, NOON, EVENING = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T17:00:00Z"
START = datetime(2026, 3, 1, tzinfo=UTC)
STRANGE = 'a/b?c#d&é%2F"<script>'
EVERY_TABLE = (
    events,
    stage_changes,
    enrollments,
    messages,
    outcomes,
    consents,
    suppressions,
    lifted_suppressions,
    inbound_texts,
    customers,
)
NUMBERS = count()  # acts are never deleted: each life is another customer's


def walk(connection: Connection, customer_id: str, size: int, kinds: Sequence[str] = ()) -> Iterator[Moment]:
    """Page after page, each place going through an address as it does in a browser."""
    customer, before = find_customer(connection, customer_id), None
    while True:
        page = time_line(connection, customer, kinds, before, size)
        yield from page.moments
        if page.older is None:
            return
        assert len(page.moments) == size
        before = Place.read(str(page.older))


def happened(shop: Shop, customer_id: str = "ada") -> list[Moment]:
    with shop.database.reading() as connection:
        return list(walk(connection, customer_id, 100))


def test_a_day_of_a_customer_is_told_from_the_newest_to_the_oldest(shop: Shop) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms"), stages=["buyer"]))
    shop.customers("ada", "bob")
    shop.orders("ada", "2026-03-01T09:00:00Z", revenue=12)
    shop.evaluate(RUN)
    shop.send(NOON)
    with shop.database.writing() as connection:
        hear(connection, shop.settings, "sandbox_sms", InboundText("t", "+12015550123", "+15550100", "HELP"), at(NOON))
        record_wish(connection, Wish("ada", "sms", "*", granted=False), "Bea", "by phone", at(EVENING))
    told = [(one.kind, one.what) for one in happened(shop)]
    assert told == [
        ("consent", "consent"),
        ("act", "act"),
        ("message", "message"),
        ("playbook", "left"),
        ("text", "text"),
        ("playbook", "entered"),
        ("stage", "stage"),
        ("event", "event"),
        ("consent", "consent"),
        ("consent", "consent"),
    ]
    sent = next(one for one in happened(shop) if one.kind == "message")
    assert (sent.told["playbook"], sent.told["status"], sent.at) == ("care", "sent", at(NOON))
    assert next(one for one in happened(shop) if one.kind == "event").told["properties"] == {"revenue": 12}


def test_acts_on_a_customers_message_and_text_are_theirs_and_nobody_elses(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada", "bob")
    shop.evaluate(RUN)
    mine, other = (next(row.message_id for row in shop.rows() if row.customer_id == one) for one in ("ada", "bob"))
    with shop.database.writing() as connection:
        for about in (f"message:{mine}", f"message:{other}", "customer:bob", "customer:ada", "everything"):
            note(connection, "Bea", "signed_in", about, "", at(NOON))
    acts = [one.told["about"] for one in happened(shop) if one.kind == "act"]
    assert sorted(acts) == ["customer:ada", f"message:{mine}"]


def test_an_address_that_was_closed_and_reopened_says_when(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    with shop.database.writing() as connection:
        suppress_address(connection, "email", "ada@example.com", "unsubscribed", "test", at(RUN))
        lift_suppression(connection, "email", "ada@example.com", ["unsubscribed"], at(NOON))
        suppress_address(connection, "email", "ada@example.com", "complained", "test", at(EVENING))
        suppress_address(connection, "email", "bob@example.com", "complained", "test", at(EVENING))
    told = [(one.what, one.told["reason"], one.at) for one in happened(shop) if one.kind == "address"]
    assert told == [
        ("closed", "complained", at(EVENING)),
        ("reopened", "unsubscribed", at(NOON)),
        ("was_closed", "unsubscribed", at(RUN)),
    ]


def test_a_pause_for_one_person_is_an_act_with_its_end(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    with shop.database.writing() as connection:
        by_hand.pause(connection, "customer:ada", "Bea", "moving", at(EVENING), at(NOON))
    act = next(one for one in happened(shop) if one.kind == "act")
    assert (act.told["act"], act.told["note"], act.told["until"]) == ("pause", "moving", at(EVENING))


# Few instants, so that many rows share one and only their keys tell them apart.
LIVES = st.fixed_dictionaries({kind: st.lists(st.integers(0, 3), max_size=5) for kind in KINDS})


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(life=LIVES, size=st.integers(1, 7), seed=st.integers(0, 9))
def test_whatever_the_page_every_row_is_told_once_and_in_order(
    database: Database, life: dict[str, list[int]], size: int, seed: int
) -> None:
    with database.writing() as connection:
        for table in EVERY_TABLE:
            connection.execute(delete(table))
        own = f"{STRANGE}{next(NUMBERS)}"
        live(connection, own, life, random.Random(seed), 0)  # noqa: S311 (made-up people, no secret)
        live(connection, f"other {own}", life, random.Random(seed + 1), 100)  # noqa: S311 (likewise)
        found = list(walk(connection, own, size))
        assert len({one.place for one in found}) == len(found) == expected(life)
        assert [one.at for one in found] == sorted((one.at for one in found), reverse=True)
        assert found == list(walk(connection, own, 1000))
        for kind in KINDS:
            assert list(walk(connection, own, size, [kind])) == [one for one in found if one.kind == kind]


def expected(life: dict[str, list[int]]) -> int:
    """A passage is entered, left, and reaches its goal; an address is closed once, and was closed and reopened."""
    own = sum(len(life[kind]) for kind in ("event", "message", "outcome", "consent", "text", "act"))
    addresses = 2 * len(life["address"]) + min(2, len(life["address"]))
    return own + len(set(life["stage"])) + 3 * len(life["playbook"]) + addresses


def live(connection: Connection, customer_id: str, life: dict[str, list[int]], draw: random.Random, first: int) -> None:
    """Ids count from `first`, for two customers of one shard."""
    shard = shard_of(customer_id)
    mine = {"shard": shard, "customer_id": customer_id}
    email, phone = f"{first}@example.com", f"+1201555{first:04}"
    rows: dict[Any, list[dict[str, Any]]] = {
        customers: [{**mine, "email": email, "phone": phone, "attributes": {}}],
        events: [
            {**mine, "event_id": f"é{number}", "name": "Order", "time": when(hour), "properties": {}}
            for number, hour in enumerate(life["event"])
        ],
        stage_changes: [
            {**mine, "day": date(2026, 3, 1 + hour), "to_stage": "new", "move": "first", "changed_at": when(hour)}
            for hour in set(life["stage"])
        ],
        enrollments: [
            {
                **mine,
                "enrollment_id": shard + 256 * number,
                "playbook": "care",
                "arm": "main",
                "entered_at": when(hour),
                "entered_stage": "new",
                "exited_at": when(hour + draw.randint(0, 1)),
                "goal_at": when(hour),
                "next_step": 0,
            }
            for number, hour in enumerate(life["playbook"], start=first)
        ],
        messages: [message(mine, number, hour) for number, hour in enumerate(life["message"], start=first)],
        outcomes: [],
        consents: [
            {
                **mine,
                "number": number,
                "channel": "email",
                "topic": "*",
                "granted": True,
                "basis": "told",
                "source": "person",
                "actor": "Bea",
                "recorded_at": when(hour),
            }
            for number, hour in enumerate(life["consent"], start=1)
        ],
        inbound_texts: [
            {
                **mine,
                "provider": "p",
                "text_key": f"{first}-{number}",
                "sender": phone,
                "recipient": "+15550100",
                "text": "?",
                "happened_at": when(hour),
                "received_at": when(hour),
            }
            for number, hour in enumerate(life["text"])
        ],
    }
    if life["outcome"]:
        if not life["message"]:
            life["message"].append(0)
            rows[messages].append(message(mine, first, 0))
        rows[outcomes] = [outcome(shard, first, number, hour) for number, hour in enumerate(life["outcome"])]
    for table, several in rows.items():
        if several:
            connection.execute(insert(table), several)
    for number, hour in enumerate(life["address"]):
        channel, address = (("email", email), ("sms", phone))[number % 2]
        suppress_address(connection, channel, address, "unsubscribed", "test", when(hour))
        lift_suppression(connection, channel, address, ["unsubscribed"], when(hour))
    for channel, address in (("email", email), ("sms", phone))[: len(life["address"])]:
        suppress_address(connection, channel, address, "complained", "test", when(0))
    for hour in life["act"]:
        note(connection, "Bea", "signed_in", f"customer:{customer_id}", "", when(hour))


def when(hour: int) -> datetime:
    return START + timedelta(hours=hour)


def message(mine: dict[str, Any], number: int, hour: int) -> dict[str, Any]:
    ended = {0: {"sent_at": when(hour)}, 1: {"finished_at": when(hour)}, 2: {}}[number % 3]
    return {
        **mine,
        "message_id": mine["shard"] + 256 * number,
        "enrollment_id": mine["shard"] + 256 * number,
        "playbook": "care",
        "version_id": "v",
        "step": "one",
        "channel": "email",
        "kind": "marketing",
        "topic": "offers",
        "priority": 50,
        "status": "planned",
        "planned_at": when(hour),
        "due_at": when(hour),
        "deadline": when(hour),
        "sent_at": None,
        "finished_at": None,
        **ended,
    }


def outcome(shard: int, first: int, number: int, hour: int) -> dict[str, Any]:
    return {
        "shard": shard,
        "message_id": shard + 256 * first,
        "provider": ("é", "p")[number % 2],
        "event_key": f"k{number}",
        "outcome": "opened",
        "happened_at": when(hour),
        "received_at": when(hour),
    }


def test_a_kind_there_is_not_is_refused_with_the_nearest(shop: Shop) -> None:
    shop.customers("ada")
    with shop.database.reading() as connection, pytest.raises(BadInput, match='did you mean "message"'):
        time_line(connection, find_customer(connection, "ada"), ["mesage"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "[]",
        '["2026-01-01T00:00:00+00:00"]',
        '["2026-01-01T00:00:00+00:00", 0]',
        '["2026-01-01T00:00:00+00:00", 0, "a", "b"]',
        '["2026-01-01T00:00:00+00:00", 99, "a"]',
        '["2026-01-01T00:00:00+00:00", -1, 1, "p", "k"]',
        '["2026-01-01T00:00:00", 0, "a"]',
        '["2026-01-01T00:00:00+00:00", 0, 7]',
        '["2026-01-01T00:00:00+00:00", 0, "a\\u0000b"]',
        '["2026-01-01T00:00:00+00:00", 0, "\\ud800"]',
        '["2026-01-01T00:00:00+00:00", 1, 99999999999999999999]',
        '["2026-01-01T00:00:00+00:00", 1, "7"]',
        '["2026-01-01T00:00:00+00:00", 7, "yesterday"]',
        '{"at": 1}',
        "[" * 100_000,
    ],
)
def test_a_place_that_no_page_gave_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="open the customer anew"):
        Place.read(text)


def test_every_kind_has_a_source() -> None:
    assert {source.kind for source in SOURCES} == set(KINDS)
