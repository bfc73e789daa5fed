"""What a vendor's calls are checked with is known before the first one comes."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from automation.delivery.hooks import HOOKS, HookCall, HookKey
from automation.delivery.sandbox.mailbox import Taken
from automation.delivery.sandbox.telling import TELLS, Ear, Happened
from automation.delivery.sandbox.telling.keys import certificate, public_keys
from automation.delivery.sandbox.telling.sns import AMAZON, CERTIFICATE_PATH

AT = datetime(2026, 3, 2, 11, tzinfo=UTC)
EAR = Ear("https://shop.example/hooks/it", token="made up", secret="sandbox" * 6)
CERTIFICATES = {AMAZON + CERTIFICATE_PATH: certificate()}
REST = '{"delivery_report": "per_recipient", "callback_url": "https://shop.example/hooks/it"}'
PARTS = ("token", "secret", "public")


def called(kind: str) -> HookCall:
    """Of a delivery, as this vendor would tell it."""
    fields = dict.fromkeys(Taken._fields, "") | {"kind": kind, "provider_id": "1", "mid": "7", "fields": REST}
    message = Taken(**fields | {"sender": "+15550100", "recipient": "+12015550123", "at": AT.isoformat()})
    request = TELLS[kind](Happened(message, "delivered", AT, 1), EAR)
    assert request is not None
    return HookCall(request.method, str(request.url), {**request.headers}, request.content)


@pytest.mark.parametrize("kind", HOOKS)
def test_that_part_of_the_key_is_needed_and_enough(kind: str) -> None:
    hook, call = HOOKS[kind], called(kind)
    whole = HookKey(EAR.token, EAR.secret, public_keys().get(kind), CERTIFICATES)
    others: dict[str, Any] = {part: None for part in PARTS if part != hook.checked_with}
    needed: dict[str, Any] = {hook.checked_with: None}
    assert hook.is_genuine(call, replace(whole, **others), AT)
    assert not hook.is_genuine(call, replace(whole, **needed), AT)
