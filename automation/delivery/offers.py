"""Offer codes: one for each enrollment, the same on retry, reminder and resend."""

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.schema import offers
from automation.errors import BadFiles, Problem
from automation.playbooks.model import Offer

CODE = re.compile(r"[!-+\--:<-~]{1,100}")  # printable ASCII without space, comma and semicolon
HEADINGS = frozenset({"code", "codes"})  # a spreadsheet's one column keeps its name
# No vowels and no look-alikes: codes are read out on the telephone and never spell a word.
LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"


@dataclass(frozen=True)
class Code:
    code: str
    expires_at: datetime


def code_of(connection: Connection, shard: int, enrollment_id: int) -> Code | None:
    """The code an enrollment has been given."""
    found = select(offers.c.code, offers.c.expires_at).where(
        offers.c.shard == shard, offers.c.enrollment_id == enrollment_id
    )
    row = connection.execute(found).one_or_none()
    return Code(row.code, row.expires_at) if row else None


def reserve(
    connection: Connection, playbook: str, offer: Offer, shard: int, enrollment_id: int, now: datetime, key: bytes
) -> Code | None:
    """The enrollment's code, given now if it has none; None when the pool is empty. Safe among many workers."""
    given = code_of(connection, shard, enrollment_id)
    if given is not None:
        return given
    expires_at = now + offer.valid_for
    taken = {"shard": shard, "enrollment_id": enrollment_id, "assigned_at": now, "expires_at": expires_at}
    if offer.generate is None:
        code = _from_pool(connection, offer.pool or "", taken)
    else:
        code = _generated(connection, playbook, offer.generate, taken, key)
    return Code(code, expires_at) if code else None


def _from_pool(connection: Connection, pool: str, taken: dict[str, object]) -> str | None:
    free = select(offers.c.code).where(offers.c.pool == pool, offers.c.enrollment_id.is_(None))
    free = free.order_by(offers.c.loaded_at, offers.c.code).limit(1).with_for_update(skip_locked=True)
    code = connection.execute(free).scalar_one_or_none()
    if code is not None:
        connection.execute(update(offers).values(**taken).where(offers.c.pool == pool, offers.c.code == code))
    return code


def _generated(connection: Connection, playbook: str, pattern: str, taken: dict[str, object], key: bytes) -> str:
    """Derived from the enrollment, so that a run repeated after a crash gives the same code; secret by the key."""
    for attempt in range(100):
        code = fill_pattern(pattern, key, f"{playbook}:{taken['shard']}:{taken['enrollment_id']}:{attempt}")
        row = {"pool": f"{playbook}:generated", "code": code, "loaded_at": taken["assigned_at"], **taken}
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = dialect.insert(offers).values(row).on_conflict_do_nothing(index_elements=["pool", "code"])
        if connection.execute(new).rowcount:
            return code
    raise OverflowError(f"the pattern of {playbook}'s codes has no free code left")


def fill_pattern(pattern: str, key: bytes, words: str) -> str:
    """Each # becomes a letter or digit that nobody can guess without the key."""
    number = int.from_bytes(hmac.digest(key, words.encode(), hashlib.sha256))
    filled = []
    for one in pattern:
        if one == "#":
            number, rest = divmod(number, len(LETTERS))
            filled.append(LETTERS[rest])
        else:
            filled.append(one)
    return "".join(filled)


def read_codes(path: Path) -> list[str]:
    """A file with one code on each line. Raises BadFiles; no problem quotes a code."""
    try:
        lines = path.read_bytes().decode("utf-8-sig").splitlines()
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise BadFiles([Problem(str(path), 0, 0, f"cannot be read: {reason}")]) from None
    except UnicodeDecodeError as error:
        raise BadFiles([Problem(str(path), 0, 0, f"is not UTF-8 (byte {error.start})", "save it as UTF-8")]) from None
    codes = {number: line.strip() for number, line in enumerate(lines, start=1) if line.strip()}
    if codes.get(1, "").lower() in HEADINGS:
        del codes[1]
    wrong = [number for number, code in codes.items() if not CODE.fullmatch(code)]
    if wrong or not codes:
        hint = "one code a line: letters, digits and punctuation, no spaces and no commas"
        raise BadFiles([Problem(str(path), number, 1, "this is no code", hint) for number in wrong or [1]])
    return list(dict.fromkeys(codes.values()))


def load_codes(connection: Connection, pool: str, codes: Iterable[str], now: datetime) -> tuple[int, int]:
    """Add codes to a pool. Returns how many are new and how many were there before."""
    rows = [{"pool": pool, "code": code, "loaded_at": now} for code in codes]
    if not rows:
        return 0, 0
    before = _count(connection, pool)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(offers).on_conflict_do_nothing(index_elements=["pool", "code"]), rows)
    new = _count(connection, pool) - before
    return new, len(rows) - new


def _count(connection: Connection, pool: str) -> int:
    return connection.execute(select(func.count()).where(offers.c.pool == pool)).scalar_one()


def pool_sizes(connection: Connection) -> dict[str, dict[str, int]]:
    """Codes by pool: how many there are and how many are free."""
    free = func.count().filter(offers.c.enrollment_id.is_(None))
    rows = connection.execute(select(offers.c.pool, func.count(), free).group_by(offers.c.pool).order_by(offers.c.pool))
    return {pool: {"codes": codes, "free": left} for pool, codes, left in rows}
