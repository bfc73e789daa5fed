"""The commands that check the promise, as they are typed."""

import json

import typer
from shop import Shop, playbook
from sqlalchemy import update
from typer.testing import CliRunner

from automation.cli import keep
from automation.database.schema import messages


def typed(shop: Shop, *words: str) -> tuple[int, str]:
    app = typer.Typer()
    keep.add_to(app)
    config = str(shop.folder / "config.toml")
    done = CliRunner().invoke(app, [*words, "--config", config], catch_exceptions=False)
    return done.exit_code, done.stdout


def test_verify_says_that_all_is_well_or_what_is_not(shop: Shop) -> None:
    shop.write(care=playbook())
    shop.customers("ada")
    shop.evaluate("2026-03-02T05:00:00Z")
    assert json.loads(typed(shop, "verify", "--json")[1]) == {"ok": True, "violations": [], "counts": {}}
    assert typed(shop, "verify") == (0, "every row keeps the delivery promise\n")
    with shop.database.writing() as connection:
        connection.execute(update(messages).values(status="sent"))
    code, printed = typed(shop, "verify", "--json", "--since", "2026-03-01T00:00:00Z")
    told = json.loads(printed)
    assert (code, told["ok"], told["counts"]) == (1, False, {"I2": 2, "I3": 1, "I4": 1})
    (row,) = shop.rows()
    assert {
        "invariant": "I3",
        "message_id": row.message_id,
        "customer_id": "ada",
        "told": "The row is sent, and no attempt says that the provider took it.",
    } in told["violations"]
    code, printed = typed(shop, "verify")
    assert (code, "I2: 2" in printed) == (1, True)
    assert f"message {row.message_id}, customer ada" in printed
