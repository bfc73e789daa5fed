"""Reports of a test's shop."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from shop import Shop, at

from automation.playbooks.lifecycles import read_named
from automation.reports.asked import Asked, report_of
from automation.reports.figures import Report
from automation.reports.period import Period

# What the small shop calls things.
EVENTS = """
[reports]
orders = ["Order"]
surveys = ["Survey"]
"""


def report(
    shop: Shop,
    name: str,
    since: str,
    until: str,
    now: str | None = None,
    playbook: str | None = None,
    file: Path | None = None,
    lifecycle: str | None = None,
) -> Report:
    """Over local dates, both included; as of the end of the period, unless told otherwise."""
    settings, book = shop.settings, shop.book
    model = read_named(settings, lifecycle)[1][0] if lifecycle else book.lifecycle
    period = Period(date.fromisoformat(since), date.fromisoformat(until), settings.business.zone)
    moment: datetime = at(now) if now else period.end
    with shop.database.reading() as connection:
        return report_of(name, Asked(connection, settings, book, period, model, moment, playbook, file))


def rows(found: Report, table: str) -> list[dict[str, Any]]:
    return found.table(table).as_list()


def figures(found: Report) -> dict[str, str]:
    """Every figure as it is read."""
    return {key: str(figure.value) for key, figure in found.figures.items()}


def cells(found: Report, table: str | None = None) -> list[tuple[str, ...]]:
    """A table's rows as they are read."""
    return [tuple(str(cell) for cell in row) for row in found.table(table).rows]
