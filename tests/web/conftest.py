"""A shop with a page on which its customers choose."""

from collections.abc import Iterator

import pytest
from choosing import DAY1, LATER
from serving import served
from shop import Shop, playbook, step


@pytest.fixture
def planned(shop: Shop) -> Shop:
    """Offers by email and text, news by email; nobody was written to yet."""
    texts = step("two", "hello/text", "sms", late_by="3 days")
    shop.write(
        care=playbook(step("one", late_by="3 days") + texts),
        letter=playbook(step("one", late_by="3 days"), topic="shop_news"),
        notice=playbook(topic="invoices", kind="transactional"),
        winter=playbook(topic="winter", active=False),
        summer=playbook(topic="summer", ends="2026-01-31").replace('"2026-01-31"', "2026-01-31"),
    )
    shop.customers("ada", "bob", locale="pl-PL")
    shop.evaluate(DAY1)
    return shop


@pytest.fixture
def address(planned: Shop) -> Iterator[str]:
    with served(planned, LATER) as found:
        yield found
