"""Texts that may have meant stop, read by a person."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from automation.customers.suppress import SUSPECTED, lift_suppression
from automation.database.audit import Act, note
from automation.database.hooks import TO_REVIEW, inbound_texts
from automation.database.schema import shard_of
from automation.delivery.outcomes.people import people_at
from automation.delivery.outcomes.texts import stop
from automation.errors import BadInput

Verdict = Literal["stop", "keep"]
REVIEW: dict[Verdict, Act] = {"stop": "text_stop", "keep": "text_keep"}
PAGE = 200
COLUMNS = ("number", "customer_id", "provider", "sender", "text", "meaning", "received_at", "answered_at")
SHOWN = inbound_texts.c[*COLUMNS, "reviewed_at", "verdict"]


def texts_to_review(connection: Connection) -> Sequence[Row[Any]]:
    """Those that nobody has read yet, the oldest first."""
    rows = select(*SHOWN).where(TO_REVIEW).order_by(inbound_texts.c.number)
    return connection.execute(rows.limit(PAGE)).all()


def texts_of(connection: Connection, customer_id: str | None) -> Sequence[Row[Any]]:
    """What came in, from one customer or from all, the newest first."""
    rows = select(*SHOWN).order_by(inbound_texts.c.number.desc()).limit(PAGE)
    if customer_id is not None:
        mine = (inbound_texts.c.shard == shard_of(customer_id), inbound_texts.c.customer_id == customer_id)
        rows = rows.where(*mine)
    return connection.execute(rows).all()


def review(connection: Connection, number: int, verdict: Verdict, by: str, words: str, now: datetime) -> None:
    """Say what a suspected text meant: `stop` is a STOP, `keep` lets the number be written to again.

    Raises BadInput when the text is not there, was not suspected, or was reviewed before.
    """
    found = select(inbound_texts).where(inbound_texts.c.number == number).with_for_update()
    row = connection.execute(found).one_or_none()
    if row is None or row.meaning != "suspected":
        raise BadInput(f"no text {number} waits for a review; `automation texts --review` lists those that do")
    if row.reviewed_at is not None:
        raise BadInput(f"text {number} was reviewed before: {row.verdict}")
    if verdict == "stop":
        stop(connection, row.provider, row.sender, people_at(connection, row.sender), now)
    elif not _waits_too(connection, row.sender, number):
        lift_suppression(connection, "sms", row.sender, [SUSPECTED], now)
    told = update(inbound_texts).where(inbound_texts.c.number == number)
    connection.execute(told.values(reviewed_at=now, verdict=verdict))
    note(connection, by, REVIEW[verdict], f"text:{number}", words, now)


def _waits_too(connection: Connection, sender: str, number: int) -> bool:
    """Another text from the same number is still to be read."""
    others = select(inbound_texts.c.number).where(TO_REVIEW, inbound_texts.c.sender == sender)
    return connection.execute(others.where(inbound_texts.c.number != number).limit(1)).first() is not None
