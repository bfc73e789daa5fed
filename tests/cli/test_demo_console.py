"""The demo on a terminal: it prints a link by which one gets into the console, and the console shows the same day."""

import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(rb"http://127\.0\.0\.1:\d+/welcome/[\w-]+")
PASSWORD = "a sentence nobody else would say"


@pytest.fixture
def link(tmp_path: Path) -> Iterator[str]:
    """Of a demo that goes on serving; it ends by Ctrl-C."""
    ours, theirs = pty.openpty()
    mine = {key: value for key, value in os.environ.items() if not key.startswith("AUTOMATION_")}
    mine |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(tmp_path), "TERM": "dumb", "COLUMNS": "60"}
    command = [sys.executable, "-m", "automation", "demo", "--customers", "300"]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=mine, cwd=tmp_path) as process:  # noqa: S603
        os.close(theirs)
        yield _read_until(ours, LINK).decode()
        process.send_signal(signal.SIGINT)
        with suppress(OSError):  # the terminal is closed at its end
            while os.read(ours, 10_000):
                pass
        assert process.wait(20) == 0
    os.close(ours)
    assert list(tmp_path.iterdir()) == []


def _read_until(terminal: int, pattern: re.Pattern[bytes]) -> bytes:
    shown, began = b"", time.monotonic()
    while not (found := re.search(pattern.pattern + rb"\s", shown)):
        assert time.monotonic() - began < 240, shown
        shown += os.read(terminal, 10_000)
    return found[0].strip()


def test_the_link_leads_into_a_console_that_shows_the_demos_day(link: str) -> None:
    address = link.partition("/welcome/")[0]
    with httpx.Client(base_url=address, headers={"origin": address}, trust_env=False, timeout=60) as browser:
        assert "Hello, visitor" in browser.get(link).text
        answer = browser.post(link, data={"password": PASSWORD, "again": PASSWORD})
        cookie = {"cookie": answer.headers["set-cookie"].partition(";")[0]}  # which is for TLS alone
        today = browser.get("/", headers=cookie).text
        log = browser.get("/log", headers=cookie).text
        mailbox = browser.get("/mailbox", headers=cookie).text
        assert "no longer good" in browser.get(link).text
    assert 'class="state-sent"' in today
    assert "notice bad" not in today
    assert re.search(r'<span class="badge good">done</span>', today)
    assert 'href="/messages/' in log
    assert 'href="/mailbox/' in mailbox
