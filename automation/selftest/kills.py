"""Lives of workers, one after the other or two at once, and their ends."""

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from tempfile import TemporaryDirectory

from automation.clock import wall_clock
from automation.database.engine import open_database
from automation.delivery.sandbox import SandboxServer
from automation.errors import AutomationError
from automation.faultpoints import SENDING
from automation.selftest.check import Finding, check
from automation.selftest.life import DONE, WAITING, live
from automation.selftest.shop import BEGINNING, Kind, open_shop, own_database
from automation.settings import load

CUSTOMERS = 60
DAY, WHILE = timedelta(days=1), timedelta(minutes=10)
MOST_HITS = 8  # of a fault point, until it strikes
LONGEST_LIFE = 60.0  # seconds
LIVES = multiprocessing.get_context("forkserver")
Progress = Callable[[int, int], None]


class WorkerFailed(AutomationError):
    """A worker of the self-test ended with an error that it did not survive; its message stands above."""


@dataclass
class Trial:
    """A shop in its folder and the lives of its workers. `first` is called at the birth of each."""

    folder: Path
    kind: Kind
    database: str
    sandbox: str
    customers: int = CUSTOMERS
    first: Callable[[], None] | None = None
    days: int = 1
    kills: int = 0
    ahead: timedelta = field(default_factory=lambda: BEGINNING - wall_clock())
    usual: float = 0.3

    def __post_init__(self) -> None:
        LIVES.set_forkserver_preload(["automation.selftest.life"])
        open_shop(self.folder, self.kind, self.database, self.sandbox, self.customers)

    @property
    def at_once(self) -> int:
        """On PostgreSQL several workers may work."""
        return 1 if self.database.startswith("sqlite") else 2

    def life(self, faults: str = "") -> ForkServerProcess:
        born = LIVES.Process(target=live, args=(self.folder / "config.toml", self.ahead, faults, self.first))
        born.start()
        return born

    def lives(self, ends: Sequence["End"]) -> None:
        """As many at once as there are ends; afterwards it is a while later, or, when all is sent, the next day."""
        born = [(self.life(end.faults), end) for end in ends]
        started = time.monotonic()
        for process, end in born:
            process.join(end.after if end.after is None else max(0.0, started + end.after - time.monotonic()))
            if process.is_alive():
                process.kill()
        codes = [self.died(process) for process, _ in born]
        if all(code == DONE for code in codes):
            self.usual = 0.8 * self.usual + 0.2 * (time.monotonic() - started)
            self._tomorrow()
        elif WAITING in codes:
            self.ahead += WHILE

    def died(self, process: ForkServerProcess) -> int:
        process.join()
        code = process.exitcode or 0
        process.close()
        if code > 0 and code != WAITING:
            raise WorkerFailed
        self.kills += code < 0
        return code

    def _tomorrow(self) -> None:
        self.days += 1
        self.ahead += DAY

    def finish(self) -> None:
        """Lives that nobody ends, until the day's messages are sent."""
        today = self.days
        while self.days == today:
            self.lives([End()])

    def check(self, seed: int, seconds: float) -> Finding:
        settings = load(self.folder / "config.toml")
        database = open_database(settings)
        expected = (self.days - 1) * self.customers * len(self.kind.channels)
        counts = check(database, settings, self.folder / "mailbox.db", expected)
        database.close()
        return Finding(kills=self.kills, **counts, seed=seed, seconds=round(seconds, 1))


@dataclass(frozen=True)
class End:
    """How a life ends: killed after so many seconds, at a fault point, or by itself."""

    after: float | None = LONGEST_LIFE
    faults: str = ""

    @classmethod
    def drawn(cls, draw: random.Random, usual: float) -> "End":
        if draw.random() < 0.5:  # noqa: PLR2004 (one half at drawn instants, one at named places)
            return cls(after=draw.uniform(0, 1.2 * usual))
        return cls(faults=f"{draw.choice(SENDING)}=kill@{draw.randint(1, MOST_HITS)}")


@contextmanager
def trial(
    kind: Kind, server: str | None = None, first: Callable[[], None] | None = None, customers: int = CUSTOMERS
) -> Iterator[Trial]:
    """In a temporary folder, with a provider of its own."""
    with TemporaryDirectory(prefix="automation-selftest-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with own_database(folder, server) as database, SandboxServer(keep=folder / "mailbox.db") as sandbox:
            yield Trial(folder, kind, database, sandbox.url, customers, first)


def selftest(
    kind: Kind,
    kills: int,
    seed: int,
    server: str | None = None,
    progress: Progress | None = None,
    first: Callable[[], None] | None = None,
) -> Finding:
    """So many kills, then what became of all messages. Raises BadInput, WorkerFailed."""
    started = time.monotonic()
    draw = random.Random(f"{kind.name}:{seed}")  # noqa: S311 (no secret)
    with trial(kind, server, first) as made:
        while made.kills < kills:
            made.lives([End.drawn(draw, made.usual) for _ in range(made.at_once)])
            if progress is not None:
                progress(made.kills, kills)
        made.finish()
        return made.check(seed, time.monotonic() - started)
