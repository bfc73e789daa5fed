"""What a vendor's calls are checked with is known before the first one comes."""

import pytest
from vectors import NOW

from automation.delivery.hooks import HOOKS, HookCall, HookKey


class Asked(HookKey):
    """It notes which of its parts is looked at."""

    def __getattribute__(self, name: str) -> object:
        if name in {"token", "secret", "public"}:
            ASKED.add(name)
        return super().__getattribute__(name)


ASKED: set[str] = set()
HEADERS = {
    "authorization": "Bearer x.y.z",
    "x-twilio-signature": "c2ln",
    "x-plivo-signature-v3": "c2ln",
    "x-plivo-signature-v3-nonce": "1",
    "x-twilio-email-event-webhook-signature": "c2ln",
    "x-twilio-email-event-webhook-timestamp": "1",
    "telnyx-signature-ed25519": "c2ln",
    "telnyx-timestamp": str(int(NOW.timestamp())),
    "webhook-id": "1",
    "webhook-timestamp": str(int(NOW.timestamp())),
    "webhook-signature": "v1,c2ln",
    "messagebird-signature-jwt": "x.y.z",
    "x-amz-sns-message-type": "Notification",
    "x-amz-sns-message-id": "1",
}
MAILGUN = b'{"signature": {"timestamp": "1", "token": "t", "signature": "s"}, "event-data": {}}'
SNS = b'{"Type": "Notification", "MessageId": "1", "TopicArn": "arn"}'


@pytest.mark.parametrize("kind", HOOKS)
def test_it_is_what_the_hook_looks_at(kind: str) -> None:
    for body in (b"{}", MAILGUN, SNS):
        ASKED.clear()
        call = HookCall("POST", f"https://shop.example/hooks/{kind}", HEADERS, body)
        assert not HOOKS[kind].is_genuine(call, Asked(), NOW)
        if ASKED:
            assert {HOOKS[kind].checked_with} == ASKED
            return
    pytest.fail("it looked at no key")
