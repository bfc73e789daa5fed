"""The shop as it is shipped."""

import shutil
from pathlib import Path

import pytest
from shop import Shop

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shipped(shop: Shop) -> Shop:
    """A shop with the shipped facts, lifecycle, playbooks and copy, and the shipped caps; nobody is held out."""
    shop.per_day, shop.per_week = 1, 3
    shop.write()
    for name in ("playbooks", "templates"):
        shutil.rmtree(shop.folder / name)
        shutil.copytree(ROOT / name, shop.folder / name)
    for path in (shop.folder / "playbooks").glob("*.toml"):
        path.write_text(path.read_text(encoding="utf-8").replace("holdout = 0.1", "holdout = 0"), encoding="utf-8")
    config = shop.folder / "config.toml"
    config.write_text(config.read_text(encoding="utf-8").replace("small.toml", "standard.toml"), encoding="utf-8")
    return shop
