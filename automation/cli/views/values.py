"""Values as people read them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from automation.cli.output import console, show_table, shown
from automation.clock import days_between, local_text
from automation.values import instant


def read(value: Any, now: datetime | None, zone: ZoneInfo) -> str:
    """A value as people read it: instants in the business's zone and how long ago, amounts with two decimals."""
    if value is None:
        return "not set" if now is not None else ""
    value = _instant(value) if isinstance(value, str) else value
    if isinstance(value, datetime):
        return local_text(value, zone) + (_ago(days_between(value, now, zone)) if now else "")
    if isinstance(value, Decimal | float) and value != int(value):
        return f"{value:,.2f}"
    return shown(int(value) if isinstance(value, Decimal | float) else value)


def _instant(text: str) -> datetime | str:
    try:
        return instant(text) if text.endswith("Z") else text
    except ValueError:
        return text


def _ago(days: int) -> str:
    if days == 0:
        return " (today)"
    unit = "day" if abs(days) == 1 else "days"
    return f" ({days:,} {unit} ago)" if days > 0 else f" (in {-days:,} {unit})"


def counted(count: int, word: str) -> str:
    """Nothing when there are none."""
    return f"{count} {word}" + ("s" if count > 1 else "") if count else ""


def show_list(title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    console.print()
    if rows:
        show_table(columns, rows, title)
    else:
        console.print(Text(f"{title}: none"))
