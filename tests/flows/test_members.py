"""Who hears of a plan that renews, of one that does not fit, and what a month has been, under the shipped files."""

from shop import Shop

from automation.database.schema import enrollments

TODAY = "2026-03-18T05:00:00Z"
ORDERED = "2026-02-20T12:00:00Z"  # four weeks ago
MEMBERSHIP = {"renewal_reminder", "upgrade", "usage_report"}


def member(shop: Shop, customer_id: str, uses: int = 0, canceled: str | None = None, **attributes: object) -> None:
    """Somebody with one order, so many uses this month, and perhaps a plan that was canceled."""
    shop.customers(customer_id, now=ORDERED, signup_at="2025-06-01T12:00:00Z", **attributes)
    shop.orders(customer_id, ORDERED, event="Order Completed")
    if uses:
        shop.orders(customer_id, *(f"2026-03-10T12:{minute:02}:00Z" for minute in range(uses)), event="Feature Used")
    if canceled:
        shop.orders(customer_id, canceled, event="Subscription Canceled")


def entered(shop: Shop) -> dict[str, set[str]]:
    """The playbooks about the membership that each customer is in, after today's run."""
    shop.evaluate(TODAY)
    found: dict[str, set[str]] = {}
    for row in shop.rows(enrollments):
        found.setdefault(row.customer_id, set()).update({row.playbook} & MEMBERSHIP)
    return found


def test_a_renewal_is_told_two_weeks_ahead_unless_it_was_canceled(shipped: Shop) -> None:
    member(shipped, "soon", renews_at="2026-03-30T12:00:00Z")
    member(shipped, "later", renews_at="2026-04-30T12:00:00Z")
    member(shipped, "over", renews_at="2026-03-17T12:00:00Z")
    member(shipped, "canceled", renews_at="2026-03-30T12:00:00Z", canceled="2026-03-02T12:00:00Z")
    told = entered(shipped)
    assert {one for one, playbooks in told.items() if "renewal_reminder" in playbooks} == {"soon"}


def test_advice_goes_to_those_whose_plan_is_too_small_and_a_report_to_those_who_use_it(shipped: Shop) -> None:
    member(shipped, "full", storage_used=85, uses=3)
    member(shipped, "busy", storage_used=10, uses=24)
    member(shipped, "plus", storage_used=99, uses=24, plan="plus")
    member(shipped, "calm", storage_used=10, uses=3)
    member(shipped, "in_trial", storage_used=99, trial_ends="2026-03-25T12:00:00Z")
    told = entered(shipped)
    assert {one for one, playbooks in told.items() if "upgrade" in playbooks} == {"full", "busy"}
    assert {one for one, playbooks in told.items() if "usage_report" in playbooks} == {"full", "busy", "plus", "calm"}
