"""Numbers that are never without what they are made of; no database is needed."""

from datetime import UTC, date, datetime
from decimal import Decimal
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.cli.views.figures import bars
from automation.clock import local_date
from automation.errors import BadInput
from automation.reports.figures import Average, Figure, Money, Net, Ratio, Report, Share, Table
from automation.reports.medians import median_of
from automation.reports.months import Months, first_of_month
from automation.reports.period import Period

ROME = ZoneInfo("Europe/Rome")
counts = st.integers(min_value=0, max_value=1000)


def test_twenty_of_a_hundred_are_twenty_percent() -> None:
    share = Share(20, 100)
    assert share.percent == 20
    assert str(share) == "20 % (20 of 100)"
    assert share.as_dict() == {"percent": 20, "part": 20, "of": 100}


def test_of_nothing_there_is_no_share() -> None:
    assert Share(0, 0).percent is None
    assert str(Share(0, 0)) == "none (0 of 0)"
    assert str(Ratio(3, 0)) == "none (3 to 0)"
    assert str(Net(0, 0, 0)) == "none (0 less 0 of 0)"
    assert str(Average(None, 0)) == "none (of 0)"
    assert str(Money()) == "none"


def test_fifty_promoters_and_twenty_detractors_of_a_hundred_are_plus_thirty() -> None:
    assert Net(50, 20, 100).number == 30
    assert str(Net(50, 20, 100)).startswith("+30")
    assert str(Net(1, 2, 3)).startswith("-33.3 ")


@given(part=counts, rest=counts)
def test_a_share_and_what_it_leaves_are_the_whole(part: int, rest: int) -> None:
    whole = part + rest
    one, other = Share(part, whole).percent, Share(rest, whole).percent
    assert (one is None) == (other is None) == (whole == 0)
    if one is not None and other is not None:
        assert 0 <= one <= 100
        assert abs(one + other - 100) < Decimal("1e-20")


def test_amounts_of_two_currencies_stand_side_by_side() -> None:
    assert str(Money({"USD": Decimal(3), "EUR": Decimal("1234.5")})) == "1,234.50 EUR, 3.00 USD"


@given(st.lists(st.integers(min_value=0, max_value=40)))
def test_a_median_of_counted_values_is_that_of_the_values(values: list[int]) -> None:
    found = median_of({value: values.count(value) for value in values})
    assert found == (Decimal(median(values)) if values else None)


def test_a_period_includes_both_dates_and_the_hour_that_a_clock_change_takes() -> None:
    period = Period(date(2026, 3, 29), date(2026, 3, 29), ROME)
    assert (period.start, period.end) == (
        datetime(2026, 3, 28, 23, tzinfo=UTC),
        datetime(2026, 3, 29, 22, tzinfo=UTC),
    )


def test_the_usual_periods_are_thirty_days_or_whole_months() -> None:
    assert Period.up_to(date(2026, 3, 1), ROME).since == date(2026, 1, 31)
    assert Period.up_to(date(2026, 3, 1), ROME, months=12).since == date(2025, 4, 1)


@given(st.dates(date(1990, 1, 1), date(2040, 1, 1)), st.integers(min_value=0, max_value=400))
def test_months_adjoin_and_begin_on_their_first_local_day(first: date, later: int) -> None:
    last = first_of_month(first, -later)
    months = Months(first, last, ROME)
    assert (months.names[0], months.names[-1]) == (f"{first:%Y-%m}", f"{last:%Y-%m}")
    assert len(months.names) == later + 1
    assert [local_date(start, ROME).day for start in [*months.starts, months.end]] == [1] * (later + 2)


def test_bars_are_in_proportion_to_the_largest() -> None:
    assert bars([Decimal(100), Decimal(50), Decimal(0), None, Decimal(1)], 8) == ["████████", "████", "", "", "▏"]
    assert bars([], 8) == []
    assert bars([Decimal(-5), Decimal(0)], 8) == ["", ""]


def test_the_main_table_comes_first_and_an_unknown_one_is_told_with_a_suggestion() -> None:
    tables = [Table("stages", ("stage",), [("new",)]), Table("moves", ("stage",), [])]
    figure = {"customers": Figure("Customers", 3, "All.")}
    report = Report("funnel", Period(date(2026, 1, 1), date(2026, 1, 2), ROME), "", figure, tables)
    assert report.table().name == "stages"
    assert report.table("figures").rows == [("Customers", 3, "All.")]
    with pytest.raises(BadInput, match='did you mean "moves"'):
        report.table("move")
