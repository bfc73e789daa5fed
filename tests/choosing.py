"""The page on which customers choose, as a browser asks for it and sends it."""

import re
from html import unescape
from typing import Any

import httpx
import loopback
import pytest
from shop import Shop, at

from automation.customers.suppress import suppress_address
from automation.database.schema import consents
from automation.delivery.desk import open_desk

DAY1, NOON, LATER = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z", "2026-03-02T12:00:00Z"
ALL, OFFERS, NEWS = "email:*", "email:offers", "email:shop_news"
TEXTS, TEXT_OFFERS = "sms:*", "sms:offers"
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what the database has no part in
EVERYTHING = {ALL, OFFERS, NEWS, TEXTS, TEXT_OFFERS}


def link(shop: Shop, customer: str) -> str:
    """The path that stands in the customer's first mail."""
    row = next(one for one in shop.rows() if one.customer_id == customer and one.channel == "email")
    with shop.database.reading() as connection:
        url = open_desk(connection, shop.settings, shop.book).links(row.message_id).preferences
    return url.removeprefix(shop.settings.business.public_url)


def get(url: str, **given: Any) -> httpx.Response:
    return loopback.get(url, **given)


def post(url: str, was: set[str], now: set[str], **given: Any) -> httpx.Response:
    return loopback.post(url, data={"was": sorted(was), "now": sorted(now)}, **given)


def boxes(page: httpx.Response) -> dict[str, bool]:
    found = re.findall(r'<input type="checkbox"[^>]* value="([^"]*)"( checked)?', page.text)
    return {unescape(value): bool(checked) for value, checked in found}


def written(shop: Shop, customer: str = "ada") -> list[tuple[str, str, bool]]:
    """What the page added to the consent ledger."""
    mine = (row for row in shop.rows(consents) if row.customer_id == customer and row.source == "page")
    return [(row.channel, row.topic, row.granted) for row in mine]


def refuse(shop: Shop, channel: str, target: str, reason: str) -> None:
    with shop.database.writing() as connection:
        suppress_address(connection, channel, target, reason, "sandbox_email", at(NOON))
