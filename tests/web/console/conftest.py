"""A shop with a day behind it, and its console."""

from collections.abc import Iterator

import pytest
from console_visiting import Visiting, visiting
from shop import Shop, playbook, step

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """Ada and Bob were welcomed yesterday; Eve has no address."""
    shop.write(hello=playbook(step("one") + step("two", after="3 days")))
    shop.customers("ada", "bob")
    shop.customers("eve", email=None)
    shop.evaluate(DAY1)
    shop.send(NOON1)
    return shop


@pytest.fixture
def console(lived: Shop) -> Iterator[Visiting]:
    with visiting(lived) as found:
        yield found
