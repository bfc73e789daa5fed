"""One customer on one screen."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from automation.cli.output import console, show_pairs
from automation.cli.views.log import log_table
from automation.cli.views.texts import TEXTS, text_cells
from automation.cli.views.values import read, show_list
from automation.clock import local_text
from automation.lifecycle.model import Lifecycle

NEWEST = 20


def show_customer(told: Mapping[str, Any], now: datetime, lifecycle: Lifecycle, zone: ZoneInfo) -> None:
    names = {one.key: one.name for one in lifecycle.stages}
    profile = told["profile"]
    blocked = [
        f"{one['address']}: {one['reason']}, {local_text(one['recorded_at'], zone)}" for one in profile["suppressions"]
    ]
    about = {key: value for key, value in profile.items() if key not in {"attributes", "suppressions"} and value}
    about = {key: read(value, now, zone) for key, value in about.items()} | profile["attributes"]
    stage = names.get(told["stage"], told["stage"])
    since = "" if told["stage_changes"] else " (no daily run has seen them yet)"
    console.print(Text(f"{told['customer_id']} stands in {stage}{since}", style="bold"))
    show_pairs(about | ({"blocked": "; ".join(blocked)} if blocked else {}))
    show_list("facts", ["fact", "value"], [(name, read(value, now, zone)) for name, value in told["facts"].items()])
    show_list(
        "stages so far",
        ["day", "from", "to", "move"],
        [
            (one["day"], names.get(one["from"], one["from"]), names.get(one["to"], one["to"]), one["move"])
            for one in told["stage_changes"]
        ],
    )
    show_list(
        "consent, the newest decides",
        ["channel", "topic", "consent", "basis", "source", "by", "at"],
        [
            (
                one["channel"],
                one["topic"],
                "granted" if one["granted"] else "withdrawn",
                one["wording"] or one["basis"],
                one["source"],
                one["actor"],
                local_text(one["recorded_at"], zone),
            )
            for one in told["consents"]
        ],
    )
    show_list(
        "playbooks",
        ["playbook", "arm", "entered", "left", "because"],
        [
            (
                one["playbook"],
                one["arm"],
                read(one["entered_at"], None, zone),
                read(one["exited_at"], None, zone),
                one["exit_reason"],
            )
            for one in told["enrollments"]
        ],
    )
    show_list("texts from them, the newest first", TEXTS, [text_cells(one, zone) for one in told["texts"]])
    show_list("messages, the newest first", *log_table(told["messages"][:NEWEST], zone))
