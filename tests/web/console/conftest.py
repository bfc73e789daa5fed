"""A shop with a day behind it, and its console."""

from collections.abc import Iterator

import pytest
from console_visiting import Visiting, a_day_in, visiting
from shop import Shop


@pytest.fixture
def lived(shop: Shop) -> Shop:
    a_day_in(shop)
    return shop


@pytest.fixture
def console(lived: Shop) -> Iterator[Visiting]:
    with visiting(lived) as found:
        yield found
