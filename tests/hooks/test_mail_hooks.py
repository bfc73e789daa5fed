"""What Postmark and Resend tell of mails, and who is believed."""

import json
from base64 import b64encode
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from standardwebhooks import Webhook
from vectors import NOW

from automation.delivery.hooks import HOOKS, Event, HookCall, HookKey
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.telling import TELLS, Ear, Happened

POSTMARK, RESEND = HOOKS["postmark"], HOOKS["resend"]
URL = "https://shop.example/hooks/mail"
SECRET = "whsec_" + b64encode(b"only a test's secret").decode()


def told(kind: str, body: Any, **headers: str) -> list[Any]:
    return list(HOOKS[kind].told(HookCall("POST", URL, headers, json.dumps(body).encode())))


@pytest.mark.parametrize(
    ("header", "believed"),
    [
        ("Basic " + b64encode(b"anybody:s3cret").decode(), True),
        ("Bearer s3cret", True),
        ("Basic " + b64encode(b"s3cret").decode(), False),
        ("Basic " + b64encode(b"anybody:other").decode(), False),
        ("Basic no base64", False),
        ("Bearer", False),
        ("", False),
    ],
)
def test_postmark_is_believed_by_a_password_alone(header: str, believed: bool) -> None:
    call = HookCall("POST", URL, {"authorization": header}, b"{}")
    assert POSTMARK.is_genuine(call, HookKey(secret="s3cret"), NOW) is believed
    assert not POSTMARK.is_genuine(call, HookKey(), NOW)


CHANGE: dict[str, Any] = {"RecordType": "SubscriptionChange"}
BASE: dict[str, Any] = {"MessageID": "abc", "Recipient": "ada@example.com", "Metadata": {"mid": "7"}}


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"RecordType": "Delivery", "DeliveredAt": "2026-03-02T10:00:00Z"}, "delivered"),
        ({"RecordType": "Open", "ReceivedAt": "2026-03-02T10:00:00Z"}, "opened"),
        ({"RecordType": "Click", "OriginalLink": "https://shop.example/"}, "clicked"),
        ({"RecordType": "SpamComplaint"}, "complained"),
        ({"RecordType": "Bounce", "Type": "HardBounce", "ID": 42}, "bounced_hard"),
        ({"RecordType": "Bounce", "Type": "SoftBounce"}, "bounced_soft"),
        ({"RecordType": "Bounce", "Type": "Transient"}, "info"),
        ({"RecordType": "Bounce", "Type": "Blocked"}, "failed"),
        ({"RecordType": "Bounce", "Type": "Unsubscribe"}, "unsubscribed"),
        *(
            ({"RecordType": "Bounce", "Type": name}, outcome)
            for outcome, names in {
                "bounced_hard": "BadEmailAddress ManuallyDeactivated",
                "bounced_soft": "DnsError VirusNotification",
                "complained": "SpamNotification SpamComplaint",
                "failed": "DMARCPolicy Unconfirmed SMTPApiError TemplateRenderingFailed",
                "info": "AutoResponder AddressChange ChallengeVerification OpenRelayTest Subscribe Unknown",
            }.items()
            for name in names.split()
        ),
        (CHANGE | {"SuppressSending": True, "SuppressionReason": "SpamComplaint"}, "complained"),
        (CHANGE | {"SuppressSending": True, "SuppressionReason": "ManualSuppression"}, "unsubscribed"),
        (CHANGE | {"SuppressSending": True, "SuppressionReason": "HardBounce"}, "bounced_hard"),
        (CHANGE | {"SuppressSending": False, "SuppressionReason": "ManualSuppression"}, "info"),
        ({"RecordType": "SomethingNew"}, "info"),
    ],
)
def test_postmarks_records_are_outcomes_of_our_message(body: dict[str, Any], outcome: str) -> None:
    (event,) = told("postmark", BASE | body)
    assert (event.outcome, event.message_id, event.provider_id) == (outcome, 7, "abc")
    assert event.recipient == "ada@example.com"


def test_the_same_record_again_has_the_same_key_and_another_click_has_not() -> None:
    one, two = ({"RecordType": "Click", "ReceivedAt": "2026-03-02T10:00:00Z", "OriginalLink": link} for link in "ab")
    keys = [told("postmark", BASE | body)[0].key for body in (one, one, two)]
    assert keys[0] == keys[1] != keys[2]


def test_a_suppression_that_somebody_made_by_hand_is_of_no_message() -> None:
    change = CHANGE | {"SuppressSending": True, "SuppressionReason": "ManualSuppression"}
    change["MessageID"] = "00000000-0000-0000-0000-000000000000"
    one, other = (told("postmark", {**change, "Recipient": to})[0] for to in ("a@b.test", "c@b.test"))
    assert (one.message_id, one.provider_id, one.recipient) == (None, None, "a@b.test")
    assert one.key != other.key


def test_a_key_is_short_however_long_the_link_is() -> None:
    (event,) = told("postmark", BASE | {"RecordType": "Click", "OriginalLink": "https://a.test/\0" + "x" * 9000})
    assert len(event.key) <= 100


@pytest.mark.parametrize("secret", [SECRET, SECRET.rstrip("="), SECRET.removeprefix("whsec_")])
@pytest.mark.parametrize("prefix", ["webhook", "svix"])
def test_what_the_schemes_own_library_signs_is_believed(prefix: str, secret: str) -> None:
    body = '{"type": "email.delivered"}\r\n'
    headers = {
        f"{prefix}-id": "msg_1",
        f"{prefix}-timestamp": str(int(NOW.timestamp())),
        f"{prefix}-signature": "v1,AAAA " + Webhook(SECRET).sign("msg_1", NOW, body),
    }
    call = HookCall("POST", URL, headers, body.encode())
    assert RESEND.is_genuine(call, HookKey(secret=secret), NOW)
    assert RESEND.is_genuine(call, HookKey(secret=secret), NOW + timedelta(minutes=5))
    assert not RESEND.is_genuine(call, HookKey(secret=secret), NOW + timedelta(minutes=5, seconds=1))
    assert not RESEND.is_genuine(HookCall("POST", URL, headers, body.strip().encode()), HookKey(secret=secret), NOW)
    for name in headers:
        without = HookCall("POST", URL, {**headers, name: ""}, body.encode())
        assert not RESEND.is_genuine(without, HookKey(secret=secret), NOW)


def test_svixs_own_library_signs_what_we_believe_and_believes_what_the_sandbox_signs() -> None:
    svix = pytest.importorskip("svix.webhooks", reason="svix is not installed")
    now, body = datetime.now(UTC), b'{"type": "email.delivered"}'
    stamp, signature = str(int(now.timestamp())), svix.Webhook(SECRET).sign("msg_1", now, body.decode())
    call = HookCall("POST", URL, {"svix-id": "msg_1", "svix-timestamp": stamp, "svix-signature": signature}, body)
    assert RESEND.is_genuine(call, HookKey(secret=SECRET), now)
    fields = dict.fromkeys(Taken._fields, "") | {"kind": "resend", "fields": "{}", "at": now.isoformat()}
    told_by_sandbox = TELLS["resend"](Happened(Taken(**fields), "delivered", now, 1), Ear(URL, secret=SECRET))
    assert told_by_sandbox is not None
    headers = {name.lower(): value for name, value in told_by_sandbox.headers.items()}
    svix.Webhook(SECRET).verify(told_by_sandbox.content, headers)
    with pytest.raises(svix.WebhookVerificationError):
        svix.Webhook(SECRET).verify(told_by_sandbox.content + b" ", headers)


@pytest.mark.parametrize(
    ("name", "data", "outcome"),
    [
        ("email.sent", {}, "info"),
        ("email.delivered", {}, "delivered"),
        ("email.delivery_delayed", {}, "info"),
        ("email.scheduled", {}, "info"),
        ("email.bounced", {"bounce": {"type": "Undetermined"}}, "bounced_soft"),
        ("email.suppressed", {"suppressed": {"reason": "previous_bounce"}}, "bounced_hard"),
        ("email.complained", {}, "complained"),
        ("email.bounced", {"bounce": {"type": "Permanent", "message": "no such ada@example.com"}}, "bounced_hard"),
        ("email.bounced", {"bounce": {"type": "Transient"}}, "bounced_soft"),
        ("email.suppressed", {"suppressed": {"reason": "previous_complaint"}}, "complained"),
        ("email.failed", {"failed": {"reason": "reached_daily_quota"}}, "failed"),
        ("email.opened", {}, "opened"),
        ("email.clicked", {}, "clicked"),
        ("contact.created", {}, "info"),
    ],
)
def test_resends_types_are_outcomes_of_our_message(name: str, data: dict[str, Any], outcome: str) -> None:
    body = {
        "type": name,
        "created_at": "2026-03-02T10:00:00.000Z",
        "data": {"email_id": "e-1", "to": ["ada@example.com"], "tags": {"mid": "7"}, **data},
    }
    (event,) = told("resend", body, **{"svix-id": "msg_1"})
    at = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert astuple(event)[:-1] == ("msg_1", outcome, name, at, 7, "e-1", "ada@example.com")
    assert "@" not in event.detail


STRANGE: tuple[Any, ...] = (
    *(None, 1, "x", [], {}, [1, {}]),
    {"type": 5, "data": []},
    {"RecordType": None},
    {"RecordType": "Open", "MessageID": {}},
)


@pytest.mark.parametrize("kind", ["postmark", "resend"])
@pytest.mark.parametrize("body", STRANGE)
def test_nothing_that_may_come_is_more_than_can_be_understood(kind: str, body: Any) -> None:
    assert all(isinstance(one, Event) for one in told(kind, body, **{"svix-id": "msg_1"}))
