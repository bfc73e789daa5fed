"""What the doctor finds: a sound shop, and one thing wrong at a time."""

import json
from datetime import datetime

import pytest
import typer
from shop import Shop, at, playbook, step
from sqlalchemy import text, update
from typer.testing import CliRunner

from automation.cli import keep
from automation.database.schema import messages
from automation.delivery.doctor import Check, examine

DAY1, NOON1 = "2026-03-02T05:00:00Z", "2026-03-02T11:00:00Z"


@pytest.fixture
def shop(shop: Shop) -> Shop:
    shop.write(care=playbook(step("one") + step("two", after="9 days")))
    return shop


@pytest.fixture
def sent(shop: Shop) -> Shop:
    shop.customers("ada")
    shop.evaluate(DAY1)
    shop.send(NOON1)
    return shop


def found(shop: Shop, now: str | datetime = NOON1) -> dict[str, Check]:
    moment = at(now) if isinstance(now, str) else now
    return {one.check: one for one in examine(shop.folder / "config.toml", moment)}


def change(shop: Shop, old: str, new: str) -> None:
    path = shop.folder / "config.toml"
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")


def typed(shop: Shop, *words: str) -> tuple[int, str]:
    app = typer.Typer()
    keep.add_to(app)
    config = str(shop.folder / "config.toml")
    done = CliRunner().invoke(app, [*words, "--config", config], catch_exceptions=False)
    return done.exit_code, done.stdout


def test_a_sound_installation_passes_every_check(sent: Shop) -> None:
    checks = found(sent)
    assert [one for one in checks.values() if not one.ok] == []
    assert list(checks) == [
        "configuration",
        "files",
        "zones",
        "secret key",
        "public_url",
        "disk",
        "provider sandbox_email",
        "provider sandbox_sms",
        "alerts",
        "what providers tell",
        "clock",
        "database",
        "clock and database",
        "daily run",
        "due messages",
        "unknown messages",
        "worker",
        "nightly check",
    ]
    assert "it is 2026-03-02 12:00 CET in Europe/Rome; time zone data" in checks["zones"].told
    assert checks["daily run"].told == "the newest is of 2026-03-02"
    assert sent.log()[0]["recipient"] == "ada@example.com"
    assert len(sent.log()) == 1


def test_the_command_prints_the_checks_and_fails_with_one_of_them(shop: Shop) -> None:
    code, printed = typed(shop, "doctor", "--json")
    told = json.loads(printed)
    assert (code, told["ok"]) == (0, True)
    assert told["checks"][0].keys() == {"check", "ok", "told", "hint"}
    change(shop, shop.url, "http://127.0.0.1:1")
    code, printed = typed(shop, "doctor", "--json")
    assert (code, json.loads(printed)["ok"]) == (1, False)
    code, printed = typed(shop, "doctor")
    assert code == 1
    assert "FAILS" in printed


def test_all_problems_of_the_configuration_or_of_the_files_are_told(shop: Shop) -> None:
    shop.write(care=playbook(when="ordres > 1"))
    assert "ordres" in found(shop)["files"].told
    change(shop, 'timezone = "Europe/Rome"', 'timezone = "Europe/Rom"\nnmae = "x"')
    checks = examine(shop.folder / "config.toml", at(NOON1))
    assert [one.ok for one in checks] == [False, False]
    assert {one.check for one in checks} == {"configuration"}
    assert any("config.toml:5" in one.told for one in checks)


def test_a_provider_at_whose_door_nobody_is_fails_with_its_next_move(shop: Shop) -> None:
    change(shop, shop.url, "http://127.0.0.1:1")
    check = found(shop)["provider sandbox_email"]
    assert (check.ok, check.hint) == (False, "`automation sandbox` starts it")
    assert check.told == "http://127.0.0.1:1: no connection (ConnectionRefusedError)"


def test_a_real_provider_needs_a_token_a_secret_key_and_an_address_with_https(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 192.0.2.0/24 leads nowhere: https://www.rfc-editor.org/rfc/rfc5737
    change(shop, f'kind = "postmark"\nbase_url = "{shop.url}"', 'kind = "postmark"\nbase_url = "http://192.0.2.1:9"')
    checks = found(shop)
    wrong = {one.check for one in checks.values() if not one.ok}
    assert wrong == {"secret key", "public_url", "provider sandbox_email", "what providers tell"}
    assert "AUTOMATION_PROVIDERS__SANDBOX_EMAIL__WEBHOOK_SECRET" in checks["what providers tell"].hint
    assert "AUTOMATION_PROVIDERS__SANDBOX_EMAIL__TOKEN" in checks["provider sandbox_email"].told
    monkeypatch.setenv("AUTOMATION_SECRET_KEY", "long and random")
    monkeypatch.setenv("AUTOMATION_BUSINESS__PUBLIC_URL", "http://shop.example")
    assert found(shop)["public_url"].hint == "customers' links need https://"
    monkeypatch.setenv("AUTOMATION_BUSINESS__PUBLIC_URL", "https://shop.example")
    monkeypatch.setenv("AUTOMATION_PROVIDERS__SANDBOX_EMAIL__WEBHOOK_SECRET", "long and random")
    monkeypatch.setenv("AUTOMATION_PROVIDERS__SANDBOX_SMS__TOKEN", "of the account")
    wrong = {one.check for one in found(shop).values() if not one.ok}
    assert wrong == {"provider sandbox_email"}


def test_an_unsubscribe_link_to_the_world_needs_a_secret_key(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOMATION_BUSINESS__PUBLIC_URL", "https://shop.example")
    assert not found(shop)["secret key"].ok


def test_a_clock_that_went_back_or_never_was_set_is_told(sent: Shop) -> None:
    assert not found(sent, "2026-03-02T04:00:00Z")["clock and database"].ok
    assert not found(sent, "1970-01-01T00:10:00Z")["clock"].ok


def test_a_worker_that_does_not_work_shows_in_the_runs_and_in_the_due_messages(sent: Shop) -> None:
    assert found(sent, "2026-03-03T05:30:00Z")["daily run"].ok  # due for half an hour
    late = found(sent, "2026-03-03T06:30:00Z")["daily run"]
    assert (late.ok, late.told) == (False, "the newest is of 2026-03-02; that of 2026-03-03 is due")
    assert found(sent, "2026-03-11T11:30:00Z")["due messages"].told == "the oldest is due since 2026-03-11 12:00 CET"
    assert not found(sent, "2026-03-11T12:30:00Z")["due messages"].ok


def test_unknown_messages_are_counted_and_are_no_fault(sent: Shop) -> None:
    with sent.database.writing() as connection:
        connection.execute(update(messages).values(status="unknown"))
    check = found(sent)["unknown messages"]
    assert (check.ok, check.told[:1]) == (True, "2")
    assert found(sent, "2026-05-02T11:00:00Z")["unknown messages"].told == "none"


def test_a_database_that_is_not_there_is_not_made(shop: Shop) -> None:
    change(shop, shop.database.engine.url.render_as_string(hide_password=False), "sqlite:///not-yet.db")
    check = found(shop)["database"]
    assert (check.ok, check.hint) == (False, "`automation db upgrade` makes it")
    assert not (shop.folder / "not-yet.db").exists()


def test_a_database_of_another_revision_or_without_a_table_is_told(shop: Shop) -> None:
    with shop.database.writing() as connection:
        connection.execute(text("DROP TABLE outcomes"))
    assert found(shop)["database"].told == "tables are missing: outcomes"
    with shop.database.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    assert found(shop)["database"].told.startswith("at revision 0000; this program needs")


def test_a_file_that_is_no_database_is_told(shop: Shop) -> None:
    (shop.folder / "no.db").write_text("a letter to the editor, much longer than the header of a database file" * 20)
    change(shop, shop.database.engine.url.render_as_string(hide_password=False), "sqlite:///no.db")
    check = found(shop)["database"]
    assert not check.ok
    assert "not a database" in check.told
