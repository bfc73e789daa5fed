"""The page of a survey: it asks a customer one question, keeps the answer as an event, and lets them think again."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import loopback
import pytest
from choosing import link as preferences
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from serving import served
from shop import Shop, at
from sqlalchemy import event, update
from surveying import (
    DAY1,
    LATER,
    NOON,
    NPS,
    answers,
    ask,
    choices,
    chosen,
    comment_in,
    get,
    link,
    post,
)

from automation.customers.suppress import withdraw_consent
from automation.database.schema import consents, customers, events, facts_as_of, shard_of
from automation.delivery.outcomes.surveys import MOST, fit_comment
from automation.web.survey_words import SURVEY_WORDS
from automation.web.words import WORDS

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what the database has no part in
EN = SURVEY_WORDS["en"]


@pytest.fixture
def asked(shop: Shop) -> Shop:
    """A mail with a survey was planned for two customers; Bob reads Polish."""
    ask(shop)
    shop.customers("ada")
    shop.customers("bob", locale="pl-PL")
    shop.evaluate(DAY1)
    return shop


@pytest.fixture
def address(asked: Shop) -> Iterator[str]:
    with served(asked, LATER) as found:
        yield found


def test_the_page_shows_the_question_and_keeps_nothing(asked: Shop, address: str) -> None:
    page = get(address + link(asked) + "?a=9")
    assert (page.status_code, choices(page), chosen(page)) == (200, [str(one) for one in range(11)], ["9"])
    assert "<h1>Would you recommend us?</h1>" in page.text
    assert ">0 = never</span>" in page.text
    assert httpx.head(address + link(asked) + "?a=9").status_code == 200
    assert answers(asked) == []


@on_sqlite
def test_it_speaks_the_customers_language(asked: Shop, address: str) -> None:
    page = get(address + link(asked, "bob")).text
    assert '<html lang="pl">' in page
    assert "<h1>Czy nas polecisz?</h1>" in page
    assert SURVEY_WORDS["pl"].send in page
    page = get(address + link(asked, "bob", "leaving")).text
    assert '<html lang="en">' in page
    assert EN.send in page


@on_sqlite
def test_nothing_is_chosen_beforehand_but_what_can_be_answered(asked: Shop, address: str) -> None:
    for strange in ("", "?a=11", "?a=-1", "?a=9.0", "?a=%D9%A3", "?a=%00", "?a=%FF", "?b=3", "?a"):
        page = get(address + link(asked) + strange)
        assert (page.status_code, chosen(page)) == (200, [])


def test_an_answer_is_an_event_of_the_customer_now(asked: Shop, address: str) -> None:
    done = post(address + link(asked), "9", "Fast & friendly")
    assert (done.status_code, done.headers["location"]) == (303, "?thanks=1")
    (row,) = asked.rows(events)
    message = next(one for one in asked.rows() if one.customer_id == "ada")
    assert (row.customer_id, row.shard, row.name, row.time) == ("ada", shard_of("ada"), "Survey Answered", at(LATER))
    assert row.properties == {
        "survey": "nps",
        "nps": 9,
        "comment": "Fast & friendly",
        "message_id": str(message.message_id),
        "playbook": "survey",
    }


def test_an_answer_in_words_is_kept_by_its_key(asked: Shop, address: str) -> None:
    page = get(address + link(asked, survey="leaving"))
    assert choices(page) == ["price", "other"]
    assert "Why &lt;did&gt; you leave?" in page.text
    assert "Prices or delivery costs &amp; so on" in page.text
    assert "<textarea" not in page.text
    post(address + link(asked, survey="leaving"), "price", "nobody asked")
    assert answers(asked) == [{"survey": "leaving", "left_because": "price"}]


def test_it_thanks_and_lets_them_think_again_and_say_more(asked: Shop, address: str) -> None:
    url = address + link(asked)
    page = post(url, "9", follow_redirects=True)
    assert (page.status_code, page.request.method, chosen(page)) == (200, "GET", ["9"])
    assert '<p role="status" class="done">Thank you.</p>' in page.text
    assert EN.change in page.text
    page = post(url, "6", "It was late", follow_redirects=True)
    assert (chosen(page), comment_in(page)) == (["6"], "It was late")
    assert chosen(get(url)) == ["6"]
    assert chosen(get(url + "?a=2")) == ["2"]
    assert answers(asked) == [{"survey": "nps", "nps": 9}, {"survey": "nps", "nps": 6, "comment": "It was late"}]


def test_the_same_answer_twice_is_one_and_so_is_a_double_click(asked: Shop, address: str) -> None:
    url = address + link(asked)
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda _: post(url, "7", "Why not").status_code, range(8)))
    assert done == [303] * 8
    assert answers(asked) == [{"survey": "nps", "nps": 7, "comment": "Why not"}]


def test_two_pages_with_different_answers_are_both_kept_and_one_of_them_counts(asked: Shop, address: str) -> None:
    url = address + link(asked)
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(lambda value: post(url, value).status_code, ("3", "8")))
    assert done == [303] * 2
    kept = [one["nps"] for one in answers(asked)]
    assert sorted(kept) == [3, 8]
    assert chosen(get(url)) == [str(kept[-1])]


def test_ten_answers_are_taken_and_then_the_page_says_which_one_counts(asked: Shop, address: str) -> None:
    url = address + link(asked)
    for number in range(MOST):
        assert post(url, str(number)).status_code == 303
    page = post(url, "10", follow_redirects=True)
    assert EN.stands.format(answer="9") in page.text
    assert choices(page) == choices(get(url)) == []
    assert [one["nps"] for one in answers(asked)] == list(range(MOST))
    assert post(address + link(asked, "bob"), "10").status_code == 303
    assert len(answers(asked)) == MOST + 1


@on_sqlite
@pytest.mark.parametrize("value", ["", "11", "-1", "3.0", " 3", "x", "\0", "9" * 5_000, "<b>"])
def test_an_answer_off_the_scale_is_told_and_the_comment_is_not_lost(asked: Shop, address: str, value: str) -> None:
    page = post(address + link(asked), value, "My long\r\nstory </textarea><b>")
    assert (page.status_code, chosen(page)) == (422, [])
    assert EN.choose in page.text
    assert comment_in(page) == "My long\nstory </textarea><b>"
    assert "<b>" not in page.text
    assert answers(asked) == []


@on_sqlite
def test_a_comment_that_is_too_long_is_told_and_not_lost(asked: Shop, address: str) -> None:
    url, longest = address + link(asked), "ж" * 2_000
    page = post(url, "4", longest + "ж")
    assert (page.status_code, chosen(page), comment_in(page)) == (422, ["4"], longest + "ж")
    assert EN.too_long.format(most=2_000) in page.text
    assert post(url, "4", longest).status_code == 303
    assert [one["comment"] for one in answers(asked)] == [longest]


def test_a_comment_is_kept_as_it_was_meant_and_never_as_markup(asked: Shop, address: str) -> None:
    url = address + link(asked)
    body = b"a=5&comment=+%0D%0A%00%1B%5B31m%ED%A0%80%3Cscript%3E%0D%0Atwo%09%F0%9F%98%80%C2%85+"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    page = loopback.post(url, content=body, headers=headers, follow_redirects=True)
    assert page.status_code == 200
    assert answers(asked)[0]["comment"] == "[31m\ufffd\ufffd\ufffd<script>\ntwo\t😀"
    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text
    post(url, "5", "2026-99-99")
    assert answers(asked)[1]["comment"] == "“2026-99-99”"


@on_sqlite
def test_a_body_that_is_too_large_or_has_too_many_fields_is_refused(asked: Shop, address: str) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    for body in (b"a=3&comment=" + b"x" * 64_000, b"a=3&" * 21):
        page = loopback.post(address + link(asked), content=body, headers=headers)
        assert (page.status_code, choices(page)) == (413, [str(one) for one in range(11)])
    assert answers(asked) == []


def test_links_that_nobody_signed_and_surveys_that_are_not_there_tell_nothing(asked: Shop, address: str) -> None:
    good = link(asked)
    token = good.split("/")[2]
    with asked.database.writing() as connection:
        connection.execute(update(customers).where(customers.c.customer_id == "bob").values(erased_at=at(NOON)))
    strange = [f"/s/{one}/nps" for one in ("x", "A" * 32, token[:-2] + "AA", "%00", "%ff%fe", "é" * 32)]
    strange += [f"/s/{token}/{one}" for one in ("npss", "%00", "..", "%2e%2e", "x" * 300)] + [link(asked, "bob")]
    pages = [get(address + one) for one in strange if ".." not in one]
    posted = [post(address + one, "3") for one in strange if ".." not in one]
    assert {(page.status_code, page.text) for page in (*pages, *posted)} == {(200, pages[0].text)}
    assert WORDS["en"].unknown in pages[0].text
    assert answers(asked) == []


def test_a_link_to_a_survey_is_no_link_to_leave_and_the_other_way_round(asked: Shop, address: str) -> None:
    token, before = link(asked).split("/")[2], asked.rows(consents)
    assert WORDS["en"].unknown in get(f"{address}/p/{token}").text
    loopback.post(f"{address}/u/{token}")
    assert asked.rows(consents) == before
    leaving = preferences(asked, "ada").rpartition("/")[2]
    assert WORDS["en"].unknown in post(f"{address}/s/{leaving}/nps", "3").text
    assert answers(asked) == []


def test_somebody_without_consent_may_answer(asked: Shop, address: str) -> None:
    with asked.database.writing() as connection:
        withdraw_consent(connection, shard_of("ada"), "ada", "email", "link", "customer", at(NOON))
    assert post(address + link(asked), "1").status_code == 303
    assert [one["nps"] for one in answers(asked)] == [1]


def test_an_old_mail_is_answered_for_years(asked: Shop) -> None:
    with served(asked, "2029-03-02T12:00:00Z") as address:
        assert post(address + link(asked), "8").status_code == 303
    (row,) = asked.rows(events)
    assert row.time == at("2029-03-02T12:00:00Z")


@on_sqlite
def test_no_page_is_kept_indexed_framed_or_told_of_elsewhere(asked: Shop, address: str) -> None:
    url = address + link(asked)
    for answer in (get(url), get(address + "/s/x/nps"), post(url, "3"), post(url, "x")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "script" not in answer.headers["content-security-policy"] + answer.text
        assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert get(address + "/s/a/" + "../../pages.css").status_code == 200


def test_a_database_that_fails_is_no_lost_answer_but_one_to_give_again(asked: Shop, address: str) -> None:
    url = address + link(asked)

    def fail(*_: Any) -> None:
        raise OSError

    event.listen(asked.database.engine, "before_cursor_execute", fail)
    try:
        told = [get(url), post(url, "3")]
    finally:
        event.remove(asked.database.engine, "before_cursor_execute", fail)
    assert [(one.status_code, WORDS["en"].later in one.text) for one in told] == [(503, True)] * 2


@on_sqlite
def test_a_changed_file_is_read_and_a_broken_one_leaves_the_question_as_it_was(asked: Shop, address: str) -> None:
    url, file = address + link(asked), asked.folder / "playbooks/surveys/nps.toml"
    post(url, "9")
    file.write_text(NPS.replace("to = 10", "to = 5"), encoding="utf-8")
    assert (choices(get(url)), chosen(get(url))) == (["0", "1", "2", "3", "4", "5"], [])
    file.write_text("name = ", encoding="utf-8")
    assert choices(get(url)) == ["0", "1", "2", "3", "4", "5"]
    file.unlink()
    assert WORDS["en"].unknown in get(url).text


def test_an_answer_costs_look_ups_by_key_and_one_event(asked: Shop, address: str) -> None:
    statements: list[tuple[str, Any]] = []

    def note(_: Any, __: Any, statement: str, bound: Any, *___: Any) -> None:
        if "hook_calls" not in statement:  # that one is the server's own, which looks for waiting calls meanwhile
            statements.append((statement, bound))

    url = address + link(asked)
    event.listen(asked.database.engine, "before_cursor_execute", note)
    try:
        post(url, "3")
    finally:
        event.remove(asked.database.engine, "before_cursor_execute", note)
    assert len(statements) <= 14
    assert len([sql for sql, _ in statements if sql.startswith("INSERT INTO events")]) == 1
    if asked.database.is_sqlite:  # PostgreSQL reads tables as small as these from end to end
        queries = [(sql, bound) for sql, bound in statements if sql.startswith("SELECT") and "WHERE" in sql]
        with asked.database.reading() as connection:
            plans = [connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", bound).all() for sql, bound in queries]
        assert [row.detail for plan in plans for row in plan if row.detail.startswith("SCAN")] == []


def test_whatever_form_is_posted_is_answered(asked: Shop, address: str) -> None:
    url = address + link(asked)
    headers = {"content-type": "application/x-www-form-urlencoded"}
    names = st.sampled_from(["a", "comment", "b", ""]) | st.text(max_size=5)
    fields = st.lists(st.tuples(names, st.sampled_from(["3", "10"]) | st.text(max_size=60)), max_size=5)
    bodies = fields.map(lambda one: httpx.QueryParams(tuple(one)).__str__().encode()) | st.binary(max_size=200)

    @given(bodies)
    @example(b"a=3&comment=%ED%A0%80%00")
    @example(b"a=3&a=4&comment=" + b"%F4%8F%BF%BF" * 2_000)
    @settings(deadline=None, derandomize=True, max_examples=60, suppress_health_check=list(HealthCheck))
    def answered(body: bytes) -> None:
        assert loopback.post(url, content=body, headers=headers).status_code in {303, 413, 422}

    answered()
    assert 1 <= len(answers(asked)) <= MOST


@given(st.text(st.characters(), max_size=80))
def test_any_comment_is_made_fit_once_and_for_all(text: str) -> None:
    fit = fit_comment(text)
    assert fit_comment(fit) == fit
    fit.encode()
    assert "\0" not in fit


def test_every_language_says_everything() -> None:
    assert SURVEY_WORDS.keys() == WORDS.keys()
    for words in SURVEY_WORDS.values():
        assert all(words)
        assert words.too_long.count("{most}") == words.stands.count("{answer}") == 1


def test_a_mail_leads_to_the_page_and_the_answer_to_another_stage_and_a_follow_up(shop: Shop) -> None:
    follow_up = 'name = "Sorry"\nfamily = "care"\nstages = ["leaving"]\nwhen = "score <= 6"\n'
    hello = '[[steps]]\nkey = "sorry"\nchannel = "email"\ntemplate = "hello/hello"\n'
    ask(shop, sorry=follow_up + hello)
    facts = shop.folder / "playbooks/facts.toml"
    facts.write_text(facts.read_text() + '[score]\nevent = "Survey Answered"\nlatest = "nps"\n', encoding="utf-8")
    stages = shop.folder / "playbooks/lifecycles/small.toml"
    unhappy = '[[stages]]\nkey = "unhappy"\nname = { en = "Unhappy" }\nroles = ["leaving"]\nwhen = "score <= 6"\n'
    stages.write_text(stages.read_text() + unhappy, encoding="utf-8")
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON)
    (mail,) = shop.log()
    (url,) = (one for one in _links(mail["html"]) if one.endswith("?a=3"))
    with served(shop, LATER) as address:
        path = url.removeprefix(shop.settings.business.public_url)
        page = get(address + path)
        assert chosen(page) == ["3"]
        assert post(address + path.partition("?")[0], chosen(page)[0]).status_code == 303
    assert shop.rows(facts_as_of)  # its facts were kept before the answer came
    day = shop.evaluate("2026-03-03T05:00:00Z")
    assert day["entered"] == {"sorry": 1}
    assert [(one[2], one[3]) for one in shop.moves()][-1] == ("new", "unhappy")
    shop.send("2026-03-03T11:00:00Z")
    assert len(shop.log()) == 2


def _links(html: str) -> list[str]:
    return [one.split('"')[0] for one in html.split('href="')[1:]]
