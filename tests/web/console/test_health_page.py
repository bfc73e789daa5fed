"""How the machinery is, and the brake: what support may stop and let go on, with a reason that stays on record."""

import re

import pytest
from console_visiting import NOW, Visiting
from shop import at
from sqlalchemy import insert, select

from automation.database.schema import audit_log
from automation.database.work import checks, downtimes, pauses, provider_health, workers
from automation.delivery.alerts.incidents import close_incident, open_incident
from automation.delivery.health.by_hand import pause

EARLIER = at("2026-03-03T09:00:00Z")


def page(console: Visiting, role: str = "support") -> str:
    answer = console.signed_in(role).get("/health")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def paused(console: Visiting) -> list[tuple[str, str]]:
    with console.database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(pauses.c.scope, pauses.c.reason))]


def acts(console: Visiting) -> list[tuple[str, str, str, str]]:
    columns = audit_log.c["actor", "act", "about", "note"]
    with console.database.reading() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(audit_log.c.number))]


def test_support_pauses_everything_with_a_reason_and_lets_it_go_on(console: Visiting) -> None:
    support = console.signed_in("support")
    answer = support.post("/health/pause", data={"scope": "everything", "reason": "wrong price"})
    assert answer.headers["location"] == "/health?told=health.paused"
    assert paused(console) == [("everything", "wrong price")]
    assert "All sending is paused since 2026-03-03 13:00 wrong price" in page(console)
    support.post("/health/resume", data={"scope": "everything", "reason": "price is right"})
    assert paused(console) == []
    assert acts(console) == [
        ("support", "pause", "everything", "wrong price"),
        ("support", "resume", "everything", "price is right"),
    ]


def test_one_provider_is_paused_and_says_so_in_its_row(console: Visiting) -> None:
    console.signed_in("support").post("/health/pause", data={"scope": "provider:sandbox_sms", "reason": "no credit"})
    assert paused(console) == [("provider:sandbox_sms", "no credit")]
    assert "sandbox_sms twilio paused no credit" in page(console)
    assert "Resume sandbox_sms" in page(console)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"scope": "everything", "reason": "  "}, "Say why; the reason stays on record"),
        ({"scope": "customer:ada", "reason": "x"}, "Nothing of that name"),
        ({"scope": "provider:nobody", "reason": "x"}, "Nothing of that name"),
        ({}, "Nothing of that name"),
    ],
)
def test_what_cannot_be_paused_is_said_on_the_page_and_nothing_happens(
    console: Visiting, data: dict[str, str], told: str
) -> None:
    answer = console.signed_in("support").post("/health/pause", data=data)
    assert answer.status_code == 422
    assert told in answer.text
    assert (paused(console), acts(console)) == ([], [])


def test_what_is_not_paused_cannot_be_resumed(console: Visiting) -> None:
    answer = console.signed_in("support").post("/health/resume", data={"scope": "everything", "reason": "x"})
    assert answer.status_code == 422
    assert "is not paused" in answer.text


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_others_see_the_page_without_the_brake(console: Visiting, role: str) -> None:
    assert "Pause sandbox_email" not in page(console, role)
    assert "sandbox_email" in page(console, role)
    assert "Pause sandbox_email" in page(console)


def test_a_providers_answers_and_its_slowed_rate_are_told(console: Visiting) -> None:
    slow = {"provider": "sandbox_sms", "proven": True, "share": 0.25, "slowed_at": at(NOW)}
    with console.database.writing() as connection:
        connection.execute(insert(provider_health), slow)
    told = page(console)
    assert "sandbox_sms twilio slowed down Rate in force 2500/second" in told
    assert "2026-03-02 12:00 accepted 200" in told  # the last answer of the other one


def test_workers_downtimes_and_nights_are_told(console: Visiting) -> None:
    signs = {"name": "far-away:1", "started_at": EARLIER, "seen_at": at(NOW)}
    gap = {"began_at": EARLIER, "ended_at": at("2026-03-03T11:30:00Z"), "cost": {"expired": 3, "canceled": 1}}
    night = {"date": at(NOW).date(), "worker": "far-away:1", "started_at": EARLIER, "finished_at": EARLIER}
    found = {"counts": {"I1": 2}, "violations": [], "seconds": 1.5}
    with console.database.writing() as connection:
        connection.execute(insert(workers), signs)
        connection.execute(insert(downtimes), gap)
        connection.execute(insert(checks), {**night, "ok": False, "found": found})
    told = page(console)
    assert "far-away:1 alive 2026-03-03 10:00 2026-03-03 13:00" in told
    assert "2026-03-03 10:00 2026-03-03 12:30 2 h 30 min 4" in told
    assert "2026-03-03 2 violations; `automation verify` lists them 1.5 s" in told


def test_runs_are_told_with_what_they_changed(console: Visiting) -> None:
    assert re.search(r"2026-03-02 done 2026-03-02 06:00 [\d.]+ s 3 \d", page(console))


def test_incidents_that_last_and_those_that_are_over_are_told_apart(console: Visiting) -> None:
    with console.database.writing() as connection:
        open_incident(connection, "run_failed", "evaluate", "evaluate failed", EARLIER)
        open_incident(connection, "call_not_read", "provider:x", "a call cannot be read", EARLIER)
        close_incident(connection, "run_failed", "evaluate", at(NOW))
    told = page(console)
    now, over = told.index("Somebody has to know"), told.index("What is over")
    assert now < told.index("a call cannot be read") < over < told.index("evaluate failed")


def test_a_pause_of_a_playbook_leads_to_its_page(console: Visiting) -> None:
    with console.database.writing() as connection:
        pause(connection, "playbook:hello", "grace", "typo", None, EARLIER)
    assert 'href="/playbooks/hello"' in console.signed_in("viewer").get("/health").text
