"""One seed's year, day after day, in an order that the seed alone decides."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

from simulator.crashes import Mishap
from simulator.happening import Time
from simulator.injected import injected
from simulator.judge import Judge, Told
from simulator.line import Providers
from simulator.machine import Machine
from simulator.marketers import Marketers
from simulator.shop_of_seed import PORTS, settings_of
from simulator.staff import Act, Noting, Staff
from simulator.weather import WEATHERS
from simulator.world import World
from sqlalchemy import update

from automation.database.engine import Database
from automation.database.schema import installation

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
JUMPS = (timedelta(minutes=-50), timedelta(minutes=50), timedelta(hours=-3), timedelta(hours=5), timedelta(seconds=-20))
SPINS = 6  # of the event loop, from the look for what was taken back to the first byte


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
        staff = Staff(database, self.time, self.chance, sorted(PORTS.values()), self._was_taken, self.settings)
        self.world = World(database, folder, self.time, self.chance, staff)
        self.judge = Judge(seed, database, self.settings, self.machine, self.world, self.providers)
        self._during: list[Act] = []
        self._known_soon: list[Noting] = []
        self._down = 0
        self._troubled = 0.0

    def run(self, days: int) -> Told:
        told = Told(self.seed)
        with injected(self.machine.gone, self.chance, self.machine.note):
            self.world.staff.load_codes()
            for _ in range(4):
                self.world.arrive()
            for day in range(days):
                self._day(day)
                told.days += 1
                told.violations = [*self.judge.wrong(day)]
                if told.violations:
                    break
            else:
                self._calm(days)
                told.violations = [*self.judge.wrong(days, last=True)]
        told.counts = self.judge.counts()
        told.digest = self.judge.digest()
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
        self._down = max(0, self._down - 1) or (self.chance.randint(2, 6) if self.chance.random() < 0.02 else 0)
        self._troubled = self.chance.choice((0, 0, 0.2, 0.7))
        acts = list(self.world.acts())
        if self.chance.random() < 0.05:
            self.world.move()
        for minutes in self._tick_times():
            self.time.until(start + timedelta(minutes=minutes))
            for _ in range(min(len(acts), self.chance.randint(0, 3))):
                self._take_up(acts.pop())
            if not self._down:
                self._ticks()
        while acts:
            acts.pop()()()
        self.time.until(start + DAY)

    def _tick_times(self) -> list[int]:
        """Minutes of the day, some of them when most customers are awake."""
        early, late = self.chance.choice(((0, 1410), (420, 1080)))
        return sorted(self.chance.sample(range(early, late), self.chance.choice((1, 1, 2))))

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
        if self.machine.is_dispatching and self.chance.random() < 0.02:
            self.machine.stop()

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
                self.providers.weather[name] = self.chance.choice(("fine",) * 4 + tuple(WEATHERS))

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
