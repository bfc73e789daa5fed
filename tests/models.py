"""The shipped lifecycles, for tests that live under each of them."""

import shutil
from pathlib import Path

from shop import Shop

ROOT = Path(__file__).parents[1]
MODELS = ("customer_lifecycle", "crm", "funnel", "loyalty", "relationship")


def ship(shop: Shop, model: str, **playbooks: str) -> None:
    """The shop's own files, with the shipped facts and lifecycles, one of which is in use."""
    shop.write(**playbooks)
    shutil.copytree(ROOT / "playbooks/lifecycles", shop.folder / "playbooks/lifecycles", dirs_exist_ok=True)
    shutil.copy(ROOT / "playbooks/facts.toml", shop.folder / "playbooks/facts.toml")
    use(shop, model)


def use(shop: Shop, model: str) -> None:
    """What a marketer changes to switch: one line of config.toml."""
    config = shop.folder / "config.toml"
    lines = config.read_text(encoding="utf-8").splitlines()
    of_model = f'lifecycle = "playbooks/lifecycles/{model}.toml"'
    told = [of_model if line.startswith("lifecycle =") else line for line in lines]
    config.write_text("\n".join(told) + "\n", encoding="utf-8")
