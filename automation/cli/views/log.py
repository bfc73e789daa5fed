"""The send log as a table."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from automation.cli.output import errors, show_table
from automation.cli.views.values import read


def show_log(rows: Sequence[Mapping[str, Any]], zone: ZoneInfo, *, limited: bool) -> None:
    if not rows:
        errors.print("no message fits; `automation log` without filters shows the newest")
        return
    show_table(*log_table(rows, zone))
    if limited:
        errors.print(f"the newest {len(rows)}; --limit shows more, --csv and --json print all")


def log_table(rows: Iterable[Mapping[str, Any]], zone: ZoneInfo) -> tuple[list[str], list[Sequence[Any]]]:
    """Columns and rows; the time is when it was sent, or else when it is or was due."""
    return ["message", "when", "customer", "what", "by", "status", "outcome"], [
        (
            str(row["message_id"]),
            read(row["sent_at"] or row["due_at"], None, zone),
            row["customer_id"],
            f"{row['playbook']}/{row['step']}" + (" (again)" if row["again_of"] else ""),
            row["channel"],
            f"{row['status']}: {row['reason']}" if row["reason"] else row["status"],
            row["outcome"],
        )
        for row in rows
    ]
