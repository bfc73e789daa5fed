"""From which local date to which."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from automation.clock import DAY, day_start

USUAL = timedelta(days=30)


@dataclass(frozen=True)
class Period:
    """Local dates of the business zone, both included."""

    since: date
    until: date
    zone: ZoneInfo

    @classmethod
    def up_to(cls, until: date, zone: ZoneInfo) -> "Period":
        """The 30 days that end with this one."""
        return cls(until - USUAL + DAY, until, zone)

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
