"""Reports as tests ask for them: over local dates, as of an instant."""

from dataclasses import replace
from datetime import date
from typing import Any

from shop import Shop, at

from automation.reports.asked import Asked, report_of
from automation.reports.figures import Report
from automation.reports.models import lifecycle_named
from automation.reports.period import Period

# What the small shop calls things.
EVENTS = """
[reports]
orders = ["Order"]
surveys = ["Survey"]
"""


def made(shop: Shop, name: str, since: str, until: str, now: str = "2027-01-01T00:00:00Z", **asked: Any) -> Report:
    """The report over these dates, both included."""
    settings, book = shop.settings, shop.book
    model = lifecycle_named(settings, book, asked.pop("lifecycle")) if "lifecycle" in asked else book.lifecycle
    period = Period(date.fromisoformat(since), date.fromisoformat(until), settings.business.zone)
    with shop.database.reading() as connection:
        return report_of(name, replace(Asked(connection, settings, book, period, model, at(now)), **asked))


def figures(report: Report) -> dict[str, str]:
    """Every figure as it is read."""
    return {key: str(figure.value) for key, figure in report.figures.items()}


def table(report: Report, name: str | None = None) -> list[tuple[str, ...]]:
    """A table's rows as they are read."""
    return [tuple(str(cell) for cell in row) for row in report.table(name).rows]
