"""Which messages were sent in a period."""

from datetime import timedelta

from sqlalchemy import ColumnElement

from automation.database.schema import messages
from automation.playbooks.load import Book
from automation.reports.asked import Asked

# A window that opens days later, and steps that playbooks had once.
AT_LEAST = timedelta(days=30)


def sent_in_period(asked: Asked) -> list[ColumnElement[bool]]:
    """Found by the index of when they were planned; there is none of when they were sent."""
    return [
        messages.c.planned_at >= asked.start - longest_wait(asked.book),
        messages.c.planned_at < asked.end,
        messages.c.sent_at >= asked.start,
        messages.c.sent_at < asked.end,
    ]


def longest_wait(book: Book) -> timedelta:
    """A message that is not sent so long after it was planned has expired."""
    steps = (step for playbook in book.playbooks.values() for step in playbook.model.steps)
    return AT_LEAST + max((step.after + step.late_by for step in steps), default=timedelta())
