"""Logs go to standard error: readable on a terminal, one JSON object a line elsewhere or when it is asked for. No
address, secret or message is ever in them.
"""

import logging
import sys
import threading
from collections.abc import Iterator, MutableMapping
from types import TracebackType
from typing import Any

import structlog
from pydantic import BaseModel, SecretStr

from automation.cli.log_words import OURS, Words
from automation.settings import Settings

log = logging.getLogger(__name__)
SHARED: list[Any] = [
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def start_logs(level: int = logging.WARNING, settings: Settings | None = None, *, as_json: bool = False) -> None:
    """Send everything the program and its libraries log to standard error; `settings` have the secrets to hide."""
    as_json = as_json or not sys.stderr.isatty()
    renderer = structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer()
    fit = _Fit(Words(_secrets(settings) if settings else ()))
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=[*SHARED, fit], processors=[without_meta, renderer])
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.getLogger("apscheduler").setLevel(logging.ERROR)
    for talkative in ("alembic", "uvicorn"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    if as_json:
        _log_what_nobody_catches()


class _Fit:
    """Makes every line fit for a log: its words, its values, and the exception that it tells of."""

    def __init__(self, words: Words) -> None:
        self._words = words

    def __call__(self, logger: Any, method: str, line: MutableMapping[str, Any]) -> dict[str, Any]:  # noqa: ARG002 (structlog's signature)
        error = _error_in(line.pop("exc_info", None))
        line.pop("stack_info", None)
        kept = {key: self._words.value(value) for key, value in line.items() if key not in {"_record", "event"}}
        is_ours = str(line.get("logger", "")).partition(".")[0] == OURS
        event = str(line["event"])
        kept["event"] = self._words.plain(event) if is_ours else self._words.of_others(event)
        if error is not None:
            kept["exception"] = self._words.trouble(error)
        return kept | {key: line[key] for key in ("_record", "_from_structlog") if key in line}


def _error_in(told: Any) -> BaseException | None:
    """Loggers are given the exception, its three parts, or that it is the one at hand."""
    if isinstance(told, BaseException):
        return told
    if isinstance(told, tuple):
        return told[1] if isinstance(told[1], BaseException) else None
    return sys.exc_info()[1] if told else None


def _secrets(part: BaseModel) -> Iterator[str]:
    """Every secret that is set, in whichever section."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        for one in value.values() if isinstance(value, dict) else [value]:
            if isinstance(one, SecretStr):
                yield one.get_secret_value()
            elif isinstance(one, BaseModel):
                yield from _secrets(one)


def _log_what_nobody_catches() -> None:
    """Python itself would print it as it is, over many lines; and so it would a line that cannot be put together."""
    logging.raiseExceptions = False
    logging.captureWarnings(capture=True)

    def uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if issubclass(kind, KeyboardInterrupt):
            return
        log.critical("the process ends by an error", exc_info=(kind, error, trace))

    def uncaught_in_thread(told: threading.ExceptHookArgs) -> None:
        log.critical("a thread ended by an error", exc_info=told.exc_value)

    sys.excepthook, threading.excepthook = uncaught, uncaught_in_thread
