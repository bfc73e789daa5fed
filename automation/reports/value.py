"""What customers are worth: in the period, and so far, by stage and by the month of their first order."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

from automation.reports.asked import Asked
from automation.reports.course import Course
from automation.reports.figures import Figure, Money, Report, Table
from automation.reports.sales import Group, Sums, sales
from automation.reports.standing import notes_on

ABOUT = (
    "Orders and the money in them. Amounts of several currencies are never added together; refunds stand apart, and "
    "net is what remains. So far means up to the end of the period, from the very first order on."
)
CENT = Decimal("0.01")
NO_STAGE = "(in none)"
NEVER = "(never)"


def report(asked: Asked) -> Report:
    """Every table has a line for each currency."""
    found = sales(asked)
    whole = _by(found, lambda _: "")
    tables = [
        _currencies(whole),
        _stages(asked, found),
        _so_far("lifetime", "stage", _staged(asked, found), "So far, by the stage they stand in"),
        _so_far(
            "cohorts", "first order", _by(found, lambda one: one.month or NEVER), "So far, by month of first order"
        ),
    ]
    return Report("value", asked.period, ABOUT, _figures(whole), tables, notes_on(asked))


def _figures(whole: Mapping[tuple[str, str], Sums]) -> dict[str, Figure]:
    sums = {currency: one for (_, currency), one in whole.items()}
    revenue, refunds = _money(sums, lambda one: one.revenue), _money(sums, lambda one: one.refunds)
    orders = sum(one.orders for one in sums.values())
    return {
        "orders": Figure("Orders", orders, "Orders in the period, without refunds."),
        "revenue": Figure("Revenue", revenue, "The money in them."),
        "refunds": Figure("Refunds", refunds, "Paid back in the period, whenever the order was."),
        "net": Figure("Net", _money(sums, lambda one: one.revenue - one.refunds), "Revenue less refunds."),
        "average_order": Figure(
            "Average order",
            _money(sums, lambda one: _each(one.revenue, one.priced)),
            "Revenue of the period for each order that says what it cost.",
        ),
        "lifetime_value": Figure(
            "Lifetime value so far",
            _money(sums, lambda one: _each(one.net_so_far, one.customers)),
            "Paid so far less what was paid back, for each customer who ever ordered in the currency.",
        ),
    }


def _money(sums: Mapping[str, Sums], of: Callable[[Sums], Decimal | None]) -> Money:
    found = {currency: of(one) for currency, one in sums.items()}
    return Money({currency: amount for currency, amount in found.items() if amount is not None})


def _each(amount: Decimal, count: int) -> Decimal | None:
    return (amount / count).quantize(CENT) if count else None


def _by(found: Mapping[Group, Sums], key: Callable[[Group], str]) -> dict[tuple[str, str], Sums]:
    """Added up by that key and by currency."""
    kept: dict[tuple[str, str], Sums] = {}
    for group, sums in found.items():
        place = (key(group), group.currency)
        kept[place] = kept[place] + sums if place in kept else sums
    return dict(sorted(kept.items()))


def _staged(asked: Asked, found: Mapping[Group, Sums]) -> dict[tuple[str, str], Sums]:
    """In the lifecycle's order."""
    by_stage = _by(found, lambda one: one.stage or NO_STAGE)
    order = Course(asked.lifecycle).in_order(stage for stage, _ in by_stage)
    return dict(sorted(by_stage.items(), key=lambda item: (order.index(item[0][0]), item[0][1])))


def _currencies(whole: Mapping[tuple[str, str], Sums]) -> Table:
    columns = ("currency", "orders", "revenue", "refunds", "net", "average order")
    rows = [
        (currency, one.orders, one.revenue, one.refunds, one.revenue - one.refunds, _each(one.revenue, one.priced))
        for (_, currency), one in whole.items()
    ]
    return Table("currencies", columns, rows, "In the period")


def _stages(asked: Asked, found: Mapping[Group, Sums]) -> Table:
    columns = ("stage", "currency", "orders", "revenue", "refunds", "net")
    rows = [
        (*key, one.orders, one.revenue, one.refunds, one.revenue - one.refunds)
        for key, one in _staged(asked, found).items()
    ]
    return Table("stages", columns, rows, "In the period, by the stage they stand in at its end")


def _so_far(name: str, title: str, sums: Mapping[tuple[str, str], Sums], about: str) -> Table:
    columns: Sequence[str] = (title, "currency", "customers", "orders", "net", "for each")
    rows: Iterable[Sequence[object]] = (
        (*key, one.customers, one.orders_so_far, one.net_so_far, _each(one.net_so_far, one.customers))
        for key, one in sums.items()
    )
    return Table(name, columns, list(rows), about, bars="for each" if len({key[1] for key in sums}) == 1 else None)
