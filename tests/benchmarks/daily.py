"""The daily run: the first day, when everybody is new, and an ordinary one, when half a percent did something."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from measure import Line, Stopwatch, best, seconds, timed
from places import size_of
from population import events_between, populate
from sqlalchemy import Column, MetaData, Table, func, select, text, update

from automation.customers.event_batch import EventBatch
from automation.customers.facts.compute import facts_table
from automation.customers.staging import begin_batch
from automation.database.engine import Database
from automation.database.schema import Shards, enrollments, messages
from automation.delivery.planning.plan import advance
from automation.lifecycle.conditions import Day
from automation.lifecycle.evaluate import change_stages, customers_by_stage, stage_of
from automation.playbooks.load import read_book
from automation.settings import load
from automation.worker import evaluate as part
from automation.worker.evaluate import prepare_run
from automation.worker.runs import evaluate

FIRST_DAY = datetime(2026, 6, 1, 4, tzinfo=UTC)
TOUCHED = 0.005
WARM_UP, MEASURED = 1, 2  # days; the second wave of the first day's messages comes after them
PHASES = {
    "refresh": "facts",
    "change_stages": "stages",
    "meet_goals": "goals",
    "leave_playbooks": "exits",
    "enter_playbooks": "entries",
    "plan_day": "planning",
}
BATCH = 10_000

# What somebody would write by hand for the facts that stages look at: one pass over the events.
BY_HAND = """
CREATE TABLE by_hand AS
SELECT shard, customer_id, min(time) AS signed_up,
  count(*) FILTER (WHERE name IN ('Order Completed', 'order')) AS orders,
  count(*) FILTER (WHERE name IN ('Order Completed', 'order') AND time > {ago_90}) AS orders_90d,
  min(time) FILTER (WHERE name IN ('Order Completed', 'order')) AS first_order,
  max(time) FILTER (WHERE name IN ('Order Completed', 'order')) AS last_order,
  count(*) FILTER (WHERE name = 'Order Completed' AND {channel} = 'web') AS web_orders,
  sum({revenue}) FILTER (WHERE name = 'Order Completed') AS revenue,
  max({revenue}) FILTER (WHERE name = 'Order Completed') AS largest_order,
  sum({amount}) FILTER (WHERE name = 'order') AS spent,
  count(*) FILTER (WHERE name IN ('Page Viewed', 'Login') AND time > {ago_30}) AS visits_30d,
  max(time) FILTER (WHERE name IN ('Page Viewed', 'Login', 'Product Viewed', 'Cart Updated')) AS last_seen,
  count(*) FILTER (WHERE name = 'Product Viewed' AND time > {ago_30}) AS product_views_30d,
  max(time) FILTER (WHERE name = 'Cart Updated') AS cart_updated,
  max(time) FILTER (WHERE name = 'Trial Started') AS trial_started,
  max(time) FILTER (WHERE name = 'Trial Ended') AS trial_ended,
  max({nps}) FILTER (WHERE name = 'Survey Answered') AS nps,
  max({csat}) FILTER (WHERE name = 'Survey Answered') AS csat,
  max(time) FILTER (WHERE name = 'Survey Answered') AS surveyed,
  count(*) FILTER (WHERE name = 'Referral Made') AS referrals,
  count(*) FILTER (WHERE name = 'Review Posted') AS reviews,
  CAST(NULL AS text) AS stage
FROM events GROUP BY shard, customer_id
"""


class Shop:
    """A populated shop, and the days it lives through. What is learned on the way is kept for the reports."""

    def __init__(self, folder: Path, database: Database, customers: int) -> None:
        self.folder, self.database, self.customers = folder, database, customers
        self.settings = load(folder / "config.toml")
        self.book = read_book(self.settings)
        self.facts = facts_table(self.book.facts)
        self.now = FIRST_DAY
        self.events = 0
        self.populated = timed(self._populate)
        self.by_hand = self._facts_by_hand()
        self.first = self._run()

    @property
    def where(self) -> str:
        return f"{self.database.engine.dialect.name}, {self.customers:,} customers, {self.events:,} events"

    def live(self, days: int) -> list[dict[str, Any]]:
        """So many days: what is due is sent, new events come in, the run is done."""
        return [self._next_day() for _ in range(days)]

    def case_floor(self) -> float:
        """Evaluating nothing but the stages' rules over all customers."""
        case = stage_of(self.book.lifecycle, self.facts, self.day)
        query = select(func.count()).select_from(self.facts).where(case != "")
        with self.database.reading() as connection:
            return best(5, lambda: connection.execute(query).scalar_one())

    def stage_pass(self, number: int) -> tuple[float, int]:
        """Seconds of one stage pass, the commit included, in which as many move as on an ordinary day; and how many."""
        day = Day(self.now + timedelta(days=number), self.settings.business.zone)
        some = self.facts.c.customer_id.like(f"%{number}17") | self.facts.c.customer_id.like(f"%{number}57")
        elsewhere = update(self.facts).values(stage="aware").where(some)
        with self.database.writing() as connection:
            connection.execute(elsewhere)
        moved: list[int] = []

        def work() -> None:
            with self.database.writing() as connection:
                moved.append(change_stages(connection, self.book.lifecycle, self.facts, Shards(), day, day.now.date()))

        return timed(work), moved[0]

    @property
    def day(self) -> Day:
        return Day(self.now, self.settings.business.zone)

    def counts(self) -> tuple[dict[str, int], int, int]:
        """Customers by stage, open enrollments, planned messages."""
        enrolled = select(func.count()).select_from(enrollments).where(enrollments.c.exited_at.is_(None))
        planned = select(func.count()).select_from(messages).where(messages.c.status == "planned")
        with self.database.reading() as connection:
            stages = customers_by_stage(connection, self.book.lifecycle, self.facts)
            return stages, connection.execute(enrolled).scalar_one(), connection.execute(planned).scalar_one()

    def _populate(self) -> None:
        self.events = populate(self.database, self.customers, FIRST_DAY)

    def _facts_by_hand(self) -> tuple[float, float]:
        """Seconds of the GROUP BY and of a bare UPDATE of the stage."""
        kept = _by_hand(self.facts)
        staged = update(kept).values(stage=stage_of(self.book.lifecycle, kept, self.day))
        group_by = text(_by_hand_sql(self.database.is_sqlite))
        grouped, updated = [], []
        for _ in range(2):
            self._write(text("DROP TABLE IF EXISTS by_hand"))
            grouped.append(timed(lambda: self._write(group_by)))
            updated.append(timed(lambda: self._write(staged)))
        self._write(text("DROP TABLE by_hand"))
        return min(grouped), min(updated)

    def _write(self, statement: Any) -> None:
        with self.database.writing() as connection:
            connection.execute(statement)

    def _next_day(self) -> dict[str, Any]:
        self._send_all(self.now + timedelta(hours=15))
        since, self.now = self.now, self.now + timedelta(days=1)
        new = events_between(self.customers, TOUCHED, since, self.now)
        touching = timed(lambda: self._receive(new))
        return {**self._run(), "new_events": len(new), "touching": touching}

    def _receive(self, new: list[Any]) -> None:
        for start in range(0, len(new), BATCH):
            with self.database.writing() as connection:
                begin_batch(connection)
                EventBatch(connection, list(enumerate(new[start : start + BATCH]))).write()

    def _run(self) -> dict[str, Any]:
        watch = Stopwatch()
        with watch.watching(part, *PHASES):
            found: dict[str, Any] = {}
            total = timed(lambda: found.update(evaluate(self.database, self.settings, self.book, "one", self.now)))
        with self.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            if not self.database.is_sqlite:
                connection.execute(text("VACUUM ANALYZE"))
        return {**found, "total": total, "phases": watch.seconds}

    def _send_all(self, now: datetime) -> None:
        """As if a provider had taken everything that is due; the next steps are planned as dispatch does it."""
        due = select(messages.c.shard, messages.c.message_id, messages.c.enrollment_id).where(
            messages.c.status == "planned", messages.c.due_at <= now
        )
        sent = {"status": "sent", "first_used_at": now, "sent_at": now, "finished_at": now, "reason": None}
        with self.database.writing() as connection:
            desk = prepare_run(connection, self.settings, self.book, now)
            rows = connection.execute(due.order_by(messages.c.shard, messages.c.message_id)).all()
            connection.execute(
                update(messages).values(**sent).where(messages.c.status == "planned", messages.c.due_at <= now)
            )
            for start in range(0, len(rows), 500):
                chunk = rows[start : start + 500]
                advance(connection, desk, [(row.shard, row.enrollment_id) for row in chunk], now)


def first_day(shop: Shop) -> Iterator[Line]:
    """Facts from nothing, and everybody changes stage, against a GROUP BY by hand and a bare UPDATE."""
    name, where, first = "first_day", shop.where, shop.first
    grouped, updated = shop.by_hand
    floor = grouped + updated
    yield Line(name, where, "populating (not measured against anything)", seconds(shop.populated))
    yield Line(name, where, "floor: GROUP BY by hand", seconds(grouped))
    yield Line(name, where, "floor: bare UPDATE of the stage", seconds(updated))
    yield from _phases(name, where, first, floor)
    entered = sum(first["entered"].values())
    what = f"{first['changes']:,} changes, {entered:,} entries, {first['planned']:,} planned"
    yield Line(name, where, what, "")
    yield Line(name, where, "the whole first run", seconds(first["total"]), first["total"] / floor, 4)


def day(shop: Shop) -> Iterator[Line]:
    """An ordinary day against the floor, and the stage pass alone."""
    shop.live(WARM_UP)
    days = shop.live(MEASURED)
    ordinary = min(days, key=lambda one: one["total"])
    floor = shop.case_floor()
    name, where = "day", shop.where
    stages, enrolled, planned = shop.counts()
    shares = ", ".join(f"{key} {count / shop.customers:.0%}" for key, count in stages.items())
    yield Line(name, where, shares, "")
    yield Line(name, where, f"{enrolled:,} open enrollments, {planned:,} messages planned", "")
    yield Line(name, where, "size on disk", size_of(shop.folder))
    yield Line(name, where, "floor: count(*) over the stages' CASE", seconds(floor))
    what = f"{ordinary['new_events']:,} new events merged, customers touched"
    yield Line(name, where, what, seconds(ordinary["touching"]))
    yield from _phases(name, where, ordinary, floor)
    done = {key: sum(ordinary[key].values()) for key in ("entered", "exited", "skipped", "held")}
    told = ", ".join(f"{count:,} {key}" for key, count in done.items())
    yield Line(name, where, f"{ordinary['changes']:,} changes, {told}, {ordinary['planned']:,} planned", "")
    each = ", ".join(seconds(one["total"]) for one in days)
    yield Line(name, where, f"the whole run (best of {each})", seconds(ordinary["total"]), ordinary["total"] / floor, 8)
    yield _stage_pass(shop, name, floor)
    yield Line(name, where, "the whole run, a customer", f"{ordinary['total'] / shop.customers * 1e6:.2f} µs")


def _stage_pass(shop: Shop, name: str, floor: float) -> Line:
    passes = [shop.stage_pass(number) for number in range(1, 4)]
    shortest, moved = min(passes)
    goal = 2 if shop.database.is_sqlite else 3
    share = f"{moved / shop.customers:.1%}"
    return Line(name, shop.where, f"the stage pass alone, {share} move", seconds(shortest), shortest / floor, goal)


def _phases(name: str, where: str, run: dict[str, Any], floor: float) -> Iterator[Line]:
    for function, title in PHASES.items():
        spent = run["phases"][function]
        yield Line(name, where, f"  {title}", seconds(spent), spent / floor)
    rest = run["total"] - sum(run["phases"].values())
    yield Line(name, where, "  parts, commits, summary", seconds(rest), rest / floor)


def _by_hand_sql(is_sqlite: bool) -> str:
    def told(key: str, number: bool = True) -> str:
        if is_sqlite:
            return f"json_extract(properties, '$.{key}')"
        return f"(properties ->> '{key}')" + ("::numeric" if number else "")

    def ago(days: int) -> str:
        at = FIRST_DAY - timedelta(days=days)
        return str(int(at.timestamp() * 1_000_000)) if is_sqlite else f"timestamptz '{at.isoformat()}'"

    numbers = {key: told(key) for key in ("revenue", "amount", "nps", "csat")}
    return BY_HAND.format(**numbers, channel=told("channel", number=False), ago_90=ago(90), ago_30=ago(30))


def _by_hand(facts: Table) -> Table:
    return Table("by_hand", MetaData(), *(Column(one.name, one.type) for one in facts.columns))
