"""Own figures beside those of others. Every number in these files is made up."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from reporting import report, rows
from shop import Shop

from automation.errors import BadFiles, BadInput
from automation.reports.figures import Net, Report, Share

NAMES = '[reports]\norders = ["Order"]\nsurveys = ["Survey"]\n'


@pytest.fixture(autouse=True)
def _sold(shop: Shop) -> None:
    """20 of 100 leads ordered, each for 10 euros; one of them again, in zlotys."""
    shop.sections = NAMES
    shop.write()
    people = [f"c{number:02}" for number in range(100)]
    shop.customers(*people, signup_at="2026-01-05T09:00:00Z")
    for one in people[:20]:
        shop.orders(one, "2026-01-10T09:00:00Z", revenue=10)
    shop.orders("c00", "2026-01-12T09:00:00Z", revenue=70, currency="PLN")
    for one, score in zip(people, (10,) * 5 + (8,) * 3 + (2,) * 2, strict=False):
        shop.orders(one, "2026-01-20T09:00:00Z", event="Survey", nps=score)


def beside(shop: Shop, *lines: str, header: str = "metric,value,unit,low,high,source,period") -> Report:
    file = shop.folder / "industry.csv"
    file.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return report(shop, "benchmark", "2026-01-01", "2026-01-31", file=file)


def only(found: Report) -> dict[str, Any]:
    (row,) = rows(found, "benchmark")
    return row


def test_a_share_is_set_beside_theirs_with_its_counts(shop: Shop) -> None:
    found = beside(shop, "conversion,3 %,,,,Made-up Institute,2025")
    assert found.figures["conversion"].value == Share(20, 100)
    row = only(found)
    assert (row["own"]["part"], row["own"]["of"], row["theirs"]) == (20, 100, "3 %")
    assert (row["difference"], row["we are"]) == (Decimal(17), "above")
    assert (row["source"], row["period"]) == ("Made-up Institute", "2025")


@pytest.mark.parametrize("written", ["conversion,3 %,", "conversion,3%,", "conversion,3,percent", "conversion,0.03,"])
def test_percent_and_fractions_are_told_apart_by_how_they_are_written(shop: Shop, written: str) -> None:
    assert only(beside(shop, f"{written},,,,"))["theirs"] == "3 %"


def test_a_bare_number_over_one_is_not_taken_for_a_share(shop: Shop) -> None:
    (problem,) = rows(beside(shop, "conversion,20,,,,,"), "problems")
    assert (problem["line"], "20 %" in problem["what is wrong"]) == (2, True)


@pytest.mark.parametrize(
    ("theirs", "word"),
    [
        ("21 %,,,", "within"),
        ("50 %,,,", "below"),
        ("22 %,,18 %,25 %", "within"),
        ("22 %,,21 %,25 %", "below"),
        ("10 %,,5 %,19 %", "above"),
        ("10 %,,5 %,", "within"),
        ("10 %,,,15 %", "above"),
    ],
)
def test_a_plain_word_says_where_we_are(shop: Shop, theirs: str, word: str) -> None:
    assert only(beside(shop, f"conversion,{theirs},,"))["we are"] == word


def test_scores_and_money_are_compared_as_they_are(shop: Shop) -> None:
    found = beside(shop, "nps,40,,,,,", "revenue,150,EUR,,,,", "revenue,70,pln,,,,", "Average order,9.5,EUR,9,11,,")
    nps, euros, zlotys, average = rows(found, "numbers")
    assert found.figures["nps"].value == Net(5, 2, 10)
    assert (nps["own"], nps["difference"]) == (30, -10)
    assert (euros["own"], euros["difference"], zlotys["difference"]) == (200, 50, 0)
    assert (average["metric"], average["own"]) == ("average_order", 10)
    assert [row["we are"] for row in rows(found, "benchmark")] == ["below", "above", "within", "within"]


def test_a_row_that_cannot_be_used_does_not_stop_the_others(shop: Shop) -> None:
    found = beside(
        shop,
        "conversoin,3 %,,,,,",
        "conversion,3 %,,,,,",
        'nps,"40,5",,,,,',
        "nps,40 %,,,,,",
        "revenue,100,,,,,",
        "nps,40,,50,30,,",
        "nps,,,,,,",
        "nps,1",
    )
    assert only(found)["metric"] == "conversion"
    problems = {row["line"]: row["what is wrong"] for row in rows(found, "problems")}
    assert problems.keys() == {2, 4, 5, 6, 7, 8, 9}
    assert problems[2] == 'no metric "conversoin"; did you mean "conversion"?'
    assert "is no number" in problems[4]
    assert "is no share" in problems[5]
    assert "currency" in problems[6]
    assert any("7 of the rows in industry.csv" in note for note in found.notes)


def test_nothing_of_our_own_is_no_figure(shop: Shop) -> None:
    row = only(beside(shop, "open_rate,20 %,,,,,"))
    assert (row["own"]["of"], row["difference"], row["we are"]) == (0, None, None)


def test_a_column_that_is_not_known_is_told(shop: Shop) -> None:
    found = beside(shop, "conversion,3 %,2 %", header="metric,value,lowe")
    assert any('did you mean "low"' in note for note in found.notes)


def test_a_file_must_name_metrics_and_values(shop: Shop, tmp_path: Path) -> None:
    with pytest.raises(BadFiles, match="no column value"):
        beside(shop, "conversion,3 %", header="metric,share")
    with pytest.raises(BadInput, match="cannot be read"):
        report(shop, "benchmark", "2026-01-01", "2026-01-31", file=tmp_path / "none.csv")
    with pytest.raises(BadInput, match="FILE"):
        report(shop, "benchmark", "2026-01-01", "2026-01-31")
