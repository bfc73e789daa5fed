"""Reading files: a broken row costs itself only, a broken file is refused before anything is written."""

import csv
import gzip
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from automation.customers.files import open_rows
from automation.customers.load import CUSTOMERS_AT_ONCE, CustomersImported, import_customers, import_events
from automation.customers.rejects import Rejected
from automation.database.engine import Database, connect
from automation.database.schema import customers
from automation.errors import BadInput, MissingExtra

NOW = datetime(2026, 2, 1, 8, tzinfo=UTC)


@pytest.fixture
def small(sqlite_url: str) -> Iterator[Database]:
    """One database is enough where only files matter."""
    opened = connect(sqlite_url)
    yield opened
    opened.close()


def imported(database: Database, file: Path, content: str | bytes) -> CustomersImported:
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return import_customers(database, file, NOW)


def read(file: Path, content: str | bytes) -> list[tuple[int, Any]]:
    """Line and row, or line and the reason why it is none."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    rows = open_rows(file, (("id",),))
    found = [(line, row.reason if isinstance(row, Rejected) else row) for line, row in rows.rows()]
    rows.close()
    return found


def rejects(found: CustomersImported) -> list[list[str]]:
    assert found.rejects_file is not None
    with Path(found.rejects_file).open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def ids(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.execute(select(customers.c.customer_id)).scalars())


def test_rejects_name_line_column_and_reason_and_run_no_formula(small: Database, tmp_path: Path) -> None:
    found = imported(small, tmp_path / "c.csv", 'id,email\na,\n=1+1,nobody\nc\n"d\ne",x\n')
    assert found.rejects_file == str(tmp_path / "c.csv.rejects.csv")
    header, formula, short, folded = rejects(found)
    assert header == ["line", "column", "reason", "id"]
    assert (formula[0], formula[1], formula[3]) == ("3", "email", "'=1+1")
    assert (short[0], short[1], short[2][:7]) == ("4", "", "1 cells")
    assert folded[:2] == ["5", "id"]
    assert ids(small) == ["a"]


def test_the_list_of_rejects_goes_when_there_are_none(small: Database, tmp_path: Path) -> None:
    assert imported(small, tmp_path / "c.csv", "id,email\na,nobody\n").rejected == 1
    assert imported(small, tmp_path / "c.csv", "id,email\na,\n").rejects_file is None
    assert [file.name for file in tmp_path.glob("*.csv")] == ["c.csv"]


def test_a_list_of_rejects_that_cannot_be_written_stops_before_the_first_row(small: Database, tmp_path: Path) -> None:
    (tmp_path / "c.csv.rejects.csv").mkdir()
    with pytest.raises(BadInput, match=r"c\.csv\.rejects\.csv cannot be written"):
        imported(small, tmp_path / "c.csv", "id\na\n")
    assert ids(small) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "the file is empty"),
        ("name,email\n", "no column customer_id or id or userId"),
        ("custmer_id,email\n", 'did you mean "custmer_id"'),
        ("id;email\n", "separate the columns by commas"),
        ("id,email,email\n", 'two columns are named "email"'),
        ("id,,email\n", "column 2"),
        ("id,a\0b\n", "column 2"),
        (b"id,\xff\n", "UTF-8"),
        ('id,"email\n', "the header is not CSV"),
        ("id,email\n".encode("utf-16"), "UTF-16"),
    ],
)
def test_a_header_that_cannot_be_used_is_refused_with_its_place(
    small: Database, tmp_path: Path, content: str | bytes, said: str
) -> None:
    with pytest.raises(BadInput) as caught:
        imported(small, tmp_path / "c.csv", content)
    assert said in str(caught.value)
    assert "c.csv" in str(caught.value)
    assert not (tmp_path / "c.csv.rejects.csv").exists()


@pytest.mark.parametrize("name", ["none.csv", "c.txt", "c.xlsx", "c.csv.gz", "c.parquet"])
def test_a_file_of_another_kind_is_refused(small: Database, tmp_path: Path, name: str) -> None:
    if name != "none.csv":
        (tmp_path / name).write_bytes(b"something else")
    with pytest.raises(BadInput, match=name):
        import_customers(small, tmp_path / name, NOW)


def test_events_need_all_four_columns(small: Database, tmp_path: Path) -> None:
    (tmp_path / "e.csv").write_text("event_id,type,customer_id\n")
    with pytest.raises(BadInput, match="no column ts or timestamp"):
        import_events(small, tmp_path / "e.csv", NOW)


def test_quotes_commas_and_line_ends_inside_a_cell(tmp_path: Path) -> None:
    content = '\ufeffid,note\r\n1,"a, ""b""\nc"\r\n\r\n2,żółw\r\n'
    assert read(tmp_path / "c.csv", content) == [
        (2, {"id": "1", "note": 'a, "b"\nc'}),
        (5, {"id": "2", "note": "żółw"}),
    ]


def test_a_quote_that_is_never_closed_costs_one_row(tmp_path: Path) -> None:
    rows = [f"{n},x" for n in range(40_000)]
    rows[10] = '10,"x'
    found = read(tmp_path / "c.csv", "id,note\n" + "\n".join(rows) + "\n")
    assert [line for line, row in found if isinstance(row, str)] == [12]
    assert len(found) == 40_000


def test_a_stray_quote_costs_one_row_even_when_others_follow(tmp_path: Path) -> None:
    found = read(tmp_path / "c.csv", 'id,note\n1,"a\n2,b\n3,"c"\n4,d\n')
    assert [line for line, row in found if isinstance(row, str)] == [2]
    assert [row["id"] for _, row in found if not isinstance(row, str)] == ["2", "3", "4"]


@pytest.mark.parametrize("size", [200_000, 3_000_000])
@pytest.mark.parametrize("line", ["y" * 100, "y" * 100_000, "y" * 1_500_000])
def test_what_is_inside_an_enormous_cell_is_never_taken_for_rows(tmp_path: Path, size: int, line: str) -> None:
    inside = "\n".join([line] * (size // len(line) + 1)) + "\nvictim,mail\n"
    found = read(tmp_path / "c.csv", f'id,note\n1,"{inside}"\n2,b\n')
    assert [row for _, row in found if not isinstance(row, str)] == [{"id": "2", "note": "b"}]
    assert len(found) == 2


def test_a_line_without_end_is_one_reject(tmp_path: Path) -> None:
    found = read(tmp_path / "c.jsonl", b'{"id":1}\n{"id":"' + b"x" * 5_000_000 + b'"}\n{"id":3}')
    assert found == [(1, {"id": 1}), (2, "the line is longer than 1 MB"), (3, {"id": 3})]


def test_bytes_that_are_not_utf8_cost_their_row_only(small: Database, tmp_path: Path) -> None:
    found = imported(small, tmp_path / "c.csv", b"id,note\na,\xff\nb,\xc5\xbc\n")
    assert (found.created, found.rejected) == (1, 1)
    found = imported(small, tmp_path / "c.jsonl", b'{"id":"c","n":"\xff"}\n{"id":"d"}\n')
    assert (found.created, found.rejected) == (1, 1)
    assert "not UTF-8 at byte 16" in rejects(found)[1][2]


@pytest.mark.parametrize(
    "line", ["nonsense", "[1]", '"a"', '{"id":"x"', '{"id":NaN}', "1" * 5_000, "[" * 100_000, '{"id":1}{"id":2}']
)
def test_a_bad_line_of_json_is_one_reject(small: Database, tmp_path: Path, line: str) -> None:
    found = imported(small, tmp_path / "c.ndjson", f'\ufeff{{"id":"a"}}\n\n{line}\n{{"id":"b","id":"c"}}\n')
    assert (found.read, found.created, found.rejected) == (3, 2, 1)
    assert rejects(found)[1][0] == "3"
    assert ids(small) == ["a", "c"]


def test_a_json_array_is_refused_with_the_way_to_write_it(small: Database, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="one JSON object on each line"):
        imported(small, tmp_path / "c.json", '[{"id":"a"}]')


def test_what_was_read_of_a_damaged_file_stays_and_the_whole_one_adds_the_rest(small: Database, tmp_path: Path) -> None:
    rows = CUSTOMERS_AT_ONCE + 5_000
    content = gzip.compress(("id\n" + "\n".join(f"c{n:06}" for n in range(rows))).encode(), mtime=0)
    with pytest.raises(BadInput, match="damaged or cut off after row"):
        imported(small, tmp_path / "c.csv.gz", content[:-1_000])
    assert len(ids(small)) == CUSTOMERS_AT_ONCE
    found = imported(small, tmp_path / "c.csv.gz", content)
    assert (found.created, found.unchanged) == (5_000, CUSTOMERS_AT_ONCE)


@pytest.mark.parametrize("name", ["c.csv.gz", "c.jsonl.gz"])
def test_compressed_files_are_read_as_they_are(small: Database, tmp_path: Path, name: str) -> None:
    content = "id,n\na,1\n" if "csv" in name else '{"id":"a","n":1}\n'
    assert imported(small, tmp_path / name, gzip.compress(content.encode())).created == 1


def test_a_compressed_file_that_is_cut_off_says_so(small: Database, tmp_path: Path) -> None:
    content = gzip.compress(json.dumps({"id": "a"}).encode() + b"\n", mtime=0)[:-8]
    with pytest.raises(BadInput, match="damaged or cut off"):
        imported(small, tmp_path / "c.jsonl.gz", content)


def test_parquet_follows_the_rules_of_json_lines(small: Database, tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    columns = """
        'a' || range AS id, 'a@example.com' AS email, TIMESTAMPTZ '2026-01-31 10:00:00.5+01' AS signup_at,
        range = 0 AS email_consent, NULL::INT AS nothing, 1.50::DECIMAL(9, 2) AS spent, {'x': [1, 2]} AS nested,
        DATE '2026-01-31' AS born, CASE range WHEN 2 THEN 'nan'::DOUBLE ELSE 1.5 END AS score
    """
    with duckdb.connect() as connection:
        connection.execute(f"COPY (SELECT {columns} FROM range(3)) TO '{tmp_path / 'c.parquet'}'")
    found = import_customers(small, tmp_path / "c.parquet", NOW)
    assert (found.read, found.created, found.rejected) == (3, 2, 1)
    with small.reading() as connection:
        row = connection.execute(select(customers).where(customers.c.customer_id == "a0")).one()
    assert row.signup_at == datetime(2026, 1, 31, 9, 0, 0, 500000, UTC)
    assert row.attributes == {"spent": 1.5, "nested": {"x": [1, 2]}, "born": "2026-01-31", "score": 1.5}


def test_parquet_without_duckdb_says_what_to_install(
    small: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    (tmp_path / "c.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtra, match=r'pip install "automation\[files\]"'):
        import_customers(small, tmp_path / "c.parquet", NOW)


def test_progress_ends_at_the_size_of_the_file(small: Database, tmp_path: Path) -> None:
    file = tmp_path / "c.csv"
    file.write_text("id\n" + "\n".join(f"c{n}" for n in range(CUSTOMERS_AT_ONCE + 1)))
    steps: list[tuple[int, int]] = []
    import_customers(small, file, NOW, lambda done, total: steps.append((done, total)))
    size = file.stat().st_size
    assert len(steps) == 2
    assert steps[-1] == (size, size)
    assert all(0 < done <= size for done, _ in steps)
