"""What one query says of planned messages is what the gates say of each of them."""

import random
from typing import Any

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import Connection, insert, select, update

from automation.customers.facts.compute import facts_table
from automation.customers.facts.refresh import refresh
from automation.customers.suppress import suppress_address, withdraw_consent
from automation.database.schema import Shards, customers, messages, shard_of
from automation.database.work import pauses
from automation.delivery.cases import load_cases
from automation.delivery.decide import Send, Skip, decide
from automation.delivery.desk import Desk
from automation.delivery.planning.doubtful import LOOK, doubtful, find_doubtful
from automation.delivery.planning.plan import HORIZON, Planned, plan_turns
from automation.lifecycle.evaluate import change_stages
from automation.playbooks.enroll import enter_playbooks
from automation.reasons import Reason
from automation.worker.evaluate import prepare_run

NOW = at("2026-03-02T05:00:00Z")
OFFER = '[offer]\ngenerate = "HI-########"\nvalid_for = "2 days"\n'
PLAYBOOKS = {
    "plain": playbook(step("one"), priority=10),
    "ruled": playbook(step("one", when="orders >= 1") + step("two", "hello/text", "sms"), exit_when="nps <= 3"),
    "held_out": playbook(step("one"), holdout=0.4, priority=80),
    "service": playbook(step("one", when="orders < 2"), kind="transactional"),
    "offering": playbook(OFFER + step("one", "hello/text", "sms"), stages=["buyer"]),
    "paused": playbook(step("one", "hello/text", "sms")),
}


@pytest.mark.parametrize("seed", range(4))
def test_every_verdict_is_what_the_gates_decide(shop: Shop, seed: int) -> None:
    shop.per_day = 1
    shop.write(**PLAYBOOKS)
    _people(shop, random.Random(seed))  # noqa: S311 (made-up people, no secret)
    with shop.database.writing() as connection:
        desk = prepare_run(connection, shop.settings, shop.book, NOW)
        _enter(connection, desk)
        plan_turns(connection, desk, NOW, Planned())
        find_doubtful(connection, desk, Shards().each_of(messages), NOW, NOW + HORIZON)
        given = _compared(connection, desk)
    # The shop is such that each of them is given.
    assert {"suppressed_address", "no_address", "no_consent", "step_rule", "holdout", LOOK, "send"} <= given


def _enter(connection: Connection, desk: Desk) -> None:
    """The part of the daily run before planning."""
    facts, shards, day = facts_table(desk.book.facts), Shards(), desk.day(NOW)
    refresh(connection, desk.book.facts, shards, NOW, NOW.date())
    change_stages(connection, desk.book.lifecycle, facts, shards, day, day.now.date())
    enter_playbooks(connection, list(desk.book.playbooks.values()), 0.0, facts, shards, day)


def _compared(connection: Connection, desk: Desk) -> set[str]:
    """Message by message; which verdicts were given."""
    verdicts: dict[int, str] = dict(connection.execute(select(doubtful.c.message_id, doubtful.c.verdict)).all())
    due = select(messages.c.shard, messages.c.message_id).where(messages.c.due_at < NOW + HORIZON)
    given = set()
    for loaded in load_cases(connection, desk, [(row[0], row[1]) for row in connection.execute(due)], NOW):
        verdict = verdicts.get(loaded.row.message_id, "send")
        if verdict == "send":
            assert decide(loaded.case) == Send()
        elif verdict != LOOK:
            assert decide(loaded.case) == Skip(Reason.of(verdict))
        given.add(verdict)
    return given


def _people(shop: Shop, draw: random.Random) -> None:
    """Customers who differ in everything that a gate looks at."""
    names = [f"c{number}" for number in range(60)]
    for name in names:
        told: dict[str, Any] = {
            "timezone": draw.choice([None, "Europe/Rome", "America/New_York"]),
            "country": draw.choice([None, "PL"]),
            "email": draw.choice([f"{name}@example.com", None]),
            "phone": draw.choice(["+12015550123", None]),
            "email_consent": draw.choice([True, None]),
            "sms_consent": draw.choice([True, None]),
        }
        shop.customers(name, **told)
        orders = [f"2026-02-{10 + number}T10:00:00Z" for number in range(draw.randint(0, 2))]
        if orders:
            shop.orders(name, *orders)
        if draw.random() < 0.2:
            shop.orders(name, "2026-02-20T10:00:00Z", event="Survey", nps=draw.choice([2, 9]))
    with shop.database.writing() as connection:
        for name in draw.sample(names, 8):
            suppress_address(connection, "email", f"{name}@example.com", "bounced_hard", "test", NOW)
        for name in draw.sample(names, 8):
            withdraw_consent(connection, shard_of(name), name, "email", "test", "test", NOW)
        erased = customers.c.customer_id.in_(draw.sample(names, 4))
        connection.execute(update(customers).values(erased_at=NOW).where(erased))
        scopes = ["playbook:paused", *(f"customer:{name}" for name in draw.sample(names, 2))]
        connection.execute(insert(pauses), [{"scope": scope, "reason": "test", "since": NOW} for scope in scopes])
