"""The page of the lifecycle: its charts say what the reports say, and each has its table."""

import html
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest
from console_visiting import Visiting, visiting
from reporting import report
from shop import Shop, at

from automation.reports.asked import Asked
from automation.reports.kept import keep_figures
from automation.reports.period import Period
from automation.reports.standing import from_start_to_end

NOW = "2026-03-01T12:00:00Z"
NAMES = {"new": "New one", "buyer": "Buyer", "regular": "Regular", "gone": "Gone"}
CAME = "New"


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """Ann stays new, Bob buys, Cid goes from new to regular, Dot leaves and comes back, Eve signs up in February."""
    shop.write()
    path = shop.folder / "playbooks/lifecycles/small.toml"
    path.write_text(path.read_text().replace('en = "New"', 'en = "New one"'))
    shop.customers("ann", "bob", "cid", "dot", now="2025-12-01T00:00:00Z", signup_at="2025-12-01T00:00:00Z")
    shop.orders("dot", "2025-12-02T09:00:00Z")
    shop.evaluate("2026-01-01T06:00:00Z")
    shop.orders("bob", "2026-01-10T09:00:00Z")
    shop.evaluate("2026-01-11T06:00:00Z")
    shop.customers("eve", now="2026-02-03T00:00:00Z")
    shop.orders("cid", *(f"2026-02-0{day}T09:00:00Z" for day in (1, 2, 3)))
    shop.evaluate("2026-02-04T06:00:00Z")
    shop.orders("dot", "2026-02-20T09:00:00Z")
    shop.evaluate("2026-02-21T06:00:00Z")
    keep_figures(shop.database, shop.settings, shop.book, at(NOW))
    return shop


@pytest.fixture
def console(lived: Shop) -> Iterator[Visiting]:
    with visiting(lived, NOW) as found:
        yield found


def section(page: str, title: str) -> str:
    (found,) = [one for one in re.findall(r"<section.*?</section>", page, re.DOTALL) if f">{title}<" in one]
    return str(found)


def table(part: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", part, re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(html.unescape(re.sub(r"<[^>]+>", " ", one)).split()) for one in row] for row in cells]


def pairs(page: str) -> Counter[tuple[str, str]]:
    return Counter({(row[0], row[1]): int(row[2]) for row in table(section(page, "Who moved"))[1:]})


def history(console: Visiting, since: str, until: str) -> Counter[tuple[str, str]]:
    """By every customer's own changes, who was there before."""
    shop = console.shop
    period = Period(date.fromisoformat(since), date.fromisoformat(until), shop.settings.business.zone)
    with shop.database.reading() as connection:
        asked = Asked(connection, shop.settings, shop.book, period, shop.book.lifecycle, at(NOW))
        found = from_start_to_end(asked)
    return Counter({(NAMES[before], NAMES[after]): count for (before, after), count in found.items()})


def test_where_customers_stand_is_what_the_funnel_reports(console: Visiting) -> None:
    told = report(console.shop, "funnel", "2026-01-31", "2026-03-01", NOW).table("stages").as_list()
    page = console.signed_in("viewer").get("/lifecycle").text
    shown = {row[0]: int(row[1]) for row in table(section(page, "Where customers stand"))[1:]}
    assert shown == {one["name"]: one["customers"]["part"] for one in told}
    assert sum(shown.values()) == 5


@pytest.mark.parametrize(
    ("since", "until"), [("2026-01-02", "2026-02-28"), ("2026-01-12", "2026-01-31"), ("2026-02-04", "2026-03-01")]
)
def test_movement_over_chosen_dates_is_that_of_every_customers_history(
    console: Visiting, since: str, until: str
) -> None:
    page = console.signed_in("viewer").get("/lifecycle", params={"since": since, "until": until, "who": "all"}).text
    found = pairs(page)
    assert {pair: count for pair, count in found.items() if pair[0] != CAME} == history(console, since, until)
    moved = console.signed_in("viewer").get("/lifecycle", params={"since": since, "until": until}).text
    assert pairs(moved) == {pair: count for pair, count in found.items() if pair[0] != pair[1]}
    stayed = sum(count for (before, after), count in found.items() if before == after)
    assert f"{sum(found.values()) - stayed} moved or came, {stayed} stayed" in page


def test_the_usual_movement_is_that_of_the_last_thirty_days(console: Visiting) -> None:
    page = console.signed_in("viewer").get("/lifecycle?who=all").text
    assert {pair: count for pair, count in pairs(page).items() if pair[0] != CAME} == history(
        console, "2026-01-31", "2026-03-01"
    )


def test_a_sankeys_drawing_and_table_say_the_same(console: Visiting) -> None:
    part = section(console.signed_in("viewer").get("/lifecycle?since=2026-01-02&who=all").text, "Who moved")
    drawn = re.findall(r'class="ribbon[^>]*><title>(.*?) to (.*?): (\d+)</title>', part)
    assert Counter({(before, after): int(count) for before, after, count in drawn}) == Counter(
        {(row[0], row[1]): int(row[2]) for row in table(part)[1:]}
    )
    assert 'role="img"' in part


def test_stages_over_time_have_a_row_for_each_run(console: Visiting) -> None:
    part = section(console.signed_in("viewer").get("/lifecycle?days=90").text, "Stages over time")
    assert table(part) == [
        ["Date", "New one", "Buyer", "Regular", "Gone"],
        ["2026-02-21", "2", "2", "1", "0"],
        ["2026-02-04", "2", "1", "1", "1"],
        ["2026-01-11", "2", "2", "0", "0"],
        ["2026-01-01", "3", "1", "0", "0"],
    ]
    assert part.count("<polygon") == 4
    assert len(table(section(console.signed_in("viewer").get("/lifecycle?days=30").text, "Stages over time"))) == 3


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("since=yesterday", "A date is written like 2026-01-31."),
        ("since=2026-02-30", "A date is written like 2026-01-31."),
        ("since=2026-02-02&until=2026-02-01", "The first day comes before the last one"),
        ("until=2027-01-01", "the last one is not in the future"),
    ],
)
def test_dates_that_cannot_be_read_say_so_and_leave_the_page(console: Visiting, query: str, message: str) -> None:
    answer = console.signed_in("viewer").get(f"/lifecycle?{query}")
    assert answer.status_code == 422
    assert message in answer.text
    assert "Where customers stand" in answer.text


@pytest.mark.parametrize("query", ["", "?days=x&who=y", "?since=0001-01-01&until=0001-01-02"])
def test_a_shop_that_never_ran_has_a_page(shop: Shop, query: str) -> None:
    shop.write()
    with visiting(shop, NOW) as console:
        answer = console.signed_in("viewer").get(f"/lifecycle{query}")
    assert answer.status_code == 200
    assert "Nothing was counted yet" in answer.text


def test_all_models_stand_beside_each_other(console: Visiting) -> None:
    page = console.signed_in("viewer").get("/lifecycle").text
    models = page[page.index("The same customers in every lifecycle") :]
    assert "in use" in models
    assert [row[:2] for row in table(models)[1:]] == [["New one", "2"], ["Buyer", "2"], ["Regular", "1"], ["Gone", "0"]]


def test_broken_files_are_told_and_what_was_counted_is_shown(console: Visiting) -> None:
    (console.shop.folder / "playbooks/lifecycles/small.toml").write_text("[[")
    answer = console.signed_in("viewer").get("/lifecycle")
    assert answer.status_code == 200
    assert "playbooks/lifecycles/small.toml" in answer.text
    assert ["buyer", "2"] in [row[:2] for row in table(section(answer.text, "Where customers stand"))]
    assert console.signed_in("viewer").get("/lifecycle?since=2026-02-01").status_code == 422


def test_names_of_stages_are_shown_and_never_run(console: Visiting) -> None:
    path = console.shop.folder / "playbooks/lifecycles/small.toml"
    path.write_text(path.read_text().replace("Buyer", "</title><script>alert(1)</script>"))
    answer = console.signed_in("viewer").get("/lifecycle?since=2026-01-02&who=all")
    assert answer.status_code == 200
    assert "<script>alert" not in answer.text
    assert "&lt;/title&gt;&lt;script&gt;alert(1)&lt;/script&gt;" in answer.text
