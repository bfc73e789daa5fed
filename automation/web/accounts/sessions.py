"""Signing in, and who is signed in: a random token in a cookie, of which the database keeps a hash."""

import secrets
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, func, insert, select, update

from automation.database.accounts import sessions, sign_ins, unmasked, users
from automation.database.audit import note
from automation.database.engine import Database
from automation.web.accounts.users import LONGEST, NAME, OPEN, Person, fits, hash_of

LASTS, IDLE = timedelta(hours=12), timedelta(hours=4)
SEEN_EVERY = timedelta(minutes=5)
WITHIN = timedelta(minutes=15)
# A proxy may stand between: then everybody comes from one place.
MOST_BY_NAME, MOST_BY_PEER = 10, 100


class TooManyTries(Exception):
    """Somebody tried too often; for a quarter of an hour nobody gets in by that name, or from there."""


def sign_in(database: Database, name: str, password: str, peer: str, now: datetime) -> str | None:
    """The token of a new session; None when name or password is wrong. Raises TooManyTries."""
    name = name.strip().lower()
    name = name if NAME.fullmatch(name) else "?"
    with database.reading() as connection:
        _check_rate(connection, name, peer, now)
        found = select(users.c.password_hash).where(users.c.name == name, OPEN)
        password_hash = connection.execute(found).scalar_one_or_none()
    is_right = len(password) <= LONGEST and fits(password, password_hash)
    with database.writing() as connection:
        if not is_right:
            _keep_failure(connection, name, peer, now)
            return None
        connection.execute(delete(sign_ins).where(sign_ins.c.about == f"name:{name}"))
        note(connection, name, "signed_in", f"user:{name}", "", now)
        return open_session(connection, name, now)


def open_session(connection: Connection, name: str, now: datetime) -> str:
    """The token of a new session of somebody who has shown who they are. Those that are over are swept away."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
    token = secrets.token_urlsafe(32)
    row = {"token_hash": hash_of(token), "name": name, "created_at": now, "seen_at": now, "expires_at": now + LASTS}
    connection.execute(insert(sessions), row)
    return token


def person_of(database: Database, token: str, now: datetime) -> Person | None:
    """Who is signed in with this token, with the role they have now."""
    with database.reading() as connection:
        columns = (users.c.name, users.c.role, sessions.c.seen_at)
        joined = select(*columns).join_from(sessions, users, sessions.c.name == users.c.name)
        good = (sessions.c.expires_at > now, sessions.c.seen_at > now - IDLE, OPEN)
        row = connection.execute(joined.where(sessions.c.token_hash == hash_of(token), *good)).one_or_none()
    if row is None:
        return None
    if now - row.seen_at >= SEEN_EVERY:
        with database.writing() as connection:
            connection.execute(update(sessions).where(sessions.c.token_hash == hash_of(token)).values(seen_at=now))
    return Person(row.name, row.role)


def sign_out(connection: Connection, token: str) -> None:
    """What they asked to read in clear is masked again."""
    mine = sessions.c.token_hash == hash_of(token)
    name = connection.execute(select(sessions.c.name).where(mine)).scalar_one_or_none()
    connection.execute(delete(sessions).where(mine))
    connection.execute(delete(unmasked).where(unmasked.c.name == name))


def _check_rate(connection: Connection, name: str, peer: str, now: datetime) -> None:
    for about, most in ((f"name:{name}", MOST_BY_NAME), (f"peer:{peer}", MOST_BY_PEER)):
        lately = (sign_ins.c.about == about, sign_ins.c.failed_at > now - WITHIN)
        if connection.execute(select(func.count()).select_from(sign_ins).where(*lately)).scalar_one() >= most:
            raise TooManyTries


def _keep_failure(connection: Connection, name: str, peer: str, now: datetime) -> None:
    connection.execute(delete(sign_ins).where(sign_ins.c.failed_at <= now - WITHIN))
    rows = [{"about": about, "failed_at": now} for about in (f"name:{name}", f"peer:{peer}")]
    connection.execute(insert(sign_ins), rows)
