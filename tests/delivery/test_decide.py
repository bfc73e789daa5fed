"""The gates: in order, the first that speaks decides."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from automation.delivery.decide import GATES, Case, Decision, Hold, Limits, Send, Skip, Span, Traffic, decide
from automation.reasons import Reason
from automation.values import window

ROME, NEW_YORK = ZoneInfo("Europe/Rome"), ZoneInfo("America/New_York")
NOON = datetime(2026, 3, 10, 11, tzinfo=UTC)  # noon in Rome
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OPEN = Case(
    message_id=1,
    customer_id="ada",
    playbook="care",
    at=NOON,
    due_at=NOON,
    deadline=NOON + DAY,
    priority=50,
    is_marketing=True,
    zones=(ROME,),
    limits=Limits(window(["08:00", "21:00"]), per_day=1, per_week=3),
    traffic=Traffic(),
    address="ada@example.com",
    consented=True,
    arm="main",
)


def rival(priority: int, due_at: datetime = NOON) -> Traffic:
    return Traffic(planned={1: (50, NOON), 2: (priority, due_at)})


def sent(*moments: datetime) -> Traffic:
    return Traffic(sent={number: Span(moment, moment) for number, moment in enumerate(moments, start=10)})


TOMORROW_8 = datetime(2026, 3, 11, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "decision"),
    [
        ({}, Send()),
        ({"erased": True}, Skip(Reason.ERASED, "canceled")),
        ({"suppressed": True}, Skip(Reason.SUPPRESSED_ADDRESS)),
        ({"address": None}, Skip(Reason.NO_ADDRESS)),
        ({"consented": None}, Skip(Reason.NO_CONSENT)),
        ({"consented": False}, Skip(Reason.NO_CONSENT)),
        ({"pauses": {"everything": None}}, Hold(NOON + timedelta(minutes=5), Reason.EVERYTHING_PAUSED)),
        ({"pauses": {"playbook:care": NOON + HOUR}}, Hold(NOON + HOUR, Reason.PLAYBOOK_PAUSED)),
        ({"pauses": {"playbook:other": None}}, Send()),
        ({"pauses": {"customer:ada": NOON + HOUR}}, Hold(NOON + HOUR, Reason.CUSTOMER_PAUSED)),
        ({"pauses": {"customer:bob": None}}, Send()),
        ({"ended": Reason.GOAL_MET}, Skip(Reason.GOAL_MET, "canceled")),
        ({"step_holds": False}, Skip(Reason.STEP_RULE)),
        ({"at": NOON + DAY}, Send()),
        ({"at": NOON + DAY + timedelta(seconds=1)}, Skip(Reason.TOO_LATE, "expired")),
        ({"offer_expires": NOON}, Skip(Reason.OFFER_EXPIRED, "expired")),
        ({"offer_expires": NOON + HOUR}, Send()),
        ({"arm": "holdout"}, Skip(Reason.HOLDOUT)),
        ({"traffic": rival(80)}, Hold(TOMORROW_8, Reason.OUTRANKED)),
        ({"traffic": rival(20)}, Send()),
        ({"traffic": rival(80, NOON + DAY)}, Send()),
        ({"traffic": sent(NOON - HOUR)}, Hold(TOMORROW_8, Reason.OVER_CAP)),
        ({"traffic": sent(NOON - DAY)}, Send()),
        ({"at": NOON + 11 * HOUR}, Hold(TOMORROW_8, Reason.OUTSIDE_WINDOW)),
        ({"provider_free_at": NOON + HOUR}, Hold(NOON + HOUR, Reason.PROVIDER_PAUSED)),
    ],
)
def test_each_gate_says_what_it_says(change: dict[str, Any], decision: Decision) -> None:
    assert decide(replace(OPEN, **change)) == decision


def test_the_gates_stand_in_the_promised_order() -> None:
    shut: dict[str, Any] = {
        "erased": True,
        "suppressed": True,
        "address": None,
        "consented": None,
        "pauses": {"everything": None},
        "ended": Reason.GOAL_MET,
        "step_holds": False,
        "offer_expires": NOON,
        "arm": "holdout",
    }
    reasons = []
    for name in list(shut):
        reasons.append(decide(replace(OPEN, **shut)).reason)  # type: ignore[union-attr]
        shut.pop(name)
    assert reasons == [
        Reason.ERASED,
        Reason.SUPPRESSED_ADDRESS,
        Reason.NO_ADDRESS,
        Reason.NO_CONSENT,
        Reason.EVERYTHING_PAUSED,
        Reason.GOAL_MET,
        Reason.STEP_RULE,
        Reason.OFFER_EXPIRED,
        Reason.HOLDOUT,
    ]
    assert [gate.__name__ for gate in GATES][-4:] == ["outranked", "over_cap", "outside_window", "provider_paused"]


@pytest.mark.parametrize("change", [{"consented": None}, {"arm": "holdout"}, {"at": NOON + 11 * HOUR}])
def test_a_transactional_message_asks_for_no_consent_cap_window_or_holdout(change: dict[str, Any]) -> None:
    receipt = replace(OPEN, is_marketing=False, traffic=sent(NOON, NOON, NOON), **change)
    assert decide(receipt) == Send()
    assert decide(replace(receipt, suppressed=True)) == Skip(Reason.SUPPRESSED_ADDRESS)


def test_the_day_of_a_cap_is_the_customers_own() -> None:
    late_evening_in_new_york = datetime(2026, 3, 10, 2, tzinfo=UTC)  # still the 9th there, already the 10th in Rome
    yesterday_there = replace(OPEN, zones=(NEW_YORK,), at=NOON + 2 * HOUR, traffic=sent(late_evening_in_new_york))
    assert decide(yesterday_there) == Send()
    assert decide(replace(OPEN, traffic=sent(late_evening_in_new_york))) == Hold(TOMORROW_8, Reason.OVER_CAP)


def test_a_weekly_cap_holds_in_any_seven_local_days() -> None:
    week = sent(NOON - 6 * DAY, NOON - 4 * DAY, NOON - 2 * DAY)
    patient = replace(OPEN, traffic=week, deadline=NOON + 9 * DAY)
    assert decide(patient) == Hold(TOMORROW_8, Reason.OVER_CAP)
    assert decide(replace(patient, at=NOON + DAY)) == Send()


def test_what_cannot_wait_for_the_cap_is_skipped_for_that_reason() -> None:
    assert decide(replace(OPEN, traffic=sent(NOON - HOUR), deadline=NOON + HOUR)) == Skip(Reason.OVER_CAP)
    assert decide(replace(OPEN, traffic=rival(80), deadline=NOON + HOUR)) == Skip(Reason.OUTRANKED)


def test_where_the_zone_is_unknown_it_must_be_open_in_all_of_them() -> None:
    both = replace(OPEN, zones=(ROME, NEW_YORK))
    assert decide(both) == Hold(datetime(2026, 3, 10, 12, tzinfo=UTC), Reason.OUTSIDE_WINDOW)  # 08:00 in New York
    never = replace(OPEN, zones=(ROME, ZoneInfo("Pacific/Apia")), limits=Limits(window(["09:00", "10:00"]), 1, 3))
    assert decide(never) == Skip(Reason.OUTSIDE_WINDOW)


def test_no_cap_means_what_it_says() -> None:
    nothing = replace(OPEN, limits=Limits(window(["08:00", "21:00"]), 0, 3), deadline=NOON + 30 * DAY)
    assert decide(nothing) == Skip(Reason.OVER_CAP)


def test_every_reason_has_a_sentence_for_support_staff() -> None:
    assert all(reason.sentence.endswith(".") for reason in Reason)
