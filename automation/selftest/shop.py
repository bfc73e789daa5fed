"""The shop of the self-test: its files, its customers, its provider and its database."""

import json
import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL, Engine, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError

from automation.customers.load import import_customers
from automation.database.engine import connect
from automation.database.upgrade import upgrade
from automation.errors import BadInput
from automation.settings import PREFIX

# The first day's noon. The shop is in UTC and its window never closes, so that every hour is as good as another.
BEGINNING = datetime(2026, 1, 1, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Kind:
    """A provider for email, what is done about messages nobody knows of, and the channels of a day's messages."""

    name: str
    provider: str
    on_unknown: str = "hold"
    channels: Sequence[str] = ("email", "sms")


# Twilio takes no keys, so a keyed shop writes email only.
KEYED = Kind("keyed", "resend", channels=("email",))
KEYLESS = Kind("keyless", "postmark")
KEYLESS_RESEND = Kind("keyless_resend", "postmark", on_unknown="resend")

CONFIG = """
[database]
url = {database}
[business]
timezone = "UTC"
[paths]
lifecycle = "playbooks/lifecycles/one.toml"
[email]
providers = ["mail"]
window = ["00:00", "23:59"]
max_per_day = 100
max_per_week = 700
[sms]
providers = ["text"]
window = ["00:00", "23:59"]
max_per_day = 100
max_per_week = 700
[providers.mail]
kind = "{kind.provider}"
base_url = "{sandbox}"
rate = "10000/second"
concurrency = 8
batch = 4
timeout = "5 seconds"
on_unknown = "{kind.on_unknown}"
[providers.text]
kind = "twilio"
base_url = "{sandbox}"
rate = "10000/second"
concurrency = 8
batch = 1
timeout = "5 seconds"
on_unknown = "{kind.on_unknown}"
"""
LIFECYCLE = """
name = "One stage"
[[stages]]
key = "everyone"
name = { en = "Everyone" }
roles = ["aware"]
"""
PLAYBOOK = """
name = "A message a day"
family = "care"
stages = ["everyone"]
kind = "marketing"
topic = "offers"
reenter_after = "12 hours"
[offer]
generate = "DAY-########"
valid_for = "30 days"
"""
STEP = """
[[steps]]
key = "{channel}"
channel = "{channel}"
template = "daily/{channel}"
late_by = "3 days"
"""
EMAIL = '+++\nsubject = "Hello {{ customer.first_name }}"\n+++\nYour code is {{ offer.code }}.\n'
TEXT = "Hello {{ customer.first_name }}, your code is {{ offer.code }}. Reply STOP to opt out."
LAYOUT = """<mjml><mj-body><mj-section><mj-column><mj-text>{{ content }}</mj-text>
<mj-text>{{ business.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""


def open_shop(folder: Path, kind: Kind, database: str, sandbox: str, customers: int) -> None:
    """Write its files, bring its database up and import its customers."""
    for name, content in _files(kind, database, sandbox).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    people = folder / "people.jsonl"
    people.write_text("".join(json.dumps(_person(number)) + "\n" for number in range(customers)), encoding="utf-8")
    opened = connect(database)
    upgrade(opened)
    import_customers(opened, people, BEGINNING)
    opened.close()


def _files(kind: Kind, database: str, sandbox: str) -> dict[str, str]:
    return {
        "config.toml": CONFIG.format(database=json.dumps(database), kind=kind, sandbox=sandbox),
        "playbooks/facts.toml": "",
        "playbooks/lifecycles/one.toml": LIFECYCLE,
        "playbooks/daily.toml": PLAYBOOK + "".join(STEP.format(channel=channel) for channel in kind.channels),
        "templates/_layouts/default.mjml": LAYOUT,
        "templates/daily/email.en.md": EMAIL,
        "templates/daily/sms.en.txt": TEXT,
    }


def _person(number: int) -> dict[str, object]:
    return {
        "customer_id": f"c-{number}",
        "first_name": f"Customer {number}",
        "email": f"c-{number}@example.com",
        "phone": f"+447700900{number % 1_000:03}",  # of films and books; no law closes the window there
        "timezone": "UTC",
        "email_consent": True,
        "sms_consent": True,
    }


@contextmanager
def own_database(folder: Path, server: str | None) -> Iterator[str]:
    """The URL of a new database: a SQLite file in the folder, or one on that PostgreSQL server, dropped in the end.

    Raises BadInput, MissingExtra, DatabaseUnreachable.
    """
    if server is None:
        yield f"sqlite:///{folder / 'selftest.db'}"
        return
    url = _server(server)
    connect(url.render_as_string(hide_password=False)).close()
    name = f"automation_selftest_{secrets.token_hex(6)}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        _execute(engine, f'CREATE DATABASE "{name}"')
        yield url.set(database=name).render_as_string(hide_password=False)
        _execute(engine, f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        engine.dispose()


def _server(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql":
        raise BadInput("--database: write the URL of a PostgreSQL server, like postgresql://user@host/name")
    return url.set(drivername="postgresql+psycopg")


def _execute(engine: Engine, statement: str) -> None:
    try:
        with engine.connect() as connection:
            connection.execute(text(statement))
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        raise BadInput(f"--database: {reason}. It takes a server on which this user may create databases.") from None


def forget_environment() -> None:
    """What the environment says of the real shop is none of this one's business."""
    for name in [one for one in os.environ if one.startswith(PREFIX)]:
        del os.environ[name]
