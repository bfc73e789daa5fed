"""Somebody is told: once for each incident, signed, however often the receiver was away, and never too much."""

import asyncio
import json
import logging
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from shop import Shop, at, playbook, step
from sqlalchemy import update
from standardwebhooks import Webhook, WebhookVerificationError
from werkzeug import Request, Response

from automation.database.engine import Database, connect
from automation.database.schema import messages
from automation.database.work import incidents
from automation.delivery.alerts.incidents import close_incident, open_incident
from automation.delivery.alerts.tell import tell
from automation.delivery.alerts.watch import tell_of
from automation.delivery.hooks import HookCall
from automation.delivery.outcomes import inbox
from automation.errors import BadFiles
from automation.settings import Settings, load

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
NOW = datetime.now(UTC)  # of each test: whoever verifies a signature looks at the clock
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
SECRET = "whsec_" + b64encode(b"what the receiver knows too").decode()
NOWHERE = "http://127.0.0.1:1/alerts"


class Receiver:
    """Somebody's webhook: it refuses what is not signed, and answers what `statuses` say, then 204."""

    def __init__(self, server: HTTPServer) -> None:
        self.url = server.url_for("/alerts")
        self.statuses: list[int] = []
        self.asked: list[str] = []
        self.taken: list[dict[str, Any]] = []
        server.expect_request("/alerts", method="POST").respond_with_handler(self._hear)

    def _hear(self, request: Request) -> Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        try:
            told = Webhook(SECRET).verify(request.get_data(), headers)
        except WebhookVerificationError:
            return Response(status=400)
        self.asked.append(headers["webhook-id"])
        status = self.statuses.pop(0) if self.statuses else 204
        if status == 204:
            self.taken.append(told)
        return Response(status=status)


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    return Receiver(httpserver)


def to(url: str) -> Settings:
    return Settings.model_validate({"alerts": {"url": url, "webhook_secret": SECRET}})


@pytest.fixture(autouse=True)
def _the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "NOW", datetime.now(UTC).replace(microsecond=0))


def told(database: Database, url: str, now: datetime | None = None, **more: Any) -> int:
    return asyncio.run(tell(database, to(url), now or NOW, **more))


def opened(database: Database, about: str = "provider:one", now: datetime | None = None) -> bool:
    with database.writing() as connection:
        return open_incident(connection, "provider_paused", about, f"{about} is paused", now or NOW)


def closed(database: Database, about: str = "provider:one", now: datetime | None = None) -> bool:
    with database.writing() as connection:
        return close_incident(connection, "provider_paused", about, now or NOW)


def rows(database: Database) -> list[Any]:
    with database.reading() as connection:
        return list(connection.execute(incidents.select().order_by(incidents.c.number)))


def test_an_incident_is_told_once_signed_and_its_end_too(database: Database, receiver: Receiver) -> None:
    assert [opened(database), opened(database)] == [True, False]
    assert [told(database, receiver.url), told(database, receiver.url)] == [1, 0]
    assert closed(database, now=NOW + HOUR)
    assert told(database, receiver.url, NOW + HOUR) == 0  # signed by a clock that the receiver does not believe
    assert told(database, receiver.url) == 0
    with database.writing() as connection:
        connection.execute(update(incidents).values(next_try_at=NOW))
    assert told(database, receiver.url) == 1
    assert [one["type"] for one in receiver.taken] == ["incident.opened", "incident.closed"]
    assert receiver.taken[0]["data"] == {
        "kind": "provider_paused",
        "about": "provider:one",
        "words": "provider:one is paused",
        "opened_at": NOW.isoformat().replace("+00:00", "Z"),
        "closed_at": None,
    }
    assert len(set(receiver.asked)) == 2


def test_when_the_receiver_is_down_it_is_tried_later_and_taken_exactly_once(
    database: Database, receiver: Receiver
) -> None:
    receiver.statuses = [500, 302]
    opened(database)
    assert told(database, NOWHERE) == 0
    times = [NOW + 29 * SECOND, NOW + 30 * SECOND, NOW + 90 * SECOND, NOW + 209 * SECOND, NOW + 210 * SECOND]
    assert [told(database, receiver.url, now) for now in times] == [0, 0, 0, 0, 1]
    assert told(database, receiver.url, NOW + HOUR) == 0
    assert len(receiver.asked) == 3
    assert len(set(receiver.asked)) == 1  # the same id, so that the receiver can tell
    assert len(receiver.taken) == 1


def test_who_dies_while_telling_is_followed_by_another_with_the_same_id(database: Database, receiver: Receiver) -> None:
    @asynccontextmanager
    async def killed(_: int) -> Any:
        raise KeyboardInterrupt
        yield

    opened(database)
    with pytest.raises(KeyboardInterrupt):
        told(database, receiver.url, door=killed)
    assert [told(database, receiver.url), told(database, receiver.url, NOW + 30 * SECOND)] == [0, 1]
    assert len(receiver.taken) == 1


def test_workers_do_not_tell_the_same_at_once(database: Database, database_url: str, receiver: Receiver) -> None:
    for number in range(8):
        opened(database, f"provider:{number}")
    other = connect(database_url)
    with ThreadPoolExecutor(2) as both:
        assert sum(both.map(lambda one: told(one, receiver.url), (database, other))) == 8
    other.close()
    assert sorted(one["data"]["about"] for one in receiver.taken) == [f"provider:{number}" for number in range(8)]


def test_what_was_over_before_anybody_was_told_is_told_from_its_beginning(
    database: Database, receiver: Receiver
) -> None:
    opened(database)
    closed(database, now=NOW + SECOND)
    for _ in range(3):
        told(database, receiver.url, NOW + SECOND)
    assert [one["type"] for one in receiver.taken] == ["incident.opened", "incident.closed"]


def test_a_receiver_that_is_gone_for_a_day_is_given_up_and_the_log_says_so(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    opened(database)
    now, tries = NOW, 0
    while rows(database)[0].next_try_at is not None:
        now = rows(database)[0].next_try_at
        told(database, NOWHERE, now)
        tries += 1
    assert now - NOW > timedelta(days=1)
    assert tries < 40
    assert "was not reached for a day" in caplog.text


def test_without_a_receiver_the_log_says_it_once(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        opened(database)
        assert asyncio.run(tell(database, Settings(), NOW)) == 0
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR] == [
        "provider_paused: provider:one is paused"
    ]


def test_many_messages_make_one_alert_that_shows_no_address_and_no_secret(
    shop: Shop, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("AUTOMATION_ALERTS__URL", receiver.url)
    monkeypatch.setenv("AUTOMATION_ALERTS__WEBHOOK_SECRET", SECRET)
    monkeypatch.setenv("AUTOMATION_PROVIDERS__SANDBOX_EMAIL__TOKEN", "token-of-ours")
    shop.batch = 1
    shop.write(care=playbook(step("one", late_by="2 days")))
    shop.customers(*(f"ada{number}" for number in range(40)))
    shop.evaluate(DAY1)
    shop.fault(answer=401, times=1000, kind="postmark")
    for minutes in (0, 6, 20):
        shop.send((at(NOON1) + timedelta(minutes=minutes)).isoformat())
    assert asyncio.run(tell(shop.database, shop.settings, NOW)) == 1
    assert asyncio.run(tell(shop.database, shop.settings, NOW)) == 0
    (event,) = receiver.taken
    assert event["data"]["kind"] == "provider_paused"
    for shown in (json.dumps(event), caplog.text):
        assert not [one for one in ("@example.com", "token-of-ours", SECRET[6:], "+1201") if one in shown]


def test_messages_of_which_nobody_knows_are_one_incident_until_they_are_resolved(shop: Shop) -> None:
    shop.batch = 1
    shop.write(care=playbook())
    shop.customers("ada", "bob", "cem")
    shop.evaluate(DAY1)
    shop.fault(answer=500, times=3, kind="postmark")
    assert shop.send(NOON1)["unknown"] == 3
    for _ in range(2):
        asyncio.run(tell(shop.database, shop.settings, at(NOON1)))
    assert [(row.kind, row.closed_at) for row in rows(shop.database)] == [("unknown_messages", None)]
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(status="sent"))
    asyncio.run(tell(shop.database, shop.settings, at(NOON1)))
    assert [(row.kind, row.closed_at) for row in rows(shop.database)] == [("unknown_messages", at(NOON1))]


def test_what_a_downtime_made_too_late_is_one_incident(shop: Shop) -> None:
    shop.write(care=playbook(step("one", late_by="3 hours")), more=playbook(step("one", late_by="3 hours")))
    shop.customers("ada", "bob", "cem")
    shop.evaluate(DAY1)
    assert shop.send("2026-03-02T18:00:00Z")["expired"] == 6
    (incident,) = rows(shop.database)
    assert (incident.kind, incident.words[:10]) == ("expired_after_downtime", "6 messages")
    asyncio.run(tell(shop.database, shop.settings, at("2026-03-02T19:00:00Z")))
    assert rows(shop.database)[0].closed_at == at("2026-03-02T19:00:00Z")


def test_a_call_that_nobody_can_read_is_one_incident_of_a_day(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(*_: Any) -> None:
        raise ValueError

    shop.write(care=playbook())
    monkeypatch.setattr(inbox, "take", stumble)
    body = b'{"RecordType": "Delivery", "MessageID": "1", "DeliveredAt": "2026-03-02T10:00:00Z"}'
    with shop.database.writing() as connection:
        for _ in range(2):
            inbox.keep_call(connection, "sandbox_email", HookCall("POST", "https://shop.example", {}, body), at(NOON1))
    inbox.process(shop.database, shop.settings, lambda: at(NOON1))
    (incident,) = rows(shop.database)
    assert (incident.kind, incident.about) == ("call_not_read", "provider:sandbox_email")
    asyncio.run(tell(shop.database, shop.settings, at("2026-03-03T10:59:00Z")))
    assert rows(shop.database)[0].closed_at is None
    asyncio.run(tell(shop.database, shop.settings, at("2026-03-03T11:00:00Z")))
    assert rows(shop.database)[0].closed_at == at("2026-03-03T11:00:00Z")


def test_what_lasts_is_written_once_and_ends_once(database: Database) -> None:
    for words in ("one problem", "two problems", None, None, "one problem"):
        tell_of(database, "files_broken", "files", words, NOW)
    assert [(row.words, row.closed_at is None) for row in rows(database)] == [
        ("one problem", False),
        ("one problem", True),
    ]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "config.toml").write_text('[alerts]\nurl = "https://alerts.example.com/x"\n', encoding="utf-8")
    return tmp_path / "config.toml"


def test_an_address_for_alerts_needs_a_secret_from_the_environment(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadFiles, match="need a secret that signs them"):
        load(config)
    monkeypatch.setenv("AUTOMATION_ALERTS__WEBHOOK_SECRET", SECRET)
    assert SECRET not in repr(load(config))
    monkeypatch.setenv("AUTOMATION_ALERTS__WEBHOOK_SECRET", "not base64!")
    with pytest.raises(BadFiles, match="written in base64") as wrong:
        load(config)
    assert "not base64!" not in str(wrong.value)


@pytest.mark.parametrize("url", ["alerts.example.com", "http://alerts.example.com", "ftp://x", "https://"])
def test_alerts_go_nowhere_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match="is no address for alerts"):
        to(url)
