"""How each playbook stands: whether customers may enter, and who stopped it if somebody did."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, func, select

from automation.database.schema import audit_log
from automation.delivery.health.by_hand import pauses_now
from automation.playbooks.load import Draft

Word = Literal["active", "paused", "held", "off", "not_started", "ended", "idle", "broken", "gone"]


@dataclass(frozen=True)
class Pause:
    """`by` is the person; None when the playbook was stopped because its messages were refused."""

    by: str | None
    reason: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class State:
    """`pause` is there whatever else is so: it would still be in force when the rest has been mended."""

    word: Word
    pause: Pause | None = None


def state_of(draft: Draft, key: str, today: date, pause: Pause | None) -> State:
    """broken: its file has mistakes; gone: there is no file; off: `active = false`; idle: the lifecycle in use has none
    of its stages; held: stopped because its messages were refused.
    """
    playbook = draft.playbooks.get(key)
    if playbook is None:
        return State("broken" if key in draft.paths else "gone", pause)
    rules: tuple[tuple[bool, Word], ...] = (
        (not playbook.model.active, "off"),
        (playbook.has_ended(today), "ended"),
        (playbook.starts_later(today), "not_started"),
        (playbook.is_idle, "idle"),
        (pause is not None, "held" if pause is not None and pause.by is None else "paused"),
    )
    return State(next((word for holds, word in rules if holds), "active"), pause)


def pauses_of_playbooks(connection: Connection, now: datetime) -> dict[str, Pause]:
    """By key; also those of playbooks that are gone."""
    found = [row for row in pauses_now(connection, now) if row.scope.startswith("playbook:")]
    people = _people(connection, (row.scope for row in found))
    return {row.scope.removeprefix("playbook:"): _pause(row, people.get(row.scope)) for row in found}


def _people(connection: Connection, scopes: Iterable[str]) -> Mapping[str, Any]:
    """The newest pause by hand of each scope."""
    about = (audit_log.c.about.in_(list(scopes)), audit_log.c.act == "pause")
    newest = select(func.max(audit_log.c.number)).where(*about).group_by(audit_log.c.about)
    rows = select(audit_log.c.about, audit_log.c.actor, audit_log.c.note).where(audit_log.c.number.in_(newest))
    return {row.about: row for row in connection.execute(rows)}


def _pause(row: Any, person: Any) -> Pause:
    """A later trouble has put its own reason in the place of a person's."""
    said = person is not None and row.reason in {person.note, f"paused by {person.actor}"}
    return Pause(person.actor if person is not None and said else None, row.reason, row.since, row.until)
