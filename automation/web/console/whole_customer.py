"""One customer as the page tells them: what is on record, what may be done, and why a playbook did or did not write."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row

from automation.clock import day_start, local_date
from automation.customers.addresses import REOPENED_BY_HAND
from automation.customers.facts.definition import FactDefinitions
from automation.delivery.answers.explain import Explanation, explain
from automation.delivery.answers.past import Message, Past
from automation.delivery.answers.profile import facts_now
from automation.delivery.answers.reach import Way, ways_to
from automation.delivery.answers.timeline import Page, Place, time_line
from automation.delivery.desk import open_desk
from automation.delivery.health.pauses import pause_of
from automation.delivery.outcomes.review import texts_of
from automation.errors import BadFiles, BadInput
from automation.lifecycle.model import Lifecycle
from automation.lifecycle.standing import stage_by_rules
from automation.playbooks.load import Book
from automation.playbooks.topics import topics_by_channel
from automation.web.accounts.unmasking import Sight
from automation.web.console.call import Call

ALL = "*"
NO_FILES = Book(FactDefinitions(()), Lifecycle("", "", ()), {})
INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Asked:
    """What of a customer: the time line's kind and where it begins; the playbook to explain, or ALL, and the day."""

    customer_id: str
    kind: str = ""
    before: str = ""
    playbook: str = ""
    day: str = ""


@dataclass(frozen=True)
class Stage:
    """Where they stand; `since` is None before the first daily run has seen them."""

    key: str
    name: str
    since: datetime | None


@dataclass(frozen=True)
class Why:
    """Explanations as of an instant."""

    now: datetime
    found: Sequence[Explanation]


@dataclass(frozen=True)
class WholeCustomer:
    past: Past
    sight: Sight
    ways: Sequence[Way]
    line: Page
    suspected: Sequence[Any]
    stage: Stage | None
    facts: Mapping[str, Any]
    why: Why | None
    paused: Row[Any] | None

    @property
    def planned(self) -> list[Message]:
        """What waits, the next first."""
        return sorted((one for one in self.past.messages if one.is_open), key=lambda one: one.due_at)

    @property
    def closable(self) -> list[Way]:
        return [way for way in self.ways if way.address and not way.closed]

    @property
    def reopenable(self) -> list[Way]:
        return [way for way in self.ways if way.closed and way.closed.reason in REOPENED_BY_HAND]

    @property
    def topics(self) -> list[str]:
        """Those of the channels and those on record, all of a channel first."""
        return list(dict.fromkeys(topic for way in self.ways for topic in way.topics))


def whole_customer(call: Call, connection: Connection, book: Book, asked: Asked) -> WholeCustomer:
    """Raises UnknownCustomer; BadInput for a kind, a place, a playbook or a day that is none."""
    settings = call.office.settings
    past = Past(connection, open_desk(connection, settings, book), asked.customer_id, call.now)
    topics = topics_by_channel(book.playbooks.values(), local_date(call.now, settings.business.zone))
    before = Place.read(asked.before) if asked.before else None
    known = book is not NO_FILES
    return WholeCustomer(
        past=past,
        sight=call.sight(connection),
        ways=ways_to(past, topics),
        line=time_line(connection, past.customer, [asked.kind] if asked.kind else (), before),
        suspected=[one for one in texts_of(connection, asked.customer_id) if _waits(one)],
        stage=_stage(past) if known else None,
        facts=facts_now(past) if known else {},
        why=_why(past, asked) if asked.playbook and known else None,
        paused=pause_of(connection, f"customer:{asked.customer_id}", call.now),
    )


def book_of(call: Call) -> tuple[Book, str | None]:
    """The marketers' files; while they have mistakes what is on record is told all the same, with the problem."""
    try:
        return call.office.book(), None
    except BadFiles as error:
        return NO_FILES, str(error)


def _waits(text: Any) -> bool:
    return text.meaning == "suspected" and text.reviewed_at is None


def _stage(past: Past) -> Stage:
    lifecycle, facts = past.desk.book.lifecycle, past.facts(past.now)
    key = facts["stage"] or stage_by_rules(lifecycle, facts, past.desk.day(past.now))
    name = next((one.name for one in lifecycle.stages if one.key == key), key)
    return Stage(key, name, facts["stage_since"])


def _why(past: Past, asked: Asked) -> Why:
    moment = end_of_day(asked.day, past) if asked.day else past.now
    then = past if moment == past.now else Past(past.connection, past.desk, past.customer_id, moment)
    return Why(moment, explain(then, None if asked.playbook == ALL else asked.playbook))


def end_of_day(day: str, past: Past) -> datetime:
    """The last instant of that local day, or now while it lasts. Raises BadInput."""
    zone = past.desk.settings.business.zone
    try:
        end = day_start(date.fromisoformat(day) + timedelta(days=1), zone) - INSTANT
    except (ValueError, OverflowError):
        raise BadInput(f'"{day}" is no day; choose one, like 2026-01-31') from None
    return min(end, past.now)
