"""What somebody on call types: pauses, and messages that nobody knew of."""

import json
from typing import Any

import pytest
import typer
from shop import Shop, playbook, step
from typer.testing import CliRunner

from automation.cli import intervene
from automation.database.schema import audit_log
from automation.delivery.verify import verify
from automation.errors import BadInput, UnknownMessage

DAY1, NOON1, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"


@pytest.fixture(autouse=True)
def _planned(shop: Shop) -> None:
    shop.write(care=playbook(step("one", late_by="300 days")), more=playbook(stages=["gone"]))
    shop.customers("ada")
    shop.evaluate(DAY1)


def typed(shop: Shop, *words: str) -> Any:
    """What the command prints as JSON. Raises what it raises."""
    app = typer.Typer()
    intervene.add_to(app)
    config = str(shop.folder / "config.toml")
    done = CliRunner().invoke(app, [*words, "--config", config, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return [json.loads(line) for line in done.stdout.splitlines()]


def audit(shop: Shop) -> list[tuple[str, str, str, str]]:
    return [(row.actor, row.act, row.about, row.note) for row in shop.rows(audit_log)]


SCOPES = {
    "care": ("playbook:care", "playbook_paused"),
    "everything": ("everything", "everything_paused"),
    "customer:ada": ("customer:ada", "customer_paused"),
}


@pytest.mark.parametrize("what", SCOPES)
def test_a_pause_stops_the_sending_until_it_is_ended(shop: Shop, what: str) -> None:
    scope, reason = SCOPES[what]
    assert typed(shop, "pause", what, "--by", "Ada", "--note", "wrong price") == [{"paused": scope, "until": None}]
    assert shop.send(NOON1)["held"] == {reason: 1}
    ((pauses),) = typed(shop, "pauses")
    assert [(one["scope"], one["reason"]) for one in pauses["pauses"]] == [(scope, "wrong price")]
    typed(shop, "resume", what, "--by", "Bob")
    assert shop.send(LATER)["sent"] == 1
    assert audit(shop) == [("Ada", "pause", scope, "wrong price"), ("Bob", "resume", scope, "")]


def test_a_pause_may_end_by_itself(shop: Shop) -> None:
    typed(shop, "pause", "care", "--by", "Ada", "--until", "2999-01-01T00:00:00Z")
    ((pauses),) = typed(shop, "pauses")
    assert [one["until"] for one in pauses["pauses"]] == ["2999-01-01T00:00:00Z"]


def test_a_provider_that_was_paused_for_its_refusals_can_be_tried_again_at_once(shop: Shop) -> None:
    shop.pause("provider:sandbox_email")
    assert shop.send(NOON1)["sent"] == 0
    typed(shop, "resume", "provider:sandbox_email", "--by", "Ada")
    assert shop.send("2026-03-02T13:00:00Z")["sent"] == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["pause", "caer", "--by", "Ada"], 'did you mean "care"'),
        (["pause", "customer:bob", "--by", "Ada"], 'no customer has the id "bob"'),
        (["pause", "care", "--by", " "], "say who"),
        (["pause", "care", "--by", "Ada", "--until", "2020-01-01T00:00:00Z"], "in the future"),
        (["pause", "care", "--by", "Ada", "--until", "soon"], "--until"),
        (["resume", "care", "--by", "Ada"], "is not paused"),
    ],
)
def test_wrong_words_change_nothing_and_say_what_to_do(shop: Shop, words: list[str], told: str) -> None:
    with pytest.raises(BadInput, match=told):
        typed(shop, *words)
    assert audit(shop) == []
    assert typed(shop, "pauses") == [{"pauses": [], "slowed": {}}]


@pytest.fixture
def lost(shop: Shop) -> int:
    """The id of a message whose answer never came."""
    shop.fault(cut="after", times=1)
    assert shop.send(NOON1)["unknown"] == 1
    ((row),) = typed(shop, "unknown")
    assert row["status"] == "unknown"
    return int(row["message_id"])


@pytest.mark.parametrize("verdict", ["sent", "failed"])
def test_an_unknown_message_is_resolved_once_by_a_named_person(shop: Shop, lost: int, verdict: str) -> None:
    typed(shop, "resolve", str(lost), verdict, "--by", "Ada", "--note", "seen in their log")
    (row,) = shop.rows()
    assert (row.status, row.reason, row.sent_at is not None) == (verdict, "resolved", verdict == "sent")
    assert audit(shop) == [("Ada", f"resolve {verdict}", f"message:{lost}", "seen in their log")]
    assert typed(shop, "unknown") == []
    assert verify(shop.database, shop.settings).ok
    with pytest.raises(BadInput, match="only an unknown one"):
        typed(shop, "resolve", str(lost), "sent", "--by", "Bob")
    assert shop.send(LATER)["sent"] == 0


def test_the_providers_can_be_asked_at_once_what_became_of_them(shop: Shop, lost: int) -> None:
    shop.fault(asked="look_up", answer=500, times=1)
    assert typed(shop, "unknown", "--look-up", "--now", LATER) == [{"asked": 1, "found": 0, "silent": 1}]
    assert typed(shop, "unknown", "--look-up", "--now", LATER) == [{"asked": 1, "found": 1, "silent": 0}]
    assert typed(shop, "unknown") == []
    assert audit(shop)[0][:3] == ("look-up", "resolve sent", f"message:{lost}")
    assert verify(shop.database, shop.settings).ok


def test_a_message_is_sent_again_by_a_named_person_who_says_why(shop: Shop) -> None:
    shop.send(NOON1)
    (row,) = shop.rows()
    ((told),) = typed(shop, "resend", str(row.message_id), "--by", "Ada", "--note", "lost it", "--now", LATER)
    assert (told["again_of"], told["waits_until"]) == (row.message_id, None)
    assert audit(shop) == [("Ada", "resend", f"message:{told['message_id']}", "lost it")]
    assert shop.send(LATER)["sent"] == 1
    with pytest.raises(BadInput, match="--note: say why"):
        typed(shop, "resend", str(row.message_id), "--by", "Ada", "--now", LATER)


def test_only_a_message_that_is_there_can_be_resolved(shop: Shop) -> None:
    with pytest.raises(UnknownMessage):
        typed(shop, "resolve", "77", "sent", "--by", "Ada")


def test_alerts_are_listed_while_they_last_and_afterwards_on_request(shop: Shop) -> None:
    assert typed(shop, "alerts") == [{"alerts": []}]
    shop.fault(answer=401, times=3, kind="postmark")
    for moment in ("2026-03-02T11:00:00Z", "2026-03-02T11:05:00Z", "2026-03-02T11:10:00Z"):
        shop.send(moment)
    ((alerts),) = typed(shop, "alerts")
    (alert,) = alerts["alerts"]
    assert (alert["kind"], alert["about"], alert["closed_at"]) == ("provider_paused", "provider:sandbox_email", None)
    assert shop.send("2026-03-02T12:00:00Z")["sent"] == 1
    assert typed(shop, "alerts") == [{"alerts": []}]
    ((alerts),) = typed(shop, "alerts", "--all")
    assert [one["closed_at"] for one in alerts["alerts"]] == ["2026-03-02T12:00:00Z"]


def test_a_rate_that_a_provider_slowed_down_is_shown(shop: Shop) -> None:
    shop.fault(answer=429, kind="postmark")
    shop.send(NOON1)
    ((pauses),) = typed(shop, "pauses")
    assert pauses["slowed"]["sandbox_email"].startswith("5")
    assert pauses["slowed"]["sandbox_email"].endswith("/second")
