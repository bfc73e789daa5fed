"""One message: why, when, every attempt, and the copy."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from automation.cli.output import console, show_pairs
from automation.cli.views.values import read, show_list
from automation.clock import local_text


def show_message(told: Mapping[str, Any], zone: ZoneInfo) -> None:
    console.print(Text(f"message {told['message_id']}: {told['status']}", style="bold"))
    if told["why"]:
        console.print(Text(told["why"]))
    show_pairs({key: read(told[key], None, zone) for key in SHOWN if told[key] not in {None, False}})
    passage = told["enrollment"]
    show_pairs(
        {"entered": f"{local_text(passage['entered_at'], zone)} from {passage['entered_stage']}, arm {passage['arm']}"}
    )
    columns = ["attempt", "at", "provider", "reply", "http", "reason", "detail"]
    rows = [
        (
            one["number"],
            local_text(one["started_at"], zone),
            one["provider"],
            one["reply"],
            one["http_status"],
            one["reason"],
            one["detail"],
        )
        for one in told["attempts"]
    ]
    show_list("attempts", columns, rows)
    if told["acts"]:
        acts = [(local_text(one["recorded_at"], zone), one["actor"], one["act"], one["note"]) for one in told["acts"]]
        show_list("found out later", ["at", "by", "act", "note"], acts)
    if told["copies"]:
        copies = [(one["message_id"], one["asked_by"], one["status"], one["reason"]) for one in told["copies"]]
        show_list("sent again", ["message", "for", "status", "reason"], copies)
    happened = [(one["outcome"], local_text(one["happened_at"], zone), one["detail"]) for one in told["outcomes"]]
    show_list("outcomes", ["outcome", "at", "detail"], happened)
    _show_copy(told)


SHOWN = (
    "customer_id",
    "playbook",
    "step",
    "variant",
    "channel",
    "to",
    "planned_at",
    "due_at",
    "deadline",
    "sent_at",
    "provider",
    "provider_id",
    "possible_duplicate",
    "again_of",
    "asked_by",
    "flags",
    "asked_again_at",
)


def _show_copy(told: Mapping[str, Any]) -> None:
    content = told["content"]
    if content is None:
        console.print(Text(f"\nno copy: it is put together when it is sent, and it is {told['status']}"))
        return
    if "problem" in content:
        console.print(Text(f"\nthe copy cannot be shown: {content['problem']}"))
        return
    console.print()
    if told["channel"] == "sms":
        console.print(Text(f"{content['encoding']}, {content['units']} characters, billed as {content['segments']}"))
    else:
        console.print(Text(f"Subject: {content['subject']}", style="bold"))
    console.print(Text(content["text"]))
    console.print(
        Text(
            "\nthis is what was sent, to the letter"
            if content["verified"]
            else "\nWARNING: what was sent differed; the program or its settings have changed since",
            style="dim" if content["verified"] else "red",
        )
    )
