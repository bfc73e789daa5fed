"""The demo: what a newcomer sees, from start to end, without a terminal."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automation.reasons import Reason

ROOT = Path(__file__).parents[2]
STAGES = ("Aware", "Evaluating", "First order", "Using", "Coming back", "Loyal", "Advocate", "Leaving")


def run(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    mine = {key: value for key, value in os.environ.items() if not key.startswith("AUTOMATION_")}
    mine |= {"PYTHONPATH": str(ROOT), "TMPDIR": str(folder), "COLUMNS": "80", "PYTHONUTF8": "1", **environment}
    command = [sys.executable, "-m", "automation", "demo", *words]
    return subprocess.run(command, cwd=folder, env=mine, capture_output=True, text=True, timeout=300, check=False)  # noqa: S603


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shown")


@pytest.fixture(scope="module")
def shown(folder: Path) -> subprocess.CompletedProcess[str]:
    return run(folder, "--customers", "300")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """With a database and a provider in the environment that the demo must not touch."""
    folder = tmp_path_factory.mktemp("told")
    unused = {"AUTOMATION_DATABASE__URL": "postgresql://nobody@192.0.2.1/nothing"}
    real = {"AUTOMATION_PROVIDERS__SANDBOX_EMAIL__BASE_URL": "https://192.0.2.1"}
    done = run(folder, "--customers", "300", "--json", "--keep", "kept", **unused, **real)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "kept": folder / "kept"}


def test_it_ends_by_itself_without_a_terminal_and_cleans_up(
    shown: subprocess.CompletedProcess[str], folder: Path
) -> None:
    assert shown.returncode == 0, shown.stderr
    assert "Ctrl-C" not in shown.stdout
    assert list(folder.iterdir()) == []


def test_it_shows_every_stage_by_name_and_two_explanations(shown: subprocess.CompletedProcess[str]) -> None:
    for stage in STAGES:
        assert re.search(rf"^  {stage} +\d", shown.stdout, re.MULTILINE), stage
    assert len(re.findall(r"^Why c\d{5} got \w+, \w+$", shown.stdout, re.MULTILINE)) == 1
    assert len(re.findall(r"^Why c\d{5} did not get \w+, \w+$", shown.stdout, re.MULTILINE)) == 1


def test_it_fits_into_eighty_columns(shown: subprocess.CompletedProcess[str]) -> None:
    assert max(map(len, shown.stdout.splitlines())) <= 80
    assert "\x1b" not in shown.stdout


def test_no_address_reaches_the_logs(shown: subprocess.CompletedProcess[str]) -> None:
    assert "@" not in shown.stderr
    assert "+1" not in shown.stderr


def test_its_facts_add_up(told: dict[str, Any]) -> None:
    assert told["imported"]["customers"]["created"] == told["customers"] == 300
    assert (
        told["imported"]["customers"]["rejected"] + told["imported"]["events"]["rejected"] == len(told["rejects"]) == 5
    )
    assert sum(stage["customers"] for stage in told["stages"]) == 300
    assert sum(told["sent"].values()) == sum(one["sent"] for one in told["playbooks"]) > 0
    assert told["so_far"]["sent"] > 0
    assert set(told["held"]) <= {reason.value for reason in Reason}
    assert [one["got"] for one in told["explained"]] == [True, False]
    assert len(told["next"]) == 3


def test_it_uses_its_own_database_and_the_sandbox_whatever_the_environment_says(told: dict[str, Any]) -> None:
    assert told["mailbox"].startswith("http://127.0.0.1:")
    assert told["so_far"]["sent"] > 0
    assert (told["kept"] / "automation.db").stat().st_size > 0


def test_a_kept_folder_has_the_files_and_the_lists_of_rejected_rows(told: dict[str, Any]) -> None:
    assert (told["kept"] / "config.toml").is_file()
    lists = {path.name for path in (told["kept"] / "files").glob("*.rejects.csv")}
    assert lists == {row["file"] for row in told["rejects"]} != set()


def test_it_hears_what_became_of_the_messages(told: dict[str, Any]) -> None:
    became = {one["outcome"]: one["email"] + one["sms"] for one in told["outcomes"]}
    assert 0 < became["delivered"] <= sum(told["sent"].values())
    assert became.get("clicked", 0) <= became.get("opened", 0) <= became["delivered"]
