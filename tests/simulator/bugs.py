"""Planted bugs: a simulator that does not find them proves nothing."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from unittest.mock import patch

from sqlalchemy import Connection, update

from automation.database.schema import messages
from automation.delivery import decide, dispatch, settle
from automation.delivery.providers.resend import Resend
from automation.delivery.replies import Later


def _requeue_blindly(connection: Connection, *_: Any) -> list[Any]:
    """Whatever was in flight goes again, as if nothing had happened."""
    values = {"status": "planned", "worker": None, "lease_until": None}
    connection.execute(update(messages).where(messages.c.status == "sending").values(values))
    return []


@contextmanager
def _without(gate: Callable[..., Any], *others: Callable[..., Any]) -> Iterator[None]:
    left = tuple(one for one in decide.GATES if one not in {gate, *others})
    with patch.object(decide, "GATES", left):
        yield


@contextmanager
def _keep_no_window() -> Iterator[None]:
    with _without(decide.outside_window), patch.object(decide.Case, "good_until", lambda self, _: self.deadline):
        yield


@contextmanager
def _forget_the_key() -> Iterator[None]:
    real = Resend.request
    with patch.object(Resend, "request", lambda self, sent, account, _: real(self, sent, account, None)):
        yield


@contextmanager
def _take_silence_for_no() -> Iterator[None]:
    """An answer that never came is taken for a message that never arrived."""
    with patch.object(settle, "_unknown", lambda heard, *_: settle.settle(_later(heard), _[-1])):
        yield


def _later(heard: settle.Heard) -> settle.Heard:
    return settle.Heard(heard.flight, Later(None, "no answer", throttled=False), heard.resend, heard.key_until)


@dataclass(frozen=True)
class Bug:
    """`seed`: the first one that is asked, because it finds the bug soon."""

    planted: Callable[[], AbstractContextManager[Any]]
    seed: int = 1


PLANTED: Mapping[str, Bug] = {
    "calls of a dead worker are posted again without a thought": Bug(
        partial(patch.object, dispatch, "recover", _requeue_blindly)
    ),
    "a withdrawn consent is not asked for": Bug(partial(_without, decide.no_consent), seed=2),
    "the key is not sent": Bug(_forget_the_key, seed=9),
    "silence counts as a no": Bug(_take_silence_for_no),
    "caps are not counted": Bug(partial(_without, decide.over_cap, decide.outranked), seed=4),
    "windows are not kept": Bug(_keep_no_window),
}
