"""The machine, the secrets and the way to the providers."""

import asyncio
import re
import shutil
import zoneinfo
from collections.abc import Sequence
from datetime import datetime, timedelta
from importlib import metadata
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import make_url

from automation.clock import local_text
from automation.delivery.doctor.check import Check
from automation.delivery.http import reachable
from automation.delivery.outcomes.at_home import unheard
from automation.delivery.providers import account_of
from automation.errors import BadInput
from automation.settings import CHANNELS, LOOPBACK, PREFIX, Settings

GIGABYTE = 1_000_000_000
PATIENCE = timedelta(seconds=3)


def zone(settings: Settings, now: datetime) -> Check:
    """The business's zone, and how old the rules are by which local time is told."""
    name = settings.business.timezone
    told = f"it is {local_text(now, settings.business.zone)} in {name}; time zone data {_release() or 'of unknown age'}"
    return Check("zones", True, told)


def _release() -> str | None:
    """The release of the data in use: the system's, else the package's. Such as `2025b`."""
    for folder in zoneinfo.TZPATH:
        compact = Path(folder) / "tzdata.zi"
        if compact.is_file():
            with compact.open(encoding="utf-8") as file:
                found = re.fullmatch(r"# version (\S+)", file.readline().strip())
            return found[1] if found else None
    try:
        return metadata.version("tzdata")
    except metadata.PackageNotFoundError:
        return None


def secret_key(settings: Settings) -> Check:
    """With it unsubscribe links outlive the database; without, its own random key signs them."""
    if settings.secret_key is not None:
        return Check("secret key", True, "set")
    if not settings.real_providers and _at_home(settings.business.public_url):
        return Check("secret key", True, "not set, and not needed yet")
    hint = f"set {PREFIX}SECRET_KEY (or {PREFIX}SECRET_KEY_FILE) to a long random text, and keep it"
    return Check("secret key", False, "not set", hint)


def web_address(settings: Settings) -> Check:
    """Links in real messages must lead somewhere, and must not be read on the way."""
    url = settings.business.public_url
    if not settings.real_providers:
        return Check("public_url", True, url)
    if _at_home(url):
        return Check("public_url", False, f"{url} leads nowhere for customers", "set [business] public_url")
    secure = urlsplit(url).scheme == "https"
    return Check("public_url", secure, url, "" if secure else "customers' links need https://")


def alerts(settings: Settings) -> Check:
    """Somebody must hear of a provider that refuses us, before the customers do not."""
    if settings.alerts.url:
        return Check("alerts", True, f"posted to {urlsplit(settings.alerts.url).hostname}")
    if not settings.real_providers:
        return Check("alerts", True, "only in the log, and no more is needed yet")
    hint = f"set [alerts] url, and {PREFIX}ALERTS__WEBHOOK_SECRET in the environment; or watch the log for errors"
    return Check("alerts", True, "only in the log: nobody is told when the sending stops", hint)


def hearing(settings: Settings) -> Check:
    """Bounces and complaints that nobody hears go on being written to."""
    missing = unheard(settings)
    if not missing:
        return Check("what providers tell", True, "can be checked")
    told = f"calls of {', '.join(missing)} are refused: nothing to check them with"
    return Check("what providers tell", not settings.real_providers, told, "; ".join(missing.values()))


def _at_home(url: str) -> bool:
    return urlsplit(url).hostname in LOOPBACK


def disk(settings: Settings) -> Check:
    """Where the database's file lies, or else the configuration."""
    url = make_url(settings.database.url)
    file = url.database if url.get_backend_name() == "sqlite" else None
    folder = (settings.root / file).parent if file else settings.root
    folder = next(one for one in (folder, *folder.resolve().parents) if one.exists())
    free = shutil.disk_usage(folder).free
    told = f"{free / GIGABYTE:,.1f} GB free"
    return Check("disk", free > GIGABYTE, told, "" if free > GIGABYTE else "make room: a full disk stops everything")


def providers(settings: Settings) -> list[Check]:
    """Whether somebody answers at each provider in use. A connection is opened; nothing is posted."""
    used = sorted({key for channel in CHANNELS for key in settings.channel(channel).providers})
    return asyncio.run(_providers(settings, used))


async def _providers(settings: Settings, used: Sequence[str]) -> list[Check]:
    return await asyncio.gather(*(_provider(settings, key) for key in used))


async def _provider(settings: Settings, key: str) -> Check:
    check, provider = f"provider {key}", settings.providers[key]
    try:
        account = account_of(key, provider)
    except BadInput as error:
        return Check(check, False, str(error))
    trouble = await reachable(account.base_url, timeout=PATIENCE)
    if trouble is None:
        return Check(check, True, f"{account.base_url} answers")
    hint = "`automation sandbox` starts it" if provider.is_loopback else "look at the network, a firewall, and base_url"
    return Check(check, False, f"{account.base_url}: {trouble}", hint)
