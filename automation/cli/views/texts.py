"""Texts that came in, as lines of a table."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from automation.clock import local_text

TEXTS = ["text", "from", "customer", "said", "means", "received", "review"]
LONGEST = 60


def text_cells(one: Mapping[str, Any], zone: ZoneInfo) -> tuple[object, ...]:
    """Of the number only its end, which is enough for its owner to say yes."""
    said = " ".join(one["text"].split())
    return (
        one["number"],
        f"…{one['sender'][-4:]}",
        one["customer_id"],
        said if len(said) <= LONGEST else f"{said[:LONGEST]}…",
        one["meaning"],
        local_text(one["received_at"], zone),
        one["verdict"] or ("waits" if one["meaning"] == "suspected" else ""),
    )
