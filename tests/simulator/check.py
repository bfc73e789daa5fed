"""The oracle: it compares the tables with what the providers took and with what the world knows, day after day.

It shares no query and no rule with the code it judges.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from simulator.line import Accepted, Posted, Providers
from simulator.texts import ON_UNKNOWN
from simulator.world import World
from sqlalchemy import text

from automation.database.engine import Database
from automation.database.types import EPOCH, MICROSECOND
from automation.settings import Settings

OPEN = frozenset({"planned", "sending"})
OVER = frozenset({"sent", "rejected", "failed", "unknown", "skipped", "expired", "canceled"})
MAY_BE_TAKEN = frozenset({"sent", "unknown", "sending"})
LONGEST_WAIT = timedelta(hours=26)
CODE = re.compile(r"CODE (\S+) END")
ROWS = text(
    "SELECT message_id, flags, customer_id, enrollment_id, playbook, step, channel, kind, topic, status, reason,"
    " possible_duplicate, due_at, deadline, lease_until, idempotency_key, attempts, again_of FROM messages"
    " ORDER BY message_id"
)


@dataclass
class Oracle:
    """`look` gives what is wrong since the last look."""

    database: Database
    settings: Settings
    providers: Providers
    world: World
    accepted: Counter[int] = field(default_factory=Counter)
    lost: set[int] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    _rows: dict[int, Any] = field(default_factory=dict)
    _posts: int = 0
    _taken: int = 0
    _days: defaultdict[tuple[str, str], list[tuple[datetime, int]]] = field(default_factory=lambda: defaultdict(list))
    _codes: dict[str, int] = field(default_factory=dict)
    _code_of: dict[int, str] = field(default_factory=dict)
    _takers: defaultdict[int, list[str]] = field(default_factory=lambda: defaultdict(list))

    def look(self, complete_since: datetime | None) -> Iterator[str]:
        before, self._rows = self._rows, self._read()
        self.counts = Counter(row.status for row in self._rows.values())
        yield from self._history(before)
        posts, self._posts = self.providers.posts[self._posts :], len(self.providers.posts)
        for post in posts:
            yield from self._post(post)
        taken, self._taken = self.providers.taken[self._taken :], len(self.providers.taken)
        for one in taken:
            yield from self._acceptance(one)
        for row in self._rows.values():
            yield from self._row(row)
        yield from self._copies()
        if complete_since is not None:
            for row in self._rows.values():
                yield from self._left_lying(row, complete_since)

    def _read(self) -> dict[int, Any]:
        with self.database.reading() as connection:
            return {row.message_id: row for row in connection.execute(ROWS)}

    def _history(self, before: dict[int, Any]) -> Iterator[str]:
        """Rows never vanish, and what is over stays as it is; an unknown one may become known, once."""
        for message_id, old in before.items():
            new = self._rows.get(message_id)
            if new is None:
                yield f"I2 message {message_id} is gone"
            elif old.status in OVER and new.status != old.status:
                if old.status != "unknown" or new.status not in {"sent", "failed"}:
                    yield f"I2 message {message_id} was {old.status} and is {new.status}"
            elif new.attempts < old.attempts - (old.status == "sending"):
                yield f"I2 message {message_id} lost an attempt"

    def _post(self, post: Posted) -> Iterator[str]:
        for message_id in post.message_ids:
            row = self._rows.get(message_id)
            if row is None:
                yield f"I3 a post about message {message_id}, which is no row"
                continue
            yield from self._permission(post, row)
            if row.kind == "marketing":
                yield from self._window(post, row)

    def _permission(self, post: Posted, row: Any) -> Iterator[str]:
        person = self.world.people[row.customer_id]
        told = f"message {row.message_id} was posted to {row.customer_id} at {post.at:%m-%d %H:%M:%S}"
        if row.kind == "marketing" and not person.agrees(post.order, row.channel, row.topic):
            yield f"I5 {told} without consent"
        if person.erased is not None and person.erased < post.order:
            yield f"I5 {told} after an erasure"
        scopes = {"everything", f"playbook:{row.playbook}", f"provider:{post.provider}"}
        for pause in self.world.staff.pauses:
            if pause.scope in scopes and pause.holds(post.order, post.at):
                yield f"I5 {told} during the pause of {pause.scope}"

    def _window(self, post: Posted, row: Any) -> Iterator[str]:
        opened, closed = self.settings.channel(row.channel).window
        for zone in self.world.people[row.customer_id].zones_at(post.order):
            wall = post.at.astimezone(zone)
            if not opened <= wall.time() < closed:
                yield f"I7 message {row.message_id} was posted at {wall:%m-%d %H:%M} in {zone.key}"

    def _acceptance(self, one: Accepted) -> Iterator[str]:
        self.accepted[one.message_id] += 1
        self._takers[one.message_id].append(one.provider)
        row = self._rows.get(one.message_id)
        if row is None:
            return
        if self.world.suppressed.get((row.channel, one.recipient), one.order) < one.order:
            yield f"I5 message {row.message_id} was taken for a suppressed address"
        if row.kind == "marketing" and row.again_of is None:
            yield from self._caps(one, row)
        yield from self._code(one, row)

    def _caps(self, one: Accepted, row: Any) -> Iterator[str]:
        """Different messages that were taken within the customer's local days."""
        sent = self._days[row.customer_id, row.channel]
        sent.append((one.at, one.message_id))
        rules = self.settings.channel(row.channel)
        for zone in self.world.people[row.customer_id].zones_at(one.order):
            days = [(at.astimezone(zone).date(), message_id) for at, message_id in sent]
            for most, span in ((rules.max_per_day, 1), (rules.max_per_week, 7)):
                if _most_within(days, days[-1][0], span) > most:
                    told = f"I6 message {row.message_id} is one too many of {row.customer_id}"
                    yield f"{told} within {span} days, {row.channel} ({zone.key})"

    def _code(self, one: Accepted, row: Any) -> Iterator[str]:
        found = CODE.search(one.text)
        if found:
            if self._codes.setdefault(found[1], row.enrollment_id) != row.enrollment_id:
                yield f"I15 message {row.message_id} carries another enrollment's code"
            if self._code_of.setdefault(row.enrollment_id, found[1]) != found[1]:
                yield f"I15 message {row.message_id} carries another code than the step before"

    def _row(self, row: Any) -> Iterator[str]:
        times = self.accepted[row.message_id]
        if row.status not in OPEN | OVER:
            yield f"I2 message {row.message_id} is {row.status}"
        if times and row.status not in MAY_BE_TAKEN and not (row.status == "planned" and row.possible_duplicate):
            yield f"I3 message {row.message_id} was taken and is shown as {row.status} ({row.reason})"
        # An empty answer to a batch counts as taken, though it may have told that one recipient was refused.
        if row.status == "sent" and not times and row.flags != "no_provider_id":
            self.lost.add(row.message_id)
            yield f"I3 message {row.message_id} is shown as sent and nobody took it"
        if times > 1 and not (row.possible_duplicate and self._may_repeat(row)):
            yield f"I3 message {row.message_id} was taken {times} times ({', '.join(self._takers[row.message_id])})"

    @property
    def copies(self) -> int:
        return sum(row.again_of is not None for row in self._rows.values())

    def _copies(self) -> Iterator[str]:
        """Each is of a message that is there, and one at a time."""
        open_copies = Counter(row.again_of for row in self._rows.values() if row.again_of and row.status in OPEN)
        yield from (f"I1 message {one} has {count} copies under way" for one, count in open_copies.items() if count > 1)
        for row in self._rows.values():
            first = self._rows.get(row.again_of) if row.again_of else None
            if row.again_of and (first is None or (first.enrollment_id, first.step) != (row.enrollment_id, row.step)):
                yield f"I1 message {row.message_id} is a copy of {row.again_of}, which is another"

    def _may_repeat(self, row: Any) -> bool:
        """Whether it says, of every provider that took it before the last, that an unknown message goes again."""
        word = ON_UNKNOWN.get((row.playbook, row.step))
        providers = [self.settings.providers[key] for key in self._takers[row.message_id][:-1]]
        return all(one.kind != "resend" and (word or one.on_unknown) == "resend" for one in providers)

    def _left_lying(self, row: Any, since: datetime) -> Iterator[str]:
        """After a dispatch that ran to its end nothing is over its time, unless it is paused."""
        if row.status == "planned" and row.reason not in {"playbook_paused", "everything_paused", "customer_paused"}:
            due, deadline = _instant(row.due_at), _instant(row.deadline)
            if due <= since:
                yield f"I4 message {row.message_id} is still planned; it was due at {due:%m-%d %H:%M}"
            if deadline + LONGEST_WAIT < since:
                yield f"I4 message {row.message_id} is planned long after its deadline {deadline:%m-%d %H:%M}"
        elif row.status == "sending" and _instant(row.lease_until) < since:
            yield f"I4 message {row.message_id} is in flight after its lease"


def _most_within(days: Sequence[tuple[date, int]], day: date, span: int) -> int:
    """The most different messages in any `span` days that hold this day."""
    most = 0
    for first in range(day.toordinal() - span + 1, day.toordinal() + 1):
        most = max(most, len({one for at, one in days if first <= at.toordinal() < first + span}))
    return most


def _instant(stored: Any) -> datetime:
    return stored if isinstance(stored, datetime) else EPOCH + stored * MICROSECOND
