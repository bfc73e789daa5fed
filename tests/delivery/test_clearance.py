"""Between the decision and the first byte: whoever left in between is not written to."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import Connection

from automation.customers.customer_batch import CustomerBatch
from automation.customers.records import customer
from automation.customers.suppress import suppress_address, withdraw_consent
from automation.database.brake import brake
from automation.database.engine import Database
from automation.database.schema import shard_of
from automation.delivery.clearance import Clearance
from automation.delivery.dispatch import Clock, Dispatch, one_thread
from automation.delivery.health import by_hand
from automation.worker.evaluate import prepare_run

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"


class Between(Clearance):
    """A last look, right before which something happens when it is asked for the first time."""

    happening: Callable[[Connection], None] | None = None

    async def number(self) -> int:
        if self.happening is not None:
            with self._database.writing() as connection:
                self.happening(connection)
            self.happening = None
        return await super().number()


def send(shop: Shop, happening: Callable[[Connection], None], clock: Clock = lambda: at(NOON1)) -> dict[str, Any]:
    with shop.database.writing() as connection:
        desk = prepare_run(connection, shop.settings, shop.book, clock())
    dispatch = Dispatch(shop.database, desk, clock, "test")
    with one_thread() as reader:
        dispatch.posting.clearance = between = Between(shop.database, reader)
        between.happening = happening
        return asyncio.run(dispatch.run())


@pytest.fixture(params=["postmark", "resend"])
def ready(shop: Shop, request: pytest.FixtureRequest) -> Shop:
    shop.kind = request.param
    shop.write(care=playbook(step("one", late_by="3 days")))
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    return shop


def recipients(shop: Shop) -> list[str]:
    return sorted(one["recipient"] for one in shop.log())


def test_a_withdrawal_is_heeded_and_the_others_get_theirs(ready: Shop) -> None:
    told = send(
        ready, lambda connection: withdraw_consent(connection, shard_of("ada"), "ada", "email", "t", "t", at(NOON1))
    )
    assert (told["sent"], told["skipped"]) == (1, {"no_consent": 1})
    assert recipients(ready) == ["bob@example.com"]
    assert {(row.customer_id, row.attempts) for row in ready.rows()} == {("ada", 0), ("bob", 1)}


def test_a_withdrawal_told_by_an_import_is_heeded(ready: Shop) -> None:
    told = send(ready, lambda connection: _import_no(connection, "ada"))
    assert (told["sent"], told["skipped"]) == (1, {"no_consent": 1})
    assert recipients(ready) == ["bob@example.com"]


def test_an_import_that_takes_nothing_back_stops_nothing(shop: Shop) -> None:
    shop.customers("ada")
    with shop.database.writing() as connection:
        before = brake(connection)
    shop.customers("ada", "bob")
    with shop.database.writing() as connection:
        assert brake(connection) == before
        _import_no(connection, "ada")
        assert brake(connection) == before + 1
        _import_no(connection, "ada")
        assert brake(connection) == before + 1


def _import_no(connection: Connection, customer_id: str) -> None:
    no = customer({"customer_id": customer_id, "email_consent": False}, csv=False)
    CustomerBatch(connection, [(1, no)], "file.jsonl", at(NOON1)).write()


def test_a_suppression_is_heeded(ready: Shop) -> None:
    told = send(
        ready, lambda connection: suppress_address(connection, "email", "ada@example.com", "complained", "t", at(NOON1))
    )
    assert (told["sent"], told["skipped"]) == (1, {"suppressed_address": 1})
    assert recipients(ready) == ["bob@example.com"]


def test_a_pause_is_heeded_at_once(ready: Shop) -> None:
    told = send(ready, lambda connection: by_hand.pause(connection, "everything", "Ada", "", None, at(NOON1)))
    assert (told["sent"], told["held"]) == (0, {"everything_paused": 2})
    assert recipients(ready) == []


def test_a_pause_for_one_person_is_heeded_at_once_and_the_others_get_theirs(ready: Shop) -> None:
    told = send(ready, lambda connection: by_hand.pause(connection, "customer:ada", "Ada", "", None, at(NOON1)))
    assert (told["sent"], told["held"]) == (1, {"customer_paused": 1})
    assert recipients(ready) == ["bob@example.com"]


def test_a_call_that_waited_until_the_window_closed_is_decided_anew(ready: Shop) -> None:
    hour = [at("2026-03-02T19:59:50Z")]

    def wait(_: Connection) -> None:
        hour.append(at("2026-03-02T20:00:10Z"))

    assert send(ready, wait, lambda: hour[-1])["held"] == {"outside_window": 2}
    assert recipients(ready) == []


def test_one_look_serves_all_that_wait_and_never_one_that_asked_after_it_began(database: Database) -> None:
    async def ask() -> list[int]:
        clearance = Clearance(database, one_thread())
        first = await asyncio.gather(*(clearance.number() for _ in range(50)))
        with database.writing() as connection:
            suppress_address(connection, "email", "ada@example.com", "complained", "test", at(NOON1))
        later = await asyncio.gather(*(clearance.number() for _ in range(50)))
        clearance.close()
        return [*set(first), *set(later)]

    with database.reading() as connection:
        before = brake(connection)
    assert asyncio.run(ask()) == [before, before + 1]
