"""The console of a small shop on a real server, and people with each role who are signed in to it."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
from loopback import TRUSTED
from serving import served
from shop import Shop, at, playbook, step
from sqlalchemy import insert, select

from automation.database.accounts import users
from automation.database.engine import Database
from automation.reports.kept import keep_figures
from automation.settings import Settings
from automation.web.accounts.sessions import open_session
from automation.web.console.call import COOKIE

DAY1, NOON1, NOW = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-03T12:00:00Z"


class Visitor(httpx.Client):
    """A browser's stand-in: `cookies` of the console are for TLS alone, so that this one sends them itself."""

    def __init__(self, address: str, token: str | None) -> None:
        own = {"cookie": f"{COOKIE}={token}"} if token else {}
        super().__init__(base_url=address, headers={"origin": address, **own}, timeout=30, verify=TRUSTED)


@dataclass
class Visiting:
    """`now` is when the console's clock stands; the roles are also the names of the people."""

    shop: Shop
    address: str
    now: str
    _stack: ExitStack = field(default_factory=ExitStack)
    _known: dict[str, Visitor] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        return self.shop.database

    @property
    def settings(self) -> Settings:
        return self.shop.settings

    def signed_in(self, role: str) -> Visitor:
        """Somebody with that role, and that name."""
        if role not in self._known:
            self._known[role] = self._stack.enter_context(Visitor(self.address, self.token_of(role)))
        return self._known[role]

    def outside(self) -> Visitor:
        """Somebody who is not signed in."""
        return self._stack.enter_context(Visitor(self.address, None))

    def token_of(self, role: str) -> str:
        """Of another session of theirs."""
        made = {"name": role, "role": role, "created_at": datetime(2026, 1, 1, tzinfo=UTC)}
        with self.database.writing() as connection:
            if connection.execute(select(users).where(users.c.name == role)).first() is None:
                connection.execute(insert(users), made)
            return open_session(connection, role, at(self.now))


def a_day_in(shop: Shop) -> None:
    """Ada and Bob were welcomed yesterday; Eve has no address. Figures were counted afterwards."""
    shop.write(hello=playbook(step("one") + step("two", after="3 days")))
    shop.customers("ada", "bob")
    shop.customers("eve", email=None)
    shop.evaluate(DAY1)
    shop.send(NOON1)
    keep_figures(shop.database, shop.settings, shop.book, at(NOON1))


@contextmanager
def visiting(shop: Shop, now: str = NOW) -> Iterator[Visiting]:
    with served(shop, now) as address, ExitStack() as stack:
        yield Visiting(shop, address, now, stack)
