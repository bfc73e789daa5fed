"""What Amazon SNS wants of whoever takes its calls: its certificate is fetched, and a subscription is confirmed.

Only from Amazon's own addresses (hooks/sns.py says which), only for topics of ours, and seldom: whoever calls us may
name as many addresses as they like. For a provider on this machine what lies at Amazon's address is asked of that
provider instead (`home`, its own address), and is believed for that provider alone.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from automation.delivery.hooks import HookCall, HookKey
from automation.delivery.hooks.reading import inside, json_of
from automation.delivery.hooks.sns import certificate_url, subscription
from automation.delivery.http import Doors
from automation.delivery.replies import Answer

log = logging.getLogger(__name__)
KINDS = frozenset({"aws_sms", "ses"})
PATIENCE = timedelta(seconds=5)
SELDOM = timedelta(seconds=10)
MOST = 20  # certificates; Amazon has one for each region at a time
GOOD = 200


@dataclass
class Amazon:
    door: Doors
    clock: Callable[[], datetime]
    _known: dict[str, bytes] = field(default_factory=dict)
    _asked_at: datetime | None = None

    async def certificates(self, call: HookCall, key: HookKey, home: str | None = None) -> Mapping[str, bytes]:
        """The certificate that this call is to be checked with, if it is one of ours."""
        url = certificate_url(call)
        if url is None:
            return {}
        place = _at(url, home)
        is_ours = inside(json_of(call), "TopicArn") in (key.public or "").split()
        if place not in self._known and is_ours and self._may_ask():
            found = await self._get(place)
            if found is not None:
                self._known = {**dict(list(self._known.items())[1 - MOST :]), place: found}
        return {url: self._known[place]} if place in self._known else {}

    async def confirm(self, call: HookCall, home: str | None = None) -> None:
        """Say yes, if that is what a genuine call asks for."""
        asked = subscription(call)
        if asked is not None and await self._get(_at(asked.url, home)) is not None:
            log.info("the topic's subscription is confirmed", extra={"topic": asked.topic})

    def _may_ask(self) -> bool:
        now = self.clock()
        if self._asked_at is not None and now - self._asked_at < SELDOM:
            return False
        self._asked_at = now
        return True

    async def _get(self, url: str) -> bytes | None:
        async with self.door(1) as line:
            heard = await line.post(httpx.Request("GET", url), timeout=PATIENCE)
        return heard.body if isinstance(heard, Answer) and heard.status == GOOD and heard.complete else None


def _at(url: str, home: str | None) -> str:
    """The same path and query there."""
    return url if home is None else home.rstrip("/") + urlsplit(url)._replace(scheme="", netloc="").geturl()
