"""The first page: is the work being done, what happens today, and what has somebody to know."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from console_visiting import Visiting, visiting
from shop import Shop, at, playbook, step
from sqlalchemy import insert

from automation.database.work import workers
from automation.delivery.alerts.incidents import open_incident
from automation.delivery.health.by_hand import pause
from automation.delivery.overview.day import Count
from automation.web.console.charts.hours import hours

MORNING, NOON = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"
ROME = ZoneInfo("Europe/Rome")


@pytest.fixture
def midday(shop: Shop) -> Iterator[Visiting]:
    """Two emails went out at ten, two texts are due at one, one customer may not be written to; it is twelve."""
    texts = step("two", "hello/text", "sms", at="13:00", late_by="3 days")
    shop.write(care=playbook(step("one", at="10:00", late_by="3 days")), notes=playbook(texts))
    shop.customers("ann", "cid")
    shop.customers("bob", email_consent=False, sms_consent=False)
    shop.evaluate(MORNING)
    shop.send("2026-03-02T09:00:00Z")
    with visiting(shop, NOON) as found:
        yield found


def page(console: Visiting, role: str = "viewer") -> str:
    """Its words, with single spaces."""
    answer = console.signed_in(role).get("/")
    assert answer.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text))


def test_the_days_messages_are_shown_by_hour_and_state_as_a_drawing_and_as_numbers(midday: Visiting) -> None:
    html = midday.signed_in("viewer").get("/").text
    assert html.count('class="state-sent"') == 2  # in the legend and at ten o'clock
    assert "10:00 2" in page(midday)
    assert "13:00 0 2" in page(midday)


def test_why_messages_wait_and_were_not_sent_is_said_in_sentences_that_lead_to_the_log(midday: Visiting) -> None:
    midday.shop.pause("playbook:notes")
    midday.shop.send("2026-03-02T12:00:00Z")
    told = page(midday)
    assert "The playbook is paused; the message waits. 2" in told
    assert "The customer has not agreed to receive this kind of message on this channel. 2" in told
    html = midday.signed_in("viewer").get("/").text
    assert re.search(r'href="/log\?[^"]*reason=no_consent', html)


def test_the_last_run_tells_when_it_was_and_what_changed(midday: Visiting) -> None:
    told = page(midday)
    assert "Last run done 2026-03-02 Began 2026-03-02 06:00" in told
    assert "Changed their stage 3 Entered a playbook 6 Left one 0 Messages planned 6" in told


def test_what_is_due_next_is_told_by_hour_and_playbook(midday: Visiting) -> None:
    assert "2026-03-02 13:00 notes sms 2" in page(midday)


def test_a_day_in_order_has_no_red_line(midday: Visiting) -> None:
    assert "notice bad" not in midday.signed_in("viewer").get("/").text


def test_a_run_that_is_missing_is_the_first_thing_on_the_page_and_says_what_to_do(midday: Visiting) -> None:
    with visiting(midday.shop, "2026-03-03T05:30:00Z") as later:
        html = later.signed_in("viewer").get("/").text
    assert html.index("The daily run is missing") < html.index("Last run")
    assert "automation evaluate" in html


def test_a_worker_that_fell_silent_is_told(midday: Visiting) -> None:
    row = {"name": "far-away:1", "started_at": at(MORNING), "seen_at": at(MORNING)}
    with midday.database.writing() as connection:
        connection.execute(insert(workers), row)
    assert "No worker gives a sign of life. The last one came at 2026-03-02 06:00" in page(midday)


def test_that_everything_is_paused_is_told_with_its_reason(midday: Visiting) -> None:
    with midday.database.writing() as connection:
        pause(connection, "everything", "grace", "wrong price", None, at(NOON))
    assert "All sending is paused since 2026-03-02 12:00 wrong price" in page(midday)


def test_open_alerts_are_listed(midday: Visiting) -> None:
    assert "Nothing is out of order." in page(midday)
    with midday.database.writing() as connection:
        open_incident(connection, "call_not_read", "provider:x", "a call cannot be read", at(NOON))
    assert "a call cannot be read" in page(midday)


def test_a_new_shop_says_how_to_begin(shop: Shop) -> None:
    shop.write(care=playbook())
    with visiting(shop, NOON) as console:
        told = page(console)
    assert "Nothing was ever evaluated." in told
    assert "Start automation run" in told.replace("`", "")
    assert "No message was planned today yet." in told


def test_a_day_with_half_an_hours_zone_and_one_that_ends_late_are_put_into_the_right_hours() -> None:
    def count(quarter: str, status: str) -> Count:
        return Count(datetime.fromisoformat(quarter).replace(tzinfo=UTC), "email", "care", status, None, 3)

    india = hours([count("2026-03-02T03:30:00", "sent")], date(2026, 3, 2), ZoneInfo("Asia/Kolkata"))
    assert [hour for hour, found in enumerate(india.counts) if found["sent"]] == [9]
    night = hours([count("2026-03-03T00:15:00", "planned")], date(2026, 3, 2), ROME)
    assert (night.later, night.groups) == (3, [])


def test_states_lie_upon_each_other_from_the_bottom() -> None:
    at_nine = datetime(2026, 3, 2, 8, tzinfo=UTC)
    counts = [Count(at_nine, "email", "care", status, None, 5) for status in ("failed", "sent")]
    sent, refused = hours(counts, date(2026, 3, 2), ROME).pieces
    assert (sent.group, refused.group, sent.x) == ("sent", "refused", refused.x)
    assert (sent.y + sent.height, sent.y) == (100, refused.y + refused.height)
