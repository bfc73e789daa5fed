"""Who brings friends: a code for each customer who is asked to, the visits to their link, and the friends who sign up.

A friend is a customer whose attribute `referred_by` holds the code, and counts once, for whoever's code came first.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Connection,
    FromClause,
    Row,
    Select,
    and_,
    case,
    func,
    literal,
    not_,
    select,
    tuple_,
)

from automation.customers.codes import fill_pattern
from automation.customers.facts.compute import same_customer
from automation.customers.facts.json_values import json_values
from automation.customers.facts.touch import touch, touch_one
from automation.customers.staging import insert_into
from automation.database.referrals import referral_codes, referrals
from automation.database.schema import customers, events
from automation.database.types import Instant, Json, Key

ATTRIBUTE = "referred_by"
MADE, VISITED = "Referral Made", "Referral Visited"
PATTERN = "##########"  # 28 to the 10th: among ten million customers two rarely meet, and those draw again
TRIES = 100
MOST_VISITS = 100  # of one link a day: somebody's robot does not fill the disk
Person = tuple[int, str]


def codes_of(connection: Connection, people: Iterable[Person], now: datetime, key: bytes) -> dict[Person, str]:
    """The code of each (shard, customer_id), made where there is none yet."""
    wanted = sorted(set(people))
    known = _known(connection, wanted)
    for attempt in range(TRIES):
        left = [one for one in wanted if one not in known]
        if not left:
            return known
        rows = [
            {"code": _code(one, attempt, key), "shard": one[0], "customer_id": one[1], "made_at": now} for one in left
        ]
        connection.execute(insert_into(connection, referral_codes).on_conflict_do_nothing(), rows)
        known |= _known(connection, left)
    raise OverflowError("there is no free code for a referral left")


def _known(connection: Connection, people: Sequence[Person]) -> dict[Person, str]:
    if not people:
        return {}
    mine = tuple_(referral_codes.c.shard, referral_codes.c.customer_id).in_(people)
    rows = connection.execute(select(*referral_codes.c["shard", "customer_id", "code"]).where(mine))
    return {(row.shard, row.customer_id): row.code for row in rows}


def _code(person: Person, attempt: int, key: bytes) -> str:
    return fill_pattern(PATTERN, key, f"referral:{person[0]}:{person[1]}:{attempt}")


def note_visit(connection: Connection, code: str, visitor: str, today: date, now: datetime) -> bool:
    """Somebody followed a link: an event of the customer whose it is, once a day for each `visitor`.

    `visitor` is what the visit came with, and is kept as a keyed hash alone. Returns whether the code is anybody's.
    """
    row = _holder(connection, code) if code.isascii() and code.isalnum() else None
    if row is None:
        return False
    day = f"visit:{today.isoformat()}:"
    digest = hmac.digest(row.code.encode(), f"{day}{visitor}".encode("utf-8", "replace"), hashlib.sha256).hex()[:16]
    if _visits(connection, row, day) < MOST_VISITS:
        event = {"shard": row.shard, "customer_id": row.customer_id, "event_id": day + digest, "name": VISITED}
        new = insert_into(connection, events).on_conflict_do_nothing()
        if connection.execute(new, event | {"time": now, "properties": {"code": row.code}}).rowcount:
            touch_one(connection, row.shard, row.customer_id)
    return True


def _holder(connection: Connection, code: str) -> Row[Any] | None:
    found = (
        select(*referral_codes.c["code", "shard", "customer_id"])
        .join(customers, same_customer(customers, referral_codes))
        .where(referral_codes.c.code == code.upper(), customers.c.erased_at.is_(None))
    )
    return connection.execute(found).one_or_none()


def _visits(connection: Connection, row: Row[Any], day: str) -> int:
    mine = (events.c.shard == row.shard, events.c.customer_id == row.customer_id)
    today = (events.c.event_id >= day, events.c.event_id < day + "~")
    return connection.execute(select(func.count()).select_from(events).where(*mine, *today)).scalar_one()


def credit(connection: Connection, friends: FromClause, now: datetime) -> None:
    """Those among `friends` (shard, customer_id) who came by a code: an event of whoever's it is."""
    new = _coming(connection, friends, now)
    insert_new = insert_into(connection, referrals).from_select(list(new.selected_columns.keys()), new)
    if not connection.execute(insert_new.on_conflict_do_nothing()).rowcount:
        return
    of_friends = and_(same_customer(referrals, friends), referrals.c.recorded_at == now)
    told = select(
        referrals.c.referrer_shard.label("shard"),
        referrals.c.referrer_id.label("customer_id"),
        (literal("referral:", Key) + referrals.c.customer_id).label("event_id"),
        literal(MADE, Key).label("name"),
        referrals.c.signed_up_at.label("time"),
        literal({}, Json).label("properties"),
    ).join(friends, of_friends)
    insert_told = insert_into(connection, events).from_select(list(told.selected_columns.keys()), told)
    connection.execute(insert_told.on_conflict_do_nothing())
    touch(connection, told.subquery("told"))


def _coming(connection: Connection, friends: FromClause, now: datetime) -> Select[Any]:
    """Rows for `referrals`. Nobody brings themselves along."""
    told = json_values(connection.dialect.name).as_text(customers.c.attributes, ATTRIBUTE, "text")
    referrer = customers.alias("referrer")
    came_before = and_(customers.c.signup_at.is_not(None), customers.c.signup_at <= now)
    return (
        select(
            *customers.c["shard", "customer_id"],
            referral_codes.c.code,
            referral_codes.c.shard.label("referrer_shard"),
            referral_codes.c.customer_id.label("referrer_id"),
            case((came_before, customers.c.signup_at), else_=literal(now, Instant)).label("signed_up_at"),
            literal(now, Instant).label("recorded_at"),
        )
        .select_from(friends)
        .join(customers, same_customer(customers, friends))
        .join(referral_codes, referral_codes.c.code == func.upper(func.trim(told)))
        .join(referrer, same_customer(referrer, referral_codes))
        .where(not_(same_customer(customers, referral_codes)), referrer.c.erased_at.is_(None))
    )
