"""What could keep an installation from working. Nothing is changed, and nothing is sent to a provider.

Every look is quick, also on a large database: `automation db check` and `automation verify` are the thorough ones.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from automation.delivery.doctor.check import Check
from automation.delivery.doctor.inside import database_checks
from automation.delivery.doctor.outside import alerts, disk, hearing, providers, secret_key, web_address, zone
from automation.errors import BadFiles, Problem
from automation.playbooks.load import read_book
from automation.settings import Settings, read

__all__ = ["Check", "examine"]


def examine(config: Path, now: datetime) -> list[Check]:
    """Every check in order. A configuration with problems is the only one: nothing else can be trusted then."""
    settings, problems = read(config)
    if problems:
        return _told("configuration", problems)
    return [Check("configuration", True, f"{config} is in order"), *_checks(settings, now)]


def _checks(settings: Settings, now: datetime) -> Iterator[Check]:
    yield from _files(settings)
    yield zone(settings, now)
    yield secret_key(settings)
    yield web_address(settings)
    yield disk(settings)
    yield from providers(settings)
    yield alerts(settings)
    yield hearing(settings)
    yield from database_checks(settings, now)


def _files(settings: Settings) -> list[Check]:
    try:
        book = read_book(settings)
    except BadFiles as bad:
        return _told("files", bad.problems)
    told = f"{len(book.playbooks)} playbooks, {len(book.facts.facts)} facts, {len(book.lifecycle.stages)} stages"
    return [Check("files", True, told, "`automation check` renders the templates too")]


def _told(check: str, problems: Sequence[Problem]) -> list[Check]:
    found = []
    for problem in problems:
        place = ":".join(str(part) for part in (problem.file, problem.line, problem.column) if part)
        found.append(Check(check, False, f"{place}: {problem.message}", problem.hint))
    return found
