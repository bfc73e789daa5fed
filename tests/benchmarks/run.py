"""How fast it is: `python tests/benchmarks/run.py [NAME ...] [--customers N] [--database sqlite|postgresql|both]`.

Every figure is the best of several repetitions, and every ratio is taken within one run. Everything is kept under a
temporary folder (TMPDIR), which for a million customers takes about 5 GB and is removed at the end.
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # what is measured is the tree this file stands in

import daily
import hooks
import importing
import memory
import pages
import replay
import reports
import restart
import searching
import sending
from measure import Line, show
from places import new_database, workplace

OF_A_SHOP = {"first_day": daily.first_day, "day": daily.day, "reports": reports.reports}
OF_A_DATABASE = {"send": sending.send, "import": importing.importing, "replay": replay.replay, "hooks": hooks.hooks}
OF_A_LOG = {"log": searching.log, "pages": pages.pages}
AT_A_SIZE = {"memory": memory.memory, "restart": restart.restart}
DATABASES = ("sqlite", "postgresql")


def main() -> None:
    names = (*OF_A_SHOP, *OF_A_DATABASE, *OF_A_LOG, *AT_A_SIZE)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--customers", type=int, default=100_000, help="with ten events each; 100000 by default")
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="sqlite")
    told = parser.parse_args()
    unknown = set(told.names) - set(names)
    if unknown:
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for kind in DATABASES if told.database == "both" else (told.database,):
        show(measured(set(told.names or names), told.customers, kind))


def measured(names: set[str], customers: int, kind: str) -> Iterator[Line]:
    """The lines of these benchmarks on one database."""
    if names & set(OF_A_SHOP):
        with workplace() as folder, new_database(folder, kind) as database:
            shop = daily.Shop(folder, database, customers)
            for name, lines in OF_A_SHOP.items():
                if name in names:
                    yield from lines(shop)
    for name, work in {**OF_A_DATABASE, **OF_A_LOG}.items():
        if name in names:
            with workplace() as folder, new_database(folder, kind) as database:
                yield from work(folder, database)
    for name, sized in AT_A_SIZE.items():
        if name in names:
            with workplace() as folder, new_database(folder, kind) as database:
                yield from sized(folder, database, customers)


if __name__ == "__main__":
    main()
