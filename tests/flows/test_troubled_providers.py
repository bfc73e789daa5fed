"""Whatever a provider answers, and however slowly: one customer's message meets it, and nobody else's does."""

import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import loopback
import pytest
from shop import Shop, at, playbook, step

from automation.database.schema import attempts
from automation.delivery.http import BODY_LIMIT
from automation.delivery.verify import verify

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
TEXTS = playbook(step("text", "hello/text", "sms"), kind="transactional")
NAMES = ("ada", "bob", "cem", "dee")
DEADLINE = timedelta(seconds=1)
GIGABYTE = 1_000_000_000
TAKEN = ("sent", None, "no_provider_id")
NOBODY_KNOWS = ("unknown", "no_answer", None)
REFUSED = ("rejected", "provider_refused", None)
JSON = "application/json"


def asked(shop: Shop) -> dict[str, int]:
    """How often the sandbox was asked for what, and how many bytes of floods it let go."""
    found: dict[str, int] = loopback.get(f"{shop.url}/api/requests").json()
    return found


def well_again(shop: Shop) -> None:
    loopback.delete(f"{shop.url}/faults").raise_for_status()


def later(minutes: float) -> str:
    return (at(NOON1) + timedelta(minutes=minutes)).isoformat()


@pytest.fixture
def due(shop: Shop) -> Shop:
    """An email and a text for each of four customers, one a call, by providers that have a second to answer."""
    shop.batch = 1
    shop.write(care=playbook(), texts=TEXTS)
    config = shop.folder / "config.toml"
    config.write_text(config.read_text().replace('timeout = "2 seconds"', 'timeout = "1 second"'))
    shop.customers(*NAMES)
    shop.evaluate(DAY1)
    return shop


# What an answer means has nothing to do with the database.
any_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TROUBLES: dict[str, tuple[dict[str, Any], tuple[str, str | None, str | None]]] = {
    "it takes the message and hangs": ({"hang": 60}, NOBODY_KNOWS),
    "it takes the message and hangs up": ({"cut": "after"}, NOBODY_KNOWS),
    "it hangs up": ({"cut": "before"}, NOBODY_KNOWS),
    "half of an answer": ({"cut": "half"}, TAKEN),
    "a page": ({"answer": 200, "body": "<h1>Welcome</h1>"}, TAKEN),
    "a page that says it is JSON": ({"answer": 200, "body": "<h1>Welcome</h1>", "type": JSON}, TAKEN),
    "the page of a proxy": ({"answer": 502, "body": "<h1>Bad Gateway</h1>"}, NOBODY_KNOWS),
    "nothing at all": ({"answer": 204}, TAKEN),
    "a success with an error in it": (
        {"answer": 200, "body": '{"ErrorCode": 300, "Message": "No."}', "type": JSON, "taken": False},
        REFUSED,
    ),
    "an id that no database may keep": (
        {"answer": 200, "body": '{"ErrorCode": 0, "MessageID": "a\\u0000b"}', "type": JSON},
        TAKEN,
    ),
    "a byte a second": ({"drip": 1}, NOBODY_KNOWS),
    "a byte a second after its head": ({"drip": 1, "head": False}, TAKEN),
}


@any_database
@pytest.mark.parametrize("trouble", TROUBLES)
def test_one_message_meets_it_and_no_other(due: Shop, trouble: str) -> None:
    fault, (status, reason, flags) = TROUBLES[trouble]
    due.fault(**fault, kind="postmark")
    began = time.monotonic()
    told = due.send(NOON1)
    assert time.monotonic() - began < DEADLINE.total_seconds() + 2
    met = [(row.status, row.reason, row.flags) for row in due.rows()]
    assert sorted(map(str, met)) == sorted(map(str, [(status, reason, flags), *[("sent", None, None)] * 7]))
    assert told["sent"] + told["unknown"] + told["rejected"] == 8
    assert due.send(NOON1)["sent"] == 0
    assert asked(due) == {"postmark send": 4, "twilio send": 4}
    assert verify(due.database, due.settings).ok


@any_database
@pytest.mark.parametrize("packed", [False, True])
def test_a_body_without_end_is_cut_off_before_it_fills_the_memory(due: Shop, packed: bool) -> None:
    due.fault(flood=GIGABYTE // 10 if packed else GIGABYTE, gzip=packed, kind="postmark")
    tracemalloc.start()
    began = time.monotonic()
    assert due.send(NOON1)["sent"] == 8
    assert time.monotonic() - began < DEADLINE.total_seconds() + 2
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 20 * BODY_LIMIT
    assert [row.flags for row in due.rows()].count("no_provider_id") == 1
    assert asked(due)["flooded"] < 20 * BODY_LIMIT
    assert verify(due.database, due.settings).ok


@any_database
@pytest.mark.parametrize("garble", ["fewer", "more", "turned"])
@pytest.mark.parametrize("kind", ["postmark", "resend"])
def test_what_cannot_be_matched_to_its_message_was_taken_all_the_same(shop: Shop, kind: str, garble: str) -> None:
    shop.kind = kind
    shop.write(care=playbook())
    shop.customers(*NAMES)
    shop.evaluate(DAY1)
    shop.fault(garble=garble)
    assert shop.send(NOON1)["sent"] == 4
    assert shop.send(NOON1)["sent"] == 0
    assert len(shop.log()) == 4
    known = {one["mid"]: one["provider_id"] for one in shop.log()}
    if kind == "postmark":  # it says to whom each answer belongs
        assert all(row.provider_id in {None, known[str(row.message_id)]} for row in shop.rows())


IN_TWO_MINUTES = format_datetime(at(NOON1) + timedelta(minutes=2), usegmt=True)
LONG_AGO = format_datetime(datetime(1994, 11, 15, tzinfo=UTC), usegmt=True)
SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)


@any_database
@pytest.mark.parametrize(
    ("wish", "shortest", "longest"),
    [
        ("120", 2 * MINUTE, 3 * MINUTE),
        (IN_TWO_MINUTES, 2 * MINUTE, 3 * MINUTE),
        (LONG_AGO, SECOND, MINUTE),
        ("1000000000", HOUR, HOUR + MINUTE),
        ("-5", SECOND, MINUTE),
        ("soon", SECOND, MINUTE),
        (None, SECOND, MINUTE),
    ],
)
def test_asked_to_wait_it_waits_as_long_as_that_makes_sense(
    due: Shop, wish: str | None, shortest: timedelta, longest: timedelta
) -> None:
    due.fault(answer=429, kind="postmark", **({} if wish is None else {"retry_after": wish}))
    told = due.send(NOON1)
    assert (told["sent"], asked(due)) == (4, {"postmark send": 1, "twilio send": 4})  # the texts went
    (tried,) = [row for row in due.rows() if row.attempts and row.channel == "email"]
    assert shortest <= tried.due_at - at(NOON1) <= longest
    assert due.send(NOON1)["sent"] == 0
    assert asked(due)["postmark send"] == 1
    for minutes in (5, 62, 64):  # a pause may end before the rows that wait for it
        due.send(later(minutes))
    assert {row.status for row in due.rows()} == {"sent"}
    assert len(due.log()) == 8
    assert verify(due.database, due.settings).ok


@pytest.mark.parametrize(("kind", "status"), [("postmark", 503), ("postmark", 500), ("resend", 500)])
def test_an_hour_of_server_errors_is_no_hot_loop_and_loses_nothing(shop: Shop, kind: str, status: int) -> None:
    shop.kind, shop.batch = kind, 1
    shop.write(care=playbook(step("hello", on_unknown="resend", late_by="3 days")))
    shop.customers(*NAMES)
    shop.evaluate(DAY1)
    shop.fault(answer=status, times=1_000_000)
    for minutes in range(0, 60, 6):
        shop.send(later(minutes))
    assert asked(shop)[f"{kind} send"] <= len(NAMES) * 12
    assert {row.status for row in shop.rows()} <= {"planned", "sending"}
    well_again(shop)
    for minutes in (120, 190, 260):
        shop.send(later(minutes))
    assert {row.status for row in shop.rows()} == {"sent"}
    assert len(shop.log()) == len(NAMES)
    assert verify(shop.database, shop.settings).ok


def test_without_leave_to_send_again_an_hour_of_server_errors_costs_one_post_a_message(due: Shop) -> None:
    due.fault(answer=500, times=1_000_000, kind="postmark")
    for minutes in range(0, 60, 10):
        due.send(later(minutes))
    assert asked(due) == {"postmark send": 4, "twilio send": 4}
    assert sorted(row.status for row in due.rows()) == ["sent"] * 4 + ["unknown"] * 4
    assert verify(due.database, due.settings).ok


def test_when_the_key_is_forgotten_nobody_knows_and_nobody_asks_again(shop: Shop) -> None:
    shop.kind = "resend"
    shop.write(care=playbook(step("hello", on_unknown="resend", late_by="9 days")))
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    shop.fault(answer=500, taken=True, times=1_000_000)
    for hours in range(0, 26, 2):
        shop.send(later(60 * hours))
    assert [(row.status, row.reason) for row in shop.rows()] == [("unknown", "no_answer")] * 2
    assert all(row.started_at - at(NOON1) < timedelta(hours=24) for row in shop.rows(attempts))
    assert len(shop.log()) == 2  # the same call under the same key is taken once
    well_again(shop)
    before = asked(shop)
    assert shop.send(later(60 * 27))["sent"] == 0
    assert asked(shop) == before
    assert verify(shop.database, shop.settings).ok
