"""A playbook whose messages are refused alike, one after another, is stopped before it has burnt all of them."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.work import playbook_health
from automation.delivery.alerts.incidents import open_incident
from automation.delivery.health.pauses import pause
from automation.delivery.replies import Accepted, Refused, Reply

LOOKED_AT = 50  # answered messages of a playbook
ALIKE = 10  # of them: one in five
Recent = list[str | None]


def answers(replies: Iterable[tuple[str, Reply]]) -> dict[str, Recent]:
    """By playbook what was answered, in order: the vendor's reason of a refusal, None for a message that was taken."""
    found: defaultdict[str, Recent] = defaultdict(list)
    for playbook, reply in replies:
        if isinstance(reply, Accepted):
            found[playbook].append(None)
        elif isinstance(reply, Refused) and reply.scope != "account" and not reply.whole_call:
            found[playbook].append(reply.reason)
    return found


class Glance:
    """The last answers that one process heard, so that what waits is not posted before they are written down."""

    def __init__(self) -> None:
        self._recent: defaultdict[str, deque[str | None]] = defaultdict(lambda: deque(maxlen=LOOKED_AT))

    def shows(self, replies: Iterable[tuple[str, Reply]]) -> bool:
        """Whether with these a playbook was refused too often."""
        found = False
        for playbook, new in answers(replies).items():
            recent = self._recent[playbook]
            recent.extend(new)
            if any(new) and _too_often(recent):
                recent.clear()
                found = True
        return found


def _too_often(recent: Iterable[str | None]) -> tuple[str, int] | None:
    """The reason and how often it was given, when that is too often."""
    (most,) = Counter(reason for reason in recent if reason is not None).most_common(1) or [("", 0)]
    return most if most[1] >= ALIKE else None


def hold_recent(connection: Connection, new: dict[str, Recent]) -> dict[str, Recent]:
    """The last answers of these playbooks, oldest first; nobody else changes them until the transaction ends."""
    refused = [{"playbook": playbook, "recent": []} for playbook in sorted(new) if any(new[playbook])]
    if refused:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        connection.execute(dialect.insert(playbook_health).on_conflict_do_nothing(), refused)
    rows = select(playbook_health).where(playbook_health.c.playbook.in_(sorted(new)))
    rows = rows.order_by(playbook_health.c.playbook).with_for_update()
    return {row.playbook: row.recent for row in connection.execute(rows)}


def note_answers(connection: Connection, held: dict[str, Recent], new: dict[str, Recent], now: datetime) -> None:
    """Keep the last fifty, and pause what was refused too often for one reason."""
    for playbook in sorted(new):
        recent = [*held.get(playbook, []), *new[playbook]][-LOOKED_AT:]
        refused = _too_often(recent)
        if refused is not None:
            _stop(connection, playbook, *refused, len(recent), now)
        if any(recent) and refused is None:
            kept = update(playbook_health).where(playbook_health.c.playbook == playbook)
            connection.execute(kept.values(recent=recent))
        elif playbook in held:
            forget(connection, playbook)


def forget(connection: Connection, playbook: str) -> None:
    """The count starts anew."""
    connection.execute(delete(playbook_health).where(playbook_health.c.playbook == playbook))


def _stop(connection: Connection, playbook: str, reason: str, count: int, among: int, now: datetime) -> None:
    scope = f"playbook:{playbook}"
    why = f"{count} of its last {among} messages were refused: {reason}"
    pause(connection, scope, why, now, None)
    words = f"{scope} is paused: {why}; mend it, then `automation resume {playbook} --by NAME`"
    open_incident(connection, "playbook_paused", scope, words, now)
