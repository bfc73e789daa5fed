"""A customer gives their link to friends: visits and sign-ups become events of theirs, and count."""

import re
from collections.abc import Iterator
from typing import Any

import httpx
import loopback
import pytest
from serving import served
from shop import Shop, playbook, step
from sqlalchemy import select

from automation.customers.referrals import MOST_VISITS
from automation.database.referrals import referral_codes, referrals
from automation.database.schema import customers, events
from automation.delivery.verify import verify

DAY1, NOON, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
DAY2, NOON2 = "2026-03-03T05:00:00Z", "2026-03-03T11:00:00Z"
ASK = """+++
subject = "For a friend"
+++
Your link: [{{ referral.url }}]({{ referral.url }}), code {{ referral.code }}
"""
FACTS = '[friends]\nevent = "Referral Made"\ncount = true\n[looks]\nevent = "Referral Visited"\ncount = true\n'


@pytest.fixture
def asked(shop: Shop) -> Shop:
    """Ada and Bob were sent their links."""
    thanks = playbook(step("thanks"), when="friends >= 1")
    shop.write(ask=playbook(step("one", "hello/ask")), plain=playbook(step("one")), thanks=thanks)
    with (shop.folder / "playbooks/facts.toml").open("a", encoding="utf-8") as file:
        file.write(FACTS)
    (shop.folder / "templates/hello/ask.en.md").write_text(ASK, encoding="utf-8")
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    shop.send(NOON)
    return shop


@pytest.fixture
def address(asked: Shop) -> Iterator[str]:
    with served(asked, LATER) as found:
        yield found


def code_of(shop: Shop, customer: str) -> str:
    with shop.database.reading() as connection:
        mine = select(referral_codes.c.code).where(referral_codes.c.customer_id == customer)
        return str(connection.execute(mine).scalar_one())


def told(shop: Shop) -> list[tuple[str, str]]:
    return sorted((row.customer_id, row.name) for row in shop.rows(events))


def page(shop: Shop, number: str) -> str:
    return loopback.get(f"{shop.url}/messages/{number}/html").text


def visit(address: str, code: str, method: str = "GET", **headers: str) -> httpx.Response:
    return loopback.request(method, f"{address}/r/{code}", headers=headers)


def test_the_link_in_the_mail_is_the_customers_own_and_stays_the_same(asked: Shop) -> None:
    mails = [one for one in asked.log() if one["subject"] == "For a friend"]
    codes = {one["recipient"]: re.findall(r'href="[^"]*/r/(\w+)"', page(asked, one["id"])) for one in mails}
    assert codes == {f"{name}@example.com": [code_of(asked, name)] for name in ("ada", "bob")}
    assert codes["ada@example.com"] != codes["bob@example.com"]
    (asked.folder / "playbooks/again.toml").write_text(playbook(step("one", "hello/ask")), encoding="utf-8")
    asked.evaluate(DAY2)
    asked.send(NOON2)
    assert len(asked.rows(referral_codes)) == 2
    assert verify(asked.database, asked.settings).ok


def test_whoever_was_not_asked_has_no_code(shop: Shop) -> None:
    shop.write(plain=playbook(step("one")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON)
    assert shop.rows(referral_codes) == []


def test_a_friend_who_follows_the_link_gets_to_the_shop_and_is_an_event(asked: Shop, address: str) -> None:
    code = code_of(asked, "ada")
    answer = visit(address, code)
    assert (answer.status_code, answer.headers["location"]) == (302, f"https://shop.example/?ref={code}")
    assert told(asked) == [("ada", "Referral Visited")]
    visit(address, code.lower())
    assert len(told(asked)) == 1  # the same visitor, the same day
    visit(address, code, **{"user-agent": "another"})
    assert len(told(asked)) == 2


def test_what_only_looks_ahead_is_no_visit(asked: Shop, address: str) -> None:
    visit(address, code_of(asked, "ada"), "HEAD")
    visit(address, code_of(asked, "ada"), **{"sec-purpose": "prefetch;prerender"})
    assert told(asked) == []


@pytest.mark.parametrize("code", ["NOBODYS234", "%00", "a" * 500, "<script>", "%F0%9F%8E%81"])
def test_a_code_that_is_nobodys_leads_to_the_shop_all_the_same(asked: Shop, address: str, code: str) -> None:
    answer = visit(address, code)
    assert (answer.status_code, answer.headers["location"]) == (302, "https://shop.example/")
    assert told(asked) == []


def test_a_robot_does_not_fill_the_disk(asked: Shop, address: str) -> None:
    code = code_of(asked, "ada")
    with httpx.Client(verify=loopback.TRUSTED, trust_env=False) as client:
        for number in range(MOST_VISITS + 5):
            client.get(f"{address}/r/{code}", headers={"user-agent": f"robot {number}"})
    assert len(told(asked)) == MOST_VISITS


def test_a_friend_who_signs_up_counts_once_for_whose_code_came_first(asked: Shop) -> None:
    asked.customers("cleo", "dora", now=LATER, referred_by=f" {code_of(asked, 'ada').lower()} ")
    asked.customers("cleo", now=LATER, referred_by=code_of(asked, "bob"), plan="plus")
    assert told(asked) == [("ada", "Referral Made")] * 2
    assert {(row.customer_id, row.referrer_id) for row in asked.rows(referrals)} == {("cleo", "ada"), ("dora", "ada")}
    asked.evaluate(DAY2)
    assert ("ada", "thanks", None) in asked.passages()
    assert ("bob", "thanks", None) not in asked.passages()


@pytest.mark.parametrize("told_code", ["NOBODYS234", "", 12, None, ["x"]])
def test_a_code_that_is_nobodys_credits_nobody(asked: Shop, told_code: Any) -> None:
    asked.customers("cleo", now=LATER, referred_by=told_code)
    assert told(asked) == []


def test_nobody_brings_themselves_along(asked: Shop) -> None:
    asked.customers("ada", now=LATER, referred_by=code_of(asked, "ada"))
    assert told(asked) == []


def test_the_sign_up_is_dated_as_the_friend_says_unless_that_is_to_come(asked: Shop) -> None:
    asked.customers("cleo", now=LATER, signup_at="2026-03-01T09:00:00Z", referred_by=code_of(asked, "ada"))
    asked.customers("dora", now=LATER, signup_at="2027-03-01T09:00:00Z", referred_by=code_of(asked, "ada"))
    times = sorted(row.time.isoformat() for row in asked.rows(events))
    assert times == ["2026-03-01T09:00:00+00:00", "2026-03-02T12:00:00+00:00"]


def test_somebody_who_was_erased_is_credited_no_more(asked: Shop, address: str) -> None:
    code = code_of(asked, "ada")
    with asked.database.writing() as connection:
        erased = customers.update().where(customers.c.customer_id == "ada")
        connection.execute(erased.values(erased_at=asked.rows(referral_codes)[0].made_at))
    visit(address, code)
    asked.customers("cleo", now=LATER, referred_by=code)
    assert told(asked) == []
