"""What Amazon SES tells of mails and End User Messaging of texts, once SNS has brought it."""

from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any

import pytest
from signing_mails import sns_call

from automation.delivery.hooks import HOOKS, InboundText

PUBLISHED = datetime(2026, 3, 2, 10, 0, 0, 123_000, tzinfo=UTC)
AT = datetime(2026, 3, 2, 9, 59, 58, tzinfo=UTC)
MAIL = {"messageId": "m-1", "destination": ["ada@example.com"], "tags": {"mid": ["7"], "tag": ["welcome"]}}


def mail(message: Any, **changed: Any) -> list[Any]:
    return list(HOOKS["ses"].told(sns_call(message, **changed)))


def text(message: Any) -> list[Any]:
    return list(HOOKS["aws_sms"].told(sns_call(message)))


def bounce(kind: str, *addresses: str) -> dict[str, Any]:
    recipients = [{"emailAddress": one, "diagnosticCode": f"550 <{one}>: gone"} for one in addresses]
    told = {"bounceType": kind, "bounceSubType": "General", "bouncedRecipients": recipients}
    return {"eventType": "Bounce", "bounce": {**told, "timestamp": "2026-03-02T09:59:58.000Z"}}


COMPLAINED = [{"emailAddress": "ada@example.com"}]


@pytest.mark.parametrize(
    ("message", "outcome", "detail"),
    [
        ({"eventType": "Send", "send": {}}, "info", ""),
        ({"eventType": "DeliveryDelay", "deliveryDelay": {"delayType": "MailboxFull"}}, "info", "MailboxFull"),
        ({"eventType": "Delivery", "delivery": {"recipients": ["ada@example.com"]}}, "delivered", ""),
        ({"eventType": "Open", "open": {"userAgent": "x"}}, "opened", ""),
        ({"eventType": "Click", "click": {"link": "https://shop.example/"}}, "clicked", ""),
        ({"eventType": "Complaint", "complaint": {"complainedRecipients": COMPLAINED}}, "complained", ""),
        (
            {
                "eventType": "Complaint",
                "complaint": {"complainedRecipients": COMPLAINED, "complaintFeedbackType": "not-spam"},
            },
            "info",
            "not-spam",
        ),
        ({"eventType": "Subscription", "subscription": {"source": "x"}}, "unsubscribed", ""),
        (bounce("Permanent", "ada@example.com"), "bounced_hard", "Permanent General 550 <[address]>: gone"),
        (bounce("Transient", "ada@example.com"), "bounced_soft", "Transient General 550 <[address]>: gone"),
        (bounce("Undetermined", "ada@example.com"), "bounced_soft", "Undetermined General 550 <[address]>: gone"),
        ({"eventType": "Reject", "reject": {"reason": "Bad content"}}, "failed", "Bad content"),
        ({"eventType": "Rendering Failure", "failure": {"errorMessage": "no name"}}, "failed", "no name"),
        ({"eventType": "SomethingNew"}, "info", ""),
    ],
)
def test_what_ses_tells_is_an_outcome_of_our_message(message: dict[str, Any], outcome: str, detail: str) -> None:
    (event,) = mail(message | {"mail": MAIL})
    at = AT if "bounce" in message else PUBLISHED
    expected = ("sns-1:0", outcome, message["eventType"], at, 7, "m-1", "ada@example.com", detail)
    assert astuple(event) == expected


def test_the_older_form_is_understood_though_it_has_no_tags() -> None:
    message = bounce("Permanent", "ada@example.com")
    message = {"notificationType": message.pop("eventType"), **message, "mail": MAIL | {"tags": None}}
    (event,) = mail(message)
    assert (event.outcome, event.message_id, event.provider_id) == ("bounced_hard", None, "m-1")


def test_each_recipient_is_told_of_and_a_repeat_has_the_same_keys() -> None:
    message = bounce("Permanent", "ada@example.com", "bob@example.com") | {"mail": MAIL}
    events = mail(message)
    assert [event.recipient for event in events] == ["ada@example.com", "bob@example.com"]
    assert [event.key for event in events] == [event.key for event in mail(message)] == ["sns-1:0", "sns-1:1"]
    assert [event.key for event in mail(message, MessageId="sns-2")] == ["sns-2:0", "sns-2:1"]


def test_a_mail_without_a_recipient_is_still_ours() -> None:
    (event,) = mail({"eventType": "Click", "mail": {"messageId": "m-1", "tags": {"mid": ["7"]}}})
    assert (event.key, event.message_id, event.recipient) == ("sns-1:0", 7, None)


@pytest.mark.parametrize(
    "message",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        *("", "null", "[]", "7"),
        {"notificationType": "AmazonSnsSubscriptionSucceeded", "message": "x"},
        {"eventType": "Open"},
        {"eventType": ["Open"], "mail": MAIL},
        {"mail": MAIL},
    ],
)
def test_what_cannot_be_understood_tells_nothing(message: Any) -> None:
    assert mail(message) == text(message) == []


@pytest.mark.parametrize(
    "odd",
    [
        {"bounce": None},
        {"bounce": []},
        {"bounce": {"bouncedRecipients": "x"}},
        {"bounce": {"bouncedRecipients": [None, 7]}},
        {"mail": MAIL | {"destination": {}}},
        {"mail": MAIL | {"tags": {"mid": []}}},
        {"mail": MAIL | {"tags": {"mid": "7"}}},
    ],
)
def test_odd_parts_do_not_lose_an_event(odd: dict[str, Any]) -> None:
    assert len(mail({"eventType": "Bounce", "mail": MAIL} | odd)) == 1


TEXT = {
    "messageId": "t-1",
    "destinationPhoneNumber": "+12015550123",
    "eventTimestamp": 1772445598000,
    "isFinal": True,
    "context": {"mid": "7", "tag": "welcome"},
}


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("TEXT_DELIVERED", "delivered"),
        ("TEXT_SUCCESSFUL", "delivered"),
        ("TEXT_QUEUED", "info"),
        ("TEXT_PENDING", "info"),
        ("TEXT_SENT", "info"),
        ("TEXT_INVALID", "bounced_hard"),
        ("TEXT_UNREACHABLE", "bounced_soft"),
        ("TEXT_CARRIER_UNREACHABLE", "bounced_soft"),
        ("TEXT_UNKNOWN", "bounced_soft"),
        ("TEXT_TTL_EXPIRED", "bounced_soft"),
        ("TEXT_INVALID_MESSAGE", "failed"),
        ("TEXT_BLOCKED", "failed"),
        ("TEXT_CARRIER_BLOCKED", "failed"),
        ("TEXT_SPAM", "failed"),
        ("TEXT_PROTECT_BLOCKED", "failed"),
        ("VOICE_COMPLETED", "info"),
        ("SOMETHING_NEW", "info"),
    ],
)
def test_what_is_told_of_a_text_is_an_outcome_of_our_message(name: str, outcome: str) -> None:
    (event,) = text(TEXT | {"eventType": name, "messageStatusDescription": "+12015550123 is gone"})
    expected = ("sns-1", outcome, name, AT, 7, "t-1", "+12015550123", "[number] is gone")
    assert astuple(event) == expected


INBOUND = {
    "originationNumber": "+12015550123",
    "destinationNumber": "+12015550100",
    "messageKeyword": "KEYWORD_123",
    "messageBody": " Stop\n\0\ud800",
    "inboundMessageId": "in-1",
    "previousPublishedMessageId": "t-1",
}


def test_a_text_to_us_is_told_to_the_letter() -> None:
    assert text(INBOUND) == [InboundText("in-1", "+12015550123", "+12015550100", " Stop\n?", PUBLISHED)]


@pytest.mark.parametrize("missing", ["originationNumber", "messageBody", "inboundMessageId"])
def test_half_a_text_tells_nothing(missing: str) -> None:
    assert text({name: value for name, value in INBOUND.items() if name != missing}) == []
