"""The pages of playbooks: what each is, what it did, and who may stop it."""

import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from console_visiting import Visiting, visiting
from reporting import report
from shop import Shop, at, playbook, step

from automation.database.schema import audit_log
from automation.database.work import pauses
from automation.delivery.health.pauses import pause
from automation.reports.kept import keep_figures

ROOT = Path(__file__).parents[3]
GOAL = '[goal]\nevent = "Order"\nwithin = "2 days"\n'
NOW = "2026-03-20T12:00:00Z"
PEOPLE = tuple(f"c{number:03}" for number in range(60))


def words(answer: httpx.Response) -> str:
    """What stands on a page, without its marks."""
    text = re.sub(r"<(script|style).*?</\1>", "", answer.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def row_of(answer: httpx.Response, name: str) -> list[str]:
    """The cells of a table's row."""
    rows = re.findall(r"<tr>(.*?)</tr>", answer.text, re.DOTALL)
    (row,) = [one for one in rows if name in one]
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL)
    return [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in cells]


@pytest.fixture
def measured(shop: Shop) -> Shop:
    """Sixty customers, about half of them held out; a third orders; the second message waits."""
    steps = step("one") + step("two", "hello/text", "sms", after="40 days", when="orders >= 1")
    care = playbook(GOAL + steps, name="Care for all", holdout=0.5, when="orders < 5 or not nps <= 6")
    shop.write(care=care, other=playbook(name="Another", active=False))
    shop.customers(*PEOPLE)
    shop.evaluate("2026-03-02T05:00:00Z")
    shop.send("2026-03-02T11:00:00Z")
    for one in PEOPLE[::3]:
        shop.orders(one, "2026-03-03T09:00:00Z")
    shop.evaluate("2026-03-10T05:00:00Z")
    keep_figures(shop.database, shop.settings, shop.book, at(NOW))
    return shop


@pytest.fixture
def console(measured: Shop) -> Iterator[Visiting]:
    with visiting(measured, NOW) as found:
        yield found


def test_the_list_tells_what_the_report_tells(console: Visiting) -> None:
    arms = report(console.shop, "playbooks", "2026-02-19", "2026-03-20", NOW).table("arms").as_list()
    sent = report(console.shop, "playbooks", "2026-02-19", "2026-03-20", NOW).table("messages").as_list()
    cells = row_of(console.signed_in("viewer").get("/playbooks"), "Care for all")
    assert cells[:3] == ["Care for all Looks after customers", "active", "Email, SMS"]
    assert int(cells[3]) == 60 - sum(one["goal met"]["part"] for one in arms)  # whoever met it has left
    assert int(cells[4]) == sum(one["entered"] for one in arms) == 60
    assert int(cells[5]) == sum(one["sent"] for one in sent) > 0
    assert int(cells[6]) == sum(one["goal met"]["part"] for one in arms) == 20


def test_the_proof_is_the_reports_sentence_for_half_a_year(console: Visiting) -> None:
    told = report(console.shop, "playbooks", "2025-09-21", "2026-03-20", NOW).table("words").as_list()
    page = words(console.signed_in("viewer").get("/playbooks/care"))
    assert len(told) == 1
    assert told[0]["in words"] in page


def test_the_path_is_told_in_words_with_who_is_where(console: Visiting) -> None:
    page = words(console.signed_in("viewer").get("/playbooks/care"))
    for told in (
        "Customers in New Buyer Regular Gone",
        "orders less than 5 or nps more than 6, or not known",
        "Everybody enters once ever.",
        "50 % of them are not written to",
        "At once one Email are here now 0",
        "After 40 days two SMS Only if orders at least 1 are here now 40",
        "Goal: Order within 2 days.",
        "20 The customer already did what the playbook hopes for.",
        "The customer is in the group that is deliberately not written to",
    ):
        assert told in page, told


def test_every_count_of_messages_leads_to_just_those_in_the_log(console: Visiting) -> None:
    visitor = console.signed_in("viewer")
    links = re.findall(r'<a href="(/log[^"]+)">(\d+)</a>', visitor.get("/playbooks/care").text)
    assert len(links) >= 3
    for link, count in links:
        ids = set(re.findall(r'href="/messages/(\d+)"', visitor.get(html.unescape(link)).text))
        assert len(ids) == int(count)


def test_before_anything_was_counted_the_pages_say_so(shop: Shop) -> None:
    shop.write(care=playbook(name="Care for all"))
    with visiting(shop, NOW) as console:
        for path in ("/playbooks", "/playbooks/care"):
            assert "Nothing was counted yet" in console.signed_in("viewer").get(path).text


def test_a_broken_file_leaves_the_others_readable(console: Visiting) -> None:
    (console.shop.folder / "playbooks/broken.toml").write_text('name = "Broken"\nfamily = "care"\nstagess = ["new"]\n')
    visitor = console.signed_in("viewer")
    found = visitor.get("/playbooks")
    assert 'playbooks/broken.toml:3 unknown key "stagess"' in words(found)
    assert row_of(found, "Care for all")[1] == "active"
    assert row_of(found, ">broken<")[1] == "file has mistakes"
    page = visitor.get("/playbooks/broken")
    assert page.status_code == 200
    assert 'unknown key "stagess"' in words(page)
    assert '<span class="line" id="f1-3">stagess = [&#34;new&#34;]' in page.text
    assert visitor.get("/playbooks/care").status_code == 200


@pytest.mark.parametrize("name", ["facts.toml", "lifecycles/small.toml"])
def test_nothing_but_its_own_text_is_told_of_playbooks_when_all_rest_on_a_broken_file(
    console: Visiting, name: str
) -> None:
    (console.shop.folder / "playbooks" / name).write_text("[[")
    for path in ("/playbooks", "/playbooks/care"):
        answer = console.signed_in("viewer").get(path)
        assert answer.status_code == 200
    assert f"playbooks/{name}" in console.signed_in("viewer").get("/playbooks").text


def test_a_template_that_is_missing_is_told(console: Visiting) -> None:
    (console.shop.folder / "templates/hello/text.en.txt").unlink()
    page = console.signed_in("viewer").get("/playbooks/care")
    assert page.status_code == 200
    assert "templates/hello/text" in words(page)


def test_a_marketer_pauses_and_resumes_with_a_reason_on_record(console: Visiting) -> None:
    marketer = console.signed_in("marketer")
    assert "Pause it" in marketer.get("/playbooks/care").text
    for reason in ("", " ", "a\0b", "long" * 1000):
        assert marketer.post("/playbooks/care/pause", data={"reason": reason}).status_code == 422
    answer = marketer.post("/playbooks/care/pause", data={"reason": "a wrong price", "lasts": "day"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/playbooks/care?told=playbook.paused")
    page = words(marketer.get("/playbooks/care?told=playbook.paused"))
    assert "The playbook is paused; what is due waits." in page
    assert "paused by marketer" in page
    assert "Paused since 2026-03-20 13:00 until 2026-03-21 13:00 : a wrong price" in page
    assert "Pause it" not in page
    assert marketer.post("/playbooks/care/resume", data={"reason": ""}).status_code == 422
    assert marketer.post("/playbooks/care/resume", data={"reason": "mended"}).status_code == 303
    assert console.shop.rows(pauses) == []
    assert [(row.actor, row.act, row.about, row.note) for row in console.shop.rows(audit_log)] == [
        ("marketer", "pause", "playbook:care", "a wrong price"),
        ("marketer", "resume", "playbook:care", "mended"),
    ]


def test_a_pause_that_is_none_changes_nothing(console: Visiting) -> None:
    marketer = console.signed_in("marketer")
    assert marketer.post("/playbooks/care/resume", data={"reason": "x"}).status_code == 422
    assert marketer.post("/playbooks/care/pause", data={"reason": "x", "lasts": "a year"}).status_code == 422
    for act in ("pause", "resume"):
        assert marketer.post(f"/playbooks/never/{act}", data={"reason": "x"}).status_code == 404
    assert (console.shop.rows(pauses), console.shop.rows(audit_log)) == ([], [])


def test_what_was_stopped_by_refusals_is_told_apart_and_comes_first(console: Visiting) -> None:
    with console.database.writing() as connection:
        pause(connection, "playbook:other", "10 of its last 50 messages were refused", at(NOW), None)
        pause(connection, "playbook:care", "10 of its last 50 messages were refused: too_long", at(NOW), None)
    found = console.signed_in("viewer").get("/playbooks")
    assert row_of(found, "Care for all")[1] == "held by itself"
    assert row_of(found, "Another")[1] == "switched off by itself"
    assert found.text.index("Care for all") < found.text.index("Another")
    assert "refused: too_long" in console.signed_in("viewer").get("/playbooks/care").text


def test_that_nothing_is_sent_at_all_is_told_of_each_playbook(console: Visiting) -> None:
    visitor = console.signed_in("viewer")
    assert "All sending is paused" not in visitor.get("/playbooks").text
    with console.database.writing() as connection:
        pause(connection, "everything", "a wrong price list", at(NOW), None)
    for path in ("/playbooks", "/playbooks/care"):
        assert "a wrong price list" in visitor.get(path).text


def test_a_playbook_that_is_gone_is_shown_as_it_was(console: Visiting) -> None:
    (console.shop.folder / "playbooks/care.toml").unlink()
    visitor = console.signed_in("marketer")
    assert row_of(visitor.get("/playbooks"), ">care<")[1] == "no longer there"
    page = visitor.get("/playbooks/care")
    assert page.status_code == 200
    assert 'name = "Care for all"' in words(page)
    assert "templates/hello/text.en.txt" in page.text
    assert "The customer is in the group" in page.text
    assert "Pause it" not in page.text


def test_every_version_can_be_read_under_its_own_playbook_alone(console: Visiting) -> None:
    visitor = console.signed_in("viewer")
    (version,) = set(re.findall(r"/playbooks/care\?version=(\w+)", visitor.get("/playbooks/care").text))
    (console.shop.folder / "templates/hello/text.en.txt").write_text("Something else")
    page = words(visitor.get(f"/playbooks/care?version={version}"))
    assert f"As it was in version {version}." in page
    assert "Hello from the shop. Reply STOP" in page
    assert "Something else" not in page
    assert visitor.get("/playbooks/care?version=nothing").status_code == 404


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_shipped_playbook_has_a_page_and_a_preview_of_each_step(shop: Shop) -> None:
    shop.write()
    for name in ("playbooks", "templates"):
        shutil.rmtree(shop.folder / name)
        shutil.copytree(ROOT / name, shop.folder / name)
    shutil.copy(ROOT / "config.toml", shop.folder)
    with visiting(shop, NOW) as console:
        visitor = console.signed_in("viewer")
        for key, one in shop.book.playbooks.items():
            page = words(visitor.get(f"/playbooks/{key}"))
            assert all(step.key in page for step in one.steps)
            for step in one.steps:
                seen = visitor.get(f"/playbooks/{key}/preview", params={"step": step.key})
                assert (seen.status_code, "<iframe" in seen.text) == (200, step.model.channel == "email")


@pytest.mark.parametrize("key", ["never", "..%2Fconfig", "facts", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%00"])
def test_what_is_no_playbook_is_not_found(console: Visiting, key: str) -> None:
    answer = console.signed_in("viewer").get(f"/playbooks/{key}")
    assert answer.status_code == 404
    assert "<script>alert" not in answer.text


def test_names_and_texts_are_shown_and_never_run(shop: Shop) -> None:
    evil = "<script>alert('x')</script>\"'&{{ 7*7 }}"
    shop.write(evil=playbook(name=evil, when="nps > 3"))
    (shop.folder / "templates/hello/hello.en.md").write_text(f'+++\nsubject = "x"\n+++\n</pre>{evil}\n')
    with visiting(shop, NOW) as console:
        for path in ("/playbooks", "/playbooks/evil"):
            answer = console.signed_in("marketer").get(path)
            assert answer.status_code == 200
            assert "<script>alert" not in answer.text
            assert "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;" in answer.text
            assert "{{ 7*7 }}" in answer.text
            assert answer.text.count("</pre>") == answer.text.count("<pre")
