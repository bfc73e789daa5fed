"""What support staff type, and what they read: the commands themselves, after real runs."""

import csv
import io
import json
from typing import Any

import pytest
import typer
from shop import Shop, playbook, step
from sqlalchemy import insert, select, text, update
from typer.testing import CliRunner

from automation.cli import support
from automation.cli.output import console
from automation.database.schema import SHARDS, messages, outcomes
from automation.delivery.answers.history import LOG_KEYS, of_customer
from automation.errors import AutomationError, BadInput, UnknownCustomer, UnknownMessage, UnknownPlaybook
from automation.reasons import Reason
from automation.values import instant

RUN, SENT, LATER = "2026-01-10T05:00:00Z", "2026-01-10T09:00:00Z", "2026-01-10T12:00:00Z"
MISSED = """+++
subject = "We miss you, {{ customer.first_name }}"
+++
You spent {{ facts.revenue | money("EUR") }}.
"""


@pytest.fixture(autouse=True)
def _sent(shop: Shop) -> None:
    """A run, what was due of it sent, and three days later Anna's second message."""
    steps = step("we_miss_you", "hello/missed", at="10:00")
    steps += step("reminder", "hello/text", "sms", after="3 days", when="can_sms")
    shop.write(win_back=playbook(steps, stages=["leaving"]), welcome=playbook(stages=["aware"]))
    with (shop.folder / "playbooks" / "facts.toml").open("a") as facts:
        facts.write('[revenue]\nevent = "Order"\nsum = "revenue"\n')
    (shop.folder / "templates" / "hello" / "missed.en.md").write_text(MISSED)
    (shop.folder / "templates" / "hello" / "text.en.txt").write_text("Come back, {{ customer.first_name }}!")
    shop.customers("anna", "carl", now="2026-01-02T09:00:00Z", first_name="Ánna")
    shop.customers("bob", now="2026-01-02T09:00:00Z", email_consent=None, sms_consent=None)
    for customer in ("anna", "bob"):
        shop.orders(customer, "2025-10-01T09:00:00Z", revenue=1240.5)
    shop.evaluate(RUN)
    shop.send(SENT)
    shop.send("2026-01-13T09:00:00Z")


@pytest.fixture(autouse=True)
def _wide_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 160)


def typed(shop: Shop, *words: str) -> str:
    """What the command prints on standard output. Raises what it raises."""
    app = typer.Typer()
    support.add_to(app)
    done = CliRunner().invoke(app, [*words, "--config", str(shop.folder / "config.toml")], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def told(shop: Shop, *words: str) -> Any:
    return json.loads(typed(shop, *words, "--json"))


def logged(shop: Shop, *words: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in typed(shop, "log", *words, "--json").splitlines()]


def refused(shop: Shop, kind: type[AutomationError], *words: str) -> str:
    with pytest.raises(kind) as caught:
        typed(shop, *words)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_stages_are_those_of_the_last_run_or_of_any_instant(shop: Shop) -> None:
    found = told(shop, "stages")
    assert (found["now"], found["lifecycle"]) == (RUN, "small")
    assert found["stages"][3] == {"key": "gone", "name": "Gone", "roles": ["leaving"], "customers": 2}
    then = told(shop, "stages", "--now", "2025-10-02T05:00:00Z")
    assert [one["customers"] for one in then["stages"]] == [1, 2, 0, 0]
    assert "Gone" in typed(shop, "stages")


def test_a_customer_is_told_whole_and_as_of_an_instant(shop: Shop) -> None:
    found = told(shop, "customer", "anna", "--now", LATER)
    keys = "customer_id stage facts stage_changes consents enrollments messages texts profile"
    assert list(found) == keys.split()
    assert (found["stage"], found["facts"]["role"]) == ("gone", "leaving")
    assert found["facts"] | {"orders": 1, "revenue": 1240.5, "days_in_stage": 0, "can_sms": True} == found["facts"]
    assert found["stage_changes"] == [
        {"day": "2026-01-10", "from": None, "to": "gone", "move": "first", "changed_at": RUN}
    ]
    assert [(one["channel"], one["granted"]) for one in found["consents"]] == [("email", True), ("sms", True)]
    assert [(one["playbook"], one["exited_at"]) for one in found["enrollments"]] == [("win_back", None)]
    assert [(one["step"], one["status"]) for one in found["messages"]] == [
        ("reminder", "planned"),
        ("we_miss_you", "sent"),
    ]
    earlier = told(shop, "customer", "anna", "--now", "2025-12-01T09:00:00Z")
    assert earlier["stage"] == "gone"
    assert earlier["messages"] == earlier["enrollments"] == earlier["stage_changes"] == []
    assert len(earlier["consents"]) == 2  # imported: when they were given nobody told


def test_a_customer_on_the_screen_reads_in_the_zone_of_the_business(shop: Shop) -> None:
    shown = typed(shop, "customer", "anna", "--now", LATER)
    assert "anna stands in Gone" in shown
    assert "2025-10-01 11:00 CEST (101 days ago)" in shown
    assert "1,240.50" in shown


def test_explain_prints_a_sentence_first_and_every_check_as_json(shop: Shop) -> None:
    found = told(shop, "explain", "bob", "win_back", "--now", LATER)
    assert list(found) == ["customer_id", "now", "playbooks"]
    (playbook,) = found["playbooks"]
    assert list(playbook) == ["playbook", "verdict", "reason", "checks"]
    assert (playbook["verdict"], playbook["reason"]) == ("in_progress", "no_consent")
    assert all(list(check) == ["rule", "value", "passed"] for check in playbook["checks"])
    shown = typed(shop, "explain", "bob", "--now", LATER)
    assert f"win_back: is in it now. {Reason.NO_CONSENT.sentence}" in shown
    assert "✗   consent" in shown
    assert "✓ stage in (gone)" in shown


def test_the_log_is_newest_first_with_exactly_its_keys(shop: Shop) -> None:
    rows = logged(shop)
    assert {tuple(row) for row in rows} == {LOG_KEYS}
    assert [row["planned_at"] for row in rows] == sorted((row["planned_at"] for row in rows), reverse=True)
    sent = next(row for row in rows if row["customer_id"] == "anna" and row["step"] == "we_miss_you")
    assert (sent["status"], sent["to"], sent["attempts"], sent["sent_at"]) == ("sent", "anna@example.com", 1, SENT)
    assert sent["provider"] == "sandbox_email"


def test_each_filter_of_the_log_keeps_what_it_says(shop: Shop) -> None:
    everything = logged(shop)
    for word, key, value in (
        ("--customer", "customer_id", "bob"),
        ("--playbook", "playbook", "welcome"),
        ("--status", "status", "skipped"),
        ("--reason", "reason", "no_consent"),
    ):
        assert logged(shop, word, value) == [row for row in everything if row[key] == value]
    assert logged(shop, "--since", SENT) == [row for row in everything if row["planned_at"] > RUN] != []
    assert logged(shop, "--since", "2026-01-11") == logged(shop, "--until", "2026-01-09") == []
    assert logged(shop, "--since", "2026-01-10", "--until", "2026-01-10") == everything
    assert logged(shop, "--since", RUN, "--until", RUN) == [row for row in everything if row["planned_at"] == RUN]
    assert logged(shop, "--limit", "2") == everything[:2]


def test_the_strongest_outcome_stands_in_the_log(shop: Shop) -> None:
    sent = logged(shop, "--status", "sent", "--customer", "anna")[0]
    of = {"shard": sent["message_id"] % SHARDS, "message_id": sent["message_id"], "provider": "sandbox_email"}
    moments = {"bounced_soft": "10:00", "delivered": "09:30", "complained": "09:45", "opened": "11:00"}
    rows = [
        {**of, "event_key": name, "outcome": name, "happened_at": instant(f"2026-01-13T{at}:00Z")}
        for name, at in moments.items()
    ]
    with shop.database.writing() as connection:
        connection.execute(insert(outcomes), [{**row, "received_at": row["happened_at"]} for row in rows])
    found = logged(shop, "--customer", "anna", "--status", "sent")[0]
    assert (found["outcome"], found["outcome_at"]) == ("complained", "2026-01-13T09:45:00Z")
    assert [one["outcome"] for one in told(shop, "message", str(sent["message_id"]))["outcomes"]] == [
        "delivered",
        "complained",
        "bounced_soft",
        "opened",
    ]


def test_no_cell_of_the_csv_is_a_formula(shop: Shop) -> None:
    rows = list(csv.DictReader(io.StringIO(typed(shop, "log", "--csv"))))
    assert tuple(rows[0]) == LOG_KEYS
    assert len(rows) == len(logged(shop))
    assert {row["to"] for row in rows if row["channel"] == "sms"} == {"'+12015550123"}


def test_the_log_on_the_screen_names_step_and_reason(shop: Shop) -> None:
    shown = typed(shop, "log", "--customer", "bob")
    assert "win_back/we_miss_you" in shown
    assert "skipped: no_consent" in shown


def test_wrong_words_are_refused_with_the_nearest_right_one(shop: Shop) -> None:
    assert 'did you mean "skipped"' in refused(shop, BadInput, "log", "--status", "skiped")
    assert 'did you mean "win_back"' in refused(shop, BadInput, "log", "--playbook", "winback")
    assert 'did you mean "win_back"' in refused(shop, UnknownPlaybook, "explain", "anna", "winback")
    assert "--since" in refused(shop, BadInput, "log", "--since", "yesterday")
    assert "2026-13-01" in refused(shop, BadInput, "log", "--until", "2026-13-01")
    assert "one log" in refused(shop, BadInput, "log", "--csv", "--json")
    for words in (["customer", "nobody"], ["explain", "nobody"], ["log", "--customer", "nobody"]):
        assert "nobody" in refused(shop, UnknownCustomer, *words)
    assert "999999" in refused(shop, UnknownMessage, "message", "999999")


def test_a_playbook_that_is_gone_can_still_be_found_in_the_log(shop: Shop) -> None:
    (shop.folder / "playbooks" / "win_back.toml").unlink()
    assert {row["playbook"] for row in logged(shop, "--playbook", "win_back")} == {"win_back"}


def test_a_message_has_its_attempts_and_the_copy_that_was_sent(shop: Shop) -> None:
    row = logged(shop, "--customer", "anna", "--status", "sent")[-1]
    found = told(shop, "message", str(row["message_id"]))
    assert found["step"] == "we_miss_you"
    assert [(one["number"], one["reply"]) for one in found["attempts"]] == [(1, "accepted")]
    assert found["content"]["subject"] == "We miss you, Ánna"
    assert "€1,240.50" in found["content"]["text"]
    assert found["content"]["verified"] is True
    shown = typed(shop, "message", str(row["message_id"]))
    assert "Subject: We miss you, Ánna" in shown
    assert "to the letter" in shown


def test_a_template_changed_since_does_not_change_the_copy(shop: Shop) -> None:
    (shop.folder / "templates" / "hello" / "missed.en.md").write_text('+++\nsubject = "New"\n+++\nNew\n')
    row = logged(shop, "--customer", "anna", "--status", "sent")[-1]
    assert told(shop, "message", str(row["message_id"]))["content"]["subject"] == "We miss you, Ánna"


def test_a_copy_that_is_not_what_was_sent_says_so(shop: Shop) -> None:
    row = logged(shop, "--customer", "anna", "--status", "sent")[-1]
    with shop.database.writing() as connection:
        same = messages.c.message_id == row["message_id"]
        connection.execute(update(messages).where(same).values(content_hash="0"))
    assert told(shop, "message", str(row["message_id"]))["content"]["verified"] is False
    assert "WARNING" in typed(shop, "message", str(row["message_id"]))


def test_an_sms_shows_its_encoding_and_segments(shop: Shop) -> None:
    row = logged(shop, "--customer", "anna", "--status", "sent")[0]
    content = told(shop, "message", str(row["message_id"]))["content"]
    assert content == {"text": "Come back, Ánna!", "encoding": "UCS-2", "units": 16, "segments": 1, "verified": True}
    assert "UCS-2, 16 characters, billed as 1" in typed(shop, "message", str(row["message_id"]))


def test_a_message_that_was_never_sent_has_no_copy_and_says_why(shop: Shop) -> None:
    row = logged(shop, "--customer", "bob", "--status", "skipped")[-1]
    found = told(shop, "message", str(row["message_id"]))
    assert (found["content"], found["attempts"], found["why"]) == (None, [], Reason.NO_CONSENT.sentence)
    assert "no copy" in typed(shop, "message", str(row["message_id"]))


def test_a_customers_log_is_read_through_an_index(shop: Shop) -> None:
    if not shop.database.is_sqlite:
        pytest.skip("the other database plans by its statistics")
    with shop.database.reading() as connection:
        asked = select(messages.c.status).where(of_customer("anna"))
        words = str(asked.compile(connection, compile_kwargs={"literal_binds": True}))
        plan = [row.detail for row in connection.execute(text(f"EXPLAIN QUERY PLAN {words}"))]
    assert plan[0] == "SEARCH messages USING PRIMARY KEY (shard=? AND message_id=?)"
    assert "messages_of_customer (shard=? AND customer_id=?)" in plan[-1]
