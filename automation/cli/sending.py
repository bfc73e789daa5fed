"""One round of sending."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from automation.clock import wall_clock
from automation.database.engine import Database
from automation.delivery.alerts.tell import tell
from automation.delivery.desk import Desk
from automation.delivery.dispatch import Dispatch
from automation.delivery.workers import worker_name
from automation.playbooks.load import read_book
from automation.settings import Settings
from automation.worker.evaluate import prepare_run


def send_due(database: Database, settings: Settings, clock: Callable[[], datetime]) -> dict[str, Any]:
    """Sends what is due, until nothing is, and tells what became of it."""
    book = read_book(settings)
    with database.writing() as connection:
        desk = prepare_run(connection, settings, book, clock())
    return asyncio.run(_send(database, desk, clock))


async def _send(database: Database, desk: Desk, clock: Callable[[], datetime]) -> dict[str, Any]:
    told = await Dispatch(database, desk, clock, worker_name()).run()
    if clock is wall_clock or desk.settings.alerts.is_loopback:  # nobody is told of a made-up time
        await tell(database, desk.settings, clock())
    return told
