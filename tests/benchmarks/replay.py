"""545 real days: the orders of 1997-98 in the validation data, evaluated and sent day by day against the sandbox."""

import asyncio
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from measure import Line

from automation.customers.load import import_customers, import_events
from automation.database.engine import Database
from automation.delivery.dispatch import Dispatch
from automation.delivery.sandbox import SandboxServer
from automation.playbooks.load import read_book
from automation.settings import load
from automation.worker import runs
from automation.worker.evaluate import prepare_run

DATA = Path(__file__).parents[3] / "shared" / "data" / "cdnow_sample"
FIRST, LAST = datetime(1997, 1, 2, 5, tzinfo=UTC), datetime(1998, 6, 30, 5, tzinfo=UTC)
SEND_AT = (timedelta(hours=5), timedelta(hours=11))  # in the morning of Europe, and in that of America


def replay(folder: Path, database: Database) -> Iterator[Line]:
    """A line a month: where customers stood on its last day, and what the month's messages came to."""
    if not DATA.is_dir():
        yield Line("replay", "validation data", "not beside the project", "skipped")
        return
    where = f"{database.engine.dialect.name}, {FIRST:%Y-%m-%d} to {LAST:%Y-%m-%d}"
    _import(folder, database)
    started = time.perf_counter()
    with SandboxServer() as sandbox:
        yield from _months(folder, database, sandbox.url, where)
    yield Line("replay", where, "545 days", f"{time.perf_counter() - started:.0f} s")


def _import(folder: Path, database: Database) -> None:
    for name, work in (("customers.csv", import_customers), ("events.jsonl", import_events)):
        shutil.copy(DATA / name, folder)
        assert work(database, folder / name, FIRST).rejected == 0
        assert work(database, folder / name, FIRST).created == 0


def _months(folder: Path, database: Database, url: str, where: str) -> Iterator[Line]:
    config = (folder / "config.toml").read_text(encoding="utf-8")
    config = config.replace("http://127.0.0.1:8025", url).replace("50/second", "10000/second")
    (folder / "config.toml").write_text(config, encoding="utf-8")
    settings = load(folder / "config.toml")
    book = read_book(settings)
    day, month = FIRST, Counter[str]()
    while day <= LAST:
        told = runs.evaluate(database, settings, book, "replay", day)
        month += Counter({"planned": told["planned"], "moves": told["changes"]})
        for later in SEND_AT:
            month += _send(database, folder, day + later)
        tomorrow = day + timedelta(days=1)
        if tomorrow.month != day.month or day == LAST:
            stages = " ".join(f"{key} {count}" for key, count in told["stages"].items() if count)
            counts = ", ".join(f"{month[key]} {key}" for key in ("moves", "planned", "sent", "skipped", "expired"))
            yield Line("replay", where, f"{day:%Y-%m-%d}  {stages}", counts)
            month = Counter()
        day = tomorrow


def _send(database: Database, folder: Path, moment: datetime) -> Counter[str]:
    settings = load(folder / "config.toml")
    with database.writing() as connection:
        desk = prepare_run(connection, settings, read_book(settings), moment)
    told = asyncio.run(Dispatch(database, desk, lambda: moment, "replay").run())
    return Counter({"sent": told["sent"], "skipped": sum(told["skipped"].values()), "expired": told["expired"]})
