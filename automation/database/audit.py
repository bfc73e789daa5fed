"""What a named person did by hand is a row that is only ever added; each carries a hash over itself and the one before,
so that a row that was changed or taken out shows.

The database refuses to change or delete such a row (`ONLY_GROWS`); whoever owns the database could still do it, and
then `automation verify` tells where the chain is broken.
"""

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Literal, get_args

from sqlalchemy import Connection, insert, select

from automation.database.engine import lock
from automation.database.schema import audit_log
from automation.errors import BadInput

PAGE = 1000
Act = Literal[
    "close_email",
    "close_sms",
    "consent_given",
    "consent_withdrawn",
    "pause",
    "reopen_email",
    "reopen_sms",
    "resend",
    "resolve failed",
    "resolve sent",
    "resume",
    "signed_in",
    "text_keep",
    "text_stop",
    "unmasked",
    "user_added",
    "user_closed",
    "user_link",
    "user_password",
    "user_role",
]
ACTS: tuple[Act, ...] = get_args(Act)
REFUSED = "the audit log only grows"
ONLY_GROWS = {
    "sqlite": [
        f"CREATE TRIGGER audit_log_{act.lower()} BEFORE {act} ON audit_log BEGIN SELECT RAISE(ABORT, '{REFUSED}'); END"
        for act in ("UPDATE", "DELETE")
    ],
    "postgresql": [
        f"""CREATE OR REPLACE FUNCTION audit_log_only_grows() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION '{REFUSED}'; END $$""",
        """CREATE TRIGGER audit_log_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
        FOR EACH STATEMENT EXECUTE FUNCTION audit_log_only_grows()""",
    ],
}


def note(
    connection: Connection,
    actor: str,
    act: Act,
    about: str,
    words: str,
    now: datetime,
    until: datetime | None = None,
) -> None:
    """`about` names what it was done to: `message:123`, `playbook:win_back`. Raises BadInput without a name.

    The last that a transaction does: whoever waits here for the row before holds what they changed, and nobody who is
    here waits for that.
    """
    if not actor.strip() or not actor.isprintable():
        raise BadInput("--by: say who does this, in one line")
    lock(connection, "audit")  # two rows never follow one
    row = {"recorded_at": now, "actor": actor.strip(), "act": act, "about": about, "note": words, "until": until}
    connection.execute(insert(audit_log), row | {"hash": link(_last_hash(connection), row)})


def link(before: str, row: Any) -> str:
    """The hash of a row that follows the one with the hash `before`; "" before the first."""
    instants = [one and one.astimezone(UTC).isoformat(timespec="microseconds") for one in _instants(row)]
    told = json.dumps([before, *instants, *(row[name] for name in ("actor", "act", "about", "note"))])
    return hashlib.sha256(told.encode()).hexdigest()


def broken_links(connection: Connection) -> Iterator[int]:
    """Numbers of the rows that do not follow the row before them, as a stream."""
    before = ""
    rows = select(audit_log).order_by(audit_log.c.number)
    for row in connection.execute(rows, execution_options={"yield_per": PAGE}).mappings():
        if row["hash"] != link(before, row):
            yield row["number"]
        before = row["hash"] or ""


def _instants(row: Any) -> tuple[datetime | None, datetime | None]:
    return row["recorded_at"], row["until"]


def _last_hash(connection: Connection) -> str:
    newest = select(audit_log.c.hash).order_by(audit_log.c.number.desc()).limit(1)
    return connection.execute(newest).scalar() or ""
