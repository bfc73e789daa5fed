"""The vendors, one small file each: a message becomes an `httpx.Request`, an answer becomes replies."""

import re
from collections.abc import Iterator, Sequence

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers.adapter import Account, Adapter, LookUp
from automation.delivery.providers.postmark import Postmark
from automation.delivery.providers.resend import Resend
from automation.delivery.providers.twilio import Twilio
from automation.errors import BadInput
from automation.settings import PREFIX, Provider

__all__ = ["ADAPTERS", "Account", "Adapter", "LookUp", "account_of", "batches"]

ADAPTERS: dict[str, Adapter] = {"postmark": Postmark(), "resend": Resend(), "twilio": Twilio()}
BASE_URLS = {
    "postmark": "https://api.postmarkapp.com",
    "resend": "https://api.resend.com",
    "twilio": "https://api.twilio.com",
}
ESCAPED, ENVELOPE = 6, 10_000  # a control character is written \\u001f; another takes at most four bytes
SANDBOX_TOKEN = "sandbox"  # noqa: S105 (harmless: it opens nothing but the sandbox)
SANDBOX_SID = "AC" + "0" * 32
ACCOUNT_SID = re.compile(r"AC[0-9a-fA-F]{32}")
SERVICE_SID = re.compile(r"MG[0-9a-fA-F]{32}")


def account_of(name: str, provider: Provider, callback_url: str | None = None) -> Account:
    """The account of `[providers.<name>]`. Raises BadInput when its token or its account SID is missing or misspelt."""
    return Account(
        base_url=(provider.base_url or BASE_URLS[provider.kind]).rstrip("/"),
        token=_token(name, provider),
        account=_sid(name, provider) if provider.kind == "twilio" else provider.account,
        messaging_service=_service(name, provider),
        stream=provider.stream,
        callback_url=callback_url,
    )


def batches(adapter: Adapter, messages: Sequence[Outgoing], account: Account, most: int) -> Iterator[list[Outgoing]]:
    """Split before the first attempt: at most `most` messages, and what the provider takes in items and bytes."""
    if min(most, adapter.batch_limit) == 1:
        yield from ([message] for message in messages)
        return
    batch: list[Outgoing] = []
    filled = 2  # the brackets of an array
    near = sum(map(_at_most, messages)) > adapter.batch_bytes
    for message in messages:
        size = adapter.size(message, account) if near else 0
        if batch and (len(batch) >= min(most, adapter.batch_limit) or filled + size > adapter.batch_bytes):
            yield batch
            batch, filled = [], 2
        batch.append(message)
        filled += size
    if batch:
        yield batch


def _at_most(message: Outgoing) -> int:
    """More bytes than the message can take: measuring exactly means encoding it once more."""
    return ESCAPED * (len(message.html) + len(message.text) + len(message.subject)) + ENVELOPE


def _token(name: str, provider: Provider) -> str:
    if provider.token is not None:
        return provider.token.get_secret_value()
    if provider.is_loopback:
        return SANDBOX_TOKEN
    raise BadInput(f"[providers.{name}] has no token; set {PREFIX}PROVIDERS__{name.upper()}__TOKEN in the environment.")


def _sid(name: str, provider: Provider) -> str:
    sid = provider.account or (SANDBOX_SID if provider.is_loopback else "")
    if not ACCOUNT_SID.fullmatch(sid):
        raise BadInput(f'[providers.{name}] account: write the account SID, "AC" and 32 hexadecimal digits.')
    return sid


def _service(name: str, provider: Provider) -> str | None:
    sid = provider.messaging_service
    if sid is not None and not SERVICE_SID.fullmatch(sid):
        raise BadInput(f'[providers.{name}] messaging_service: write its SID, "MG" and 32 hexadecimal digits.')
    return sid
