"""Power cuts at named places and between statements, and a database that fails at the n-th one."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from random import Random
from typing import Any

from automation import faultpoints
from automation.database.engine import Database

STATEMENTS = ("do_execute", "do_executemany", "do_execute_no_params")
TROUBLES = ("database or disk is full", "disk I/O error", "server closed the connection unexpectedly")


class PowerCut(SystemExit):
    """The machine is off. No `except Exception` sees it, and asyncio stops at once."""


class Inline(Executor):
    """A thread that works while one waits for it: the order of everything follows from the seed."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 (whoever waits is told, whatever it is)
            done.set_exception(error)
        return done


class Mishap:
    """Stands between SQLAlchemy and the driver. One thing goes wrong at a time, and only while it is armed."""

    def __init__(self, database: Database, chance: Random) -> None:
        dialect: Any = database.engine.dialect
        self._dialect = dialect
        self._chance = chance
        self._place, self._left = "", 0
        self.happened = False
        self._act: Callable[[], None] = _nothing
        for name in STATEMENTS:
            setattr(self._dialect, name, self._watched(name, "statement", None))
        dialect.do_commit = self._watched("do_commit", "commit", "committed")

    def power_cut(self) -> None:
        """At a named place, or at some statement or commit, of what follows."""
        if self._chance.random() < 0.6:
            point = self._chance.choice(faultpoints.SENDING)
            faultpoints.REGISTRY[point] = faultpoints.Fault(_cut, self._chance.choice((1, 1, 1, 2, 3, 5)))
        else:
            self._arm(_cut)

    def database_error(self) -> None:
        trouble = self._chance.choice(TROUBLES)

        def fail() -> None:
            raise self._dialect.loaded_dbapi.OperationalError(trouble)

        self._arm(fail)

    def disarm(self) -> None:
        faultpoints.REGISTRY.clear()
        self._place, self.happened = "", False

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """What others do in the database meanwhile is no concern of the worker's mishaps."""
        place, self._place = self._place, ""
        yield
        self._place = place

    def _arm(self, act: Callable[[], None]) -> None:
        self._act = act
        self._place = self._chance.choice(("statement", "commit", "committed"))
        self._left = self._chance.randint(1, 150 if self._place == "statement" else 10)

    def _watched(self, name: str, before: str, after: str | None) -> Callable[..., None]:
        real = getattr(self._dialect, name)

        def call(*args: Any) -> None:
            self._reach(before)
            real(*args)
            if after:
                self._reach(after)

        return call

    def _reach(self, place: str) -> None:
        if self._place == place:
            self._left -= 1
            if self._left == 0:
                self._place, self.happened = "", True
                self._act()


def _nothing() -> None:
    """Nothing goes wrong."""


def _cut() -> None:
    raise PowerCut
