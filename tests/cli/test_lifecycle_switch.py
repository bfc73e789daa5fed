"""Switching the lifecycle is one line of config.toml: what becomes of history, passages and answers."""

import json
from pathlib import Path
from typing import Any

import pytest
from models import MODELS, ROOT, ship, use
from shop import Shop, playbook, step
from typed import Run

from automation.cli.starter import copy_starter
from automation.delivery.verify import verify
from automation.playbooks.load import read_book
from automation.settings import load

DAY, NOON, NEXT = "2026-06-01T06:00:00Z", "2026-06-01T12:00:00Z", "2026-06-02T06:00:00Z"
ORDERS = [f"2026-0{month}-20T09:00:00Z" for month in (2, 3, 4, 5)]


@pytest.fixture
def switched(shop: Shop) -> Shop:
    """A day under one lifecycle, and at noon another in use. Both have a stage awareness, only the first advocacy."""
    steps = step("thanks") + step("later", after="2 hours")
    praise = playbook(steps, stages=["advocate"], stay_while_in_stage=True)
    ship(shop, "customer_lifecycle", praise=praise, care=playbook(stages=["aware", "loyal"]))
    shop.customers("anna", "bob", signup_at="2025-01-01T00:00:00Z")
    shop.orders("anna", *ORDERS, event="Order Completed")
    shop.orders("anna", "2026-05-30T09:00:00Z", event="Review Posted")
    shop.evaluate(DAY)
    use(shop, "relationship")
    return shop


def told(shop: Shop, run: Run, *words: str) -> Any:
    done = run(*words, "--json", "--config", str(shop.folder / "config.toml"))
    assert done.code == 0, done.err
    return json.loads(done.out)


def test_the_day_after_a_switch_everybody_who_stood_in_an_old_stage_is_in_a_first_one(switched: Shop) -> None:
    done = switched.evaluate(NEXT)
    assert done["stages"] == {"acquaintance": 1, "probing": 0, "cooperation": 0, "friendship": 1, "respect": 0}
    assert [move[1:] for move in switched.moves() if move[0] == "anna"] == [
        ("2026-06-01", None, "advocacy", "first"),
        ("2026-06-02", "advocacy", "friendship", "first"),
    ]
    assert verify(switched.database, switched.settings).violations == []


def test_a_stage_of_the_same_key_is_the_same_stage(switched: Shop) -> None:
    use(switched, "loyalty")
    switched.evaluate(NEXT)
    assert [(move[0], move[1]) for move in switched.moves()] == [("anna", "2026-06-01"), ("bob", "2026-06-01")]


def test_a_switch_alone_ends_no_passage_but_the_next_run_may(switched: Shop) -> None:
    switched.send(NOON)
    assert ("anna", "later", "planned", None) in switched.statuses()
    assert ("anna", "praise", None) in switched.passages()
    switched.evaluate(NEXT)
    assert ("anna", "praise", "left_stage") in switched.passages()
    assert ("anna", "care", None) in switched.passages()


def test_a_second_run_on_the_day_of_the_switch_counts_everybody_where_they_stand(switched: Shop) -> None:
    done = switched.evaluate(NOON)
    assert (done["customers"], done["changes"]) == (2, 0)
    assert {key: count for key, count in done["stages"].items() if count} == {"advocacy": 1, "awareness": 1}


def test_staff_get_answers_between_the_switch_and_the_next_run(switched: Shop, run: Run) -> None:
    stages = told(switched, run, "stages")
    assert stages["lifecycle"] == "relationship"
    assert sum(one["customers"] for one in stages["stages"]) == 2
    assert told(switched, run, "customer", "anna", "--now", NOON)["stage"] == "advocacy"
    explained = told(switched, run, "explain", "anna", "--now", NOON)["playbooks"]
    assert {one["playbook"]: one["verdict"] for one in explained} == {"praise": "in_progress", "care": "would_enter"}


def test_staff_read_the_history_of_both_lifecycles_afterwards(switched: Shop, run: Run) -> None:
    switched.evaluate(NEXT)
    customer = told(switched, run, "customer", "anna", "--now", NEXT)
    assert [one["to"] for one in customer["stage_changes"]] == ["advocacy", "friendship"]
    assert customer["facts"]["role"] == "retained, loyal"
    explained = told(switched, run, "explain", "anna", "--now", NEXT)["playbooks"]
    assert {one["playbook"]: one["verdict"] for one in explained} == {"praise": "exited", "care": "in_progress"}


def test_stages_are_not_taken_from_a_run_of_a_lifecycle_that_shares_their_keys(shop: Shop, run: Run) -> None:
    ship(shop, "customer_lifecycle")
    shop.customers("bob", signup_at="2025-01-01T00:00:00Z")
    shop.evaluate(DAY)
    use(shop, "crm")
    assert told(shop, run, "stages")["now"] != DAY


@pytest.mark.parametrize("model", MODELS)
def test_the_shipped_playbooks_run_under_every_lifecycle_and_check_tells_whom_nobody_can_enter(
    model: str, tmp_path: Path, run: Run
) -> None:
    copy_starter(tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text("utf-8").replace("standard.toml", f"{model}.toml"), encoding="utf-8")
    book = read_book(load(config))
    idle = {key for key, one in book.playbooks.items() if not one.stages and one.model.answers is None}
    assert idle == ({"ambassador_invitation"} if model == "relationship" else set())
    checked = run("check", "--json", "--config", str(config))
    assert checked.code == 0
    assert [(one["severity"], one["file"]) for one in checked.json["problems"]] == [
        ("warning", f"playbooks/{key}.toml") for key in idle
    ]


def test_the_starter_has_every_shipped_lifecycle(tmp_path: Path) -> None:
    made = copy_starter(tmp_path)
    shipped = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("playbooks/lifecycles/*.toml")}
    assert len(shipped) == len(MODELS) + 1
    assert shipped <= set(made)
