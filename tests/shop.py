"""A small shop for tests: its files, its database and the sandbox, driven with a clock that is an argument."""

import asyncio
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import loopback
from sqlalchemy import insert, select

from automation.customers.load import import_customers, import_events
from automation.database.engine import Database
from automation.database.schema import attempts, enrollments, messages, stage_changes
from automation.database.work import pauses
from automation.delivery.dispatch import Dispatch
from automation.playbooks.load import Book, read_book
from automation.settings import Settings, load
from automation.worker import runs
from automation.worker.evaluate import prepare_run

FACTS = """
[orders]
event = "Order"
count = true
[last_order]
event = "Order"
last = "time"
[nps]
event = "Survey"
latest = "nps"
"""
LIFECYCLE = """
name = "Small"
[[stages]]
key = "new"
name = { en = "New" }
roles = ["aware"]
[[stages]]
key = "buyer"
name = { en = "Buyer" }
roles = ["buying"]
when = "orders >= 1"
[[stages]]
key = "regular"
name = { en = "Regular" }
roles = ["loyal"]
when = "orders >= 3"
[[stages]]
key = "gone"
name = { en = "Gone" }
roles = ["leaving"]
when = "orders >= 1 and days_since(last_order) > 60"
"""
EMAIL = "+++\nsubject = \"Hello {{ customer.first_name | default('there') }}\"\n+++\nCome back, please.\n"
LAYOUT = """<mjml><mj-body><mj-section><mj-column><mj-text>{{ content }}</mj-text>
<mj-text>{{ business.postal_address }} <a href="{{ unsubscribe_url }}">Unsubscribe</a></mj-text>
</mj-column></mj-section></mj-body></mjml>"""
CONFIG = """
[database]
url = "{database}"
[business]
timezone = "Europe/Rome"
[paths]
lifecycle = "playbooks/lifecycles/small.toml"
[email]
max_per_day = {per_day}
max_per_week = {per_week}
[providers.sandbox_email]
kind = "{kind}"
base_url = "{url}"
rate = "{rate}"
batch = {batch}
timeout = "2 seconds"
{email}
[providers.sandbox_sms]
kind = "{text_kind}"
base_url = "{url}"
rate = "10000/second"
batch = {batch}
timeout = "2 seconds"
{sections}
"""


def playbook(steps: str = "", **keys: Any) -> str:
    """A playbook's text: everyone in every stage, one email at once, unless told otherwise."""
    lines = {"name": "Test", "family": "care", "stages": ["new", "buyer", "regular", "gone"], **keys}
    head = "\n".join(f"{key} = {json.dumps(value)}" for key, value in lines.items())
    return f"{head}\n{steps or step('hello')}"


def step(key: str, template: str = "hello/hello", channel: str = "email", **keys: Any) -> str:
    lines = {"key": key, "channel": channel, "template": template, **keys}
    return "[[steps]]\n" + "\n".join(f"{name} = {json.dumps(value)}" for name, value in lines.items()) + "\n"


@dataclass
class Shop:
    """Everything a day needs. `log` is what the sandbox took."""

    folder: Path
    database: Database
    url: str
    per_day: int = 100
    per_week: int = 100
    batch: int = 500
    email: str = ""
    kind: str = "postmark"
    text_kind: str = "twilio"
    rate: str = "10000/second"
    sections: str = ""

    def write(self, **playbooks: str) -> None:
        """The marketers' files: these playbooks and one template for each channel."""
        self._file("config.toml", self._config())
        self._file("playbooks/facts.toml", FACTS)
        self._file("playbooks/lifecycles/small.toml", LIFECYCLE)
        self._file("templates/_layouts/default.mjml", LAYOUT)
        self._file("templates/hello/hello.en.md", EMAIL)
        self._file("templates/hello/text.en.txt", "Hello from the shop. Reply STOP to opt out.")
        for key, text in playbooks.items():
            self._file(f"playbooks/{key}.toml", text)

    def _config(self) -> str:
        return CONFIG.format(
            database=self.database.engine.url.render_as_string(hide_password=False),
            url=self.url,
            per_day=self.per_day,
            per_week=self.per_week,
            batch=self.batch,
            email=self.email,
            kind=self.kind,
            text_kind=self.text_kind,
            rate=self.rate,
            sections=self.sections,
        )

    def _file(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    @property
    def settings(self) -> Settings:
        config = self.folder / "config.toml"
        return _settings(config, config.read_bytes(), frozenset(os.environ.items()))

    @property
    def book(self) -> Book:
        return read_book(self.settings)

    def customers(self, *ids: str, now: str = "2026-01-01T00:00:00Z", **columns: Any) -> None:
        """Customers with an address, a number and consent to both, unless told otherwise."""
        rows = [
            {
                "customer_id": one,
                "email": f"{one}@example.com",
                "phone": "+12015550123",
                "timezone": "Europe/Rome",
                "email_consent": True,
                "sms_consent": True,
                **columns,
            }
            for one in ids
        ]
        self._import(import_customers, rows, now)

    def orders(self, customer_id: str, *times: str, event: str = "Order", **properties: Any) -> None:
        rows = [
            {"event_id": f"{event}-{customer_id}-{time}", "event": event, "customer_id": customer_id, "ts": time}
            | {"properties": properties}
            for time in times
        ]
        self._import(import_events, rows, times[0])

    def _import(self, load_file: Any, rows: Sequence[dict[str, Any]], now: str) -> None:
        path = self.folder / "rows.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        done = load_file(self.database, path, at(now))
        assert done.rejected == 0

    def evaluate(self, now: str, worker: str = "test") -> dict[str, Any]:
        return runs.evaluate(self.database, self.settings, self.book, worker, at(now))

    def send(self, now: str, worker: str = "test") -> dict[str, Any]:
        moment = at(now)
        return self.send_by(lambda: moment, worker)

    def send_by(self, clock: Callable[[], datetime], worker: str = "test") -> dict[str, Any]:
        """With a clock that goes."""
        with self.database.writing() as connection:
            desk = prepare_run(connection, self.settings, self.book, clock())
        return asyncio.run(Dispatch(self.database, desk, clock, worker).run())

    def rows(self, table: Any = messages) -> list[Any]:
        with self.database.reading() as connection:
            return list(connection.execute(select(table).order_by(*table.primary_key)).all())

    def statuses(self) -> list[tuple[str, str, str, str | None]]:
        """Customer, step, status and reason of every message."""
        return sorted((row.customer_id, row.step, row.status, row.reason) for row in self.rows())

    def moves(self) -> list[tuple[str, str, str | None, str, str]]:
        found = self.rows(stage_changes)
        return sorted((one.customer_id, one.day.isoformat(), one.from_stage, one.to_stage, one.move) for one in found)

    def passages(self) -> list[tuple[str, str, str | None]]:
        """Customer, playbook and exit reason of every enrollment."""
        return sorted((one.customer_id, one.playbook, one.exit_reason) for one in self.rows(enrollments))

    def attempts(self) -> list[tuple[int, str, str | None]]:
        return [(one.number, one.reply, one.reason) for one in self.rows(attempts)]

    def pause(self, scope: str) -> None:
        with self.database.writing() as connection:
            connection.execute(insert(pauses), {"scope": scope, "reason": "test", "since": at("2026-01-01T00:00:00Z")})

    def log(self) -> list[dict[str, Any]]:
        """What the sandbox took, oldest first."""
        found = loopback.get(f"{self.url}/api/messages", params={"limit": 1000}).json()
        return sorted(found["messages"], key=lambda one: int(one["id"]))

    def fault(self, **fault: Any) -> None:
        loopback.post(f"{self.url}/faults", json=fault).raise_for_status()

    def faults_left(self) -> int:
        """How many requests are still to meet a fault."""
        return sum(one["times"] for one in loopback.get(f"{self.url}/faults").json())

    def mended(self) -> None:
        loopback.delete(f"{self.url}/faults").raise_for_status()


@lru_cache(maxsize=8)
def _settings(config: Path, *_: object) -> Settings:
    """Read again when the file or the environment has changed."""
    return load(config)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
