"""Importing customers: counts, merging, consent, and what is never touched."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import FromClause, insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from automation.customers import customer_batch
from automation.customers.load import CUSTOMERS_AT_ONCE, CustomersImported, import_customers
from automation.database.engine import Database
from automation.database.schema import consents, customers, shard_of

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)
Import = Callable[..., CustomersImported]


@pytest.fixture
def imported(database: Database, tmp_path: Path) -> Import:
    """Import these lines of CSV."""

    def run(*lines: str, now: datetime = NOW) -> CustomersImported:
        file = tmp_path / "customers.csv"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return import_customers(database, file, now)

    return run


@pytest.fixture
def touched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of customers marked for the facts cache, in the order they were."""
    seen: list[str] = []

    def remember(connection: Connection, staged: FromClause) -> None:
        seen.extend(sorted(connection.execute(select(staged.c.customer_id).distinct()).scalars()))

    monkeypatch.setattr(customer_batch, "touch", remember)
    return seen


def row_of(database: Database, customer_id: str) -> dict[str, Any]:
    with database.reading() as connection:
        found = connection.execute(select(customers).where(customers.c.customer_id == customer_id)).one()
    assert found.shard == shard_of(customer_id)
    return {key: value for key, value in found._asdict().items() if value is not None}


def ledger(database: Database, customer_id: str) -> list[tuple[Any, ...]]:
    rows = select(consents.c.number, consents.c.channel, consents.c.topic, consents.c.granted, consents.c.basis)
    with database.reading() as connection:
        return [
            tuple(row)
            for row in connection.execute(rows.where(consents.c.customer_id == customer_id).order_by("number"))
        ]


def record(database: Database, customer_id: str, number: int, channel: str, topic: str, *, granted: bool) -> None:
    row = {"shard": shard_of(customer_id), "customer_id": customer_id, "number": number, "channel": channel}
    said = {
        "topic": topic,
        "granted": granted,
        "basis": "link",
        "source": "web",
        "actor": "customer",
        "recorded_at": NOW,
    }
    with database.writing() as connection:
        connection.execute(insert(consents), {**row, **said})


def test_each_row_is_created_updated_unchanged_or_rejected(imported: Import, database: Database) -> None:
    header = "id,email,phone,locale,timezone,country,signup_at,plan"
    first = imported(
        header,
        "a,A@Example.com,+12015550104,en-us,Europe/Rome,us,2026-01-31T09:00:00.5Z,gold",
        "b,b@example.com,,,,,,",
        "c,nobody,,,,,,",
    )
    assert first.as_dict() == {
        "read": 3,
        "created": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": 1,
        "rejects_file": first.rejects_file,
    }
    second = imported(header, "a,a@example.com,,,,,,gold", "b,,,pl,,,,", "d,,,,,,,")
    assert (second.created, second.updated, second.unchanged, second.rejects_file) == (1, 1, 1, None)
    assert row_of(database, "a") == {
        "shard": shard_of("a"),
        "customer_id": "a",
        "email": "a@example.com",
        "phone": "+12015550104",
        "locale": "en-US",
        "timezone": "Europe/Rome",
        "country": "US",
        "signup_at": datetime(2026, 1, 31, 9, 0, 0, 500000, UTC),
        "attributes": {"plan": "gold"},
    }
    assert row_of(database, "b") == {
        "shard": shard_of("b"),
        "customer_id": "b",
        "email": "b@example.com",
        "locale": "pl",
        "attributes": {},
    }


def test_attributes_are_merged_and_an_empty_cell_deletes_none(imported: Import, database: Database) -> None:
    imported("id,plan,score", "a,gold,7")
    assert imported("id,plan,score,city", "a,,8.5,Łódź").updated == 1
    assert row_of(database, "a")["attributes"] == {"plan": "gold", "score": 8.5, "city": "Łódź"}
    assert imported("id,city,plan", "a,Łódź,gold").unchanged == 1


def test_a_number_that_becomes_a_boolean_is_a_change(imported: Import, database: Database) -> None:
    imported("id,vip", "a,1")
    assert imported("id,vip", "a,true").updated == 1
    assert row_of(database, "a")["attributes"] == {"vip": True}


@pytest.mark.parametrize("value", ["1e-7", "0.1", "-0.0", "12345678901234.5", "100000000000000", "1.0"])
def test_any_number_is_unchanged_the_second_time(database: Database, tmp_path: Path, value: str) -> None:
    file = tmp_path / "customers.jsonl"
    file.write_text(f'{{"id":"a","x":{value},"y":{{"z":[{value}]}}}}')
    import_customers(database, file, NOW)
    assert import_customers(database, file, NOW).unchanged == 1


def test_the_same_customer_twice_in_a_file_is_merged_in_order(imported: Import, database: Database) -> None:
    found = imported("id,email,plan", "a,one@example.com,gold", "a,two@example.com,", "a,,gold")
    assert (found.read, found.created, found.updated, found.unchanged) == (3, 1, 1, 1)
    assert (row_of(database, "a")["email"], row_of(database, "a")["attributes"]) == (
        "two@example.com",
        {"plan": "gold"},
    )


def test_importing_again_writes_nothing_and_touches_nobody(
    imported: Import, database: Database, touched: list[str]
) -> None:
    lines = ("id,email,signup_at,email_consent,n", "a,a@example.com,2026-01-01T00:00:00Z,true,1", "b,,,false,2")
    imported(*lines)
    assert touched == ["a", "b"]
    before = (row_of(database, "a"), ledger(database, "a"))
    assert imported(*lines, now=NOW + timedelta(days=1)).unchanged == 2
    assert touched == ["a", "b"]
    assert (row_of(database, "a"), ledger(database, "a")) == before


def test_only_customers_that_really_change_are_touched(imported: Import, touched: list[str]) -> None:
    imported("id,plan,sms_consent", "a,x,", "b,x,", "c,x,")
    touched.clear()
    imported("id,plan,sms_consent", "a,x,", "b,y,", "c,x,true")
    assert touched == ["b", "c"]


def test_consent_is_given_only_where_nothing_is_on_record(imported: Import, database: Database) -> None:
    record(database, "a", 1, "email", "*", granted=True)
    record(database, "a", 2, "email", "*", granted=False)
    found = imported("id,email_consent,sms_consent", "a,true,1")
    assert found.created == 1
    assert ledger(database, "a")[2:] == [(3, "sms", "*", True, "import")]


def test_an_unsubscribe_from_one_topic_is_a_record_too(imported: Import, database: Database) -> None:
    record(database, "a", 1, "email", "newsletter", granted=False)
    imported("id,email_consent", "a,true")
    assert len(ledger(database, "a")) == 1


def test_a_file_can_withdraw_what_stands(imported: Import, database: Database) -> None:
    imported("id,email_consent,sms_consent", "a,true,no")
    assert imported("id,email_consent", "a,false").updated == 1
    assert imported("id,email_consent", "a,false").unchanged == 1
    assert imported("id,email_consent", "a,true").unchanged == 1
    assert ledger(database, "a") == [(1, "email", "*", True, "import"), (2, "email", "*", False, "import")]


def test_consent_to_a_topic_stands_and_is_withdrawn(imported: Import, database: Database) -> None:
    record(database, "a", 1, "sms", "offers", granted=True)
    imported("id,sms_consent", "a,false")
    assert ledger(database, "a")[1:] == [(2, "sms", "*", False, "import")]


def test_a_consent_says_where_it_comes_from(imported: Import, database: Database) -> None:
    imported("id,email_consent", "a,yes")
    with database.reading() as connection:
        found = connection.execute(select(consents)).one()
    assert (found.source, found.actor, found.recorded_at) == ("customers.csv", "import", NOW)


def test_an_erased_customer_stays_erased(imported: Import, database: Database) -> None:
    imported("id", "a")
    with database.writing() as connection:
        connection.execute(update(customers).values(erased_at=NOW))
    found = imported("id,email,email_consent", "a,a@example.com,true", "b,,")
    assert (found.created, found.rejected) == (1, 1)
    assert "email" not in row_of(database, "a")
    assert ledger(database, "a") == []


def test_a_failed_batch_leaves_nothing_and_can_be_run_again(
    imported: Import, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as broken:
        broken.setattr(customer_batch, "touch", fail)
        with pytest.raises(RuntimeError):
            imported("id,email_consent", "a,true")
    with database.reading() as connection:
        assert connection.execute(select(customers)).all() == connection.execute(select(consents)).all() == []
    assert imported("id,email_consent", "a,true").created == 1


def test_a_batch_the_database_refuses_leaves_nothing_and_can_be_run_again(imported: Import, database: Database) -> None:
    lines = ("id,email,email_consent", "a,same@example.com,true", "b,same@example.com,true")
    with database.writing() as connection:
        connection.execute(text("CREATE UNIQUE INDEX one_email ON customers (email)"))
    with pytest.raises(IntegrityError):
        imported(*lines)
    with database.writing() as connection:
        assert connection.execute(select(customers)).all() == connection.execute(select(consents)).all() == []
        connection.execute(text("DROP INDEX one_email"))
    assert imported(*lines).created == 2


def test_one_batch_holds_every_sort_of_row(imported: Import, database: Database) -> None:
    header = "id,email,email_consent,n"
    imported(header, "known,known@example.com,true,1", "same,,,1", "withdrawn,,true,", "erased,,,")
    with database.writing() as connection:
        connection.execute(update(customers).where(customers.c.customer_id == "erased").values(erased_at=NOW))
    record(database, "recorded", 1, "email", "*", granted=False)
    rows = ["known,,,2", "new,new@example.com,true,3", "same,,,1", "twice,,false,4", "recorded,,true,5"]
    found = imported(header, *rows, "erased,,,6", "twice,,true,", "withdrawn,,false,", "erased,,,7")
    assert (found.read, found.created, found.updated, found.unchanged, found.rejected) == (9, 3, 3, 1, 2)
    told = {name: row_of(database, name)["attributes"] for name in ("known", "new", "same", "twice", "recorded")}
    assert told == {"known": {"n": 2}, "new": {"n": 3}, "same": {"n": 1}, "twice": {"n": 4}, "recorded": {"n": 5}}
    assert row_of(database, "known")["email"] == "known@example.com"
    for name, granted in {"known": [True], "new": [True], "twice": [True], "withdrawn": [True, False]}.items():
        assert [entry[3] for entry in ledger(database, name)] == granted
    assert [entry[3] for entry in ledger(database, "recorded")] == [False]


def test_a_newcomer_gets_the_same_ledger_as_a_known_customer(imported: Import, database: Database) -> None:
    told = {f"{email}{sms}": f"{email},{sms}" for email in ("", "true", "false") for sms in ("", "true", "false")}
    imported("id", *(f"known{name}" for name in told))
    rows = [f"{who}{name},{consent}" for name, consent in told.items() for who in ("known", "new")]
    imported("id,email_consent,sms_consent", *rows)
    for name in told:
        assert ledger(database, f"new{name}") == ledger(database, f"known{name}")
    assert [entry[:4] for entry in ledger(database, "newtruetrue")] == [(1, "email", "*", True), (2, "sms", "*", True)]


def test_imports_at_the_same_time_take_turns(database: Database, tmp_path: Path) -> None:
    rows = [f"c{number},{number}" for number in range(500)]
    files = [tmp_path / f"{number}.csv" for number in range(4)]
    for place, file in enumerate(files):
        part = rows[place * 50 :]
        file.write_text("\n".join(["id,n", *(part if place % 2 else reversed(part))]))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda file: import_customers(database, file, NOW), files))
    assert sum(one.created for one in found) == 500
    assert sum(one.unchanged for one in found) == 450 + 400 + 350


def test_several_batches_count_as_one_file(imported: Import, database: Database) -> None:
    some = CUSTOMERS_AT_ONCE + 500
    rows = [f"c{number % some},{number}" for number in range(some + 500)]
    found = imported("id,n", *rows)
    assert (found.read, found.created, found.updated) == (some + 500, some, 500)
    assert row_of(database, "c3")["attributes"] == {"n": some + 3}


def test_poison_rows_end_the_same_on_both_databases(database: Database, tmp_path: Path) -> None:
    names = ["a\0b", "\ud800", 2**63, "x" * 1_000_000, "مرحبا\u202e 🙂", "two\r\nlines", "a\rb", {"a": {"b": "\0"}}]
    file = tmp_path / "customers.jsonl"
    file.write_text("\n".join(json.dumps({"id": f"c{place}", "name": name}) for place, name in enumerate(names)))
    found = import_customers(database, file, NOW)
    assert (found.read, found.created, found.rejected) == (8, 2, 6)
    assert row_of(database, "c4")["attributes"] == {"name": "مرحبا\u202e 🙂"}
    assert row_of(database, "c5")["attributes"] == {"name": "two\nlines"}


def test_the_validation_data_import_whole(database: Database, shared: Path, tmp_path: Path) -> None:
    file = tmp_path / "customers.csv"
    file.write_bytes((shared / "data" / "cdnow_sample" / "customers.csv").read_bytes())
    assert import_customers(database, file, NOW).created == 2357
    assert import_customers(database, file, NOW).unchanged == 2357
