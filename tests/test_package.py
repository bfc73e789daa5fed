"""What is delivered: the wheel, and the pinned versions it runs with."""

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PINNED = (ROOT / "deploy/requirements.txt").read_text(encoding="utf-8")
PIN = re.compile(r"^(\S+==[^\s;]+)( ; [^\\\n]+)?((?: \\\n    --hash=sha256:[0-9a-f]{64})+)$", re.MULTILINE)
EXTRAS = PROJECT["optional-dependencies"]
DIRECT = [Requirement(line) for line in (*PROJECT["dependencies"], *EXTRAS["postgres"], *EXTRAS["files"])]
PINS = {canonicalize_name(pin.name): pin for pin in (Requirement(found[0]) for found in PIN.findall(PINNED))}


def test_pinned_versions_have_hashes_and_nothing_else_stands_there() -> None:
    assert PIN.sub("", PINNED).strip() == ""


@pytest.mark.parametrize("wanted", DIRECT, ids=str)
def test_every_dependency_is_pinned_to_a_version_that_fits(wanted: Requirement) -> None:
    (version,) = PINS[canonicalize_name(wanted.name)].specifier
    assert wanted.specifier.contains(version.version)


def test_the_starter_files_are_where_the_wheel_takes_them_from() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    assert all((ROOT / name).exists() for name in hatch["build"]["targets"]["wheel"]["force-include"])


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling, which builds it, is not here")
def test_the_wheel_brings_along_what_is_no_code(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)  # noqa: S603 (our own words)
    (wheel,) = tmp_path.glob("*.whl")
    with ZipFile(wheel) as opened:
        names = set(opened.namelist())
    inside = {path.relative_to(ROOT).as_posix() for path in (ROOT / "automation").rglob("*") if path.is_file()}
    assert {name for name in inside if "__pycache__" not in name} <= names
    for folder in ("config.toml", "playbooks", "templates"):
        there = [path for path in [ROOT / folder, *(ROOT / folder).rglob("*")] if path.is_file()]
        assert {f"automation/starter/{path.relative_to(ROOT).as_posix()}" for path in there} <= names
    assert not any(name.startswith(("tests/", "deploy/")) for name in names)
