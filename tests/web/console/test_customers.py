"""Finding a customer in the console."""

import pytest
from console_visiting import Visiting
from sqlalchemy import insert

from automation.database.schema import customers, shard_of

STRANGE = 'a/b?c#d&é%2F"<script>'


@pytest.fixture(autouse=True)
def _strange(console: Visiting) -> None:
    row = {"shard": shard_of(STRANGE), "customer_id": STRANGE, "email": "odd@example.com", "attributes": {}}
    with console.database.writing() as connection:
        connection.execute(insert(customers), row)


def found(console: Visiting, words: str, role: str = "support") -> str:
    answer = console.signed_in(role).get("/customers", params={"q": words})
    assert answer.status_code == 200
    return answer.text


@pytest.mark.parametrize("words", ["ada", "ad", "ADA@example.com", " Ada@Example.com "])
def test_a_customer_is_found_and_linked(console: Visiting, words: str) -> None:
    text = found(console, words)
    assert 'href="/customer?id=ada"' in text
    assert "bob" not in text


def test_an_id_of_any_characters_leads_to_its_page(console: Visiting) -> None:
    text = found(console, STRANGE)
    assert "<script>" not in text.partition("<main")[2]
    link = "/customer?id=a%2Fb%3Fc%23d%26%C3%A9%252F%22%3Cscript%3E"
    assert f'href="{link}"' in text
    page = console.signed_in("support").get(link)
    assert page.status_code == 200
    assert "odd@example.com" in page.text
    assert "<script>" not in page.text.partition("<main")[2]


def test_nothing_is_listed_before_somebody_asks_and_nobody_is_said_to_be_nobody(console: Visiting) -> None:
    assert "/customer?id=" not in found(console, "")
    assert "Nobody is found" in found(console, "zzz")
    assert "Nobody is found" not in found(console, "")


@pytest.mark.parametrize("role", ["viewer", "marketer"])
def test_whoever_need_not_read_addresses_sees_masks(console: Visiting, role: str) -> None:
    text = found(console, "ada@example.com", role)
    assert "a…@e….com" in text.partition('id="results"')[2]
    assert "ada@example.com" not in text.partition('id="results"')[2]
