"""Accounts: somebody gives one, its owner chooses the password by a link that is good once. There is no default one.

Names are in lower case: letters, digits and `._@+-`, at most 64.
"""

import hashlib
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Connection, Row, delete, func, insert, select, update

from automation.database.accounts import ROLES, sessions, user_links, users
from automation.database.audit import note
from automation.errors import BadInput, suggest

NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,63}")
SHORTEST, LONGEST = 12, 256  # characters of a password
LINK_LASTS = timedelta(days=3)
OPEN = users.c.closed_at.is_(None)


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    name: str
    role: str


def add_user(connection: Connection, name: str, role: str, by: str, now: datetime) -> str:
    """A new account, or a closed one opened again. Returns the token of the link. Raises BadInput."""
    name = checked_name(name)
    found = connection.execute(select(users.c.closed_at).where(users.c.name == name)).one_or_none()
    if found is not None and found.closed_at is None:
        raise BadInput(
            f'"{name}" has an account already; `automation user link {name}` lets them choose another password'
        )
    fresh = {"role": checked_role(role), "password_hash": None, "created_at": now, "closed_at": None}
    if found is None:
        connection.execute(insert(users), {"name": name, **fresh})
    else:
        connection.execute(update(users).where(users.c.name == name), fresh)
    note(connection, by, "user_added", f"user:{name}", role, now)
    return _link(connection, name, now)


def new_link(connection: Connection, name: str, by: str, now: datetime) -> str:
    """The token of a link for a new password; earlier links end. Raises BadInput."""
    name = _open_name(connection, name)
    note(connection, by, "user_link", f"user:{name}", "", now)
    return _link(connection, name, now)


def set_role(connection: Connection, name: str, role: str, by: str, now: datetime) -> None:
    """In force with the next page. Raises BadInput; the last admin stays one."""
    name = _open_name(connection, name)
    if checked_role(role) != "admin":
        _keep_an_admin(connection, name)
    connection.execute(update(users).where(users.c.name == name).values(role=role))
    note(connection, by, "user_role", f"user:{name}", role, now)


def close_user(connection: Connection, name: str, by: str, now: datetime) -> None:
    """They are signed out and cannot sign in any more; what they did stays on record. Raises BadInput."""
    name = _open_name(connection, name)
    _keep_an_admin(connection, name)
    connection.execute(update(users).where(users.c.name == name).values(closed_at=now, password_hash=None))
    for table in (sessions, user_links):
        connection.execute(delete(table).where(table.c.name == name))
    note(connection, by, "user_closed", f"user:{name}", "", now)


def all_users(connection: Connection) -> Sequence[Row[Any]]:
    """Name, role, when made and closed, whether they have a password, when they were last seen; open ones first."""
    seen = select(func.max(sessions.c.seen_at)).where(sessions.c.name == users.c.name).scalar_subquery()
    has_password = users.c.password_hash.is_not(None).label("has_password")
    columns: list[Any] = [*users.c["name", "role", "created_at", "closed_at"], has_password, seen.label("seen_at")]
    told = select(*columns).order_by(users.c.closed_at.is_not(None), users.c.name)
    return connection.execute(told).all()


def invited(connection: Connection, token: str, now: datetime) -> str | None:
    """Whom the link is for, as long as it is good."""
    rows = select(user_links.c.name).where(
        user_links.c.token_hash == hash_of(token), user_links.c.used_at.is_(None), user_links.c.expires_at > now
    )
    return connection.execute(rows).scalar_one_or_none()


def choose_password(connection: Connection, token: str, password_hash: str, now: datetime) -> str | None:
    """The link's owner has that password now, and is signed out wherever they were. None when the link is not good."""
    name = invited(connection, token, now)
    if name is None:
        return None
    connection.execute(update(user_links).where(user_links.c.token_hash == hash_of(token)).values(used_at=now))
    change_password(connection, name, password_hash)
    note(connection, name, "user_password", f"user:{name}", "", now)
    return name


def change_password(connection: Connection, name: str, password_hash: str) -> None:
    connection.execute(update(users).where(users.c.name == name).values(password_hash=password_hash))
    connection.execute(delete(sessions).where(sessions.c.name == name))


def hashed(password: str) -> str:
    """By Argon2id, which takes its time: not inside a transaction. Raises BadInput for one that is too short."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise BadInput(f"a password has at least {SHORTEST} and at most {LONGEST} characters; a sentence is a good one")
    return _hasher().hash(password)


def fits(password: str, password_hash: str | None) -> bool:
    """Takes as long for a name that nobody has: nobody learns from it who has an account."""
    is_right = _hasher().verify(password[: LONGEST + 1], password_hash or _nobody())
    return is_right and password_hash is not None


def hash_of(token: str) -> str:
    """As links and sessions are kept: the token itself is random enough for a plain hash."""
    return hashlib.sha256(token.encode()).hexdigest()


def checked_name(name: str) -> str:
    name = name.strip().lower()
    if not NAME.fullmatch(name):
        raise BadInput("a name is made of a-z, 0-9 and ._@+-, and begins with a letter or a digit; at most 64")
    return name


def checked_role(role: str) -> str:
    if role not in ROLES:
        raise BadInput(f'no role is called "{role}"; {suggest(role, ROLES)}')
    return role


def _open_name(connection: Connection, name: str) -> str:
    name = checked_name(name)
    if connection.execute(select(users.c.name).where(users.c.name == name, OPEN)).one_or_none() is None:
        known = connection.execute(select(users.c.name).where(OPEN)).scalars().all()
        raise BadInput(f'nobody is called "{name}"; {suggest(name, known) or "there is no account yet"}')
    return name


def _keep_an_admin(connection: Connection, name: str) -> None:
    admins = set(
        connection.execute(select(users.c.name).where(users.c.role == "admin", OPEN).with_for_update()).scalars()
    )
    if admins == {name}:
        raise BadInput(f"{name} is the only admin; make somebody else one first")


def _link(connection: Connection, name: str, now: datetime) -> str:
    token = secrets.token_urlsafe(32)
    connection.execute(delete(user_links).where(user_links.c.name == name))
    row = {"token_hash": hash_of(token), "name": name, "created_at": now, "expires_at": now + LINK_LASTS}
    connection.execute(insert(user_links), row)
    return token


@cache
def _hasher() -> PasswordHash:
    return PasswordHash((Argon2Hasher(),))


@cache
def _nobody() -> str:
    return _hasher().hash(secrets.token_urlsafe())
