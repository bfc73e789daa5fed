"""The send log as a file of its own: CSV that is safe to open in a spreadsheet."""

import csv
import sys
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from automation.cli.output import json_ready
from automation.delivery.answers.history import LOG_KEYS

# A spreadsheet runs a cell that begins with one of these: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_csv(rows: Iterable[Mapping[str, Any]]) -> None:
    written = csv.writer(sys.stdout, lineterminator="\n")
    written.writerow(LOG_KEYS)
    for row in rows:
        written.writerow([safe_cell(row[key]) for key in LOG_KEYS])


def safe_cell(value: Any) -> Any:
    """Text that a spreadsheet would run begins with an apostrophe; instants are ISO 8601."""
    if isinstance(value, datetime):
        return json_ready(value)
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
