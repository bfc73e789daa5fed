"""A call whose answer got lost is posted again under its key, the same bytes, and arrives once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import Connection, delete, update

from automation.customers.suppress import withdraw_consent
from automation.database.schema import attempts, enrollments, messages, shard_of
from automation.delivery.dispatch import Dispatch, one_thread
from automation.delivery.providers import ADAPTERS, account_of
from automation.delivery.recovery.repeat import Repeat, repeated
from automation.delivery.verify import verify
from automation.delivery.writer import Writer
from automation.worker.evaluate import prepare_run

DAY1, NOON1, LATER, EVENING = (
    "2026-03-02T05:00:00Z",
    "2026-03-02T11:00:00Z",
    "2026-03-02T12:30:00Z",
    "2026-03-02T21:30:00Z",
)
NEXT_NOON = "2026-03-03T11:30:00Z"
WORKER_GONE = {"worker": "gone", "lease_until": at("2026-03-02T11:10:00Z")}


@pytest.fixture
def keyed(shop: Shop) -> Shop:
    """Two customers with a message due, at a provider that remembers keys; a dispatch in which one call is in doubt."""
    shop.kind = "resend"
    shop.write(care=playbook(step("one", late_by="3 days")))
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    return shop


def verified(shop: Shop) -> bool:
    return verify(shop.database, shop.settings).ok


@pytest.mark.parametrize("fault", [{"answer": 500}, {"answer": 500, "taken": True}, {"hang": 5}, {"cut": "after"}])
def test_it_arrives_once_whether_or_not_it_was_taken(keyed: Shop, fault: dict[str, object]) -> None:
    keyed.fault(**fault, times=1)
    assert keyed.send(NOON1)["held"] == {"repeat": 2}
    assert {row.status for row in keyed.rows()} == {"sending"}
    assert verified(keyed)
    assert keyed.send(LATER)["sent"] == 2
    assert sorted(one["recipient"] for one in keyed.log()) == ["ada@example.com", "bob@example.com"]
    assert [(row.status, row.attempts, row.possible_duplicate) for row in keyed.rows()] == [("sent", 2, False)] * 2
    assert verified(keyed)


def test_a_worker_that_died_in_flight_is_followed_by_one_that_asks_with_the_same_key(keyed: Shop) -> None:
    keyed.send(NOON1)
    lost = {"status": "sending", "provider_id": None, "sent_at": None, "finished_at": None, **WORKER_GONE}
    with keyed.database.writing() as connection:  # the answer was never recorded
        connection.execute(delete(attempts))
        connection.execute(update(messages).values(**lost))
        connection.execute(update(enrollments).values(next_step=0, exited_at=None, exit_reason=None))
    assert keyed.send(LATER)["sent"] == 2
    assert len(keyed.log()) == 2
    assert keyed.attempts() == [(1, "unknown", "worker_lost"), (2, "accepted", None)] * 2
    assert verified(keyed)


def test_what_a_repeat_is_told_does_not_make_the_first_post_known(keyed: Shop) -> None:
    keyed.fault(answer=500, taken=True, times=1)
    keyed.send(NOON1)
    keyed.fault(answer=429, times=1)
    assert keyed.send(LATER)["held"] == {"repeat": 2}
    keyed.fault(answer=422, times=1)
    assert keyed.send("2026-03-02T14:30:00Z")["unknown"] == 2
    assert {(row.status, row.reason) for row in keyed.rows()} == {("unknown", "no_answer")}
    assert verified(keyed)


class Twice(Writer):
    """As when the answer to the first commit got lost."""

    async def keep(self, work: Callable[[Connection], None]) -> None:
        await super().keep(work)
        await super().keep(work)


def test_what_was_heard_of_a_call_that_is_to_be_repeated_is_written_once(keyed: Shop) -> None:
    keyed.fault(answer=500, taken=True, times=1)
    with keyed.database.writing() as connection:
        desk = prepare_run(connection, keyed.settings, keyed.book, at(NOON1))
    dispatch = Dispatch(keyed.database, desk, lambda: at(NOON1), "test")
    dispatch.posting.writer = Twice(keyed.database, one_thread(), dispatch.tally)
    asyncio.run(dispatch.run())
    assert keyed.attempts() == [(1, "unknown", "http_500")] * 2
    assert keyed.send(LATER)["sent"] == 2
    assert [row.attempts for row in keyed.rows()] == [2, 2]
    assert verified(keyed)


def test_past_the_providers_memory_nobody_asks_again(keyed: Shop) -> None:
    keyed.fault(answer=500, taken=True, times=1)
    keyed.send(NOON1)
    assert keyed.send(NEXT_NOON)["unknown"] == 2
    assert len(keyed.log()) == 2
    assert keyed.send("2026-03-04T11:30:00Z")["sent"] == 0
    assert verified(keyed)


def test_a_call_that_waits_for_its_turn_is_not_posted_once_its_key_is_too_old(
    keyed: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed.fault(answer=500, taken=True, times=1)
    keyed.send(NOON1)
    monkeypatch.setattr(type(ADAPTERS["resend"]), "key_window", timedelta(hours=2))
    rows = keyed.rows()
    account = account_of(rows[0].provider, keyed.settings.providers[rows[0].provider])
    with keyed.database.writing() as connection:
        desk = prepare_run(connection, keyed.settings, keyed.book, at(LATER))
        found = repeated(connection, desk, rows, account, at(LATER))
    assert isinstance(found, Repeat)
    assert found.good_until == at(NOON1) + timedelta(hours=2)


def test_a_call_is_not_posted_again_when_one_of_its_customers_has_left(keyed: Shop) -> None:
    keyed.fault(answer=500, times=1)
    keyed.send(NOON1)
    with keyed.database.writing() as connection:
        withdraw_consent(connection, shard_of("ada"), "ada", "email", "test", "test", at(NOON1))
    assert keyed.send(LATER)["unknown"] == 2
    assert keyed.log() == []


def test_a_call_waits_for_the_morning_and_for_the_end_of_a_pause(keyed: Shop) -> None:
    keyed.fault(answer=500, times=1)
    keyed.send("2026-03-02T19:50:00Z")
    assert keyed.send(EVENING)["sent"] == 0
    assert {row.status for row in keyed.rows()} == {"sending"}
    assert keyed.send("2026-03-03T08:00:00Z")["sent"] == 2
    assert len(keyed.log()) == 2


def test_a_call_repeated_on_the_next_day_counts_for_the_caps_of_both_days(keyed: Shop) -> None:
    keyed.per_day = 1
    due = playbook(step("one", late_by="3 days"))
    keyed.write(care=due, also=due)
    keyed.fault(answer=500, times=1)
    keyed.send("2026-03-02T19:50:00Z")
    keyed.evaluate("2026-03-03T05:00:00Z")
    assert keyed.send("2026-03-03T11:00:00Z")["sent"] == 2
    assert {row.playbook for row in keyed.rows() if row.status == "sent"} == {"care"}
    assert keyed.send("2026-03-04T11:00:00Z")["sent"] == 2
    assert verified(keyed)


def test_two_messages_of_one_day_are_found_though_one_was_begun_the_day_before(keyed: Shop) -> None:
    test_a_call_repeated_on_the_next_day_counts_for_the_caps_of_both_days(keyed)
    with keyed.database.writing() as connection:
        also = (messages.c.playbook == "also", messages.c.customer_id == "ada")
        early = {"first_used_at": at("2026-03-03T11:00:00Z"), "sent_at": at("2026-03-03T11:00:00Z")}
        connection.execute(update(messages).where(*also).values(**early))
    (found,) = [one for one in verify(keyed.database, keyed.settings).violations if one.invariant == "I6"]
    assert "more than 1 marketing messages by email in one local day" in found.told


def test_bytes_that_cannot_be_made_again_are_not_posted_under_the_old_key(keyed: Shop) -> None:
    keyed.fault(answer=500, times=1)
    keyed.send(NOON1)
    keyed.email = 'from = "Other <other@example.com>"'
    keyed.write(care=playbook(step("one", late_by="3 days")))
    config = keyed.folder / "config.toml"
    text = config.read_text(encoding="utf-8").replace(keyed.email, "").replace("[email]", f"[email]\n{keyed.email}")
    config.write_text(text, encoding="utf-8")
    assert keyed.send(LATER)["unknown"] == 2
    assert keyed.log() == []


def test_on_unknown_resend_is_not_needed_where_a_key_is_known(keyed: Shop) -> None:
    keyed.write(care=playbook(step("one", late_by="3 days", on_unknown="resend")))
    keyed.fault(cut="after", times=1)
    keyed.send(NOON1)
    assert keyed.send(LATER)["sent"] == 2
    assert len(keyed.log()) == 2
    assert not any(row.possible_duplicate for row in keyed.rows())
