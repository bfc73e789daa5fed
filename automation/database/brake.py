"""A number that goes up in every transaction that takes a permission back: a withdrawal, a suppression, a pause.

Whoever decided that a message may go reads it, and reads it again before the first byte: the same number means that
nothing was taken back in between.
"""

from sqlalchemy import Connection, select, update

from automation.database.schema import installation


def pull_brake(connection: Connection) -> None:
    connection.execute(update(installation).values(brake=installation.c.brake + 1))


def brake(connection: Connection) -> int:
    number: int = connection.execute(select(installation.c.brake)).scalar_one()
    return number
