"""From which local date to which."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from automation.clock import DAY, day_start
from automation.reports.months import first_of_month

USUAL = timedelta(days=30)


@dataclass(frozen=True)
class Period:
    """Local dates of the business zone, both included."""

    since: date
    until: date
    zone: ZoneInfo

    @classmethod
    def up_to(cls, until: date, zone: ZoneInfo, *, months: int = 0) -> "Period":
        """The 30 days that end with this one, or so many calendar months, the date's own among them."""
        since = first_of_month(until, months - 1) if months else until - USUAL + DAY
        return cls(since, until, zone)

    @property
    def start(self) -> datetime:
        """The first instant."""
        return day_start(self.since, self.zone)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return day_start(self.until + DAY, self.zone)

    def __str__(self) -> str:
        return f"{self.since} to {self.until}"
