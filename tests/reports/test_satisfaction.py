"""What customers answered, counted on both databases."""

import json
from typing import Any

import pytest
from reporting import EVENTS, cells, figures, report
from shop import Shop, at, playbook

from automation.customers.load import import_events
from automation.database.schema import messages

JANUARY = ("2026-01-01", "2026-01-31")


@pytest.fixture(autouse=True)
def _written(shop: Shop) -> None:
    shop.sections = EVENTS
    shop.write(ask=playbook(family="survey"))
    shop.customers("ann", "bob", now="2025-12-01T00:00:00Z")


def answer(shop: Shop, *told: dict[str, Any], day: str = "2026-01-10") -> None:
    """Answers of Ann's, each a second after the one before."""
    rows = [
        {"event_id": f"{day}-{number}", "event": "Survey", "customer_id": "ann", "properties": properties}
        | {"ts": f"{day}T09:{number // 60:02}:{number % 60:02}Z"}
        for number, properties in enumerate(told)
    ]
    path = shop.folder / "answers.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert import_events(shop.database, path, at("2026-01-31T09:00:00Z")).created == len(rows)


def test_fifty_promoters_thirty_passives_and_twenty_detractors_are_plus_thirty(shop: Shop) -> None:
    scores = [9] * 25 + [10] * 25 + [7] * 15 + [8] * 15 + [0] * 10 + [6] * 10
    answer(shop, *({"nps": score} for score in scores))
    found = figures(report(shop, "satisfaction", *JANUARY))
    assert found["nps"] == "+30 (50 less 20 of 100)"
    assert found["csat"] == "none (0 of 0)"


def test_csat_is_the_share_of_fours_and_fives_and_its_mean_stands_beside_it(shop: Shop) -> None:
    answer(shop, *({"csat": score} for score in (5, 4, 3, 1)))
    found = figures(report(shop, "satisfaction", *JANUARY))
    assert (found["csat"], found["csat_mean"]) == ("50 % (2 of 4)", "3.25 (of 4)")


def test_off_the_scale_or_not_a_whole_number_is_no_answer(shop: Shop) -> None:
    answer(shop, {"csat": 0}, {"csat": 6}, {"csat": 4.5}, {"csat": "5"}, {"nps": -1}, {"nps": 11}, {"nps": None}, {})
    found = figures(report(shop, "satisfaction", *JANUARY))
    assert (found["csat"], found["nps"]) == ("none (0 of 0)", "none (0 less 0 of 0)")


def test_of_several_answers_to_one_message_the_last_counts_once(shop: Shop) -> None:
    asked = {"message_id": 256, "survey": "nps"}
    answer(shop, {**asked, "nps": 2}, {**asked, "nps": 10}, {"nps": 0}, {"nps": 9}, {**asked, "csat": 5})
    told = report(shop, "satisfaction", *JANUARY)
    assert figures(told)["nps"] == "+33.3 (2 less 1 of 3)"
    assert figures(told)["csat"] == "100 % (1 of 1)"  # another question of the same message
    assert cells(told, "surveys") == [
        ("(not said)", "0 (1 less 1 of 2)", "none (0 of 0)"),
        ("nps", "+100 (1 less 0 of 1)", "100 % (1 of 1)"),
    ]


def test_the_same_message_id_of_two_customers_are_two_answers(shop: Shop) -> None:
    answer(shop, {"message_id": "m", "nps": 9})
    shop.orders("bob", "2026-01-10T09:00:00Z", event="Survey", nps=10, message_id="m")
    assert figures(report(shop, "satisfaction", *JANUARY))["nps"] == "+100 (2 less 0 of 2)"


def test_months_are_those_of_the_business_zone(shop: Shop) -> None:
    shop.orders("bob", "2026-01-31T22:59:59Z", event="Survey", nps=9)
    shop.orders("bob", "2026-01-31T23:00:00Z", event="Survey", nps=3)  # already February in Rome
    told = report(shop, "satisfaction", "2025-12-15", "2026-02-10")
    assert cells(told, "nps") == [
        ("2025-12", "none (0 less 0 of 0)"),
        ("2026-01", "+100 (1 less 0 of 1)"),
        ("2026-02", "-100 (0 less 1 of 1)"),
    ]


def test_the_response_rate_is_of_survey_messages_that_were_sent(shop: Shop) -> None:
    shop.write(ask=playbook(family="survey"), other=playbook())
    shop.evaluate("2026-01-10T06:00:00Z")
    shop.send("2026-01-10T09:00:00Z")
    asked = {row.customer_id: row.message_id for row in shop.rows(messages) if row.playbook == "ask"}
    answer(shop, {"nps": 9, "message_id": asked["ann"]}, {"nps": 8, "message_id": asked["ann"]}, {"nps": 1})
    told = report(shop, "satisfaction", *JANUARY)
    assert figures(told)["response_rate"] == "50 % (1 of 2)"
    assert figures(told)["nps"] == "-50 (0 less 1 of 2)"
    assert figures(report(shop, "satisfaction", "2026-02-01", "2026-02-28"))["response_rate"] == "none (0 of 0)"


def test_without_a_survey_playbook_the_response_rate_is_left_out(shop: Shop) -> None:
    (shop.folder / "playbooks/ask.toml").unlink()
    told = report(shop, "satisfaction", *JANUARY)
    assert "response_rate" not in told.figures
    assert len(told.notes) == 1
