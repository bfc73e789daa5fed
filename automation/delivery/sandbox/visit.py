"""Reading the mailbox of a sandbox that runs as a process of its own, over HTTP."""

import asyncio
import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from automation.delivery.http import Door, Doors
from automation.delivery.replies import Answer

PATIENCE = timedelta(seconds=2)
PAGE = 25
GOOD, MISSING = 200, 404


class SandboxAway(Exception):
    """Nobody answers there, or somebody who is not the sandbox."""


@dataclass(frozen=True)
class Newest:
    """A page of what it took, newest first: `id`, `kind`, `mid`, `recipient`, `subject`, `at`, `tag`, and the beginning
    of `text`. `count` are all.
    """

    count: int
    rows: list[dict[str, Any]]


def newest(url: str, page: int, *, door: Doors = Door) -> Newest:
    """Raises SandboxAway."""
    told = _get(f"{url}/api/mailbox?page={page}&size={PAGE}", door)
    if not isinstance(told, dict) or not isinstance(told.get("newest"), list):
        raise SandboxAway
    return Newest(int(told["count"]), told["newest"])


def one_message(url: str, number: int, *, door: Doors = Door) -> dict[str, Any] | None:
    """All of it; None when there is no such one. Raises SandboxAway."""
    told = _get(f"{url}/api/messages/{number}", door)
    if told is None:
        return None
    if not isinstance(told, dict) or "mid" not in told:
        raise SandboxAway
    return told


def _get(url: str, door: Doors) -> Any:
    """None for what is not there."""
    heard = asyncio.run(_asked(url, door))
    if isinstance(heard, Answer) and heard.status == MISSING:
        return None
    if not isinstance(heard, Answer) or heard.status != GOOD or not heard.complete:
        raise SandboxAway
    try:
        return json.loads(heard.body)
    except ValueError:
        raise SandboxAway from None


async def _asked(url: str, door: Doors) -> Any:
    async with door(1) as line:
        return await line.post(httpx.Request("GET", url), timeout=PATIENCE)
