"""One box: an id or its beginning, an address, a number in any usual writing, a message."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop import Shop, playbook
from sqlalchemy import Connection, delete, insert

from automation.customers.search import by_beginning, numbers_meant
from automation.database.engine import Database
from automation.database.schema import customers, shard_of
from automation.delivery.answers.search import Hits, search

STRANGE = 'a/b?c#d&é%2F"<script>'


def found(shop: Shop, words: str, limit: int = 20) -> Hits:
    with shop.database.reading() as connection:
        return search(connection, words, limit)


def told(shop: Shop, words: str) -> list[tuple[str, str]]:
    return [(hit.by, hit.customer.customer_id) for hit in found(shop, words).hits]


@pytest.fixture
def people(shop: Shop) -> Shop:
    shop.write(care=playbook())
    shop.customers("ada", email="Ada@Example.com", phone="+390612345678")
    shop.customers("adam", phone="+12015550123")
    shop.customers("eve", phone="+31612345678")
    shop.customers(STRANGE, email="strange@example.com", phone="+442079460000")
    return shop


def test_a_customer_is_found_by_the_whole_id_first_and_others_by_its_beginning(people: Shop) -> None:
    assert told(people, " ada ") == [("id", "ada"), ("beginning", "adam")]
    assert told(people, "ad") == [("beginning", "ada"), ("beginning", "adam")]
    assert told(people, "nobody") == []
    assert told(people, "") == told(people, "  ") == []


def test_an_id_of_any_characters_is_found(people: Shop) -> None:
    assert told(people, STRANGE) == [("id", STRANGE)]
    assert told(people, "a/b?c#d&é%") == [("beginning", STRANGE)]
    assert told(people, "a%") == told(people, "a_") == []


def test_an_address_is_found_in_whatever_case(people: Shop) -> None:
    assert told(people, "ADA@example.COM") == [("email", "ada")]
    assert told(people, "ada@example") == []


@pytest.mark.parametrize(
    "writing",
    ["+390612345678", "+39 06 1234 5678", "0039 06/12345678", "390612345678", "06 1234-5678", "(06) 12345678"],
)
def test_a_number_is_found_as_people_write_it(people: Shop, writing: str) -> None:
    assert ("phone", "ada") in told(people, writing)


def test_a_number_without_its_country_may_be_of_several(people: Shop) -> None:
    assert told(people, "0612345678") == [("phone", "ada"), ("phone", "eve")]
    assert told(people, "201 555-0123") == [("phone", "adam")]
    assert told(people, "020 7946 0000") == [("phone", STRANGE)]


def test_several_customers_at_one_address_are_all_found(shop: Shop) -> None:
    shop.customers("ada", "bob", email="home@example.com")
    assert told(shop, "home@example.com") == [("email", "ada"), ("email", "bob")]


def test_a_message_leads_to_whom_it_is_for(people: Shop) -> None:
    people.evaluate("2026-03-02T05:00:00Z")
    message = next(row for row in people.rows() if row.customer_id == "eve")
    assert told(people, str(message.message_id)) == [("message", "eve")]
    assert told(people, str(message.message_id + 256)) == told(people, "9" * 30) == told(people, "²") == []


@pytest.mark.parametrize("words", ["a\0b", "\ud800", "a\nb", "x" * 201, "+", "@", "%", "'; --", "\U0010ffff"])
def test_words_that_are_nobodys_find_nobody(people: Shop, words: str) -> None:
    assert told(people, words) == []


def test_it_is_said_when_more_begin_like_this(shop: Shop) -> None:
    shop.customers(*(f"c{number:03}" for number in range(25)))
    several = found(shop, "c", limit=20)
    assert ([hit.customer.customer_id for hit in several.hits], several.more) == ([f"c{n:03}" for n in range(20)], True)
    assert not found(shop, "c01").more
    assert len(found(shop, "c01").hits) == 10


IDS = st.sets(st.text(st.sampled_from("abé%_Z0\U0001f600"), min_size=1, max_size=3), min_size=1, max_size=60)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ids=IDS, begin=st.text(st.sampled_from("abé%_"), min_size=1, max_size=2), limit=st.integers(1, 5))
def test_the_first_that_begin_so_are_found_in_the_order_of_ids(
    database: Database, ids: set[str], begin: str, limit: int
) -> None:
    with database.writing() as connection:
        fill(connection, ids)
        rows = [row.customer_id for row in by_beginning(connection, begin, limit)]
    assert rows == sorted(one for one in ids if one.startswith(begin))[:limit]


def fill(connection: Connection, ids: set[str]) -> None:
    connection.execute(delete(customers))
    rows = [{"shard": shard_of(one), "customer_id": one, "attributes": {}} for one in ids]
    connection.execute(insert(customers), rows)


def test_what_is_no_number_means_none() -> None:
    assert not any(numbers_meant(text) for text in ("", "12345", "c00000001", "a@b.example", "+" + "9" * 40))
    assert numbers_meant("+39 06 12345678") == {"+390612345678"}
