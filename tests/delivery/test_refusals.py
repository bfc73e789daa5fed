"""A playbook whose messages are refused alike is stopped, and one person is told once."""

import pytest
from shop import Shop, at, playbook, step

from automation.database.engine import Database
from automation.database.work import incidents, pauses, playbook_health
from automation.delivery.health.by_hand import resume
from automation.delivery.health.refusals import answers, hold_recent, note_answers
from automation.delivery.replies import Accepted, Refused, Reply

DAY1, NOON1, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
NOW = at(NOON1)
TAKEN = Accepted("x")
TOO_LONG, NO_SUCH = Refused("too_long", "message", ""), Refused("no_such_number", "recipient", "")
WRONG_KEY = Refused("http_401", "account", "")
WHOLE_CALL = Refused("http_422", "message", "", whole_call=True)
TEXT = step("one", "hello/text", "sms", late_by="2 days")


def heard(database: Database, replies: list[Reply], playbook: str = "care") -> None:
    with database.writing() as connection:
        new = answers((playbook, one) for one in replies)
        note_answers(connection, hold_recent(connection, new), new, NOW)


def is_paused(database: Database, scope: str = "playbook:care") -> bool:
    with database.reading() as connection:
        return scope in {row.scope for row in connection.execute(pauses.select())}


@pytest.mark.parametrize(
    ("replies", "paused"),
    [
        ([TOO_LONG] * 9 + [TAKEN] * 41, False),
        ([TOO_LONG] * 10 + [TAKEN] * 40, True),
        ([TAKEN] * 200 + [TOO_LONG] * 10, True),
        ([TOO_LONG] * 9 + [NO_SUCH] * 9, False),
        ([TOO_LONG] * 9 + [TAKEN] * 45 + [TOO_LONG] * 9, False),
        ([WRONG_KEY] * 50, False),
        ([WHOLE_CALL] * 50, False),
    ],
    ids=["few", "a fifth", "in the end", "unlike", "long ago", "the account", "whole calls"],
)
def test_a_fifth_of_the_last_fifty_refused_alike_is_too_much(
    database: Database, replies: list[Reply], paused: bool
) -> None:
    for one in replies:  # by whichever worker
        heard(database, [one])
    assert is_paused(database) is paused
    with database.reading() as connection:
        assert len(connection.execute(incidents.select()).all()) == paused


def test_a_playbook_answers_for_itself_alone_and_a_good_one_needs_no_row(database: Database) -> None:
    heard(database, [TOO_LONG] * 5, "care")
    heard(database, [TOO_LONG] * 5, "more")
    heard(database, [TAKEN] * 60, "good")
    assert not is_paused(database)
    with database.reading() as connection:
        assert {row.playbook for row in connection.execute(playbook_health.select())} == {"care", "more"}
    heard(database, [TAKEN] * 50, "more")
    with database.reading() as connection:
        assert {row.playbook for row in connection.execute(playbook_health.select())} == {"care"}


@pytest.fixture
def refused(shop: Shop) -> Shop:
    """Sixty texts that the provider does not want."""
    shop.write(care=playbook(TEXT), mail=playbook(step("one")))
    shop.customers(*(f"c{number:02}" for number in range(60)))
    shop.evaluate(DAY1)
    shop.fault(answer=422, times=1000, kind="twilio")
    return shop


def test_a_bad_text_stops_its_playbook_before_it_is_tried_on_everybody(refused: Shop) -> None:
    told = refused.send(NOON1)
    assert told["rejected"] == 1000 - refused.faults_left() == 10
    assert told["held"] == {"playbook_paused": 50}
    assert told["sent"] == 60  # the other playbook goes on
    (incident,) = refused.rows(incidents)
    assert (incident.kind, incident.about) == ("playbook_paused", "playbook:care")
    assert "automation resume care" in incident.words
    assert "@" not in incident.words


def test_to_a_provider_that_is_fit_no_more_than_those_under_way_are_posted(refused: Shop) -> None:
    refused.mended()
    refused.customers("first", email=None, email_consent=None)
    refused.evaluate("2026-03-02T05:30:00Z")
    refused.fault(answer=200, times=1, kind="twilio")
    refused.fault(answer=422, times=1000, kind="twilio")
    told = refused.send(NOON1)
    assert told["rejected"] <= 10 + 32 - 1  # concurrency
    assert len(refused.rows(incidents)) == 1


def test_mended_and_resumed_it_goes_on_and_the_count_starts_anew(refused: Shop) -> None:
    refused.send(NOON1)
    refused.mended()
    assert refused.send(NOON1)["sent"] == 0
    with refused.database.writing() as connection:
        resume(connection, "playbook:care", "Ada", "", at(LATER))
    refused.fault(answer=422, times=9, kind="twilio")
    told = refused.send(LATER)
    assert (told["sent"], told["rejected"]) == (41, 9)
    assert [row.closed_at for row in refused.rows(incidents)] == [at(LATER)]
