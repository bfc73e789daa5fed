"""How little is loaded before a command is called."""

import subprocess
import sys

HEAVY = {"aiohttp", "alembic", "babel", "httpx", "jinja2", "phonenumbers", "pydantic", "rich", "sqlalchemy"}
LOADED = "import sys, automation.cli; print(*sys.modules)"


def test_nobody_who_asks_for_help_waits_for_what_the_commands_work_with() -> None:
    command = [sys.executable, "-c", LOADED]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 (our own program)
    assert not HEAVY & set(done.stdout.split())
