"""Reports of a test's shop."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from shop import Shop, at

from automation.reports.asked import Asked, report_of
from automation.reports.figures import Report
from automation.reports.period import Period


def report(
    shop: Shop,
    name: str,
    since: str,
    until: str,
    now: str | None = None,
    playbook: str | None = None,
    file: Path | None = None,
) -> Report:
    """As of the end of the period, unless told otherwise."""
    settings, book = shop.settings, shop.book
    period = Period(date.fromisoformat(since), date.fromisoformat(until), settings.business.zone)
    moment: datetime = at(now) if now else period.end
    with shop.database.reading() as connection:
        return report_of(name, Asked(connection, settings, book, period, book.lifecycle, moment, playbook, file))


def rows(found: Report, table: str) -> list[dict[str, Any]]:
    return found.table(table).as_list()
