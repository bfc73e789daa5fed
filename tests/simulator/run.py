"""Years of a small shop: `python tests/simulator/run.py [--seeds 200] [--first 1] [--days 365] [--processes 2]`.

A seed decides everything that happens: who comes and orders, who takes a consent back, what marketers change, when
providers, the database, the clock and the machine fail. After each day the promise is checked. Exit code 1 when it was
broken; the seed and the day are told, and simulate the same year again.
"""

import argparse
import gc
import multiprocessing
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

from simulator.judge import Told
from simulator.place import migrate, simulate

DAYS = 365
GARBAGE = 100_000  # objects; statements are made of so many that Python's own figure costs a fifth of the time
LISTED = 5  # violations of a seed


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=200, help="how many years; 200 by default")
    parser.add_argument("--first", type=int, default=1, help="the first seed; 1 by default")
    parser.add_argument("--days", type=int, default=DAYS, help="of each year; 365 by default")
    parser.add_argument(
        "--processes", type=int, default=os.cpu_count() or 1, help="as many as there are cores by default"
    )
    asked = parser.parse_args()
    started = time.monotonic()
    seeds = range(asked.first, asked.first + asked.seeds)
    with tempfile.TemporaryDirectory() as folder:
        told = list(_shown(seeds, asked.days, asked.processes, migrate(Path(folder))))
    return _sum(told, time.monotonic() - started)


def _shown(seeds: Sequence[int], days: int, processes: int, migrated: Path) -> Iterator[Told]:
    work = partial(_timed, days=days, migrated=migrated)
    with multiprocessing.get_context("spawn").Pool(processes, _collect_rarely) as pool:
        for seconds, told in pool.imap_unordered(work, seeds):
            counts = " ".join(f"{count} {name}" for name, count in sorted(told.counts.items()))
            print(f"seed {told.seed}: {told.days} days, {seconds:.1f} s, {counts}, {told.digest[:12]}", flush=True)
            for one in told.violations[:LISTED]:
                print(f"seed {told.seed}, day {told.days}: {one}", flush=True)
            yield told


def _collect_rarely() -> None:
    gc.freeze()
    gc.set_threshold(GARBAGE)


def _timed(seed: int, days: int, migrated: Path) -> tuple[float, Told]:
    started = time.monotonic()
    try:
        told = simulate(seed, days, migrated)
    except Exception:  # noqa: BLE001 (the other seeds go on)
        told = Told(seed, violations=[traceback.format_exc()])
    return time.monotonic() - started, told


def _sum(told: Sequence[Told], seconds: float) -> int:
    broken = sorted(one.seed for one in told if one.violations)
    counts = sum((one.counts for one in told), Counter[str]())
    print(f"{len(told)} seeds, {sum(one.days for one in told)} days, {seconds:.0f} s: {dict(sorted(counts.items()))}")
    print(f"the promise was broken with {len(broken)} seeds: {broken}" if broken else "the promise was kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
