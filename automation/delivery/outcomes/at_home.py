"""What a provider's calls are checked with."""

from automation.delivery.hooks import HookKey
from automation.delivery.providers import SANDBOX_TOKEN
from automation.settings import Settings

# Where both sides are on this machine and nothing else is configured: what the sandbox signs with, and its own keys,
# which are no secrets. In base64 and long, for all who want that.
SANDBOX_SECRET = "sandbox" * 6
SANDBOX_KEYS = {
    "aws_sms": "arn:aws:sns:us-east-1:000000000000:sandbox",
    "sendgrid": (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE4MkxXRaX28No27NeQfhg3AHIOpMiCD+mKNE1BWs6EHou"
        "MJbC9cT8nLmyuknx5/XX7vw9x/YwV1LXP+70od/3IA=="
    ),
    "ses": "arn:aws:sns:us-east-1:000000000000:sandbox",
    "telnyx": "U7NIoh7WDNvOhOUr3Nlp6r4yOXJUc90vrvCmLqgFI+E=",
}


def key_of(settings: Settings, name: str) -> HookKey:
    """What this provider's calls are checked with."""
    provider = settings.providers[name]
    token, secret = (one.get_secret_value() if one else None for one in (provider.token, provider.webhook_secret))
    if not settings.is_at_home(name):
        return HookKey(token=token, secret=secret, public=provider.webhook_key)
    public = provider.webhook_key or SANDBOX_KEYS.get(provider.kind)
    return HookKey(token=token or SANDBOX_TOKEN, secret=secret or SANDBOX_SECRET, public=public)
