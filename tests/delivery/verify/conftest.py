"""A shop that kept its promises for two days, and what the checker says after changes."""

import shutil
from collections.abc import Iterator
from typing import Any

import loopback
import pytest
from broken_promises import DAY1, DAY2, NOON1, NOON2, OFFER, Check, Told, checked
from shop import Shop, playbook, step
from sqlalchemy import (
    create_engine,
    make_url,
    text,
)

from automation.database.engine import connect
from automation.delivery.sandbox import SandboxServer
from automation.settings import Settings


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database with the schema in place, for all tests of this file."""
    if request.param == "sqlite":
        copy = tmp_path_factory.mktemp("verify") / "automation.db"
        shutil.copy(request.getfixturevalue("migrated_sqlite"), copy)
        yield f"sqlite:///{copy}"
        return
    template: str = request.getfixturevalue("migrated_postgres")
    url = make_url(request.getfixturevalue("postgres_server")).set(drivername="postgresql+psycopg")
    engine, name = create_engine(url, isolation_level="AUTOCOMMIT"), f"{template}_verify"
    with engine.connect() as connection:
        connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
    yield url.set(database=name).render_as_string(hide_password=False)
    with engine.connect() as connection:
        connection.execute(text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    engine.dispose()


@pytest.fixture(scope="module")
def shop(address: str, tmp_path_factory: pytest.TempPathFactory, sandbox_server: SandboxServer) -> Iterator[Shop]:
    """Two days. Ada and Bob got two emails, Ada a text too; another is still to come. Cem's address was refused."""
    loopback.delete(f"{sandbox_server.url}/faults").raise_for_status()
    shop = Shop(tmp_path_factory.mktemp("shop"), connect(address), sandbox_server.url)
    steps = step("one") + step("two", after="1 days") + step("text", "hello/text", "sms", after="5 days")
    thanks = playbook(step("thanks", "hello/text", "sms"), stages=["buyer"])
    shop.write(care=playbook(OFFER + steps), buyers=thanks)
    template = '+++\nsubject = "{{ offer.code }}"\n+++\nHello\n'
    (shop.folder / "templates/hello/hello.en.md").write_text(template, encoding="utf-8")
    shop.customers("ada", "bob")
    shop.customers("cem", email="inactive@example.com")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    shop.orders("ada", "2026-03-02T20:00:00Z")
    shop.evaluate(DAY2)
    shop.send(NOON2)
    yield shop
    shop.database.close()


@pytest.fixture(scope="module")
def settings(shop: Shop) -> Settings:
    return shop.settings


@pytest.fixture
def after(shop: Shop, settings: Settings) -> Check:
    """What is told after the changes."""

    def told(*changes: Any, settings: Settings = settings, **options: Any) -> Told:
        report = checked(shop, settings, *changes, **options)
        assert report.ok == (not report.violations)
        return {(one.invariant, one.told) for one in report.violations}

    return told
