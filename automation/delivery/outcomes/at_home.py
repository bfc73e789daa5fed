"""What a provider's calls are checked with."""

from automation.delivery.hooks import HOOKS, HookKey
from automation.delivery.providers import SANDBOX_TOKEN
from automation.settings import CHANNELS, PREFIX, Settings

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


def unheard(settings: Settings) -> dict[str, str]:
    """The providers in use whose calls cannot be checked, so that all are refused; and what to do about each."""
    used = {key for channel in CHANNELS for key in settings.channel(channel).providers}
    return {name: hint for name in sorted(used) if (hint := _missing(settings, name))}


def _missing(settings: Settings, name: str) -> str | None:
    hook = HOOKS.get(settings.providers[name].kind)
    if hook is None or getattr(key_of(settings, name), hook.checked_with):
        return None
    if hook.checked_with == "public":
        return f"set webhook_key in [providers.{name}], as the vendor shows it"
    variable = "TOKEN" if hook.checked_with == "token" else "WEBHOOK_SECRET"
    return f"set {PREFIX}PROVIDERS__{name.upper()}__{variable}, and the same at the vendor"
