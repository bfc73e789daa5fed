"""Every line of the log is one JSON object, and none of them names a person, a secret or what was written."""

import asyncio
import json
import logging
import re
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import text

from automation.cli.log_words import Words
from automation.cli.logs import start_logs
from automation.database.engine import Database
from automation.errors import BadInput
from automation.settings import Settings

ADDRESS, NUMBER, SECRET = "anna.rossi@example.com", "+39 333 123 4567", "s3cret-token-of-a-vendor"
BODY = "Dear Anna, your trial of the blue one ends"
OURS, THEIRS = logging.getLogger("automation.test"), logging.getLogger("some.library")
Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    written = StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    monkeypatch.setenv("AUTOMATION_PROVIDERS", json.dumps({"mail": {"kind": "postmark", "token": SECRET}}))
    root = logging.getLogger()
    before, hooks = root.handlers[:], (sys.excepthook, logging.raiseExceptions)
    start_logs(logging.INFO, Settings(), as_json=True)

    def told() -> list[dict[str, Any]]:
        return [json.loads(line) for line in written.getvalue().splitlines()]

    yield told
    root.handlers, (sys.excepthook, logging.raiseExceptions) = before, hooks
    logging.captureWarnings(capture=False)


def fails(error: Exception) -> None:
    raise error


def logged_trouble(error: Exception) -> None:
    try:
        fails(error)
    except Exception:  # noqa: BLE001 (whatever it is, it is logged)
        OURS.exception("it failed")


class Person(BaseModel):
    age: int


def broken_model() -> Exception:
    try:
        Person.model_validate({"age": BODY})
    except ValueError as error:
        return error
    raise AssertionError


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"no such thing: {ADDRESS} {NUMBER} {BODY}"),
        KeyError(BODY),
        RuntimeError(f"Bearer {SECRET}"),
        BadInput(f"{ADDRESS} is no customer with {NUMBER}; token {SECRET}"),
        OSError(2, f"no file for {ADDRESS}", f"/home/{BODY}"),
        UnicodeDecodeError("utf-8", BODY.encode(), 0, 1, BODY),
        ExceptionGroup(BODY, [ValueError(BODY)]),
        broken_model(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_exception_is_told_by_its_kind_and_place_and_not_by_what_it_holds(lines: Lines, error: Exception) -> None:
    logged_trouble(error)
    (line,) = lines()
    assert_silent(line)
    assert type(error).__name__ in line["exception"]
    assert re.search(r"\n  \S+\.py:\d+ in \w+$", line["exception"])
    assert line["level"] == "error"


def test_what_caused_an_exception_is_told_likewise(lines: Lines) -> None:
    try:
        try:
            fails(ValueError(BODY))
        except ValueError as cause:
            raise BadInput(f"not {ADDRESS}") from cause
    except BadInput:
        OURS.exception("it failed")
    (line,) = lines()
    assert_silent(line)
    assert "BadInput: not [address]" in line["exception"]
    assert "ValueError" in line["exception"]


def test_our_own_lines_and_their_values_are_looked_through(lines: Lines) -> None:
    extra = {"whom": ADDRESS, "more": [NUMBER, {"token": SECRET}], "url": f"https://shop.example/find?q={ADDRESS}"}
    OURS.info("sent to %s at %s", ADDRESS, NUMBER, extra=extra)
    OURS.info("GET /u/AbC-123_x HTTP/1.1 from postgresql://me:%s@db.example/x", "hunter2-hunter2")
    OURS.info("Authorization: Bearer abc.def")
    OURS.info("look for anna.rossi%40example.com and %2B393331234567")
    found = lines()
    assert [one["event"] for one in found] == [
        "sent to [address] at [number]",
        "GET /u/… HTTP/1.1 from postgresql://…@db.example/x",
        "Authorization: Bearer …",
        "look for [address] and [number]",
    ]
    assert_silent(*found)


def test_a_librarys_line_loses_what_it_quotes_and_all_but_its_first_line(lines: Lines) -> None:
    THEIRS.warning("cannot read '%s' for %s\n%s", BODY, ADDRESS, BODY)
    (line,) = lines()
    assert line["event"] == "cannot read … for [address]"


def test_a_line_that_cannot_be_put_together_is_not_printed_in_another_form(lines: Lines) -> None:
    OURS.info("%d", BODY)
    assert lines() == []


def test_a_warning_and_a_task_that_nobody_awaited_are_lines_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn(f'strange: "{BODY}" {ADDRESS}', stacklevel=1)

    async def abandoned() -> None:
        task = asyncio.ensure_future(asyncio.to_thread(fails, ValueError(f"{BODY} {ADDRESS}")))
        await asyncio.wait([task])

    asyncio.run(abandoned())
    found = lines()
    assert len(found) == 2
    assert_silent(*found)


def test_a_databases_error_keeps_its_kind_and_names_of_ours(lines: Lines, database: Database) -> None:
    try:
        with database.writing() as connection:
            connection.execute(text(f"INSERT INTO runs (date, status) VALUES ('2026-01-01', '{BODY}')"))
    except Exception:  # noqa: BLE001 (whatever it is, it is logged)
        OURS.exception("it failed")
    (line,) = (one for one in lines() if one["logger"] == OURS.name)
    assert_silent(line)
    assert "known_run_status" in line["exception"]


def test_instants_names_of_workers_and_addresses_of_servers_stay(lines: Lines) -> None:
    OURS.info("answering on http://127.0.0.1:8000", extra={"worker": "host:12:34", "at": "2026-03-02T05:00:00+00:00"})
    (line,) = lines()
    assert line["event"] == "answering on http://127.0.0.1:8000"
    assert (line["worker"], line["at"]) == ("host:12:34", "2026-03-02T05:00:00+00:00")


def test_what_nobody_catches_is_one_line() -> None:
    program = (
        "import threading\nfrom automation.cli.logs import start_logs\nstart_logs(as_json=True)\n"
        f"def fails():\n    raise ValueError('{ADDRESS}')\n"
        "one = threading.Thread(target=fails)\none.start()\none.join()\nfails()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)  # noqa: S603
    found = [json.loads(line) for line in done.stderr.splitlines()]
    assert [one["event"] for one in found] == ["a thread ended by an error", "the process ends by an error"]
    assert_silent(*found)
    assert done.returncode == 1


def test_a_text_without_anything_to_hide_stays_as_it_is() -> None:
    words = "worker drained: 3 sent, 2 held; 12.5/second, 40 % at 10:00"
    assert Words([SECRET]).plain(words) == words


def assert_silent(*found: dict[str, Any]) -> None:
    told = json.dumps([{**one, "timestamp": ""} for one in found], ensure_ascii=False)
    for hidden in (ADDRESS, "anna", "Anna", "rossi", NUMBER, "4567", SECRET, "hunter2", "trial of the blue"):
        assert hidden not in told, hidden
