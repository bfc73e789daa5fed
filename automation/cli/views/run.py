"""What a daily run and a round of sending came to."""

from collections.abc import Mapping
from typing import Any

from automation.cli.output import show_pairs, show_table
from automation.reasons import BY_KEY


def show_run(told: Mapping[str, Any]) -> None:
    show_table(["stage", "customers"], list(told["stages"].items()), f"{told['date']}: where customers stand")
    show_pairs({key: told[key] for key in ("customers", "changes", "entered", "exited", "planned", "seconds")})
    _show_reasons(told)


def show_sent(told: Mapping[str, Any]) -> None:
    show_pairs({key: value for key, value in told.items() if key not in {"held", "skipped"}})
    _show_reasons(told)


def _show_reasons(told: Mapping[str, Any]) -> None:
    for what in ("held", "skipped"):
        rows = [(reason, count, BY_KEY[reason].sentence) for reason, count in told[what].items()]
        if rows:
            show_table([what, "messages", "because"], rows)
