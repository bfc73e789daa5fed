"""What the shop's staff do: pauses, unknown messages looked up, messages sent again, and codes for offers."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from simulator.happening import Time
from sqlalchemy import select

from automation.database.engine import Database
from automation.database.schema import messages
from automation.delivery.desk import open_desk
from automation.delivery.health import by_hand
from automation.delivery.offers import load_codes
from automation.delivery.resend import Wish, resend
from automation.errors import BadInput
from automation.playbooks.load import read_book
from automation.settings import Settings

Noting = Callable[[], None]  # what the world knows from then on
Act = Callable[[], Noting]


def nothing() -> None:
    """Nothing that forbids anything."""


@dataclass
class Pause:
    """In force from `since` on, until the machine's clock says `until` or somebody ends it at `over`."""

    scope: str
    since: int
    until: datetime | None
    over: int | None = None

    def holds(self, order: int, at: datetime) -> bool:
        return (
            self.since <= order and (self.over is None or order < self.over) and (self.until is None or at < self.until)
        )


@dataclass
class Staff:
    """Every act commits, and returns what is known once it has."""

    database: Database
    time: Time
    chance: Random
    providers: list[str]
    was_taken: Callable[[int], bool]
    settings: Settings
    pauses: list[Pause] = field(default_factory=list)
    _codes: int = 0

    def pause(self) -> Noting:
        scopes = ("everything", "playbook:digest", "playbook:win_back", *(f"provider:{one}" for one in self.providers))
        scope = self.chance.choice(scopes)
        hours = self.chance.choice((None, 2, 30))
        with self.database.writing() as connection:
            now = self.time.clock()
            until = None if hours is None else now + timedelta(hours=hours)
            by_hand.pause(connection, scope, "anna", "", until, now)
        return lambda: self._note_pause(scope, until)

    def _note_pause(self, scope: str, until: datetime | None) -> None:
        now = self.time.next()
        self._end_pauses(scope, now)
        self.pauses.append(Pause(scope, now, until))

    def resume(self) -> Noting:
        open_scopes = sorted({one.scope for one in self.pauses if one.over is None})
        for scope in open_scopes:
            self._end_pauses(scope, self.time.next())
            # One whose end has come may be gone already.
            with suppress(BadInput), self.database.writing() as connection:
                by_hand.resume(connection, scope, "anna", "", self.time.clock())
        return nothing

    def _end_pauses(self, scope: str, order: int) -> None:
        for one in self.pauses:
            if one.scope == scope and one.over is None:
                one.over = order

    def resolve(self) -> Noting:
        """Somebody looks an unknown message up at the provider."""
        with self.database.writing() as connection:
            found = (
                select(messages.c.message_id)
                .where(messages.c.status == "unknown")
                .order_by(messages.c.message_id.desc())
            )
            message_id = connection.execute(found.limit(1)).scalar()
            if message_id is not None:
                verdict: by_hand.Verdict = "sent" if self.was_taken(message_id) else "failed"
                by_hand.resolve(connection, message_id, verdict, "anna", "looked up", self.time.clock())
        return nothing

    def resend(self) -> Noting:
        """Somebody sends one of the last that were posted again, which may be refused; and clicks twice."""
        newest = select(messages.c.message_id).where(messages.c.attempts > 0)
        newest = newest.order_by(messages.c.planned_at.desc(), messages.c.message_id.desc())
        with suppress(BadInput):
            book = read_book(self.settings)  # marketers may be in the middle of something
            with self.database.reading() as connection:
                message_id = self.chance.choice(connection.execute(newest.limit(12)).scalars().all() or [0])
            for _ in range(2):
                with self.database.writing() as connection:
                    desk = open_desk(connection, self.settings, book)
                    resend(connection, desk, Wish(message_id, "eve", "asked for it"), self.time.clock())
        return nothing

    def load_codes(self) -> Noting:
        """A few codes, which will not be enough."""
        self._codes += 5
        codes = [f"WB{number:06d}" for number in range(self._codes - 5, self._codes)]
        with self.database.writing() as connection:
            load_codes(connection, "win_back", codes, self.time.clock())
        return nothing
