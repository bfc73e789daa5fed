"""The providers, in this process: they answer as the sandbox does, keep their own log, and have weather."""

import asyncio
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any
from urllib.parse import parse_qs

import httpx
from simulator.happening import Time
from simulator.weather import STATUSES, WEATHERS

from automation.delivery.replies import Answer, Failure
from automation.delivery.sandbox.exchange import Post, Result
from automation.delivery.sandbox.keys import Keys
from automation.delivery.sandbox.mailbox import Mailbox
from automation.delivery.sandbox.vendors import VENDORS, Vendor, twilio
from automation.faultpoints import reach

LINK = re.compile(r"/u/([\w-]+)")
JSON_TYPE = {"content-type": "application/json"}
ROUND_TRIP = timedelta(milliseconds=40)


@dataclass(frozen=True)
class Posted:
    """A post of which at least a byte arrived. `at` is what the machine's clock said, `order` its place in time."""

    order: int
    at: Any
    provider: str
    key: str | None
    message_ids: Sequence[int]


@dataclass(frozen=True)
class Accepted:
    """A message that a provider took."""

    order: int
    at: Any
    provider: str
    key: str | None
    message_id: int
    recipient: str
    text: str


@dataclass
class Providers:
    """Every provider by its port. `interrupt` is called in the middle of exchanges: the world goes on meanwhile."""

    time: Time
    chance: Random
    names: dict[int, str]
    interrupt: Callable[[], None] = lambda: None
    weather: dict[str, str] = field(default_factory=dict)
    posts: list[Posted] = field(default_factory=list)
    taken: list[Accepted] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._mailbox = Mailbox(None)
        self._keys = Keys(self._mailbox)

    def close(self) -> None:
        self._mailbox.close()

    @asynccontextmanager
    async def door(self, _: int) -> AsyncIterator["Providers"]:
        yield self

    async def post(self, request: httpx.Request, *, timeout: timedelta) -> Answer | Failure:  # noqa: ASYNC109 (as the line has it)
        """One exchange, as the weather is."""
        provider = self.names[request.url.port or 0]
        trouble = self._trouble(provider) if request.method == "POST" else "none"
        if trouble == "before":
            return Failure(before_first_byte=True, reason="no connection")
        self._note(provider, request)
        reach("connected")
        reach("half_sent")
        result = self._handled(
            provider, request, takes=trouble in {"none", "lost", "cut", "empty"} or self._tossed(trouble)
        )
        reach("sent")
        await self._pause(timeout if trouble in {"lost", "silent"} else ROUND_TRIP)
        reach("half_heard")
        return self._heard(trouble, request.url.path, result)

    def _trouble(self, provider: str) -> str:
        drawn = self.chance.random()
        for trouble, share in WEATHERS[self.weather.get(provider, "fine")].items():
            drawn -= share
            if drawn < 0:
                return trouble
        return "none"

    def _tossed(self, trouble: str) -> bool:
        return trouble in {"broken", "timeout"} and self.chance.random() < 0.5

    def _note(self, provider: str, request: httpx.Request) -> None:
        ids = [one for one, _, _ in messages_of(request)]
        self.posts.append(Posted(self.time.next(), self.time.machine, provider, _key(request), ids))

    def _handled(self, provider: str, request: httpx.Request, *, takes: bool) -> Result:
        path, query = request.url.path, dict(request.url.params)
        post = Post(request.headers, {"sid": path.split("/")[-2]}, request.content, self.time.true)
        route, vendor = _vendor(path)
        if request.method == "GET":
            return vendor.searching[route](self._mailbox, post, query)
        result = self._keys.recall(vendor, post, vendor.sending[route](post))
        with self._keys.handling(vendor, post, result) as answered:
            if takes and result.taken:
                self._mailbox.take(result.taken, answered)
                self._log(provider, request, {one.recipient for one in result.taken})
        return result

    def _log(self, provider: str, request: httpx.Request, taken: set[str]) -> None:
        order, key = self.time.next(), _key(request)
        for message_id, recipient, text in messages_of(request):
            if recipient in taken:
                self.taken.append(Accepted(order, self.time.machine, provider, key, message_id, recipient, text))

    async def _pause(self, lasts: timedelta) -> None:
        for _ in range(self.chance.randint(0, 3)):
            await asyncio.sleep(0)
        self.time.passes(lasts)
        self.interrupt()

    def _heard(self, trouble: str, path: str, result: Result) -> Answer | Failure:
        if trouble in {"lost", "silent"}:
            return Failure(before_first_byte=False, reason="no answer")
        good = json.dumps(result.payload).encode()
        if trouble == "none":
            return Answer(result.status, JSON_TYPE, good)
        if trouble == "cut":
            return Answer(result.status, JSON_TYPE, good[: len(good) // 2], complete=False)
        if trouble == "empty":
            return Answer(self.chance.choice((200, 204)) if result.status < 300 else result.status, {}, b"")
        return self._unhappy(trouble, path)

    def _unhappy(self, trouble: str, path: str) -> Answer:
        headers = dict(JSON_TYPE)
        if trouble == "throttled":
            status = self.chance.choice((429, 429, 503))
            wish = self.chance.choice(("5", "90", "1800", "soon"))
            headers |= {"retry-after": wish} if status == 503 or self.chance.random() < 0.7 else {}
        else:
            status = self.chance.choice(STATUSES[trouble])
        return Answer(status, headers, json.dumps(_vendor(path)[1].refusal(status)).encode())


def _vendor(path: str) -> tuple[str, Vendor]:
    """Whose path it is, and how it is written in the routes."""
    route = twilio.MESSAGES_JSON if path.endswith("Messages.json") else path
    return route, next(one for one in VENDORS if route in {*one.sending, *one.searching})


def _key(request: httpx.Request) -> str | None:
    found: str | None = request.headers.get("idempotency-key")
    return found


def messages_of(request: httpx.Request) -> list[tuple[int, str, str]]:
    """Id, recipient and text of each message in a request to send."""
    if request.method != "POST":
        return []
    if "form" in request.headers["content-type"]:
        form = {name: values[0] for name, values in parse_qs(request.content.decode()).items()}
        return [(_id_in(form["Body"]), form["To"], form["Body"])]
    body = json.loads(request.content)
    return [_message(one) for one in (body if isinstance(body, list) else [body])]


def _message(one: dict[str, Any]) -> tuple[int, str, str]:
    if "Metadata" in one:
        return int(one["Metadata"]["mid"]), one["To"], one["TextBody"]
    ids = {tag["name"]: tag["value"] for tag in one["tags"]}
    return int(ids["mid"]), one["to"][0], one["text"]


def _id_in(text: str) -> int:
    found = LINK.search(text)
    assert found, "every text message of the simulated shop has a link with its id"
    coded = found[1] + "=" * (-len(found[1]) % 4)
    return int.from_bytes(urlsafe_b64decode(coded)[:8])
