"""What happens in the demo: files arrive, days are evaluated, messages are posted to the sandbox."""

import asyncio
import csv
import json
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from datetime import time as wall_time
from pathlib import Path
from typing import Any

import httpx

from automation.cli.demo_ledger import day_told, explain_two
from automation.clock import latest_run_date, to_utc, wall_clock
from automation.customers.load import import_customers, import_events
from automation.customers.sample_shop import SampleShop, sample_shop
from automation.database.engine import Database
from automation.delivery.dispatch import Dispatch
from automation.delivery.http import Door
from automation.delivery.outcomes.inbox import is_worked_out
from automation.delivery.replies import Answer
from automation.playbooks.load import Book
from automation.reports.kept import keep_figures
from automation.settings import Settings
from automation.values import instant_text
from automation.worker.evaluate import prepare_run
from automation.worker.runs import evaluate

# So many days before the demo's own day stages were worked out, at first without any playbook: they have a past.
STAGES_ONLY = (330, 180, 90, 45, 14)
WITH_PLAYBOOKS = (4, 3, 2, 1, 0)
ROUNDS = (wall_time(10, 30), wall_time(18, 30))  # when messages are sent, local time of the shop
WORKER = "demo"
SOON, PATIENCE = 0.02, timedelta(seconds=5)


@dataclass
class StoryClock:
    """The time in the story: it stands while it is told, and goes on from its end afterwards; for the provider and the
    web application, which so show the story's day.
    """

    moment: datetime | None = None
    behind: timedelta = timedelta(0)

    def __call__(self) -> datetime:
        return self.moment or wall_clock() - self.behind

    def go_on(self) -> None:
        """From where it stands."""
        if self.moment is not None:
            self.behind, self.moment = wall_clock() - self.moment, None


@dataclass
class Stand:
    """Where the demo takes place, and what is noted on the way. `sandbox` is the provider's address."""

    folder: Path
    settings: Settings
    book: Book
    database: Database
    clock: StoryClock
    sandbox: str
    seconds: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    imported: dict[str, Counter[str]] = field(default_factory=lambda: {"customers": Counter(), "events": Counter()})
    rejects: list[dict[str, str]] = field(default_factory=list)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        started = time.monotonic()
        yield
        self.seconds[what] += time.monotonic() - started

    def at(self, day: date, wall: wall_time) -> datetime:
        return to_utc(datetime.combine(day, wall), self.settings.business.zone)


def live(stand: Stand, customers: int, clock: datetime, tell: Callable[[str], None]) -> dict[str, Any]:
    """The shop until the last evening before `clock`: nothing in it lies in the future. `tell` is told each day."""
    started = time.monotonic()
    today = latest_run_date(clock, stand.settings.business.zone, ROUNDS[-1])
    morning = stand.at(today, stand.settings.schedule.evaluate_at)
    with stand.timed("making up"):
        arriving = Arriving(sample_shop(morning, customers))
    evaluated: dict[str, Any] = {}
    for ago in (*STAGES_ONLY, *WITH_PLAYBOOKS):
        day = today - timedelta(days=ago)
        tell(f"{day:%d %B %Y}: importing, evaluating" + (", sending" if ago in WITH_PLAYBOOKS else ""))
        evaluated = _day(stand, arriving, day, last=ago == 0, with_playbooks=ago in WITH_PLAYBOOKS)
    told = _told(stand, evaluated, morning, stand.at(today, ROUNDS[-1]))
    stand.clock.go_on()
    with stand.timed("counting"):
        keep_figures(stand.database, stand.settings, stand.book, stand.clock())
    stand.seconds["in all"] = time.monotonic() - started
    return {**told, "seconds": {what: round(seconds, 2) for what, seconds in stand.seconds.items()}}


def _told(stand: Stand, evaluated: dict[str, Any], morning: datetime, now: datetime) -> dict[str, Any]:
    start = stand.at(morning.astimezone(stand.settings.business.zone).date(), wall_time.min)
    with stand.database.reading() as connection:
        day = day_told(connection, stand.book, evaluated, start, now)
        explained = explain_two(connection, stand.settings, stand.book, start, now)
    return {
        "shop": stand.settings.business.name,
        "timezone": stand.settings.business.timezone,
        "now": now,
        "days": WITH_PLAYBOOKS[0],
        "imported": {what: dict(counts) for what, counts in stand.imported.items()},
        "rejects": stand.rejects,
        **day,
        "explained": explained,
    }


def _day(stand: Stand, arriving: "Arriving", day: date, *, last: bool, with_playbooks: bool) -> dict[str, Any]:
    """The night's files, the daily run, and the day's messages."""
    morning = stand.at(day, stand.settings.schedule.evaluate_at)
    with stand.timed("importing"):
        _import(stand, arriving.until(None if last else morning), morning)
    book = stand.book if with_playbooks else Book(stand.book.facts, stand.book.lifecycle, {})
    with stand.timed("evaluating"):
        evaluated = evaluate(stand.database, stand.settings, book, WORKER, morning)
    for wall in ROUNDS if with_playbooks else ():
        stand.clock.moment = stand.at(day, wall)
        with stand.timed("sending"):
            _send(stand)
        with stand.timed("hearing"):
            asyncio.run(_told_all(stand.sandbox))
            while not is_worked_out(stand.database):
                time.sleep(SOON)
    return evaluated


def _send(stand: Stand) -> None:
    with stand.database.writing() as connection:
        desk = prepare_run(connection, stand.settings, stand.book, stand.clock())
    asyncio.run(Dispatch(stand.database, desk, stand.clock, WORKER).run())


async def _told_all(sandbox: str) -> None:
    """Until the provider has told what becomes of the messages."""
    asked = httpx.Request("GET", f"{sandbox}/api/told?limit=1")
    async with Door(1) as door:
        while True:
            heard = await door.post(asked, timeout=PATIENCE)
            if isinstance(heard, Answer) and json.loads(heard.body)["waiting"] == 0:
                return
            await asyncio.sleep(SOON)


def _import(stand: Stand, arrived: SampleShop, now: datetime) -> None:
    folder = stand.folder / "files"
    folder.mkdir(exist_ok=True)
    if arrived.customers:
        path = folder / f"customers-{now:%Y-%m-%d}.csv"
        with path.open("w", encoding="utf-8", newline="") as file:
            rows = csv.DictWriter(file, list(arrived.customers[0]))
            rows.writeheader()
            rows.writerows(arrived.customers)
        _note(stand, "customers", import_customers(stand.database, path, now).as_dict())
    if arrived.events:
        path = folder / f"events-{now:%Y-%m-%d}.jsonl"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in arrived.events)
        _note(stand, "events", import_events(stand.database, path, now).as_dict())


def _note(stand: Stand, what: str, done: dict[str, Any]) -> None:
    rejects_file = done.pop("rejects_file")
    stand.imported[what].update({"files": 1, **done})
    if rejects_file is not None:
        with Path(rejects_file).open(encoding="utf-8", newline="") as file:
            stand.rejects += [{"file": Path(rejects_file).name, **row} for row in csv.DictReader(file)]


class Arriving:
    """The shop's rows as they come in, day by day."""

    def __init__(self, shop: SampleShop) -> None:
        self._shop = shop
        self._customers = self._events = 0

    def until(self, end: datetime | None) -> SampleShop:
        """What has come since the last time; with None, all the rest."""
        shop = self._shop
        customers = _place(shop.customers, "signup_at", end)
        events = _place(shop.events, "timestamp", end)
        new = SampleShop(shop.customers[self._customers : customers], shop.events[self._events : events])
        self._customers, self._events = customers, events
        return new


def _place(rows: Sequence[dict[str, Any]], column: str, end: datetime | None) -> int:
    """How many rows there are up to an instant; ISO 8601 in UTC sorts as text."""
    return len(rows) if end is None else bisect_right(rows, instant_text(end), key=lambda row: row[column])
