"""The reports over a shop of some size, as of its last run."""

from collections.abc import Iterator
from datetime import timedelta

from daily import Shop
from measure import Line, seconds, timed

from automation.clock import local_date
from automation.reports.asked import USUAL_MONTHS, Asked, report_of
from automation.reports.period import Period

NAMES = ("funnel", "transitions", "rates", "satisfaction", "value", "cohorts")


def reports(shop: Shop) -> Iterator[Line]:
    """Each over its usual period, a second after the run."""
    for name in NAMES:
        yield Line("reports", shop.where, name, seconds(timed(lambda name=name: _made(shop, name))))  # type: ignore[misc]


def _made(shop: Shop, name: str) -> None:
    zone = shop.settings.business.zone
    period = Period.up_to(local_date(shop.now, zone), zone, months=USUAL_MONTHS.get(name, 0))
    with shop.database.reading() as connection:
        now = shop.now + timedelta(seconds=1)
        report_of(name, Asked(connection, shop.settings, shop.book, period, shop.book.lifecycle, now))
