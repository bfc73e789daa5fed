"""What all workers know of a provider, as one row each: whoever changes it holds it until the transaction ends.

Rows of messages and shards' locks are taken before these, these in the order of their keys, and pauses, incidents and
the brake after them: in one order nobody waits in a circle.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update
from sqlalchemy.dialects import postgresql, sqlite

from automation.database.work import provider_health


@dataclass
class Standing:
    """The row of one provider.

    `share` of the configured rate since `slowed_at`; `failures` in a row; `paused_for` seconds the last time, until it
    is proven fit again; `tried_by` alone may post to it while it is not. `slowed_at`, `paused_at`, `free_at` and
    `tried_until` are of the real time.
    """

    provider: str
    free_at: datetime | None = None
    share: float = 1.0
    slowed_at: datetime | None = None
    failures: int = 0
    proven: bool = False
    paused_for: int = 0
    paused_at: datetime | None = None
    tried_by: str | None = None
    tried_until: datetime | None = None


def standing_of(connection: Connection, provider: str) -> Standing:
    """As it is at this moment; somebody may be changing it."""
    found = select(provider_health).where(provider_health.c.provider == provider)
    row = connection.execute(found).one_or_none()
    return Standing(provider) if row is None else _standing(row)


def standings(connection: Connection) -> list[Standing]:
    return [_standing(row) for row in connection.execute(select(provider_health).order_by(provider_health.c.provider))]


def hold(connection: Connection, providers: Iterable[str]) -> dict[str, Standing]:
    """Nobody else changes these until the transaction ends."""
    wanted = sorted(set(providers))
    found = select(provider_health).where(provider_health.c.provider.in_(wanted))
    found = found.order_by(provider_health.c.provider).with_for_update()
    held = {row.provider: _standing(row) for row in connection.execute(found)}
    missing = [one for one in wanted if one not in held]
    if missing:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        new = dialect.insert(provider_health).on_conflict_do_nothing()
        connection.execute(new, [{"provider": one} for one in missing])
        return hold(connection, wanted)
    return held


def keep(connection: Connection, standing: Standing) -> None:
    values = asdict(standing)
    mine = provider_health.c.provider == values.pop("provider")
    connection.execute(update(provider_health).where(mine).values(values))


def _standing(row: Row[Any]) -> Standing:
    return Standing(**row._mapping)  # noqa: SLF001 (SQLAlchemy's public name for it)
