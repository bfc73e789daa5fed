"""`automation lifecycle compare`: the same customers under two lifecycles."""

import json
import re
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from models import ROOT, ship
from shop import Shop, at
from sqlalchemy import event
from typed import Done, Run

from automation.database.schema import facts_as_of
from automation.lifecycle.conditions import Day
from automation.lifecycle.standing import standing_as_of, standing_under_both
from automation.playbooks.lifecycles import read_named

NOW = "2026-06-01T10:00:00Z"


@pytest.fixture
def lived(shop: Shop) -> Shop:
    ship(shop, "standard")
    shop.customers("ada", "bob", "cem", "dua", signup_at="2025-01-01T00:00:00Z")
    for customer, days in (("bob", (5,)), ("cem", (200, 100, 50, 10)), ("dua", (300,))):
        shop.orders(customer, *((at(NOW) - timedelta(days=one)).isoformat() for one in days), event="order")
    return shop


def compare(shop: Shop, run: Run, *words: str) -> Done:
    return run("lifecycle", "compare", *words, "--config", str(shop.folder / "config.toml"))


def test_a_cross_table_says_how_many_stand_where_under_both(lived: Shop, run: Run) -> None:
    found = compare(lived, run, "standard", "loyalty", "--now", NOW, "--json").json
    assert {key: found[key] for key in ("now", "a", "b")} == {"now": NOW, "a": "standard", "b": "loyalty"}
    assert found["stages_b"] == ["awareness", "engagement", "purchase", "retention", "advocacy"]
    assert pairs(found) == {
        ("aware", "awareness"): 1,
        ("buying", "purchase"): 1,
        ("loyal", "retention"): 1,
        ("leaving", "awareness"): 1,
    }


def pairs(found: dict[str, Any]) -> dict[tuple[str, str], int]:
    rows = zip(found["stages_a"], found["customers"], strict=True)
    each = ((a, b, count) for a, row in rows for b, count in zip(found["stages_b"], row, strict=True))
    return {(a, b): count for a, b, count in each if count}


def test_it_works_as_of_any_instant_and_changes_nothing(lived: Shop, run: Run) -> None:
    earlier = (at(NOW) - timedelta(days=290)).isoformat()
    found = compare(lived, run, "standard", "loyalty", "--now", earlier, "--json").json
    assert pairs(found) == {("aware", "awareness"): 3, ("buying", "purchase"): 1}
    assert (lived.moves(), lived.rows(facts_as_of)) == ([], [])


def test_people_read_a_table_with_sums(lived: Shop, run: Run) -> None:
    shown = compare(lived, run, "standard", "loyalty", "--now", NOW).out
    lines = [line.split() for line in shown.splitlines()]
    assert "Standard lifecycle in rows, Customer loyalty lifecycle in columns, as of 2026-06-01 12:00 CEST" in shown
    assert ["leaving", "1", "1"] in lines
    assert ["all", "2", "0", "1", "1", "0", "4"] in lines


def test_a_lifecycle_can_be_a_file_anywhere(lived: Shop, run: Run) -> None:
    path = lived.folder / "mine.toml"
    path.write_text((ROOT / "playbooks/lifecycles/loyalty.toml").read_text("utf-8"), encoding="utf-8")
    found = compare(lived, run, "loyalty", str(path), "--now", NOW, "--json").json
    assert found["b"] == "mine"
    assert all(count == 0 for a, row in enumerate(found["customers"]) for b, count in enumerate(row) if a != b)


def test_an_unknown_lifecycle_is_told_with_those_there_are(lived: Shop, run: Run) -> None:
    done = compare(lived, run, "standard", "loialty", "--now", NOW)
    assert (done.code, done.out) == (2, "")
    assert 'there is no lifecycle "loialty" in playbooks/lifecycles; did you mean "loyalty"?' in done.err
    assert "known: crm, customer_lifecycle, funnel" in compare(lived, run, "x", "crm", "--now", NOW).err
    assert "there is no file no/such.toml" in compare(lived, run, "no/such.toml", "crm", "--now", NOW).err


def test_a_broken_lifecycle_is_told_with_line_and_column_and_no_broken_playbook_is_in_the_way(
    lived: Shop, run: Run
) -> None:
    (lived.folder / "playbooks/broken.toml").write_text("name = ", encoding="utf-8")
    assert compare(lived, run, "standard", "crm", "--now", NOW).code == 0
    path = lived.folder / "playbooks/lifecycles/crm.toml"
    path.write_text(path.read_text("utf-8").replace("orders >= 4", "odrers >= 4"), encoding="utf-8")
    done = compare(lived, run, "standard", "crm", "--now", NOW, "--json")
    assert done.code == 2
    (problem,) = json.loads(done.err)["problems"]
    assert (problem["file"], problem["message"]) == (
        "playbooks/lifecycles/crm.toml",
        'there is no fact "odrers"',
    )
    assert problem["line"] > 1
    assert problem["column"] > 1


def test_the_events_are_read_once_for_both(lived: Shop) -> None:
    facts, (one, other) = read_named(lived.settings, "standard", "relationship")
    day = Day(at(NOW), ZoneInfo("Europe/Rome"))
    plans: list[str] = []
    with lived.database.reading() as connection:

        @event.listens_for(connection, "before_cursor_execute", retval=True)
        def explained(_: Any, cursor: Any, words: str, values: Any, *__: Any) -> tuple[str, Any]:
            if "count(*) AS" in words and "events" in words:
                kind = "EXPLAIN QUERY PLAN" if lived.database.is_sqlite else "EXPLAIN"
                plans.append("\n".join(str(row) for row in cursor.execute(f"{kind} {words}", values).fetchall()))
            return words, values

        both = standing_under_both(connection, one, other, facts, day)
        alone = standing_as_of(connection, one, facts, day)
    scans = [len(re.findall(r"(?:SCAN|SEARCH|on) events\b", plan)) for plan in plans]
    assert scans[0] == scans[1] == 1
    assert alone.customers == {key: sum(both[key, b] for b in other.keys) for key in one.keys}
