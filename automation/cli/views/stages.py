"""Where customers stand, in the order of the lifecycle."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from automation.cli.output import errors, show_table
from automation.lifecycle.model import Lifecycle
from automation.lifecycle.standing import Standing


def stages_told(standing: Standing, lifecycle: Lifecycle) -> dict[str, Any]:
    """As `automation stages --json` prints it."""
    found = [
        {"key": one.key, "name": one.name, "roles": list(one.roles), "customers": standing.customers[one.key]}
        for one in lifecycle.stages
    ]
    return {"now": standing.now, "lifecycle": lifecycle.key, "stages": found}


def show_stages(told: Mapping[str, Any], standing: Standing, lifecycle: Lifecycle, zone: ZoneInfo) -> None:
    title = f"{lifecycle.name}, as of {standing.now.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    show_table(["stage", "name", "roles", "customers"], [list(one.values()) for one in told["stages"]], title)
    if standing.waiting:
        errors.print(f"{standing.waiting:,} customers came since and are counted at the next daily run")
