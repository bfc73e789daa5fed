"""One message as a page: its copy, its gates, and what support staff may do about it."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from console_visiting import DAY1, NOON1, Visiting, visiting
from shop import Shop, at, playbook, step

from automation.customers.suppress import withdraw_consent
from automation.database.schema import audit_log, shard_of
from automation.delivery.verify import verify

SPEAKS = """+++
subject = "Hello {{ customer.first_name }}"
+++
We write to {{ customer.contact }}. [Leave]({{ unsubscribe_url }})
"""
TEXT = "Dear {{ customer.first_name }} of {{ customer.contact }}. Reply STOP to opt out."
WHY = {"reason": "she never got it"}


@pytest.fixture
def console(shop: Shop) -> Iterator[Visiting]:
    """Ada got an email and a text, and a second email waits."""
    shop.write(
        hello=playbook(step("one") + step("two", after="3 days")), text=playbook(step("sms", "hello/text", "sms"))
    )
    (shop.folder / "templates/hello/hello.en.md").write_text(SPEAKS)
    (shop.folder / "templates/hello/text.en.txt").write_text(TEXT)
    shop.customers("ada", first_name="<b>Ada</b>", contact="ada@example.com")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    with visiting(shop, "2026-03-05T12:00:00Z") as found:
        yield found
    assert verify(shop.database, shop.settings).violations == []


def number(console: Visiting, step: str) -> int:
    return int(next(row.message_id for row in console.shop.rows() if row.step == step))


def page(console: Visiting, step: str, role: str = "support") -> str:
    answer = console.signed_in(role).get(f"/messages/{number(console, step)}")
    assert answer.status_code == 200
    return answer.text


def resend(console: Visiting, message_id: int, **said: Any) -> Any:
    return console.signed_in("support").post(f"/messages/{message_id}/resend", data={**WHY, **said})


def copies(console: Visiting) -> list[Any]:
    return [row for row in console.shop.rows() if row.again_of is not None]


def test_it_says_what_became_of_it_and_why(console: Visiting) -> None:
    seen = page(console, "one")
    assert "This is what was sent, to the letter." in seen
    assert "ada@example.com" in seen
    assert "granted 2026-01-01 by rows.jsonl" in seen
    assert seen.count("passed") >= 13
    assert "Hello &lt;b&gt;Ada&lt;/b&gt;" in seen


def test_a_text_is_told_with_its_segments(console: Visiting) -> None:
    seen = page(console, "sms")
    assert "Dear &lt;b&gt;Ada&lt;/b&gt; of ada@example.com." in seen
    assert re.search(r"1 segment|GSM", seen)


def test_what_is_not_sent_yet_leads_to_its_preview(console: Visiting) -> None:
    seen = page(console, "two")
    assert "has not happened" in seen
    (link,) = re.findall(r'href="(/playbooks/hello/preview[^"]+)"', seen)
    assert console.signed_in("viewer").get(link.replace("&amp;", "&")).status_code == 200
    assert "Send it again" not in seen


def test_the_copy_stands_in_a_frame_that_can_do_nothing(console: Visiting) -> None:
    one = number(console, "one")
    assert re.search(rf'<iframe[^>]* src="/messages/{one}/html"[^>]* sandbox ', page(console, "one"))
    frame = console.signed_in("support").get(f"/messages/{one}/html")
    policy = frame.headers["content-security-policy"]
    for rule in ("sandbox;", "default-src 'none'", "img-src data:", "form-action 'none'", "frame-ancestors 'self'"):
        assert rule in policy
    assert "script-src" not in policy
    assert "allow-" not in policy
    assert frame.headers["x-content-type-options"] == "nosniff"
    assert frame.headers["cache-control"] == "no-store"
    assert "ada@example.com" in frame.text


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_who_may_not_read_addresses_reads_the_copy_without_them(console: Visiting, role: str) -> None:
    one = number(console, "one")
    seen = page(console, "one", role) + page(console, "sms", role)
    frame = console.signed_in(role).get(f"/messages/{one}/html").text
    for text in (seen, frame):
        assert "ada@example.com" not in text
        assert "+12015550123" not in text
        assert not re.search(r"/u/[\w.-]{8,}", text)  # nor may they leave in the customer's name
    assert "a…@e…" in frame
    assert "Send it again" not in seen


def test_a_message_that_is_not_there_says_so(console: Visiting) -> None:
    visitor = console.signed_in("viewer")
    for path in ("/messages/77", "/messages/77/html"):
        answer = visitor.get(path)
        assert (answer.status_code, "no message has the id 77" in answer.text) == (404, True)
    assert visitor.get(f"/messages/{number(console, 'two')}/html").status_code == 404
    assert visitor.get("/messages/0").status_code == visitor.get(f"/messages/{2**70}").status_code == 400
    assert visitor.get("/messages/abc").status_code == 400


def test_support_sends_it_again_and_reads_about_both(console: Visiting) -> None:
    one = number(console, "one")
    answer = resend(console, one)
    assert answer.status_code == 303
    (copy,) = copies(console)
    assert answer.headers["location"] == f"/messages/{copy.message_id}?told=message.resent"
    console.shop.send("2026-03-05T12:30:00Z")
    seen = console.signed_in("support").get(answer.headers["location"]).text
    assert "It goes out once more" in seen
    assert "she never got it" in seen
    assert f'href="/messages/{one}"' in seen
    assert f'href="/messages/{copy.message_id}"' in page(console, "one")
    noted = [(one.actor, one.act, one.about) for one in console.shop.rows(audit_log)]
    assert noted == [("support", "resend", f"message:{copy.message_id}")]
    assert "sent again" in console.signed_in("viewer").get("/log?status=sent").text


def test_without_a_reason_nothing_is_sent_again(console: Visiting) -> None:
    answer = resend(console, number(console, "one"), reason=" ")
    assert (answer.status_code, "Say why" in answer.text) == (422, True)
    assert copies(console) == []


def test_what_the_customer_forbade_is_refused_in_a_sentence(console: Visiting) -> None:
    with console.database.writing() as connection:
        withdraw_consent(connection, shard_of("ada"), "ada", "email", "link", "customer", at("2026-03-05T11:30:00Z"))
    answer = resend(console, number(console, "one"))
    assert answer.status_code == 422
    assert "The customer has not agreed" in answer.text
    assert copies(console) == []


def test_two_tabs_and_a_double_click_make_one_copy(console: Visiting) -> None:
    one = number(console, "one")
    found = re.search(r'name="number" value="(\d+)"', page(console, "one"))
    assert found is not None
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda _: resend(console, one, number=found[1]).status_code, range(4)))
    assert sorted(done) == [303, 422, 422, 422]
    console.shop.send("2026-03-05T12:30:00Z")
    late = resend(console, one, number=found[1])
    assert (late.status_code, "somebody has sent it again meanwhile" in late.text) == (422, True)
    assert len(copies(console)) == 1


def test_support_puts_on_record_what_became_of_an_unknown_one(console: Visiting) -> None:
    console.shop.fault(cut="after", times=1)
    console.shop.send("2026-03-05T11:30:00Z")
    two = number(console, "two")
    assert "Put it on record" in page(console, "two")
    visitor = console.signed_in("support")
    path = f"/messages/{two}/resolve"
    assert visitor.post(path, data={"verdict": "sent", "reason": ""}).status_code == 422
    assert visitor.post(path, data={"verdict": "perhaps", "reason": "x"}).status_code == 400
    answer = visitor.post(path, data={"verdict": "sent", "reason": "in their log"})
    assert answer.status_code == 303
    seen = visitor.get(answer.headers["location"]).text
    assert "What became of the message is on record." in seen
    assert "in their log" in seen
    again = visitor.post(path, data={"verdict": "failed", "reason": "no"})
    assert (again.status_code, "only once" in again.text) == (422, True)


def test_while_the_files_have_mistakes_the_message_is_told_all_the_same(console: Visiting) -> None:
    (console.shop.folder / "playbooks/hello.toml").write_text("name = ")
    seen = page(console, "one")
    assert "files have mistakes" in seen
    assert resend(console, number(console, "one")).status_code == 422
