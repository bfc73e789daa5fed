"""A person asks for a message to go once more: what is heeded, what is not, and that it is one copy."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from shop import Shop, at, playbook, step
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from automation.customers.suppress import suppress_address, withdraw_consent
from automation.database.engine import Database
from automation.database.schema import audit_log, customers, messages, shard_of
from automation.delivery.answers.explain import explain
from automation.delivery.answers.one_message import message_told
from automation.delivery.answers.past import Past
from automation.delivery.desk import open_desk
from automation.delivery.health import by_hand
from automation.delivery.resend import Resent, Wish, next_copy, resend
from automation.delivery.verify import verify
from automation.errors import BadInput, UnknownMessage
from automation.reasons import Reason

DAY1, NOON1, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
NIGHT, MORNING = "2026-03-02T22:00:00Z", "2026-03-03T08:00:00Z"


@pytest.fixture(autouse=True)
def _sent(shop: Shop) -> None:
    """Ada got the first of two messages, and the shop writes once a day."""
    shop.per_day, shop.per_week = 1, 2
    shop.write(care=playbook(step("one") + step("two", after="3 days"), exit_when="orders >= 1"))
    shop.customers("ada")
    shop.evaluate(DAY1)
    assert shop.send(NOON1)["sent"] == 1


@pytest.fixture(autouse=True)
def _verified(shop: Shop) -> Iterator[None]:
    yield
    assert verify(shop.database, shop.settings).violations == []


def first(shop: Shop) -> int:
    return int(next(row.message_id for row in shop.rows() if row.step == "one"))


def again(shop: Shop, message_id: int | None = None, now: str = LATER, **said: Any) -> Resent:
    wish = Wish(message_id or first(shop), **{"by": "Eve", "why": "never got it", **said})
    with shop.database.writing() as connection:
        return resend(connection, open_desk(connection, shop.settings, shop.book), wish, at(now))


def copies(shop: Shop) -> list[tuple[str, str | None]]:
    return [(row.status, row.reason) for row in shop.rows() if row.again_of is not None]


def test_a_copy_is_a_row_of_its_own_that_goes_out_with_the_next_dispatch(shop: Shop) -> None:
    made = again(shop)
    assert made.waits is None
    assert shop.send(LATER)["sent"] == 1
    (row,) = (row for row in shop.rows() if row.message_id == made.message_id)
    assert (row.status, row.again_of, row.again, row.asked_by) == ("sent", first(shop), 1, "Eve")
    assert [one["recipient"] for one in shop.log()] == ["ada@example.com"] * 2
    noted = [(one.actor, one.act, one.about, one.note) for one in shop.rows(audit_log)]
    assert noted == [("Eve", "resend", f"message:{made.message_id}", "never got it")]


def test_the_passage_goes_on_as_if_there_were_no_copy(shop: Shop) -> None:
    before = [(row.step, row.status, row.due_at) for row in shop.rows()]
    again(shop)
    shop.send(LATER)
    assert [(row.step, row.status, row.due_at) for row in shop.rows() if row.again_of is None] == before
    assert shop.send("2026-03-05T11:00:00Z")["sent"] == 1  # the second step, which its own cap still allows
    assert shop.passages() == [("ada", "care", "completed")]


def test_a_copy_counts_towards_no_cap_and_no_cap_holds_it(shop: Shop) -> None:
    again(shop)
    shop.send(LATER)
    again(shop, now="2026-03-02T13:00:00Z")
    assert shop.send("2026-03-02T13:00:00Z")["sent"] == 1
    assert len(shop.log()) == 3


def test_a_customer_who_left_the_playbook_can_get_it_again_and_the_run_lets_the_copy_be(shop: Shop) -> None:
    shop.orders("ada", "2026-03-02T11:30:00Z")
    again(shop, now=NIGHT)
    shop.evaluate("2026-03-03T05:00:00Z")
    assert shop.passages() == [("ada", "care", "exit_rule")]
    assert shop.send(MORNING)["sent"] == 1


def test_at_night_it_waits_for_the_morning_and_says_so(shop: Shop) -> None:
    made = again(shop, now=NIGHT)
    assert made.waits is not None
    assert made.waits.until == at("2026-03-03T07:00:00Z")
    assert copies(shop) == [("planned", "outside_window")]
    assert shop.send(NIGHT)["sent"] == 0
    assert shop.send(MORNING)["sent"] == 1


def withdraw(shop: Shop) -> None:
    with shop.database.writing() as connection:
        withdraw_consent(connection, shard_of("ada"), "ada", "email", "link", "customer", at(NOON1))


def suppress_ada(shop: Shop) -> None:
    with shop.database.writing() as connection:
        suppress_address(connection, "email", "ada@example.com", "bounced_hard", "test", at(NOON1))


def erase(shop: Shop) -> None:
    with shop.database.writing() as connection:
        connection.execute(update(customers).values(erased_at=at(NOON1)))


def forget_address(shop: Shop) -> None:
    with shop.database.writing() as connection:
        connection.execute(update(customers).values(email=None))


def end_playbook(shop: Shop) -> None:
    shop.write(care="ends = 2026-03-01\n" + playbook(step("one")))


NEVER: dict[Reason, Callable[[Shop], None]] = {
    Reason.NO_CONSENT: withdraw,
    Reason.SUPPRESSED_ADDRESS: suppress_ada,
    Reason.ERASED: erase,
    Reason.NO_ADDRESS: forget_address,
    Reason.PLAYBOOK_ENDED: end_playbook,
}


@pytest.mark.parametrize("reason", NEVER)
def test_what_law_and_the_customer_forbid_is_refused_at_once_and_leaves_nothing(shop: Shop, reason: Reason) -> None:
    NEVER[reason](shop)
    with pytest.raises(BadInput) as refused:
        again(shop)
    assert reason.sentence in str(refused.value)
    assert copies(shop) == []
    assert shop.rows(audit_log) == []


@pytest.mark.parametrize("reason", NEVER)
def test_what_is_forbidden_after_it_was_asked_for_stops_the_copy(shop: Shop, reason: Reason) -> None:
    again(shop)
    NEVER[reason](shop)
    assert shop.send(LATER)["sent"] == 0
    ((status, why),) = copies(shop)
    assert (status in {"skipped", "canceled"}, why) == (True, reason.value)


def test_a_pause_holds_it_until_it_ends_and_a_day_later_it_is_over(shop: Shop) -> None:
    with shop.database.writing() as connection:
        by_hand.pause(connection, "customer:ada", "Bob", "", None, at(NOON1))
    made = again(shop)
    assert made.waits is not None
    assert made.waits.reason == Reason.CUSTOMER_PAUSED
    assert shop.send(LATER)["sent"] == 0
    with shop.database.writing() as connection:
        by_hand.resume(connection, "customer:ada", "Bob", "", at("2026-03-04T11:00:00Z"))
    shop.send("2026-03-04T12:00:00Z")
    assert copies(shop) == [("expired", "too_late")]


def test_a_playbook_that_is_gone_sends_nothing_again(shop: Shop) -> None:
    again(shop)
    (shop.folder / "playbooks" / "care.toml").unlink()
    assert shop.send(LATER)["sent"] == 0
    assert copies(shop) == [("canceled", "playbook_removed")]
    with pytest.raises(BadInput, match="no longer there"):
        again(shop)


def test_only_what_went_out_can_go_again(shop: Shop) -> None:
    (waiting,) = (row.message_id for row in shop.rows() if row.step == "two")
    with pytest.raises(BadInput, match="is planned and has not gone out yet"):
        again(shop, waiting)
    with pytest.raises(UnknownMessage):
        again(shop, 77)
    with pytest.raises(BadInput, match="say why"):
        again(shop, why=" ")
    with pytest.raises(BadInput, match="say who"):
        again(shop, by=" ")
    with shop.database.writing() as connection:
        withdraw_consent(connection, shard_of("ada"), "ada", "email", "link", "customer", at(NOON1))
    shop.send("2026-03-05T11:00:00Z")
    with pytest.raises(BadInput, match="never went out"):
        again(shop, waiting)
    assert copies(shop) == []


def test_of_what_nobody_knows_it_is_said_first_what_became_of_it(shop: Shop) -> None:
    made = again(shop)
    shop.fault(cut="after", times=1)
    assert shop.send(LATER)["unknown"] == 1
    with pytest.raises(BadInput, match="resolve it first"):
        again(shop)
    with shop.database.writing() as connection:
        by_hand.resolve(connection, made.message_id, "failed", "Eve", "not in their log", at(LATER))
    again(shop)
    assert shop.send("2026-03-02T13:00:00Z")["sent"] == 1
    assert [status for status, _ in copies(shop)] == ["failed", "sent"]


def test_while_a_copy_is_on_its_way_there_is_no_other(shop: Shop) -> None:
    made = again(shop)
    with pytest.raises(BadInput, match=f"message {made.message_id}, is planned"):
        again(shop)
    shop.send(LATER)
    assert again(shop, made.message_id).message_id > made.message_id  # a copy of the copy is one of the first


def test_a_second_click_asks_for_the_same_copy_however_late_it_comes(shop: Shop) -> None:
    with shop.database.reading() as connection:
        number = next_copy(connection, first(shop))
    again(shop, number=number)
    shop.send(LATER)
    with pytest.raises(BadInput, match="somebody has sent it again meanwhile"):
        again(shop, number=number, now="2026-03-02T12:05:00Z")
    assert copies(shop) == [("sent", None)]


def test_eight_people_who_ask_in_the_same_moment_make_one_copy(shop: Shop) -> None:
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: _tried(shop), range(8)))
    assert sum(done) == 1
    assert copies(shop) == [("planned", None)]


def _tried(shop: Shop) -> bool:
    with suppress(BadInput):
        again(shop)
        return True
    return False


def test_the_database_itself_takes_no_second_open_copy(database: Database, shop: Shop) -> None:
    made = again(shop)
    with database.reading() as connection:
        found = select(messages).where(messages.c.message_id == made.message_id)
        row = dict(connection.execute(found).mappings().one())
    for twin in ({"again": 2}, {"again": 1, "status": "failed", "finished_at": at(LATER)}):
        with pytest.raises(IntegrityError), database.writing() as connection:
            connection.execute(insert(messages), {**row, "message_id": row["message_id"] + 256, **twin})


def test_a_lost_answer_to_a_copy_leaves_the_passage_alone(shop: Shop) -> None:
    again(shop)
    shop.fault(cut="after", times=1)
    shop.send(LATER)
    assert copies(shop) == [("unknown", "no_answer")]
    assert [(row.step, row.status) for row in shop.rows() if row.again_of is None] == [
        ("one", "sent"),
        ("two", "planned"),
    ]


def test_the_log_the_message_and_the_explanation_tell_of_it(shop: Shop) -> None:
    made = again(shop)
    shop.send(LATER)
    with shop.database.reading() as connection:
        original, copy = (message_told(connection, one, "en") for one in (first(shop), made.message_id))
        past = Past(connection, open_desk(connection, shop.settings, shop.book), "ada", at("2026-03-02T13:00:00Z"))
        told = explain(past, "care")[0].told
    assert [(one["message_id"], one["asked_by"], one["status"]) for one in original["copies"]] == [
        (made.message_id, "Eve", "sent")
    ]
    assert (copy["again_of"], copy["asked_by"]) == (first(shop), "Eve")
    assert [(one["actor"], one["act"], one["note"]) for one in copy["acts"]] == [("Eve", "resend", "never got it")]
    assert any(line.startswith("step one (email, again for Eve): sent on") for line in told)
