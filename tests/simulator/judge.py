"""What is asked after each day, and what a year came to."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from simulator.check import Oracle
from simulator.line import Providers
from simulator.machine import Machine
from simulator.world import World
from sqlalchemy import text

from automation.database.engine import Database
from automation.delivery.verify import verify
from automation.errors import BadFiles
from automation.playbooks.load import read_book
from automation.settings import Settings
from automation.worker.runs import dry_run

TOOK = re.compile(r'"seconds": [\d.e-]+')
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


@dataclass
class Judge:
    """The oracle looks every day; `verify` after trouble and every third day, because it reads the whole ledger."""

    seed: int
    database: Database
    settings: Settings
    machine: Machine
    world: World
    providers: Providers
    _trouble: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self._oracle = Oracle(self.database, self.settings, self.providers, self.world)

    def wrong(self, day: int, *, last: bool = False) -> Iterator[str]:
        yield from self.machine.surprises
        yield from self._oracle.look(self.machine.complete_since)
        if last or day % 3 == self.seed % 3 or self._has_been_in_trouble():
            yield from self._verified()
        if day % 30 == self.seed % 30:
            yield from self._plans_differ()

    def _has_been_in_trouble(self) -> bool:
        before, self._trouble = self._trouble, (self.machine.cuts, self.machine.errors)
        return before != self._trouble

    def _verified(self) -> Iterator[str]:
        moved = {one.customer_id for one in self.world.people.values() if one.has_moved}
        for one in verify(self.database, self.settings).violations:
            if one.invariant not in JUDGED_BY_TODAY or one.about.get("customer_id") not in moved:
                yield f"verify {one.invariant} {dict(one.about)} {one.told}"

    def _plans_differ(self) -> Iterator[str]:
        try:
            book, now = read_book(self.settings), self.machine.time.machine
            plans = [dry_run(self.database, self.settings, book, now) for _ in range(2)]
        except BadFiles:
            return
        for plan in plans:
            del plan["seconds"]
        if plans[0] != plans[1]:
            yield f"I11 two plans of one state differ: {plans}"

    def counts(self) -> Counter[str]:
        counts = Counter(self._oracle.counts)
        counts["planned_ever"] = sum(self._oracle.counts.values())
        counts["duplicated"] = sum(times > 1 for times in self._oracle.accepted.values())
        counts["copies"] = self._oracle.copies
        counts["lost"] = len(self._oracle.lost)
        counts |= Counter(
            starts=self.machine.starts,
            cuts=self.machine.cuts,
            errors=self.machine.errors,
            posts=len(self.providers.posts),
        )
        return counts

    def digest(self) -> str:
        """Of every row and of everything the providers took; not of how long a run took this machine."""
        whole = hashlib.sha256(repr(self.providers.taken).encode())
        with self.database.reading() as connection:
            for table in TABLES:
                rows = sorted(TOOK.sub("", repr(row)) for row in connection.execute(text(f"SELECT * FROM {table}")))
                whole.update("\n".join(rows).encode())
        return whole.hexdigest()
