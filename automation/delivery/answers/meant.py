"""One box for whatever a message can be found by: its id or the provider's, or by whom or where it went."""

from sqlalchemy import Connection

from automation.customers.profile import email_address
from automation.customers.search import by_email, by_id, by_phone, is_searchable, numbers_meant
from automation.delivery.answers.history import Meant

MOST = 50  # customers of one address or number
LARGEST = 2**63


def meant(connection: Connection, words: str) -> Meant | None:
    """Every message that somebody may mean; None where nothing is written like this.

    What the words look like is not asked: a number may be a customer's id and a message's. Who got something at an
    address that is not theirs any more is found by where it went.
    """
    text = words.strip()
    if not is_searchable(text):
        return None
    people = (*by_id(connection, text), *by_email(connection, text, MOST), *by_phone(connection, text, MOST))
    customers = tuple(sorted({row.customer_id for row in people}))
    return Meant(_ids(text), (text,), customers, _addresses(text))


def _ids(text: str) -> tuple[int, ...]:
    is_number = text.isascii() and text.isdecimal()
    return (int(text),) if is_number and int(text) < LARGEST else ()


def _addresses(text: str) -> tuple[str, ...]:
    try:
        return (email_address(text),)
    except ValueError:
        return tuple(sorted(numbers_meant(text)))
