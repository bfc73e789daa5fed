"""What programs ask that watch the process: is it up, can it work, and its figures."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import loopback
import pytest
from prometheus_client.parser import text_string_to_metric_families
from serving import served
from shop import Shop, at, playbook, step
from sqlalchemy import insert, text

from automation.database.upgrade import newest
from automation.database.work import workers
from automation.delivery.alerts.incidents import open_incident
from automation.errors import BadFiles

MORNING, NOON = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
PATHS = ("/healthz", "/readyz", "/metrics")
TOKEN = "a-token-of-some-length"


@dataclass
class Watched:
    shop: Shop
    address: str

    def get(self, path: str, **headers: str) -> httpx.Response:
        return loopback.get(f"{self.address}{path}", headers=headers)

    def figures(self) -> dict[tuple[Any, ...], float]:
        """By name and the values of the labels, those in the order of their names."""
        families = text_string_to_metric_families(self.get("/metrics").text)
        samples = (sample for family in families for sample in family.samples)
        return {
            (one.name.removeprefix("automation_"), *(one.labels[key] for key in sorted(one.labels))): one.value
            for one in samples
        }


@pytest.fixture
def watched(shop: Shop) -> Iterator[Watched]:
    """Two emails went out at ten, two texts are due since eleven; nobody ran the day's evaluation anew."""
    texts = step("two", "hello/text", "sms", at="11:00", late_by="3 days")
    shop.write(care=playbook(step("one", at="10:00", late_by="3 days")), help=playbook(texts))
    shop.customers("ann", "bob")
    shop.evaluate(MORNING)
    shop.send("2026-03-02T09:00:00Z")
    with served(shop, NOON) as address:
        yield Watched(shop, address)


@pytest.mark.parametrize("path", PATHS)
def test_a_program_on_this_machine_needs_no_token(watched: Watched, path: str) -> None:
    answer = watched.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("trace", ["X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"])
def test_a_caller_behind_a_proxy_is_refused(watched: Watched, path: str, trace: str) -> None:
    answer = watched.get(path, **{trace: "127.0.0.1"})
    assert answer.status_code == 403
    assert "AUTOMATION_SERVE__METRICS_TOKEN" in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_where_a_token_is_set_everybody_needs_it(watched: Watched, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION_SERVE__METRICS_TOKEN", TOKEN)
    with served(watched.shop, NOON) as address:
        there = Watched(watched.shop, address)
        wrong = [there.get(path), there.get(path, Authorization="Bearer another"), there.get(path, Authorization=TOKEN)]
        right = there.get(path, Authorization=f"Bearer {TOKEN}", Via="a proxy")
    assert [one.status_code for one in wrong] == [403, 403, 403]
    assert right.status_code == 200


def test_a_token_that_can_be_guessed_is_refused(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION_SERVE__METRICS_TOKEN", "short")
    shop.write()
    with pytest.raises(BadFiles, match="at least 12 characters"):
        _ = shop.settings


def test_with_a_public_address_the_figures_want_a_token_and_the_probes_do_not(
    watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOMATION_BUSINESS__PUBLIC_URL", "https://mail.example")
    with served(watched.shop, NOON) as address:
        told = [Watched(watched.shop, address).get(path).status_code for path in PATHS]
    assert told == [200, 200, 403]


def test_a_database_at_another_revision_is_not_ready_and_says_what_to_do(watched: Watched) -> None:
    with watched.shop.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))
    try:
        answer = watched.get("/readyz")
    finally:
        with watched.shop.database.writing() as connection:
            connection.execute(text("UPDATE alembic_version SET version_num = :newest"), {"newest": newest()})
    assert answer.status_code == 503
    assert "automation db upgrade" in answer.text
    assert watched.get("/healthz").status_code == 200


def test_a_database_that_is_gone_is_not_ready_and_gives_no_figures(watched: Watched) -> None:
    with watched.shop.database.writing() as connection:
        connection.execute(text("ALTER TABLE messages RENAME TO elsewhere"))
    try:
        assert watched.get("/metrics").status_code == 503
    finally:
        with watched.shop.database.writing() as connection:
            connection.execute(text("ALTER TABLE elsewhere RENAME TO messages"))


def test_messages_are_told_by_state_channel_playbook_and_reason(watched: Watched) -> None:
    found = watched.figures()
    assert found["messages_24h", "email", "care", "", "sent"] == 2
    assert found["messages_24h", "sms", "help", "", "planned"] == 2
    assert [found["messages_open", one] for one in ("planned", "sending", "unknown")] == [2, 0, 0]


def test_what_is_late_is_told_in_seconds(watched: Watched) -> None:
    found = watched.figures()
    assert found["oldest_due_seconds",] == 3600
    assert found["last_run_seconds",] == 6 * 3600
    assert found["run_missing",] == 0


def test_a_run_that_is_missing_incidents_and_workers_are_told(watched: Watched) -> None:
    with watched.shop.database.writing() as connection:
        open_incident(connection, "run_failed", "evaluate", "words", at(NOON))
        signs = {"started_at": at(MORNING), "seen_at": at("2026-03-03T10:59:30Z")}
        connection.execute(insert(workers), {"name": "far-away:1", **signs})
    with served(watched.shop, "2026-03-03T11:00:00Z") as address:
        found = Watched(watched.shop, address).figures()
    assert found["run_missing",] == 1
    assert found["incidents_open", "run_failed"] == 1
    assert found["workers_alive",] == 1


def test_what_providers_answered_and_how_long_they_took_is_told(watched: Watched) -> None:
    with served(watched.shop, "2026-03-02T09:30:00Z") as address:
        found = Watched(watched.shop, address).figures()
    assert found["provider_replies", "sandbox_email", "accepted"] == 2
    assert 0 <= found["provider_seconds", "sandbox_email", "0.5"] < 10
    assert found["provider_state", "sandbox_email", "fit"] == 1
    assert found["provider_state", "sandbox_sms", "unproven"] == 1
    assert ("provider_seconds", "sandbox_sms", "0.5") not in found


def test_no_figure_names_a_person(watched: Watched) -> None:
    told = watched.get("/metrics").text
    assert not re.search(r"\bann\b|\bbob\b|@|\+1201", told)
