"""The vendors, one small file each: a message becomes an `httpx.Request`, an answer becomes replies."""

from collections.abc import Iterator, Sequence

from automation.delivery.outgoing import Outgoing
from automation.delivery.providers.adapter import Account, Adapter, LookUp, Signs, Want
from automation.delivery.providers.aws_sms import AwsSms
from automation.delivery.providers.bird import Bird
from automation.delivery.providers.brevo import Brevo
from automation.delivery.providers.mailgun import Mailgun
from automation.delivery.providers.mailjet import Mailjet
from automation.delivery.providers.mailpit import Mailpit
from automation.delivery.providers.messagebird import MessageBird
from automation.delivery.providers.plivo import Plivo
from automation.delivery.providers.postmark import Postmark
from automation.delivery.providers.resend import Resend
from automation.delivery.providers.sendgrid import SendGrid
from automation.delivery.providers.ses import Ses
from automation.delivery.providers.sinch import Sinch
from automation.delivery.providers.telnyx import Telnyx
from automation.delivery.providers.twilio import Twilio
from automation.delivery.providers.vonage import Vonage
from automation.errors import BadInput
from automation.settings import PREFIX, Provider

__all__ = ["ADAPTERS", "Account", "Adapter", "LookUp", "Signs", "Want", "account_of", "batches"]

ADAPTERS: dict[str, Adapter] = {
    "aws_sms": AwsSms(),
    "bird": Bird(),
    "brevo": Brevo(),
    "mailgun": Mailgun(),
    "mailjet": Mailjet(),
    "mailpit": Mailpit(),
    "messagebird": MessageBird(),
    "plivo": Plivo(),
    "postmark": Postmark(),
    "resend": Resend(),
    "sendgrid": SendGrid(),
    "ses": Ses(),
    "sinch": Sinch(),
    "telnyx": Telnyx(),
    "twilio": Twilio(),
    "vonage": Vonage(),
}
NAMED = ("account", "messaging_service", "stream", "domain", "region", "configuration_set")
ESCAPED, ENVELOPE = 6, 10_000  # a control character is written \\u001f; another takes at most four bytes
SANDBOX_TOKEN = "sandbox"  # noqa: S105 (harmless: it opens nothing but the sandbox)


def account_of(name: str, provider: Provider, callback_url: str | None = None) -> Account:
    """The account of `[providers.<name>]`. Raises BadInput when its token or what its vendor wants is missing or has
    not the form it has to have.
    """
    adapter = ADAPTERS[provider.kind]
    wanted = {want.name: _wanted(name, provider, want) for want in adapter.wants}
    told = {key: wanted.get(key, getattr(provider, key)) for key in NAMED}  # type: ignore[call-overload]
    base_url = provider.base_url or adapter.base_url.format(region=told["region"])
    session = provider.session_token.get_secret_value() if provider.session_token else None
    return Account(
        base_url.rstrip("/"), _token(name, provider), callback_url=callback_url, session_token=session, **told
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


def _wanted(name: str, provider: Provider, want: Want) -> str | None:
    value: str | None = getattr(provider, want.name)
    if value is None and (provider.is_loopback or want.sandbox is None):
        return want.sandbox
    if value is None or not want.form.fullmatch(value):
        raise BadInput(f"[providers.{name}] {want.name}: {want.told}.")
    return value
