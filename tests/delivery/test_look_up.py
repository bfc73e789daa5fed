"""A provider is asked what became of messages of which nobody knows; only what it has proves anything."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import loopback
import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import delete, event, insert, select, update

from automation.cli.views.message import show_message
from automation.database.schema import attempts, audit_log, enrollments, messages
from automation.delivery.answers.one_message import message_told
from automation.delivery.desk import open_desk
from automation.delivery.recovery import look_up
from automation.delivery.recovery.look_up import look_up_all, look_up_due
from automation.delivery.recovery.unknown import NEVER, PAUSES, pause_after
from automation.delivery.verify import verify
from automation.reasons import Reason
from automation.worker.scheduler import Worker

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
NOTHING = {"asked": 0, "found": 0, "silent": 0}
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
TEXTS = playbook(step("one", "hello/text", "sms"), kind="transactional")


def looked_up(shop: Shop, now: datetime, *, all_of_them: bool = False) -> dict[str, int]:
    with shop.database.reading() as connection:
        desk = open_desk(connection, shop.settings, shop.book)
    ask = look_up_all if all_of_them else look_up_due
    return asyncio.run(ask(shop.database, desk, now)).as_dict()


def asked(shop: Shop) -> int:
    """How often the sandbox was asked for a message."""
    seen = loopback.get(f"{shop.url}/api/requests").json()
    return sum(count for what, count in seen.items() if what.endswith("look_up"))


def audit(shop: Shop) -> list[tuple[str, str, str]]:
    return [(row.actor, row.act, row.about) for row in shop.rows(audit_log)]


def status(shop: Shop) -> set[tuple[str, str | None]]:
    """Of what was posted."""
    return {(row.status, row.reason) for row in shop.rows() if row.status != "planned"}


@pytest.fixture
def lost(shop: Shop) -> Shop:
    """Two emails that Postmark took, and whose answer never came."""
    shop.write(care=playbook(step("one") + step("two", after="3 days")))
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    shop.fault(cut="after")
    assert shop.send(NOON1)["unknown"] == 2
    return shop


def test_what_the_provider_has_under_our_id_was_sent(lost: Shop) -> None:
    passages = lost.rows(enrollments)
    assert looked_up(lost, at(NOON1) + MINUTE) == {"asked": 2, "found": 2, "silent": 0}
    sent = [row for row in lost.rows() if row.step == "one"]
    assert [(row.status, row.reason, row.sent_at) for row in sent] == [("sent", "looked_up", at(NOON1))] * 2
    assert {row.provider_id for row in sent} == {one["provider_id"] for one in lost.log()}
    assert audit(lost) == [("look-up", "resolve sent", f"message:{row.message_id}") for row in sent]
    assert lost.rows(enrollments) == passages
    assert verify(lost.database, lost.settings).ok
    assert looked_up(lost, at(NOON1) + HOUR) == NOTHING


def test_support_staff_read_what_was_found(lost: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    (first, *_) = lost.rows()
    with lost.database.reading() as connection:
        told = message_told(connection, first.message_id, "en")
    assert (told["why"], told["acts"], told["asked_again_at"]) == (Reason.NO_ANSWER.sentence, [], None)
    looked_up(lost, at(NOON1))
    with lost.database.reading() as connection:
        told = message_told(connection, first.message_id, "en")
    assert told["why"] == Reason.LOOKED_UP.sentence
    show_message(told, lost.settings.business.zone)
    assert f"sandbox_email has it as {told['provider_id']}" in capsys.readouterr().out.replace("\n", "")
    assert [(one["actor"], one["act"], one["note"]) for one in told["acts"]] == [
        ("look-up", "resolve sent", f"sandbox_email has it as {told['provider_id']}")
    ]


def test_what_is_not_there_stays_unknown_and_is_asked_about_ever_less(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.fault(cut="before")
    assert shop.send(NOON1)["unknown"] == 1
    minutes = 0
    while minutes < 3 * 24 * 60:
        looked_up(shop, at(NOON1) + minutes * MINUTE)
        (row,) = shop.rows()
        minutes = round((row.look_up_at - at(NOON1)) / MINUTE)
    assert asked(shop) == len(PAUSES) + 3
    assert status(shop) == {("unknown", "no_answer")}
    assert audit(shop) == []
    assert looked_up(shop, at(NOON1) + timedelta(days=46)) == NOTHING
    assert looked_up(shop, at(NOON1) + timedelta(days=60), all_of_them=True) == NOTHING
    assert shop.rows()[0].look_up_at == NEVER
    assert verify(shop.database, shop.settings).ok


def test_pauses_grow_with_the_messages_age() -> None:
    ages = [timedelta(0)]
    while len(ages) < 8:
        ages.append(ages[-1] + pause_after(ages[-1]))
    grown = [later - earlier for earlier, later in pairwise(ages)]
    assert grown == [*PAUSES, timedelta(days=1), timedelta(days=1)]


FAULTS: list[dict[str, Any]] = [
    {"answer": 401},
    {"answer": 404},
    {"answer": 429, "retry_after": "0"},
    {"answer": 500},
    {"answer": 200, "body": "<p>hello</p>"},
    {"answer": 200, "body": "[1]", "type": "application/json"},
    {"answer": 200, "body": '{"Messages": 1}', "type": "application/json"},
    {"answer": 204},
    {"answer": 302},
    {"cut": "after"},
    {"cut": "half"},
    {"hang": 5},
    {"flood": 10_000_000},
    {"flood": 10_000_000, "gzip": True},
]


def test_a_provider_that_does_not_tell_changes_nothing_and_is_asked_once_a_round(lost: Shop) -> None:
    for fault in FAULTS:
        before = asked(lost)
        lost.fault(asked="look_up", times=10, **fault)
        assert looked_up(lost, at(NOON1), all_of_them=True) == {"asked": 1, "found": 0, "silent": 1}
        assert asked(lost) - before <= 2  # the client itself repeats a question whose connection was cut
        assert status(lost) == {("unknown", "no_answer")}
        loopback.delete(f"{lost.url}/faults")
    assert audit(lost) == []
    assert looked_up(lost, at(NOON1) + 5 * MINUTE)["found"] == 2


STRANGERS = (
    '{"MessageID": "a", "Metadata": {"mid": "1"}}',
    '{"MessageID": "a"}',
    '{"MessageID": "a", "Metadata": "x"}',
    "null",
    "",
)


def test_what_does_not_carry_our_id_to_our_recipient_proves_nothing(lost: Shop) -> None:
    ours = f'"MessageID": "a", "Metadata": {{"mid": "{lost.rows()[0].message_id}"}}'
    for items in (*STRANGERS, f"{{{ours}}}", f'{{{ours}, "Recipients": ["eve@example.com"]}}'):
        body = f'{{"TotalCount": 1, "Messages": [{items}]}}'
        lost.fault(asked="look_up", answer=200, body=body, type="application/json", times=2)
        assert looked_up(lost, at(NOON1), all_of_them=True) == {"asked": 2, "found": 0, "silent": 0}
    assert status(lost) == {("unknown", "no_answer")}


def test_an_id_that_no_database_may_keep_is_none(lost: Shop) -> None:
    first = lost.rows()[0]
    ours = f'"Metadata": {{"mid": "{first.message_id}"}}, "Recipients": ["{first.address}"]'
    item = f'{{"MessageID": "a\\u0000b", {ours}}}'
    body = f'{{"TotalCount": 1, "Messages": [{item}]}}'
    lost.fault(asked="look_up", answer=200, body=body, type="application/json", times=1)
    assert looked_up(lost, at(NOON1)) == {"asked": 2, "found": 1, "silent": 0}


def test_the_worker_asks_by_itself(lost: Shop) -> None:
    Worker(lost.database, lost.settings, lambda: at(NOON1) + MINUTE).look_up()
    assert status(lost) == {("sent", "looked_up")}


def test_a_round_is_bounded_and_the_next_one_goes_on(lost: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_up, "AT_ONCE", 1)
    assert looked_up(lost, at(NOON1))["found"] == 1
    assert looked_up(lost, at(NOON1)) == {"asked": 1, "found": 1, "silent": 0}
    with lost.database.writing() as connection:
        connection.execute(update(messages).where(messages.c.step == "one").values(status="unknown", sent_at=None))
    assert looked_up(lost, at(NOON1) + HOUR, all_of_them=True) == {"asked": 2, "found": 2, "silent": 0}


def test_what_a_short_round_does_not_come_to_is_due_again(lost: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_up, "ROUND", timedelta(0))
    assert looked_up(lost, at(NOON1)) == NOTHING
    monkeypatch.undo()
    assert looked_up(lost, at(NOON1))["found"] == 2


def test_a_look_up_is_no_dispatch_that_left_something_undone(lost: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(look_up, "AT_ONCE", 1)
    for hours in (240, 242):  # nobody has dispatched for days
        assert looked_up(lost, at(NOON1) + hours * HOUR)["found"] == 1
    assert verify(lost.database, lost.settings).ok


def test_a_paused_provider_is_left_alone(lost: Shop) -> None:
    lost.pause("provider:sandbox_email")
    assert looked_up(lost, at(NOON1) + MINUTE) == NOTHING
    assert asked(lost) == 0


def test_several_who_ask_at_once_ask_once(lost: Shop) -> None:
    async def twice() -> list[dict[str, int]]:
        with lost.database.reading() as connection:
            desk = open_desk(connection, lost.settings, lost.book)
        rounds = [look_up_due(lost.database, desk, at(NOON1)) for _ in range(2)]
        return [one.as_dict() for one in await asyncio.gather(*rounds)]

    assert sorted(one["found"] for one in asyncio.run(twice())) == [0, 2]
    assert asked(lost) == 2


def test_a_provider_that_cannot_be_asked_is_not(shop: Shop) -> None:
    shop.kind = "resend"
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.fault(cut="after")
    shop.send(NOON1)
    assert shop.send("2026-03-03T12:00:00Z")["unknown"] == 1
    assert looked_up(shop, at("2026-03-03T12:00:00Z")) == NOTHING


@pytest.fixture
def texted(shop: Shop) -> tuple[Shop, datetime]:
    """A text that Twilio took, at this very moment, and whose answer never came."""
    now = datetime.now(UTC)
    shop.write(care=TEXTS)
    shop.customers("ada", phone="+12015550123", now=now.isoformat())
    shop.evaluate(now.isoformat())
    shop.fault(cut="after", kind="twilio")
    assert shop.send(now.isoformat())["unknown"] == 1
    return shop, now


def test_a_text_that_cannot_be_mistaken_was_sent(texted: tuple[Shop, datetime]) -> None:
    shop, now = texted
    assert looked_up(shop, now + MINUTE) == {"asked": 1, "found": 1, "silent": 0}
    assert status(shop) == {("sent", "looked_up")}
    assert shop.rows()[0].provider_id == shop.log()[0]["provider_id"]
    assert verify(shop.database, shop.settings).ok


@contextmanager
def twin(shop: Shop, **values: Any) -> Iterator[None]:
    """Another of our texts that says the same to the same number."""
    with shop.database.writing() as connection:
        row = dict(connection.execute(select(messages)).mappings().one())
        passage = dict(connection.execute(select(enrollments)).mappings().one())
        ids = {"enrollment_id": row["enrollment_id"] + 256}
        connection.execute(insert(enrollments), passage | ids | {"playbook": "other"})
        other = {**row, **ids, "message_id": row["message_id"] + 256, "look_up_at": NEVER, **values}
        connection.execute(insert(messages), other)
    yield
    with shop.database.writing() as connection:
        connection.execute(delete(messages).where(messages.c.message_id == other["message_id"]))
        connection.execute(delete(enrollments).where(enrollments.c.enrollment_id == ids["enrollment_id"]))


SID = "SM" + "0" * 32


def test_a_text_that_could_be_another_stays_unknown(texted: tuple[Shop, datetime]) -> None:
    shop, now = texted
    taken = shop.log()[0]["provider_id"]
    doubts: list[dict[str, Any]] = [
        {},
        {"status": "sending"},
        {"status": "sent", "provider_id": None},
        {"status": "sent", "provider_id": SID, "possible_duplicate": True},
        {"status": "sent", "provider_id": taken, "content_hash": "other"},
    ]
    for values in doubts:
        with twin(shop, **values):
            assert looked_up(shop, now, all_of_them=True)["found"] == 0


@pytest.mark.parametrize(
    "values",
    [
        {"status": "sent", "provider_id": SID},
        {"status": "rejected"},
        {"content_hash": "other"},
        {"address": "+12015550199"},
        {"first_used_at": at(NOON1)},
    ],
)
def test_one_that_certainly_is_not_it_is_no_hindrance(texted: tuple[Shop, datetime], values: dict[str, Any]) -> None:
    shop, now = texted
    with twin(shop, **values):
        assert looked_up(shop, now + MINUTE)["found"] == 1


def test_two_such_texts_at_the_provider_prove_nothing(texted: tuple[Shop, datetime]) -> None:
    shop, now = texted
    form = {"To": "+12015550123", "From": "+15550100", "Body": shop.log()[0]["text"]}
    sid = "AC" + "0" * 32
    url = f"{shop.url}/2010-04-01/Accounts/{sid}/Messages.json"
    loopback.post(url, data=form, auth=(sid, "sandbox")).raise_for_status()
    assert looked_up(shop, now + MINUTE) == {"asked": 1, "found": 0, "silent": 0}


def test_a_text_made_at_another_time_or_that_cannot_be_rendered_again_proves_nothing(
    texted: tuple[Shop, datetime],
) -> None:
    shop, now = texted
    earlier = {"started_at": now - HOUR, "finished_at": now - HOUR}
    with shop.database.writing() as connection:
        connection.execute(update(attempts).values(earlier))
    assert looked_up(shop, now)["found"] == 0
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(content_hash="other", look_up_at=None))
    assert looked_up(shop, now) == NOTHING


def plan_of(shop: Shop, statement: str, values: Any) -> str:
    """How the database would do it if the tables were large."""
    with shop.database.reading() as connection:
        if shop.database.is_sqlite:
            return "\n".join(
                row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            )
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        return "\n".join(connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars())


def test_what_is_asked_of_the_ledger_goes_through_indexes(texted: tuple[Shop, datetime]) -> None:
    shop, now = texted
    seen: list[tuple[str, Any]] = []
    event.listen(shop.database.engine, "before_cursor_execute", lambda *told: seen.append((told[2], told[3])))
    assert looked_up(shop, now)["found"] == 1
    said = tuple(seen)
    due = [plan_of(shop, *one) for one in said if "look_up_at <=" in one[0]]
    alike = [plan_of(shop, *one) for one in said if "content_hash =" in one[0]]
    assert (len(due), len(alike)) == (4, 1)  # two providers are asked about
    assert all("messages_to_look_up" in plan for plan in due), due
    assert all("messages_by_address" in plan for plan in alike), alike
