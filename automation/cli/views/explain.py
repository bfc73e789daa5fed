"""Why they got it or not: one sentence for each playbook, then every rule and gate with what it saw."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from automation.cli.output import console
from automation.cli.views.values import read
from automation.clock import local_text
from automation.delivery.answers.explain import Explanation
from automation.lifecycle.conditions import Check

VERDICTS = {
    "in_progress": "is in it now",
    "completed": "went through it",
    "exited": "was in it and left",
    "would_enter": "would enter it",
    "no": "did not enter it",
}
# Gates are named for what they object to; a tick beside one reads better with what it found in order.
GATES = {
    "erased": "not erased",
    "suppressed_address": "address not blocked",
    "no_address": "address",
    "no_consent": "consent",
    "paused": "not paused",
    "goal_or_exit": "neither goal nor exit",
    "step_rule": "the step's own rule",
    "too_late": "in time",
    "holdout": "not in the holdout",
    "outranked": "nothing more important",
    "over_cap": "below the caps",
    "outside_window": "inside the window",
    "provider_paused": "provider",
}


def show_explanations(customer_id: str, now: datetime, found: Sequence[Explanation], zone: ZoneInfo) -> None:
    console.print(Text(f"{customer_id}, as of {local_text(now, zone)}", style="bold"))
    for one in found:
        console.print(Text(f"\n{one.playbook}: {VERDICTS[one.verdict]}. {one.reason.sentence}", style="bold"))
        width = max((len(_rule(check)) for check in one.checks), default=0)
        for check in one.checks:
            mark = Text("  ✓ " if check.passed else "  ✗ ", style="green" if check.passed else "red")
            line = mark.append(f"{_rule(check):<{width}}  {_value(check, now, zone)}", style="not bold default")
            console.print(line)


def _rule(check: Check) -> str:
    indent = "" if check.rule.startswith("step ") or check.rule not in GATES else "  "
    return indent + GATES.get(check.rule, check.rule)


def _value(check: Check, now: datetime, zone: ZoneInfo) -> str:
    value: Any = check.value
    if value is None:
        return "not set"
    return read(value, now, zone)
