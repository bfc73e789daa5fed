"""What a named person did by hand is a row that is only ever added."""

from datetime import datetime

from sqlalchemy import Connection, insert

from automation.database.schema import audit_log
from automation.errors import BadInput


def note(
    connection: Connection,
    actor: str,
    act: str,
    about: str,
    words: str,
    now: datetime,
    until: datetime | None = None,
) -> None:
    """`about` names what it was done to: `message:123`, `playbook:win_back`. Raises BadInput without a name."""
    if not actor.strip() or not actor.isprintable():
        raise BadInput("--by: say who does this, in one line")
    row = {"recorded_at": now, "actor": actor.strip(), "act": act, "about": about, "note": words}
    connection.execute(insert(audit_log), row | {"until": until})
