"""Who listens to this sandbox: the providers of the configuration that post to it."""

from urllib.parse import urlsplit

from automation.delivery.outcomes.at_home import key_of
from automation.delivery.sandbox.telling import TELLS
from automation.delivery.sandbox.telling.telling import Ear
from automation.settings import Settings


def ears_of(settings: Settings, port: int) -> dict[str, Ear]:
    """By kind; of two providers of one kind the first, for a message does not tell which of them sent it."""
    ears: dict[str, Ear] = {}
    for name, provider in settings.providers.items():
        url, is_mine = settings.callback_url(name), provider.is_loopback and _port(provider.base_url) == port
        if url is not None and is_mine and provider.kind in TELLS:
            key = key_of(settings, name)
            ears.setdefault(provider.kind, Ear(url, key.token, key.secret))
    return ears


def _port(url: str | None) -> int | None:
    return urlsplit(url).port if url else None
