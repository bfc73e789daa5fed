"""`automation report` as it is typed and read."""

import csv
import io
import json
from pathlib import Path

import pytest
from reporting import EVENTS
from shop import Shop
from typed import Run

DATES = ("--since", "2026-01-02", "--until", "2026-01-31")


@pytest.fixture(autouse=True)
def _lived(shop: Shop) -> None:
    shop.sections = EVENTS
    shop.write()
    shop.customers("ann", "bob", now="2026-01-01T00:00:00Z", signup_at="2026-01-01T00:00:00Z")
    shop.evaluate("2026-01-02T06:00:00Z")
    shop.orders("ann", "2026-01-10T09:00:00Z", revenue=10)
    shop.orders("ann", "2026-01-11T09:00:00Z", revenue=3, currency="=CMD()")
    shop.evaluate("2026-01-12T06:00:00Z")


@pytest.fixture
def config(shop: Shop) -> str:
    return str(shop.folder / "config.toml")


def test_json_is_one_object_with_figures_tables_and_notes(run: Run, config: str) -> None:
    told = json.loads(run("report", "rates", *DATES, "--json", "--config", config).out)
    assert list(told) == ["report", "since", "until", "about", "figures", "tables", "notes"]
    assert (told["report"], told["since"], told["until"]) == ("rates", "2026-01-02", "2026-01-31")
    assert told["figures"]["repeat_purchase"].items() >= {"percent": 100, "part": 1, "of": 1}.items()
    assert told["figures"]["conversion"]["percent"] is None
    table = json.loads(run("report", "value", *DATES, "--json", "--config", config).out)["tables"]["stages"]
    row = {"stage": "buyer", "currency": "EUR", "orders": 1, "revenue": 10, "refunds": 0, "net": 10}
    assert table[1] == row


def test_a_person_reads_counts_beside_every_rate_within_eighty_columns(run: Run, config: str) -> None:
    for name in ("funnel", "transitions", "rates", "satisfaction", "value", "cohorts"):
        shown = run("report", name, *DATES, "--config", config)
        assert shown.code == 0
        assert shown.out.splitlines()[0] == f"{name}, 2026-01-02 to 2026-01-31"
        assert max(len(line.rstrip()) for line in shown.out.splitlines()) <= 80
        assert "\x1b" not in shown.out
    funnel = run("report", "funnel", *DATES, "--config", config).out
    assert "50 % (1 of 2)" in funnel
    assert "█" in funnel


def test_csv_is_the_main_table_with_a_number_to_a_cell(run: Run, config: str) -> None:
    rows = list(csv.reader(io.StringIO(run("report", "funnel", *DATES, "--csv", "--config", config).out)))
    assert rows[:3] == [
        ["stage", "name", "customers %", "customers part", "customers of"],
        ["new", "New", "50", "1", "2"],
        ["buyer", "Buyer", "50", "1", "2"],
    ]
    moves = run("report", "funnel", *DATES, "--csv", "--table", "moves", "--config", config).out
    assert moves.splitlines()[0] == "stage,then,customers %,customers part,customers of"


def test_amounts_have_a_column_for_each_currency_and_no_cell_is_a_formula(run: Run, config: str) -> None:
    out = run("report", "value", *DATES, "--csv", "--config", config).out
    assert "\n'=CMD(),1,3,0,3,3\n" in out
    figures = run("report", "value", *DATES, "--csv", "--table", "figures", "--config", config).out
    assert figures.splitlines()[0] == "figure,value,value =CMD(),value EUR,what is counted"


def test_without_dates_it_is_the_thirty_days_up_to_the_last_run(run: Run, config: str) -> None:
    told = json.loads(run("report", "funnel", "--json", "--config", config).out)
    assert (told["since"], told["until"]) == ("2025-12-14", "2026-01-12")
    then = json.loads(run("report", "funnel", "--now", "2026-01-05T09:00:00Z", "--json", "--config", config).out)
    assert then["until"] == "2026-01-05"
    assert [one["customers"]["part"] for one in then["tables"]["stages"]] == [2, 0, 0, 0]
    cohorts = json.loads(run("report", "cohorts", "--json", "--config", config).out)
    assert (cohorts["since"], cohorts["until"]) == ("2025-02-01", "2026-01-12")


def test_help_names_every_report(run: Run) -> None:
    shown = run("report", "--help").out
    names = "funnel transitions rates satisfaction value cohorts playbooks delivery benchmark"
    assert all(name in shown for name in names.split())


def test_wrong_words_are_told_with_the_next_move(run: Run, config: str) -> None:
    for words, told in (
        (("fonnel",), 'no report "fonnel"; did you mean "funnel"?'),
        (("funnel", "--since", "2026-02-01", "--until", "2026-01-01"), "is after --until"),
        (("funnel", "--since", "2026-02-30"), "no date"),
        (("funnel", "--until", "yesterday"), "no date"),
        (("funnel", "--table", "steges"), 'did you mean "stages"?'),
        (("funnel", "--lifecycle", "smal"), 'did you mean "small"?'),
        (("funnel", "--csv", "--json"), "leave one out"),
        (("funnel", "--table", "moves", "--json"), "leave --table out"),
        (("funnel", "industry.csv"), "report benchmark FILE"),
        (("benchmark",), "report benchmark FILE"),
    ):
        done = run("report", *words, "--config", config)
        assert done.code == 2
        assert told in done.err
        assert done.out == ""


def test_another_lifecycle_is_found_by_name_or_path(run: Run, config: str, shop: Shop) -> None:
    folder = shop.folder / "playbooks/lifecycles"
    other = Path(folder / "other.toml")
    other.write_text('name = "Other"\n[[stages]]\nkey = "all"\nname = { en = "All" }\n')
    for word in ("other", str(other)):
        told = json.loads(run("report", "funnel", *DATES, "--lifecycle", word, "--json", "--config", config).out)
        assert [one["stage"] for one in told["tables"]["stages"]] == ["all"]
        assert told["notes"]
    assert json.loads(run("report", "funnel", "--lifecycle", "small", "--json", "--config", config).out)["notes"] == []
    other.write_text('name = "Other"\n[[stages]]\nkey = "all"\n')
    done = run("report", "funnel", "--lifecycle", "other", "--config", config)
    assert done.code == 2
    assert "other.toml:2" in done.err
