"""Opening the database: the rules that differ between SQLite and PostgreSQL live here and nowhere else."""

import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    URL,
    ColumnElement,
    Connection,
    Engine,
    Float,
    FromClause,
    create_engine,
    event,
    func,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import ArgumentError, DatabaseError, NoSuchModuleError, OperationalError
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from automation.errors import BadInput, DatabaseBusy, DatabaseUnreachable, MissingExtra
from automation.settings import Settings

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=30000",
    "PRAGMA temp_store=MEMORY",
    "PRAGMA cache_size=-65536",  # 64 MB of pages: the inner nodes of a ten-million-row table stay in memory
    "PRAGMA mmap_size=0",
)
POSTGRES_OPTIONS = "-c timezone=UTC -c synchronous_commit=on -c jit=off"
KEEP_ROWCOUNT = {"preserve_rowcount": True}  # "how many were inserted?" is asked everywhere
HIDE = {"hide_parameters": True}  # an error goes to the log: with the statement, without the addresses in it
SHARD_LOCKS = 7_003
DEADLOCK, CIRCLES = "40P01", 3
LOCKS = {"migrations": 7_001, "facts": 7_002, "imports": 7_004, "recovery": 7_005, "audit": 7_006}
T = TypeVar("T")


@dataclass(frozen=True)
class Database:
    """`reading()` and `writing()` give a connection in one transaction."""

    engine: Engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One consistent view of the rows, for as many queries as needed."""
        level = "SERIALIZABLE" if self.is_sqlite else "REPEATABLE READ"
        with self._connection(isolation_level=None if self.is_sqlite else level) as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A write transaction. SQLite takes its write lock at once: a deferred one loses updates or fails half-way."""
        with self._connection(immediate=True) as connection, connection.begin():
            yield connection

    def write(self, work: Callable[[Connection], T]) -> T:
        """A write transaction, done again when PostgreSQL ended it because writers waited for each other in a circle:
        nothing of it was done then.
        """
        for _ in range(CIRCLES):
            try:
                with self.writing() as connection:
                    return work(connection)
            except OperationalError as error:
                if getattr(error.orig, "sqlstate", None) != DEADLOCK:
                    raise
        with self.writing() as connection:
            return work(connection)

    @contextmanager
    def _connection(self, **options: Any) -> Iterator[Connection]:
        try:
            with self.engine.connect() as connection:
                yield connection.execution_options(**{key: value for key, value in options.items() if value})
        except OperationalError as error:
            if "database is locked" in str(error.orig):
                raise DatabaseBusy from error
            raise

    def close(self) -> None:
        self.engine.dispose()


def open_database(settings: Settings) -> Database:
    """Connect. Raises BadInput for a bad URL, MissingExtra without psycopg, DatabaseUnreachable when nobody answers."""
    password = settings.database.password
    return connect(settings.database.url, settings.root, password.get_secret_value() if password else None)


def connect(address: str, root: Path = Path(), password: str | None = None) -> Database:
    url = _url(address, root)
    try:
        engine = _sqlite(url) if url.get_backend_name() == "sqlite" else _postgres(url, password)
        with engine.connect() as connection:
            connection.execute(text("SELECT 1"))
    except ModuleNotFoundError:
        raise MissingExtra('PostgreSQL needs one more package: pip install "automation[postgres]"') from None
    except DatabaseError as error:  # a file that is no database is not an operational error
        reason = re.sub(r"\s+", " ", str(error.orig)).rstrip(" .?")
        raise DatabaseUnreachable(f"{url.render_as_string()}: {reason}. {DatabaseUnreachable().args[0]}") from None
    return Database(engine)


def _url(address: str, root: Path) -> URL:
    try:
        url = make_url(address)
        backend = url.get_backend_name()
    except (ArgumentError, NoSuchModuleError):
        backend = ""
    if backend not in {"sqlite", "postgresql"}:
        raise BadInput("[database] url must be sqlite:///file or postgresql://user@host/name")
    if backend == "postgresql":
        return url.set(drivername="postgresql+psycopg")
    if url.database and url.database != ":memory:":
        return url.set(database=str(root / url.database))
    raise BadInput("[database] url must name a file: sqlite:///automation.db")


def _sqlite(url: URL) -> Engine:
    engine = create_engine(
        url, connect_args={"check_same_thread": False, "timeout": 30}, execution_options=KEEP_ROWCOUNT, **HIDE
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in PRAGMAS:
            connection.execute(pragma)
        connection.create_function("draw", 1, draw_of, deterministic=True)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        immediate = connection.get_execution_options().get("immediate")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")

    return engine


def draw(words: ColumnElement[str]) -> ColumnElement[float]:
    """A number in [0, 1) that depends on the words alone and is the same on both databases: how arms are drawn."""
    return _Draw(words)


class _Draw(ColumnElement[float]):
    inherit_cache = True
    type = Float()
    _traverse_internals = [("words", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 (read by the library)

    def __init__(self, words: ColumnElement[str]) -> None:
        self.words = words


@compiles(_Draw, "sqlite")
def _draw_on_sqlite(element: _Draw, compiler: SQLCompiler, **options: Any) -> str:
    return f"draw({compiler.process(element.words, **options)})"


@compiles(_Draw, "postgresql")
def _draw_on_postgres(element: _Draw, compiler: SQLCompiler, **options: Any) -> str:
    words = compiler.process(element.words, **options)
    return f"(('x' || substr(md5({words}), 1, 8))::bit(32)::bigint / 4294967296.0)::float8"


def draw_of(words: str) -> float:
    """The same number as `draw`, in Python."""
    return int(hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()[:8], 16) / 2**32


def _postgres(url: URL, password: str | None) -> Engine:
    options: dict[str, Any] = {"options": POSTGRES_OPTIONS, "connect_timeout": 10}
    if password:
        options["password"] = password
    return create_engine(url, connect_args=options, pool_pre_ping=True, execution_options=KEEP_ROWCOUNT, **HIDE)


def lock(connection: Connection, name: str, *, shared: bool = False) -> None:
    """Hold a named lock until the transaction ends. On SQLite the write transaction is that lock."""
    if connection.dialect.name == "postgresql":
        suffix = "_shared" if shared else ""
        connection.execute(text(f"SELECT pg_advisory_xact_lock{suffix}(:key)"), {"key": LOCKS[name]})


def lock_shards(connection: Connection, rows: FromClause) -> None:
    """Whoever counts up the ids of the shards named in `rows` holds their locks until the transaction ends."""
    if connection.dialect.name == "postgresql":
        # In one order, so that two writers cannot wait for each other in a circle.
        each = select(rows.c.shard).distinct().order_by(rows.c.shard).subquery("each")
        connection.execute(select(func.pg_advisory_xact_lock(SHARD_LOCKS, each.c.shard)))
