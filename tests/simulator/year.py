"""One seed's year, day after day, in an order that the seed alone decides."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from simulator.check import Oracle
from simulator.crashes import Mishap
from simulator.happening import Time
from simulator.line import Providers
from simulator.machine import Machine, injected
from simulator.marketers import Marketers
from simulator.shop_of_seed import PORTS, settings_of
from simulator.staff import Act, Noting, Staff
from simulator.weather import WEATHERS
from simulator.world import World
from sqlalchemy import text, update

from automation.database.engine import Database
from automation.database.schema import installation
from automation.delivery.verify import verify
from automation.errors import BadFiles
from automation.playbooks.load import read_book
from automation.worker.runs import dry_run

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
JUMPS = (timedelta(minutes=-50), timedelta(minutes=50), timedelta(hours=-3), timedelta(hours=5), timedelta(seconds=-20))
SPINS = 6  # of the event loop, from the look for what was taken back to the first byte
JUDGED_BY_TODAY = frozenset({"I6", "I7"})  # verify knows only where customers live now
TABLES = (
    "customers",
    "enrollments",
    "messages",
    "attempts",
    "consents",
    "suppressions",
    "offers",
    "stage_changes",
    "runs",
)


@dataclass
class Told:
    """What a year came to."""

    seed: int
    days: int = 0
    violations: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digest: str = ""


class Year:
    """`run` simulates the days one after another until something is wrong."""

    def __init__(self, seed: int, database: Database, folder: Path) -> None:
        self.seed = seed
        self.database, self.folder = database, folder
        self.chance = Random(seed)  # noqa: S311 (a story, no secret)
        self.time = Time(BEGIN + timedelta(days=self.chance.randint(0, 364)))
        self._set_key()
        url = database.engine.url.render_as_string(hide_password=False)
        self.settings = settings_of(folder, url, self.chance)
        self.marketers = Marketers(folder, self.chance)
        self.providers = Providers(self.time, self.chance, PORTS, self._interrupt)
        mishap = self.mishap = Mishap(database, self.chance)
        self.machine = Machine(database, self.settings, self.time, self.chance, self.providers, mishap)
        staff = Staff(database, self.time, self.chance, sorted(PORTS.values()), self._was_taken)
        self.world = World(database, folder, self.time, self.chance, staff)
        self.oracle = Oracle(database, self.settings, self.providers, self.world)
        self._during: list[Act] = []
        self._known_soon: list[Noting] = []
        self._down = 0
        self._troubled = 0.0

    def run(self, days: int) -> Told:
        told = Told(self.seed)
        with injected(self.machine.gone, self.chance):
            self.world.staff.load_codes()
            for _ in range(4):
                self.world.arrive()
            for day in range(days):
                self._day(day)
                told.days += 1
                told.violations = [*self._wrong(day)]
                if told.violations:
                    break
            else:
                self._calm(days)
                told.violations = [*self._wrong(days)]
        told.counts = self._counts()
        told.digest = self._digest()
        self.providers.close()
        return told

    def _set_key(self) -> None:
        """The installation's key is drawn from the seed, because codes and calls are derived from it."""
        with self.database.writing() as connection:
            connection.execute(update(installation).values(key=f"{self.chance.getrandbits(128):032x}"))

    def _day(self, day: int) -> None:
        start = self.time.true
        self._weather()
        self.marketers.mend(day)
        if self.chance.random() < 0.15:
            self.marketers.change_something(day)
        if self.chance.random() < 0.05:
            self.time.wrong = self.chance.choice(JUMPS)
        elif self.chance.random() < 0.4:
            self.time.wrong = timedelta(0)
        self._down = max(0, self._down - 1) or (self.chance.randint(2, 6) if self.chance.random() < 0.01 else 0)
        self._troubled = self.chance.choice((0, 0, 0, 0.1, 0.5))
        acts = list(self.world.acts())
        if self.chance.random() < 0.05:
            self.world.move()
        for minutes in sorted(self.chance.sample(range(24 * 60 - 30), self.chance.choice((1, 1, 2)))):
            self.time.until(start + timedelta(minutes=minutes))
            for _ in range(min(len(acts), self.chance.randint(0, 3))):
                self._take_up(acts.pop())
            if not self._down:
                self._ticks()
        while acts:
            acts.pop()()()
        self.time.until(start + DAY)

    def _take_up(self, act: Act) -> None:
        """At once, or in the middle of the next dispatch."""
        if self.chance.random() < 0.5:
            self._during.append(act)
        else:
            act()()

    def _ticks(self) -> None:
        """One tick; after trouble some more, soon after."""
        for _ in range(3):
            drawn = self.chance.random()
            if drawn < self._troubled / 2:
                self.mishap.power_cut()
            elif drawn < self._troubled:
                self.mishap.database_error()
            cuts, errors = self.machine.cuts, self.machine.errors
            self.machine.tick()
            self._settle()
            if (cuts, errors) == (self.machine.cuts, self.machine.errors) and self.chance.random() < 0.95:
                return
            self.time.passes(timedelta(seconds=self.chance.choice((15, 15, 120, 400, 1900))))

    def _interrupt(self) -> None:
        """In the middle of an exchange something happens, or the worker is told to stop."""
        if self._during and self.chance.random() < 0.5:
            with self.mishap.suspended():
                noting = self._during.pop()()
            self._known_soon.append(noting)
            self.machine.later(SPINS, lambda: self._note(noting))
        if self.machine.dispatching is not None and self.chance.random() < 0.005:
            self.machine.dispatching.stop.set()

    def _note(self, noting: Noting) -> None:
        if noting in self._known_soon:
            self._known_soon.remove(noting)
            noting()

    def _settle(self) -> None:
        while self._known_soon:
            self._known_soon.pop(0)()
        while self._during:
            self._during.pop()()()

    def _weather(self) -> None:
        for name in PORTS.values():
            if self.chance.random() < 0.4:
                self.providers.weather[name] = self.chance.choice(("fine",) * 8 + tuple(WEATHERS))

    def _calm(self, day: int) -> None:
        """Everything is mended and resumed, and some quiet days pass: whatever was open comes to its end."""
        self.marketers.mend(day + 100)
        self.providers.weather.clear()
        self.time.wrong, self._down, self._troubled = timedelta(0), 0, 0.0
        self.world.staff.resume()
        for _ in range(3):
            for _ in range(4):
                self.time.passes(DAY / 4)
                self.machine.tick()

    def _was_taken(self, message_id: int) -> bool:
        return any(one.message_id == message_id for one in self.providers.taken)

    def _wrong(self, day: int) -> Iterator[str]:
        yield from self.machine.surprises
        yield from self.oracle.look(self.machine.complete_since)
        moved = {one.customer_id for one in self.world.people.values() if one.has_moved}
        for one in verify(self.database, self.settings).violations:
            if one.invariant not in JUDGED_BY_TODAY or one.about.get("customer_id") not in moved:
                yield f"verify {one.invariant} {dict(one.about)} {one.told}"
        if day % 30 == self.seed % 30:
            yield from self._plans_differ()

    def _plans_differ(self) -> Iterator[str]:
        try:
            plans = [
                dry_run(self.database, self.settings, read_book(self.settings), self.time.machine) for _ in range(2)
            ]
        except BadFiles:
            return
        for plan in plans:
            del plan["seconds"]
        if plans[0] != plans[1]:
            yield f"I11 two plans of one state differ: {plans}"

    def _counts(self) -> Counter[str]:
        counts = Counter(self.oracle.counts)
        counts["planned_ever"] = sum(self.oracle.counts.values())
        counts["duplicated"] = sum(times > 1 for times in self.oracle.accepted.values())
        counts["lost"] = len(self.oracle.lost)
        counts |= Counter(cuts=self.machine.cuts, errors=self.machine.errors, posts=len(self.providers.posts))
        return counts

    def _digest(self) -> str:
        """Of every row and of everything the providers took."""
        whole = hashlib.sha256(repr(self.providers.taken).encode())
        with self.database.reading() as connection:
            for table in TABLES:
                rows = sorted(map(repr, connection.execute(text(f"SELECT * FROM {table}"))))
                whole.update("\n".join(rows).encode())
        return whole.hexdigest()
