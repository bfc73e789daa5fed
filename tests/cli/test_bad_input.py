"""What is typed or written wrongly: exit code 2, the next move on standard error, and nothing else is done."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from starting import english_starter
from typed import Done, Run

from automation.errors import DatabaseUnreachable


@pytest.fixture(autouse=True)
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    english_starter(tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def refusal(done: Done) -> str:
    """The one thing that was printed."""
    assert (done.code, done.out) == (2, "")
    assert "Traceback" not in done.err
    return done.err.strip()


def test_a_folder_in_place_of_the_configuration_is_told_what_to_name(run: Run) -> None:
    for command in ("log", "check", "doctor"):
        told = refusal(run(command, "--config", "playbooks"))
        assert told == "playbooks is a folder; name the file in it, such as --config playbooks/config.toml"


def test_every_mistake_in_the_configuration_is_told_at_once_and_no_database_is_made(shop: Path, run: Run) -> None:
    change(shop / "config.toml", "max_per_day = 1", 'max_per_dai = "one"')
    told = json.loads(refusal(run("evaluate", "--json")))
    assert told["error"] == "BadFiles"
    assert {one["message"] for one in told["problems"]} == {'unknown key "max_per_dai"'}
    assert not (shop / "automation.db").exists()


def test_a_real_provider_is_named_when_the_clock_is_replaced(shop: Path, run: Run) -> None:
    change(shop / "config.toml", 'base_url = "http://127.0.0.1:8025"', "")
    for command in ("evaluate", "send", "explain c-1"):
        told = refusal(run(*command.split(), "--now", "2026-01-31T09:00:00Z"))
        assert told.endswith("sandbox_email, sandbox_sms: point base_url at the sandbox, or leave out --now")
    assert not (shop / "automation.db").exists()


def test_a_date_without_an_hour_is_told_an_instant_that_can_be_typed(run: Run) -> None:
    told = refusal(run("stages", "--now", "2026-01-31"))
    offered = told.split(" write one like ")[1].split(" or ")
    assert [run("stages", "--json", "--now", one).code for one in offered] == [0, 0]


def test_the_checker_takes_dates_as_the_log_does(run: Run) -> None:
    run("db", "upgrade")
    assert run("verify", "--since", "2026-01-31").code == 0
    assert "2026-01-32" in refusal(run("verify", "--since", "2026-01-32"))


def test_a_file_that_cannot_be_imported_is_all_that_is_told(shop: Path, run: Run) -> None:
    assert refusal(run("import", "customers", "nobody.csv")) == "nobody.csv is not a file; check its name"
    assert refusal(run("import", "events", "playbooks")) == "playbooks is not a file; check its name"
    (shop / "wrong.csv").write_text("name,colour\nAnna,red\n", encoding="utf-8")
    told = json.loads(refusal(run("import", "customers", "wrong.csv", "--json")))
    assert "no column customer_id" in told["message"]
    assert not (shop / "wrong.csv.rejects.csv").exists()


def test_a_database_that_does_not_answer_is_told_by_its_address_and_in_one_line(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOMATION_DATABASE__URL", "postgresql://nobody@127.0.0.1:1/nothing")
    told = refusal(run("log"))
    assert "nobody@127.0.0.1:1/nothing" in told
    assert "?" not in told
    assert told.endswith(DatabaseUnreachable().args[0])


@pytest.mark.parametrize("command", ["log", "evaluate", "db upgrade", "verify", "db check", "doctor"])
def test_a_database_of_a_newer_program_is_left_alone(shop: Path, run: Run, command: str) -> None:
    run("db", "upgrade")
    with sqlite3.connect(shop / "automation.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    done = run(*command.split())
    assert done.code == 1
    assert "at revision 9999" in done.out + done.err
    assert "a newer program made it; install that one" in done.out + done.err


def test_a_copy_that_cannot_be_written_leaves_nothing(shop: Path, run: Run) -> None:
    assert "config.toml/copy cannot be written" in refusal(run("db", "backup", "config.toml/copy"))
    assert "exists already" in refusal(run("db", "backup", "playbooks"))
    assert run("db", "backup", "copies/monday").code == 0
    assert [path.name for path in (shop / "copies").iterdir()] == ["monday"]


def test_a_secret_that_is_no_text_is_told_by_its_file(shop: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    (shop / "key").write_bytes(b"\xff\xfe\x00")
    monkeypatch.setenv("AUTOMATION_SECRET_KEY_FILE", "key")
    assert refusal(run("log")).startswith("key: a secret's file cannot be read")


@pytest.mark.parametrize(
    "words",
    [
        "sandbox --port 99999",
        "demo --customers -5 --json",
        "log --limit 0 --json",
        "message seven",
        "evalute",
        "log --al",
    ],
)
def test_words_that_cannot_be_meant_are_refused_before_anything_is_done(shop: Path, run: Run, words: str) -> None:
    told = refusal(run(*words.split()))
    assert "Try 'automation" in told
    assert told.count("Error: ") == 1
    assert not (shop / "automation.db").exists()


@pytest.mark.parametrize("server", ["shop.db", "sqlite:///shop.db", "mysql://host/name"])
def test_a_selftest_on_something_else_than_postgresql_says_what_it_takes(run: Run, server: str) -> None:
    told = refusal(run("selftest", "--kills", "1", "--database", server))
    assert told == "--database: write the URL of a PostgreSQL server, like postgresql://user@host/name"


@pytest.mark.parametrize("fault", ["there=kill", "recorded=burn", "recorded=kill@0", "recorded"])
def test_a_fault_point_that_does_not_exist_is_told_those_that_do(fault: str) -> None:
    environment = {**os.environ, "FAULT_POINT": fault}
    command = [sys.executable, "-m", "automation", "log"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 (our own program)
    told = refusal(Done(done.returncode, done.stdout, done.stderr))
    assert told.startswith(
        f'FAULT_POINT: "{fault}" is no fault; write one like recorded=kill@3 (points: plan_committed,'
    )
