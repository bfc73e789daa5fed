"""What a customer told a person: a consent, or that they want no more."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from automation.customers.consent import record_consent
from automation.customers.lookup import find_customer
from automation.customers.suppress import OWN_WISH, lift_suppression
from automation.database.audit import Act, note
from automation.database.schema import suppressions
from automation.errors import BadInput, suggest

BASES = ("told", "written", "form")  # by word of mouth, in a letter or a mail, on a form with a signature


@dataclass(frozen=True)
class Wish:
    """`topic` "*" is all of the channel; `wording` is what they agreed to, `basis` (one of BASES) how they said so."""

    customer_id: str
    channel: str
    topic: str
    granted: bool
    wording: str = ""
    basis: str = "told"


def record_wish(connection: Connection, wish: Wish, by: str, words: str, now: datetime) -> str | None:
    """On the record for good, with who took it down. Returns why the address stays closed all the same, if it does.

    Raises BadInput for a yes without its wording, UnknownCustomer.
    """
    if wish.granted and not wish.wording.strip():
        raise BadInput("wording: say what the customer agreed to; a consent that nobody can show is none")
    if wish.basis not in BASES:
        raise BadInput(f'a consent has no basis "{wish.basis}"; {suggest(wish.basis, BASES)}')
    customer = find_customer(connection, wish.customer_id)
    record_consent(
        connection,
        customer.shard,
        customer.customer_id,
        now,
        channel=wish.channel,
        topic=wish.topic,
        granted=wish.granted,
        basis=wish.basis if wish.granted else "withdrawn",
        wording=wish.wording.strip() or None,
        source="person",
        actor=by.strip(),
    )
    address = customer.email if wish.channel == "email" else customer.phone
    if wish.granted and address is not None:
        lift_suppression(connection, wish.channel, address, OWN_WISH, now)
    act: Act = "consent_given" if wish.granted else "consent_withdrawn"
    note(connection, by, act, f"customer:{wish.customer_id}", words, now)
    mine = (suppressions.c.channel == wish.channel, suppressions.c.address == address)
    reason: str | None = connection.execute(select(suppressions.c.reason).where(*mine)).scalar()
    return reason
