"""Files of customers or events, a row at a time: CSV, JSON Lines, Parquet."""

import importlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

from automation.customers.content import read_json
from automation.customers.csv_file import CsvFile
from automation.customers.lines import MAX_LINE, TOO_LONG, open_lines
from automation.customers.rejects import Rejected
from automation.errors import BadFiles, BadInput, MissingExtra, Problem, suggest

Required = tuple[tuple[str, ...], ...]
PARQUET_ROWS = 2_000
# Nothing is fetched from the network, and dates come out the same everywhere.
DUCKDB = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "threads": 1,
    "memory_limit": "128MB",
}


class RowFile(Protocol):
    """An open file. `is_text` when every value is text, as in CSV."""

    is_text: bool
    size: int

    def rows(self) -> Iterator[tuple[int, dict[str, Any] | Rejected]]:
        """Each row, or why it is none, with its line."""

    def position(self) -> int:
        """How much of `size` was read, in bytes."""

    def close(self) -> None: ...


def open_rows(path: Path, required: Required) -> RowFile:
    """Open a file by its suffix. `required`: columns of which one each must be there.

    Raises BadInput, or BadFiles with the place, when the file as a whole cannot be used; MissingExtra for Parquet
    without duckdb.
    """
    if not path.is_file():
        raise BadInput(f"{path} is not a file; check its name")
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if kind == ".csv":
        return CsvFile(path, required)
    if kind in {".jsonl", ".ndjson", ".json"}:
        return JsonLinesFile(path)
    if path.suffix == ".parquet":
        return ParquetFile(path, required)
    raise BadInput(f"{path}: name the file .csv, .jsonl or .parquet (.gz after the first two), after what is in it")


class JsonLinesFile:
    """One JSON object a line, in UTF-8."""

    is_text = False

    def __init__(self, path: Path) -> None:
        """Raises BadFiles for an empty file and for one JSON array."""
        self._stream, self._disk = open_lines(path)
        self.size = path.stat().st_size
        start = self._stream.tell()
        first = self._stream.read(1)
        if first in {b"", b"["}:
            self.close()
            message = "the file is empty" if not first else "a JSON array"
            raise BadFiles([Problem(str(path), 1, 0, message, "write one JSON object on each line, without brackets")])
        self._stream.seek(start)

    def rows(self) -> Iterator[tuple[int, dict[str, Any] | Rejected]]:
        readline = self._stream.readline
        line = 0
        while raw := readline(MAX_LINE):
            line += 1
            if len(raw) == MAX_LINE and not raw.endswith(b"\n"):
                while raw and not raw.endswith(b"\n"):
                    raw = readline(MAX_LINE)
                yield line, Rejected("", TOO_LONG)
            elif not raw.isspace():
                yield line, _object(raw)

    def position(self) -> int:
        return self._disk.tell()

    def close(self) -> None:
        self._stream.close()
        self._disk.close()


def _object(raw: bytes | str) -> dict[str, Any] | Rejected:
    try:
        found = read_json(raw.decode() if isinstance(raw, bytes) else raw)
    except UnicodeDecodeError as error:
        return Rejected("", f"not UTF-8 at byte {error.start + 1} of the line")
    except ValueError as error:
        return Rejected("", f"not JSON: {error}")
    return found if type(found) is dict else Rejected("", "not a JSON object")


class ParquetFile:
    """Apache Parquet, read by DuckDB, which writes each row as JSON: the rules are those of JSON Lines."""

    is_text = False

    def __init__(self, path: Path, required: Required) -> None:
        self._path = path
        self._duckdb = _duckdb()
        self._connection = self._duckdb.connect(config=DUCKDB)
        self.size = path.stat().st_size
        self._done = 0
        self._total, names = self._look()
        for some in required:
            if not set(some) & set(names):
                raise self._problem(f"no column {' or '.join(some)}", suggest(some[0], names))

    def rows(self) -> Iterator[tuple[int, dict[str, Any] | Rejected]]:
        try:
            found = self._connection.execute(
                "SELECT to_json(whole_row) FROM read_parquet(?) whole_row", [str(self._path)]
            )
            while rows := found.fetchmany(PARQUET_ROWS):
                for row in rows:
                    self._done += 1
                    yield self._done, _object(row[0])
        except self._duckdb.Error as error:
            raise self._problem(f"damaged after row {self._done}: {error}", "write the file again") from None

    def position(self) -> int:
        return self.size * self._done // max(self._total, 1)

    def close(self) -> None:
        self._connection.close()

    def _look(self) -> tuple[int, list[str]]:
        """How many rows, and the names of the columns."""
        try:
            self._connection.execute("SET TimeZone = 'UTC'")
            count = self._connection.execute("SELECT count(*) FROM read_parquet(?)", [str(self._path)]).fetchone()[0]
            found = self._connection.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(self._path)])
            return count, [row[0] for row in found.fetchall()]
        except self._duckdb.Error:
            raise self._problem("not a Parquet file", "name the file after what is in it") from None

    def _problem(self, message: str, hint: str) -> BadFiles:
        self.close()
        return BadFiles([Problem(str(self._path), 0, 0, message, hint)])


def _duckdb() -> Any:
    try:
        return importlib.import_module("duckdb")
    except ModuleNotFoundError:
        raise MissingExtra('Parquet needs one more package: pip install "automation[files]"') from None
