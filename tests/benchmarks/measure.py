"""Timing, and the table that is printed. Ratios are taken between figures of one run, never across runs."""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any


@dataclass(frozen=True)
class Line:
    """One measured figure. `ratio` is held against `goal`: at most, or at least where `more` is better."""

    benchmark: str
    where: str
    what: str
    value: str
    ratio: float | None = None
    goal: float | None = None
    more: bool = False

    @property
    def verdict(self) -> str:
        if self.goal is None or self.ratio is None:
            return ""
        met = self.ratio >= self.goal if self.more else self.ratio <= self.goal
        return f"{'>=' if self.more else '<='} {self.goal:g} {'met' if met else 'MISSED'}"


def show(lines: Iterable[Line]) -> None:
    """The table, a benchmark's lines together."""
    last = ""
    for line in lines:
        title = f"{line.benchmark}, {line.where}"
        if title != last:
            print(f"\n{title}")
        last = title
        ratio = "" if line.ratio is None else f"{line.ratio:.2f} x"
        print(f"  {line.what:<52} {line.value:>16} {ratio:>9}  {line.verdict}", flush=True)


def best(times: int, work: Callable[[], Any]) -> float:
    """The shortest of several repetitions, in seconds: what else the machine does can only make it longer."""
    return min(timed(work) for _ in range(times))


def timed(work: Callable[[], Any]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


@dataclass
class Stopwatch:
    """Seconds spent in some functions of a module while `watching` them."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def watching(self, module: ModuleType, *names: str) -> Iterator[None]:
        kept = {name: getattr(module, name) for name in names}
        for name, function in kept.items():
            setattr(module, name, self._watched(name, function))
        try:
            yield
        finally:
            for name, function in kept.items():
                setattr(module, name, function)

    def _watched(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **options: Any) -> Any:
            started = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                self.seconds[name] = self.seconds.get(name, 0.0) + time.perf_counter() - started

        return watched


def seconds(value: float) -> str:
    return f"{value:.2f} s"
