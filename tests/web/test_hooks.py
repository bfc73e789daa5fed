"""What providers tell is heard once, in any order, and what it teaches is heeded."""

import hmac
import json
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import loopback
import pytest
from serving import served, until
from shop import Shop, at, playbook, step
from sqlalchemy import text, update

from automation.database.hooks import hook_calls, hook_events
from automation.database.schema import consents, messages, outcomes, suppressions
from automation.delivery.outcomes.inbox import keep_house
from automation.delivery.verify import verify

DAY1, NOON, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
PASSWORD = {"authorization": "Basic " + b64encode(b"vendor:s3cret").decode()}


@pytest.fixture
def sent(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Two customers with a mail each, sent through Postmark."""
    monkeypatch.setenv("AUTOMATION_PROVIDERS__SANDBOX_EMAIL__WEBHOOK_SECRET", "s3cret")
    shop.write(care=playbook(step("one", late_by="3 days")))
    shop.customers("ada", "bob")
    shop.evaluate(DAY1)
    shop.send(NOON)
    return shop


@pytest.fixture
def url(sent: Shop) -> Iterator[str]:
    with served(sent, LATER) as address:
        yield f"{address}/hooks/sandbox_email"


def told(shop: Shop, customer: str, record: str, **more: Any) -> dict[str, Any]:
    (row,) = (one for one in shop.rows() if one.customer_id == customer)
    known = {"MessageID": row.provider_id, "Recipient": f"{customer}@example.com"}
    return {"RecordType": record, "Metadata": {"mid": str(row.message_id)}, **known, **more}


def call(url: str, body: Any, headers: dict[str, str] = PASSWORD) -> int:
    return loopback.post(url, content=json.dumps(body), headers=headers).status_code


def is_worked_out(shop: Shop) -> bool:
    return all(row.processed_at is not None and row.problem is None for row in shop.rows(hook_calls))


def hear(shop: Shop, url: str, *bodies: Any) -> None:
    for body in bodies:
        assert call(url, body) == 204
    until(lambda: is_worked_out(shop))


def test_a_delivery_is_an_outcome_of_its_message_once_however_often_it_is_told(sent: Shop, url: str) -> None:
    body = told(sent, "ada", "Delivery", DeliveredAt="2026-03-02T11:00:05Z")
    hear(sent, url, body, body, body)
    (outcome,) = sent.rows(outcomes)
    assert (outcome.outcome, outcome.happened_at, outcome.provider) == (
        "delivered",
        at("2026-03-02T11:00:05Z"),
        "sandbox_email",
    )
    assert len(sent.rows(hook_events)) == 1
    assert verify(sent.database, sent.settings).ok


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite has one writer
def test_a_call_is_answered_while_another_is_worked_out(sent: Shop, url: str) -> None:
    with sent.database.writing() as connection:
        connection.execute(text("LOCK TABLE hook_events IN EXCLUSIVE MODE"))
        assert call(url, told(sent, "ada", "SpamComplaint", ID=1)) == 204
        until(lambda: connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar_one())
        assert call(url, told(sent, "bob", "SpamComplaint", ID=2)) == 204
        assert not is_worked_out(sent)
    until(lambda: is_worked_out(sent))
    assert {row.address for row in sent.rows(suppressions)} == {"ada@example.com", "bob@example.com"}


@pytest.mark.parametrize("record", [{"Type": "HardBounce", "ID": 1}, {"Type": "SpamComplaint", "ID": 2}])
def test_a_bounce_and_a_complaint_bind_to_the_address(sent: Shop, url: str, record: dict[str, Any]) -> None:
    before = len(sent.rows(consents))
    hear(sent, url, told(sent, "ada", "Bounce", **record))
    assert [row.address for row in sent.rows(suppressions)] == ["ada@example.com"]
    assert len(sent.rows(consents)) == before


def test_an_unsubscribe_binds_to_the_person_too_and_the_next_message_is_not_sent(sent: Shop, url: str) -> None:
    change = {"SuppressSending": True, "SuppressionReason": "ManualSuppression", "ChangedAt": NOON}
    hear(sent, url, told(sent, "ada", "SubscriptionChange", **change))
    withdrawn = [row for row in sent.rows(consents) if not row.granted]
    assert [(row.customer_id, row.channel, row.source) for row in withdrawn] == [("ada", "email", "sandbox_email")]
    sent.write(care=playbook(step("one")), more=playbook(step("two", late_by="3 days")))
    sent.evaluate("2026-03-03T05:00:00Z")
    sent.send("2026-03-03T11:00:00Z")
    assert {(row.customer_id, row.status) for row in sent.rows() if row.playbook == "more"} == {
        ("ada", "skipped"),
        ("bob", "sent"),
    }


def test_what_a_provider_tells_of_it_shows_that_an_unknown_message_was_taken(sent: Shop, url: str) -> None:
    lost = {"status": "unknown", "reason": "no_answer", "sent_at": None}
    with sent.database.writing() as connection:
        connection.execute(update(messages).where(messages.c.customer_id == "ada").values(lost))
    hear(sent, url, told(sent, "ada", "Open", ReceivedAt="2026-03-02T11:30:00Z"))
    (row,) = (one for one in sent.rows() if one.customer_id == "ada")
    assert (row.status, row.reason, row.sent_at) == ("sent", "told_later", row.first_used_at)
    assert [one.invariant for one in verify(sent.database, sent.settings).violations if "evidence" in one.told] == []


def test_an_event_of_another_databases_message_is_kept_and_touches_none_of_ours(sent: Shop, url: str) -> None:
    hear(sent, url, {**told(sent, "ada", "Bounce", Type="HardBounce", ID=3), "Recipient": "eve@example.net"})
    (event,) = sent.rows(hook_events)
    assert (event.message_id, event.recipient) == (None, "eve@example.net")
    assert sent.rows(suppressions) == sent.rows(outcomes) == []


def test_an_event_that_comes_before_its_message_is_known_is_matched_when_it_is(sent: Shop, url: str) -> None:
    body = told(sent, "ada", "Bounce", Type="HardBounce", ID=4)
    del body["Metadata"]
    with sent.database.writing() as connection:
        connection.execute(update(messages).values(provider_id=None))
    hear(sent, url, body)
    assert sent.rows(outcomes) == []
    with sent.database.writing() as connection:
        ours = messages.c.customer_id == "ada"
        connection.execute(update(messages).where(ours).values(provider_id=body["MessageID"]))
    keep_house(sent.database, sent.settings, at(LATER))
    assert [row.outcome for row in sent.rows(outcomes)] == ["bounced_hard"]
    assert [row.address for row in sent.rows(suppressions)] == ["ada@example.com"]


def test_who_unsubscribes_at_the_vendor_and_not_in_a_message_is_heeded(sent: Shop, url: str) -> None:
    change = {"RecordType": "SubscriptionChange", "SuppressSending": True, "SuppressionReason": "ManualSuppression"}
    change["MessageID"] = "00000000-0000-0000-0000-000000000000"
    hear(sent, url, {**change, "Recipient": "Ada@Example.com"}, {**change, "Recipient": "stranger@example.com"})
    assert {row.address for row in sent.rows(suppressions)} == {"ada@example.com", "stranger@example.com"}


def test_what_no_index_takes_stops_no_other_call(sent: Shop, url: str) -> None:
    odd = [told(sent, "ada", "Click", OriginalLink=f"https://a.test/\0{''.join(map(chr, range(256, 9000)))}")]
    odd.append({"RecordType": "Open", "MessageID": "é" * 9000, "Recipient": "x" * 9000})
    odd.append({"RecordType": "O" * 9000, "MessageID": "1", "Metadata": {"mid": "1" * 9000}})
    hear(sent, url, *odd, told(sent, "bob", "SpamComplaint", ID=1))
    assert {row.outcome for row in sent.rows(outcomes)} == {"clicked", "complained"}
    assert all(row.problem is None for row in sent.rows(hook_calls))


def test_who_is_not_genuine_changes_nothing(sent: Shop, url: str) -> None:
    body = told(sent, "ada", "Bounce", Type="HardBounce", ID=5)
    assert call(url, body, {}) == call(url, body, {"authorization": "Bearer other"}) == 401
    assert call(url.replace("sandbox_email", "nobody"), body) == 404
    assert sent.rows(hook_calls) == []


def test_a_call_that_is_too_large_is_refused_and_one_that_is_nonsense_is_taken_and_tells_nothing(
    sent: Shop, url: str
) -> None:
    assert loopback.post(url, content=b" " * 5_000_001, headers=PASSWORD).status_code == 413
    for nonsense in (b"", b"\xff\xfe", b"[" * 100_000, b'{"RecordType": {}}', b"null"):
        assert loopback.post(url, content=nonsense, headers=PASSWORD).status_code == 204
    until(lambda: is_worked_out(sent))
    assert sent.rows(hook_events) == []


def test_no_password_is_kept(sent: Shop, url: str) -> None:
    hear(sent, url, {})
    (row,) = sent.rows(hook_calls)
    assert "authorization" not in row.headers
    assert "s3cret" not in str(row)


def signed(url: str, form: dict[str, str]) -> dict[str, str]:
    text = url + "".join(name + form[name] for name in sorted(form))
    return {
        "x-twilio-signature": b64encode(hmac.digest(b"sandbox", text.encode(), "sha1")).decode(),
        "content-type": "application/x-www-form-urlencoded",
    }


def test_whoever_writes_stop_gets_no_more_texts(shop: Shop) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms", late_by="3 days")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON)
    form = {"MessageSid": "SM" + "1" * 32, "From": "+12015550123", "To": "+15550100", "Body": " Stop! "}
    with served(shop, LATER) as address:
        path = "/hooks/sandbox_sms"
        headers = signed(shop.settings.business.public_url + path, form)
        done = loopback.post(address + path, content=urlencode(form), headers=headers)
        assert done.status_code == 204
        until(lambda: is_worked_out(shop))
    assert [row.address for row in shop.rows(suppressions)] == ["+12015550123"]
    assert [row.actor for row in shop.rows(consents) if not row.granted] == ["customer"]


def test_the_provider_is_told_where_to_tell_what_becomes_of_a_text_and_that_names_its_message(shop: Shop) -> None:
    shop.write(care=playbook(step("one", "hello/text", "sms", late_by="3 days")))
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON)
    (row,) = shop.rows()
    (text,) = shop.log()
    assert text["mid"] == str(row.message_id)
    form = {"MessageSid": row.provider_id, "MessageStatus": "delivered", "To": "+12015550123", "From": "+15550100"}
    path = f"/hooks/sandbox_sms?mid={row.message_id}"
    with served(shop, LATER) as address:
        headers = signed(shop.settings.business.public_url + path, form)
        done = loopback.post(address + path, content=urlencode(form), headers=headers)
        assert done.status_code == 204
        until(lambda: is_worked_out(shop))
    assert [outcome.outcome for outcome in shop.rows(outcomes)] == ["delivered"]
