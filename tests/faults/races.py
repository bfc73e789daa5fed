"""Races of a withdrawal against the sending: `python tests/faults/races.py --races 1000 [--url postgresql://…]`.

Each customer has one message due. While a real dispatch posts them, withdrawals are committed at random moments. No
post may begin after the commit of its customer's withdrawal; what the sandbox took, and when, is compared with it too.
"""

import argparse
import asyncio
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import loopback

sys.path.insert(0, str(Path(__file__).parents[1]))

from shop import Shop, playbook, step
from sqlalchemy import update

from automation.customers.suppress import withdraw_consent
from automation.database.engine import Database, connect
from automation.database.schema import attempts, messages, shard_of
from automation.database.upgrade import upgrade
from automation.delivery.dispatch import Dispatch
from automation.delivery.sandbox import SandboxServer
from automation.delivery.verify import verify
from automation.worker.evaluate import prepare_run

AN_HOUR_AGO = timedelta(hours=1)
NEVER = timedelta(days=3)
NOON = 12
ROUND = 20
RATE = "200/second"
MEAN_WAIT = 0.008  # seconds


@dataclass
class Outcome:
    """`late` are customers whose post began after their withdrawal had been committed. `lag` is the longest time from a
    commit to the moment at which the sandbox took a post that had begun before it, in seconds.
    """

    races: int
    withdrawn_first: int
    posted_first: int
    late: list[str] = field(default_factory=list)
    lag: float = 0.0
    violations: int = 0

    @property
    def ok(self) -> bool:
        return not self.late and not self.violations and self.races == self.withdrawn_first + self.posted_first


def race(shop: Shop, races: int, seed: int = 1) -> Outcome:
    """The shop's customers are made here. A round has twenty: every withdrawal has all that waits decided anew, so that
    among many of them hardly a post would begin.
    """
    ids = [f"c{number:05}" for number in range(races)]
    shop.batch = 1
    shop.write(care=playbook(step("one", late_by="3 days")))
    config = shop.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("10000/second", RATE, 1), encoding="utf-8")
    shop.customers(*ids, timezone=_where_it_is_noon())
    shop.evaluate((_now() - AN_HOUR_AGO).isoformat())
    chance = random.Random(seed)  # noqa: S311 (a schedule, no secret)
    committed: dict[str, datetime] = {}
    for start in range(0, races, ROUND):
        asyncio.run(_round(shop, ids[start : start + ROUND], chance, committed))
    return _compared(shop, committed)


def _where_it_is_noon() -> str:
    west = _now().hour - NOON  # the zones' names count westwards
    return f"Etc/GMT{west:+d}" if west else "Etc/GMT"


async def _round(shop: Shop, ids: Sequence[str], chance: random.Random, committed: dict[str, datetime]) -> None:
    """Their messages are due now and no others."""
    with shop.database.writing() as connection:
        desk = prepare_run(connection, shop.settings, shop.book, _now())
        connection.execute(update(messages).where(messages.c.status == "planned").values(due_at=_now() + NEVER))
        mine = messages.c.customer_id.in_(ids)
        connection.execute(update(messages).where(mine).values(due_at=_now(), deadline=_now() + NEVER))
    order = list(ids)
    chance.shuffle(order)
    waits = [chance.expovariate(1) * MEAN_WAIT for _ in order]
    withdrawing = threading.Thread(target=_withdraw, args=(shop.database, order, waits, committed))
    withdrawing.start()
    await Dispatch(shop.database, desk, _now, "race").run()
    withdrawing.join()
    await Dispatch(shop.database, desk, _now, "race").run()


def _withdraw(database: Database, order: Sequence[str], waits: Sequence[float], committed: dict[str, datetime]) -> None:
    for customer, wait in zip(order, waits, strict=True):
        time.sleep(wait)
        with database.writing() as connection:
            withdraw_consent(connection, shard_of(customer), customer, "email", "race", "race", _now())
        committed[customer] = _now()


def _compared(shop: Shop, committed: dict[str, datetime]) -> Outcome:
    rows = {row.message_id: row for row in shop.rows()}
    began = {rows[row.message_id].customer_id: row.started_at for row in shop.rows(attempts)}
    taken = {rows[int(one["mid"])].customer_id: datetime.fromisoformat(one["at"]) for one in _log(shop)}
    late = sorted(customer for customer, at in began.items() if at > committed[customer])
    lags = [(taken[customer] - committed[customer]).total_seconds() for customer in taken]
    skipped = sum(row.status == "skipped" and row.reason == "no_consent" for row in rows.values())
    sent = sum(row.status == "sent" for row in rows.values())
    unseen = sorted(taken.keys() - began.keys())
    report = verify(shop.database, shop.settings)
    return Outcome(len(rows), skipped, sent, late + unseen, max([0.0, *lags]), report.counts.total())


def _log(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    last = 0
    while True:
        query = {"after": last, "limit": 1000}
        page = loopback.get(f"{shop.url}/api/messages", params=query).json()["messages"]
        if not page:
            return found
        found += page
        last = max(int(one["id"]) for one in page)


def _now() -> datetime:
    return datetime.now(UTC)


def main(words: Sequence[str] | None = None, tell: Callable[[str], None] = print) -> int:
    """Exit code 1 when a post began after the commit of a withdrawal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--races", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--url", help="an empty PostgreSQL database; SQLite in a temporary folder by default")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder, SandboxServer() as server:
        database = connect(given.url or f"sqlite:///{folder}/automation.db")
        upgrade(database)
        outcome = race(Shop(Path(folder), database, server.url), given.races, given.seed)
        database.close()
    tell(f"{outcome.races} races: {outcome.withdrawn_first} withdrawals came first, {outcome.posted_first} posts did")
    tell(f"posts that began after a commit: {len(outcome.late)}; violations: {outcome.violations}")
    tell(f"the last byte arrived at most {outcome.lag * 1000:.0f} ms after a commit that the post was ahead of")
    return 0 if outcome.ok else 1


if __name__ == "__main__":
    sys.exit(main())
