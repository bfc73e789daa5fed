"""What the words of `log` ask for; wrong ones are told with what they might have meant."""

from collections.abc import Iterable

from sqlalchemy import Connection

from automation.customers.lookup import find_customer
from automation.delivery.answers.history import LogFilter, playbooks_in_log
from automation.errors import BadInput, suggest
from automation.reasons import BY_KEY, STATUSES
from automation.settings import Settings


def check_filter(connection: Connection, settings: Settings, wanted: LogFilter) -> None:
    """Raises UnknownCustomer, and BadInput for an unknown status, reason or playbook."""
    if wanted.status is not None:
        _check_word("status", wanted.status, STATUSES)
    if wanted.reason is not None:
        _check_word("reason", wanted.reason, BY_KEY)
    if wanted.customer_id is not None:
        find_customer(connection, wanted.customer_id)
    if wanted.playbook is not None:
        from automation.playbooks.load import playbook_files

        known = playbooks_in_log(connection) | {file.stem for file in playbook_files(settings)}
        _check_word("playbook", wanted.playbook, known)


def _check_word(what: str, word: str, known: Iterable[str]) -> None:
    if word not in known:
        raise BadInput(f'no {what} "{word}"; {suggest(word, known)}')
