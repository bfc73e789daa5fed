"""A small made-up shop: eighteen months of customers and of what they did, as the import files would hold them.

Pure and the same every time for the same (seed, now, count): a customer's life depends on the seed and their number.
Rows are in order of time. A few are deliberately unusable, because real files have such rows too.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from automation.customers.sample_people import COLUMNS, happens, person
from automation.values import instant_text

MONTHS_18 = 548  # days
TRIAL_DAYS, YEAR = 14, timedelta(days=365)
REWARD = 500  # points
HAPPY, UNHAPPY = 9, 6  # answers to "would you recommend us?", 0 to 10

BAD_CUSTOMERS = (
    {"customer_id": "x90001", "email": "no address at all"},
    {"customer_id": "x90002", "timezone": "Europe/Roma"},
    {"customer_id": "x90003", "country": "Italy"},
)
BAD_EVENTS = (
    {"event_id": "x90001-1", "event": "Order Completed", "properties": {"revenue": 40}},
    {"event_id": "x90002-1", "customer_id": "x90002", "event": "Page Viewed", "timestamp": "yesterday"},
)


@dataclass(frozen=True)
class SampleShop:
    """`customers`: rows for a CSV file, by `signup_at`; `events`: objects for JSON Lines, by `timestamp`."""

    customers: list[dict[str, str]]
    events: list[dict[str, Any]]


def sample_shop(now: datetime, count: int = 2_000, seed: int = 1) -> SampleShop:
    """`count` customers who signed up in the eighteen months before `now`, and some unusable rows."""
    lives = [_Life(seed, number, now) for number in range(1, count + 1)]
    early = min((life.row["signup_at"] for life in lives), default=instant_text(now))
    blank = {**dict.fromkeys(COLUMNS, ""), "signup_at": early}
    customers = [blank | bad for bad in BAD_CUSTOMERS] + [life.row for life in lives]
    events = [{"timestamp": early, **bad} for bad in BAD_EVENTS] + [one for life in lives for one in life.events]
    return SampleShop(
        sorted(customers, key=lambda row: row["signup_at"]), sorted(events, key=lambda row: row["timestamp"])
    )


class _Life:
    """One customer from signing up until `now`. Most come, look and stay away; some come back for good."""

    def __init__(self, seed: int, number: int, now: datetime) -> None:
        # Not for secrets: the same shop must come out of the same seed.
        self.chance = Random(f"{seed}:{number}")  # noqa: S311
        self.now, self.customer_id = now, f"c{number:05}"
        self.events: list[dict[str, Any]] = []
        self.row = person(self.chance, number, self.customer_id)
        # The shop grows: more sign up in a month of this year than of the last.
        self.signed_up = now - timedelta(days=MONTHS_18 * self.chance.random() ** 1.25, minutes=5)
        self.row["signup_at"] = instant_text(self.signed_up.replace(microsecond=0))
        self.points = 0
        self.happiness = self.chance.betavariate(4, 1.6)
        self._look_around()
        if happens(self.chance, 0.66):
            self._buy()
        self._leave_baskets()
        self._try_plus()

    def note(self, event: str, at: datetime, **properties: Any) -> None:
        """Nothing happens before signing up or after `now`."""
        if self.signed_up <= at <= self.now:
            row = {"event_id": f"{self.customer_id}-{len(self.events) + 1}", "customer_id": self.customer_id}
            when = instant_text(at.replace(microsecond=0))
            self.events.append({**row, "event": event, "timestamp": when, "properties": properties})

    def _look_around(self) -> None:
        """Visits in the first weeks, and seldom ones for as long as the customer remembers the shop."""
        at = self.signed_up
        for _ in range(self.chance.randint(1, 5)):
            self.note("Page Viewed", at, path="/")
            if happens(self.chance, 0.4):
                self.note("Product Viewed", at + timedelta(minutes=3), product=self._product())
            if happens(self.chance, 0.25):
                self.note("Content Viewed", at + timedelta(minutes=8), title="How to choose")
            at = self._daytime(at + self._days(6))
        while happens(self.chance, 0.6):
            at = self._daytime(at + self._days(45))
            self.note("Login", at)

    def _buy(self) -> None:
        """Orders, each a little less likely than not to be the last one."""
        returns, gap = self.chance.betavariate(2.4, 1.3), self.chance.lognormvariate(math.log(33), 0.45)
        at = self._daytime(self.signed_up + self._days(16))
        count = 0
        while at <= self.now:
            count += 1
            self._order(at)
            if self._speak(at, count) <= UNHAPPY or not happens(self.chance, returns):
                return
            at = self._daytime(at + timedelta(days=gap * self.chance.lognormvariate(0, 0.35)))

    def _order(self, at: datetime) -> None:
        product = self._product()
        self.note("Product Viewed", at - timedelta(minutes=40), product=product)
        self.note("Cart Updated", at - timedelta(minutes=25), items=self.chance.randint(1, 4))
        revenue = round(self.chance.lognormvariate(math.log(48), 0.5), 2)
        channel = "web" if happens(self.chance, 0.85) else "shop"
        told = {"revenue": revenue, "currency": "EUR", "channel": channel, "category": PRODUCTS[product]}
        self.note("Order Completed", at, **told)
        self.note("Order Delivered", at + timedelta(days=self.chance.randint(2, 4)))
        self._points(at, int(revenue))
        if happens(self.chance, 0.03):
            self.note("Order Refunded", at + timedelta(days=9), revenue=revenue, currency="EUR")

    def _points(self, at: datetime, points: int) -> None:
        """A point for each euro; enough of them are sometimes spent on a reward."""
        self.note("Points Earned", at, points=points)
        self.points += points
        if self.points >= REWARD and happens(self.chance, 0.4):
            self.note("Points Spent", at + timedelta(days=2), points=REWARD)
            self.points -= REWARD

    def _speak(self, at: datetime, count: int) -> int:
        """Perhaps an answer to a survey, a review, a friend brought along. Returns the answer, 10 without one."""
        answer = 10
        if happens(self.chance, 0.14):
            answer = min(10, max(0, round(self.chance.gauss(3 + 7 * self.happiness, 1.4))))
            self.note("Survey Answered", at + timedelta(days=5), survey="csat", csat=max(1, min(5, round(answer / 2))))
            self.note("Survey Answered", at + timedelta(days=6), survey="nps", nps=answer)
        if answer >= HAPPY and count > 1 and happens(self.chance, 0.08 * self.happiness):
            self.note("Review Posted", at + timedelta(days=8), stars=5)
        if answer >= HAPPY and count > 1 and happens(self.chance, 0.05 * self.happiness):
            self.note("Referral Made", at + timedelta(days=11))
            self.note("Content Shared", at + timedelta(days=12))
        if answer <= UNHAPPY and happens(self.chance, 0.3):
            self.note("Support Ticket Opened", at + timedelta(days=7))
        return answer

    def _leave_baskets(self) -> None:
        """Something put into the basket and left there, for as long as there is any sign of life."""
        last = max((one["timestamp"] for one in self.events), default=self.row["signup_at"])
        until = datetime.fromisoformat(last) + timedelta(days=50)
        at = self._daytime(self.signed_up + self._days(60))
        while at <= min(until, self.now):
            self.note("Product Viewed", at - timedelta(minutes=9), product=self._product())
            self.note("Cart Updated", at, items=self.chance.randint(1, 3))
            at = self._daytime(at + self._days(75))

    def _try_plus(self) -> None:
        """Two weeks of the membership for nothing; some keep it."""
        starts = self._daytime(self.signed_up + self._days(20))
        if starts > self.now or not happens(self.chance, 0.3):
            return
        ends = starts + timedelta(days=TRIAL_DAYS)
        self.note("Trial Started", starts, plan="plus")
        self.note("Trial Ended", ends)
        self.row["trial_ends"] = instant_text(ends.replace(microsecond=0))
        if ends <= self.now and happens(self.chance, 0.35):
            self._be_a_member(ends)

    def _be_a_member(self, since: datetime) -> None:
        """A plan by the year, used about once a week; some cancel when the year is over."""
        self.row |= {"plan": "plus", "storage_used": str(self.chance.randint(5, 99))}
        renews = since + YEAR
        while renews <= self.now:
            if happens(self.chance, 0.2):
                self.note("Subscription Canceled", renews - timedelta(days=4))
                self.row["plan"] = ""
                break
            self.note("Subscription Renewed", renews, plan="plus")
            renews += YEAR
        self.row["renews_at"] = instant_text(renews.replace(microsecond=0)) if self.row["plan"] else ""
        at = since
        while at < min(renews, self.now):
            self.note("Feature Used", at, feature="list")
            at = self._daytime(at + self._days(8) + timedelta(days=1))

    def _days(self, mean: float) -> timedelta:
        return timedelta(days=self.chance.expovariate(1 / mean))

    def _daytime(self, at: datetime) -> datetime:
        """The same day at an hour when people shop: most in the evening, nobody at night."""
        hour = self.chance.triangular(6, 22, 18)
        return at.replace(hour=int(hour), minute=int(hour % 1 * 60), second=0, microsecond=0)

    def _product(self) -> str:
        return self.chance.choice(list(PRODUCTS))


PRODUCTS = {
    **dict.fromkeys(("teapot", "apron", "board", "basket"), "kitchen"),
    **dict.fromkeys(("lamp", "blanket", "vase", "candle", "clock", "mirror"), "home"),
}
