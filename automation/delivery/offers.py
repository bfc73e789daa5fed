"""Offer codes: one for each enrollment, the same on retry, reminder and resend."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.customers.codes import fill_pattern
from automation.database.schema import offers
from automation.errors import BadFiles, Problem
from automation.playbooks.model import Offer

CODE = re.compile(r"[!-+\--:<-~]{1,100}")  # printable ASCII without space, comma and semicolon
HEADINGS = frozenset({"code", "codes"})  # a spreadsheet's one column keeps its name


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


@dataclass(frozen=True)
class Wanted:
    """A code that an enrollment has not been given yet."""

    shard: int
    enrollment_id: int
    playbook: str
    offer: Offer

    @property
    def pool(self) -> str:
        return self.offer.pool or f"{self.playbook}:generated"


def reserve(connection: Connection, wanted: Sequence[Wanted], now: datetime, key: bytes) -> dict[int, Code]:
    """Give each enrollment a code; one is missing from the answer when its pool is empty. Safe among many workers."""
    given: dict[int, Code] = {}
    from_pools = groupby(sorted(wanted, key=lambda one: one.pool), key=lambda one: one.pool)
    for pool, of_pool in from_pools:
        them = list(of_pool)
        codes = (
            _from_pool(connection, pool, them, now) if them[0].offer.pool else _generated(connection, them, now, key)
        )
        given |= {one.enrollment_id: Code(code, now + one.offer.valid_for) for one, code in codes}
    return given


def _from_pool(
    connection: Connection, pool: str, wanted: Sequence[Wanted], now: datetime
) -> Sequence[tuple[Wanted, str]]:
    free = select(offers.c.code).where(offers.c.pool == pool, offers.c.enrollment_id.is_(None))
    free = free.order_by(offers.c.loaded_at, offers.c.code).limit(len(wanted)).with_for_update(skip_locked=True)
    given = list(zip(wanted, connection.execute(free).scalars().all(), strict=False))
    if given:
        taken = update(offers).where(offers.c.pool == pool, offers.c.code == bindparam("of_code"))
        names = ("shard", "enrollment_id", "assigned_at", "expires_at")
        values = {name: bindparam(f"new_{name}", type_=offers.c[name].type) for name in names}
        rows = [{"of_code": code} | {f"new_{name}": value for name, value in _taken(one, now)} for one, code in given]
        connection.execute(taken.values(values), rows)
    return given


def _taken(one: Wanted, now: datetime) -> Iterator[tuple[str, Any]]:
    yield from (("shard", one.shard), ("enrollment_id", one.enrollment_id))
    yield from (("assigned_at", now), ("expires_at", now + one.offer.valid_for))


def _generated(
    connection: Connection, wanted: Sequence[Wanted], now: datetime, key: bytes
) -> Sequence[tuple[Wanted, str]]:
    """Derived from the enrollment, so that a run repeated after a crash gives the same code; secret by the key."""
    given: list[tuple[Wanted, str]] = []
    left = list(wanted)
    for attempt in range(100):
        codes = {one: _code(one, attempt, key) for one in left}
        ours = _insert(connection, codes, now)
        given += [(one, codes[one]) for one in left if one.enrollment_id in ours]
        left = [one for one in left if one.enrollment_id not in ours]
        if not left:
            return given
    raise OverflowError(f"the pattern of {left[0].playbook}'s codes has no free code left")


def _code(one: Wanted, attempt: int, key: bytes) -> str:
    return fill_pattern(one.offer.generate or "", key, f"{one.playbook}:{one.shard}:{one.enrollment_id}:{attempt}")


def _insert(connection: Connection, codes: Mapping[Wanted, str], now: datetime) -> set[int]:
    """Which enrollments got their code: another may have the same by chance."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    new = dialect.insert(offers).on_conflict_do_nothing(index_elements=["pool", "code"])
    rows = [{"pool": one.pool, "code": code, "loaded_at": now, **dict(_taken(one, now))} for one, code in codes.items()]
    connection.execute(new, rows)
    holders = select(offers.c.enrollment_id).where(offers.c.pool == rows[0]["pool"], offers.c.code.in_(codes.values()))
    return set(connection.execute(holders).scalars())


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
