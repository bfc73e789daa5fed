"""What the sandbox tells of mails is what vendors tell: our hooks understand it, and their own libraries believe it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from types import SimpleNamespace
from typing import Any, get_args

import httpx
import pytest
from calling import MAIL, send, taken

from automation.delivery.hooks import HOOKS, Event, HookCall, HookKey, sns
from automation.delivery.sandbox import SandboxServer
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.telling import TELLS, Ear, Happened
from automation.delivery.sandbox.telling import sns as topic
from automation.delivery.sandbox.telling.keys import certificate, public_keys
from automation.settings.provider import EmailKind

# Mailpit delivers nothing, so it has nothing to tell.
KINDS = [kind for kind in get_args(EmailKind) if kind != "mailpit"]
OUTCOMES = (
    "delivered",
    "bounced_hard",
    "bounced_soft",
    "complained",
    "unsubscribed",
    "opened",
    "clicked",
    "failed",
)
UNTOLD = {("resend", "unsubscribed")}
EACH = [(kind, outcome) for kind in KINDS for outcome in OUTCOMES if (kind, outcome) not in UNTOLD]
AT = datetime(2026, 3, 2, 10, 0, 5, tzinfo=UTC)
EAR = Ear("https://shop.example/hooks/mail", secret="sandbox" * 6)
# Nothing that these sign covers the body.
UNCOVERED = {"brevo", "mailgun", "mailjet", "postmark"}


@pytest.fixture(scope="module")
def messages() -> dict[str, Taken]:
    """One that the sandbox took, by kind."""
    with SandboxServer() as server:
        for kind in KINDS:
            send(kind, server.url, MAIL)
        rows = taken(server.url)
    return {row["kind"]: Taken(**{name: row[name] for name in Taken._fields}) for row in rows}


def key_of(kind: str) -> HookKey:
    certificates = {topic.AMAZON + topic.CERTIFICATE_PATH: certificate()}
    return HookKey(secret=EAR.secret, public=public_keys().get(kind), certificates=certificates)


def call_of(request: httpx.Request | None) -> HookCall:
    assert request is not None
    return HookCall(request.method, str(request.url), {**request.headers}, request.content)


def told(message: Taken, outcome: str, **changes: Any) -> HookCall:
    return call_of(TELLS[message.kind](replace(Happened(message, outcome, AT, 7), **changes), EAR))


@pytest.mark.parametrize(("kind", "outcome"), EACH)
def test_our_hook_believes_it_and_understands_exactly_this(messages: dict[str, Taken], kind: str, outcome: str) -> None:
    call = told(messages[kind], outcome)
    assert HOOKS[kind].is_genuine(call, key_of(kind), AT)
    (event,) = HOOKS[kind].told(call)
    assert isinstance(event, Event)
    assert (event.outcome, event.message_id, event.recipient) == (outcome, MAIL.message_id, MAIL.recipient)
    assert (event.provider_id, event.happened_at) == (messages[kind].provider_id, AT)


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_vendor_tells_nothing_of_is_not_told(messages: dict[str, Taken], kind: str) -> None:
    untold = {outcome for told_by, outcome in UNTOLD if told_by == kind}
    for outcome in ("inbound", "info", *untold):
        assert TELLS[kind](Happened(messages[kind], outcome, AT, 7), EAR) is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_event_told_later_has_the_same_key_and_another_event_has_not(
    messages: dict[str, Taken], kind: str
) -> None:
    later = AT + timedelta(hours=9)
    one, again = told(messages[kind], "clicked"), told(messages[kind], "clicked", told_at=later)
    other = told(messages[kind], "clicked", number=8, at=AT + timedelta(seconds=1))
    keys = [event.key for call in (one, again, other) for event in HOOKS[kind].told(call) if isinstance(event, Event)]
    assert keys[0] == keys[1] != keys[2]
    assert HOOKS[kind].is_genuine(again, key_of(kind), later)


@pytest.mark.parametrize("kind", KINDS)
def test_who_has_another_secret_or_changes_it_is_not_believed(messages: dict[str, Taken], kind: str) -> None:
    call, key = told(messages[kind], "bounced_hard"), key_of(kind)
    assert HOOKS[kind].is_genuine(call, key, AT)
    if kind not in UNCOVERED:
        changed = call.body.replace(MAIL.recipient.encode(), b"eve@example.com")
        assert not HOOKS[kind].is_genuine(replace(call, body=changed), key, AT)
    for other in (HookKey(), replace(key, secret="another", public="another")):
        assert not HOOKS[kind].is_genuine(call, other, AT)


def test_sendgrids_own_library_believes_it(messages: dict[str, Taken]) -> None:
    library = pytest.importorskip("sendgrid.helpers.eventwebhook", reason="SendGrid's library is not installed")
    call = told(messages["sendgrid"], "opened")
    named = (call.headers[f"x-twilio-email-event-webhook-{name}"] for name in ("signature", "timestamp"))
    assert library.EventWebhook(public_keys()["sendgrid"]).verify_signature(call.body.decode(), *named)


def test_mailguns_own_library_believes_it(messages: dict[str, Taken]) -> None:
    library = pytest.importorskip("mailgun.security", reason="Mailgun's library is not installed")
    signed = json.loads(told(messages["mailgun"], "opened").body)["signature"]
    believed = partial(library.SecurityGuard.verify_webhook, EAR.secret, max_age_seconds=0)
    assert believed(signed["token"], signed["timestamp"], signed["signature"])


def test_a_library_for_sns_believes_it(messages: dict[str, Taken], monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("sns_message_validator", reason="the library is not installed")
    theirs = library.SNSMessageValidator()
    fetched = SimpleNamespace(content=certificate())
    monkeypatch.setattr(theirs, "_cert_session", SimpleNamespace(get=lambda _: fetched))
    for call in (told(messages["ses"], "opened"), call_of(topic.confirmation(EAR, AT))):
        theirs.validate_message(json.loads(call.body))


def test_a_topic_asks_whether_it_may_call() -> None:
    call = call_of(topic.confirmation(EAR, AT))
    assert HOOKS["ses"].is_genuine(call, key_of("ses"), AT)
    asked = sns.subscription(call)
    assert asked is not None
    assert asked.topic == public_keys()["ses"]
    assert HOOKS["ses"].told(call) == []


def test_the_certificate_is_the_same_each_time() -> None:
    assert certificate.__wrapped__() == certificate()
