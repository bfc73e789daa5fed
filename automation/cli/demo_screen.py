"""The demo on one screen: calm, and readable without color, in 80 columns and in a file."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from automation.cli.output import console, shown
from automation.cli.views.explain import GATES
from automation.reasons import BY_KEY

WIDEST = 110  # columns; longer lines are hard to read
NARROW = 80  # where nobody can tell how wide it is
BAR = 30


def show(told: Mapping[str, Any]) -> None:
    """Print everything that the story found out."""
    zone = ZoneInfo(told["timezone"])
    now = told["now"].astimezone(zone)
    _print(Text(f"{told['shop']}, {now:%A} {now.day} {now:%B %Y}, {now:%H:%M} in {told['timezone']}", style="bold"))
    _print(Text("A made-up shop; all the rest is real, and no message left this machine."))
    for heading, part in (
        ("Files imported", _imported(told)),
        ("Where customers stand", _stages(told)),
        ("Playbooks today", _playbooks(told)),
        ("Messages today", _messages(told)),
        ("What became of them", _outcomes(told)),
        ("A few lines of the send log", _log(told, zone)),
        *((_question(one), _answer(one)) for one in told["explained"]),
        ("Where the time went, in seconds", _seconds(told)),
        ("Three commands to try", _next(told)),
    ):
        _print(Text(f"\n{heading}", style="bold"))
        _print(Padding(part, (0, 0, 0, 2), expand=False))


def show_pages(console_link: str, mailbox: str, folder: Path) -> None:
    """The last lines: the demo goes on serving the console and the provider's own mailbox."""
    _print(Text("\nThe console shows the same day. This link lets you choose a password for it; it is good once:"))
    console.print(Text(console_link, style="cyan"), soft_wrap=True)  # on one line, however narrow the terminal
    _print(Text(f"Read the messages on {mailbox}; the files and the database are in {folder}."))
    _print(Text("Press Ctrl-C to end.", style="bold"))


def _print(part: RenderableType) -> None:
    width = min(console.width, WIDEST) if console.is_terminal else NARROW
    console.print(part, soft_wrap=False, crop=False, width=width)


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Table:
    """Columns without lines: ">" before a name sets one to the right, "*" lets one wrap."""
    names = [column.lstrip(">*") for column in columns]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim", show_header=any(names))
    for column, name in zip(columns, names, strict=True):
        justify: Literal["right", "left"] = "right" if column.startswith(">") else "left"
        table.add_column(name, justify=justify, no_wrap=not column.startswith("*"))
    for row in rows:
        table.add_row(*(cell if isinstance(cell, Text) else Text(shown(cell)) for cell in row))
    return table


def _imported(told: Mapping[str, Any]) -> RenderableType:
    rows = []
    for what, one in told["imported"].items():
        reject = next((row for row in told["rejects"] if row["file"].startswith(what)), None)
        example = f"line {reject['line']}, {reject['column']}: {reject['reason']}" if reject else ""
        rows.append((what, one["files"], one["created"], one["rejected"], example))
    return _table(("", ">files", ">imported", ">rejected", "*for example"), rows)


def _stages(told: Mapping[str, Any]) -> RenderableType:
    most = max(stage["customers"] for stage in told["stages"]) or 1
    sign = "#" if console.options.ascii_only else "█"
    rows = [
        (
            stage["name"],
            stage["customers"],
            f"{stage['customers'] / told['customers']:.0%}",
            Text(sign * max(round(BAR * stage["customers"] / most), min(stage["customers"], 1)), style="cyan"),
        )
        for stage in told["stages"]
    ]
    moves = told["moves"]
    text = (
        f"{told['changes']:,} moved today. Since the first run {moves.get('forward', 0):,} moved one stage on, "
        f"{moves.get('skip', 0):,} skipped some, {moves.get('back', 0):,} went back."
    )
    return Group(_table(("stage", ">customers", ">share", ""), rows), Text(text))


def _playbooks(told: Mapping[str, Any]) -> RenderableType:
    names = ("entered", "left", "inside", "sent")
    rows = [(one["playbook"], *(one[name] for name in names), one["name"]) for one in told["playbooks"]]
    return _table(("", *(f">{name}" for name in names), "*"), rows)


def _messages(told: Mapping[str, Any]) -> RenderableType:
    sent, so_far = told["sent"], told["so_far"]
    rows: list[Sequence[Any]] = [("sent", sent.get("email", 0), "email", ""), ("sent", sent.get("sms", 0), "sms", "")]
    rows += [("held", count, reason, _sentence(reason)) for reason, count in told["held"].items()]
    rows += [(one["status"], one["messages"], one["reason"], _sentence(one["reason"])) for one in told["ended"]]
    total = ", ".join(f"{status} {count:,}" for status, count in so_far.items())
    return Group(
        _table(("", ">", "", "*"), [(Text(row[0], style=STYLES.get(row[0], "")), *row[1:]) for row in rows]),
        Text(f"Since the playbooks were switched on, {told['days']} days ago: {total}."),
    )


def _outcomes(told: Mapping[str, Any]) -> RenderableType:
    rows = [(one["outcome"], one["email"], one["sms"], BECAME.get(one["outcome"], "")) for one in told["outcomes"]]
    return _table(("", ">email", ">SMS", "*"), rows)


BECAME = {
    "bounced_hard": "The address is closed: nothing is sent there any more.",
    "bounced_soft": "The mailbox was full, or the telephone was off.",
    "complained": "The address is closed.",
    "unsubscribed": "The consent is withdrawn, by a link or by STOP.",
}
STYLES = {"sent": "green", "held": "yellow", "rejected": "red", "failed": "red", "unknown": "red"}


def _sentence(reason: str | None) -> str:
    return BY_KEY[reason].sentence if reason in BY_KEY else ""


def _log(told: Mapping[str, Any], zone: ZoneInfo) -> RenderableType:
    rows = [
        (
            _clock(row["sent_at"] or row["due_at"], told["now"], zone),
            row["customer_id"],
            row["playbook"],
            row["step"],
            row["channel"],
            Text(row["status"], style=STYLES.get(row["status"], "")),
            row["reason"],
        )
        for row in told["log"]
    ]
    return _table(("", "customer", "playbook", "step", "", "", "*reason"), rows)


def _clock(moment: datetime, now: datetime, zone: ZoneInfo) -> str:
    """The local time, and the day when it is another one."""
    local = moment.astimezone(zone)
    return f"{local:%H:%M}" if local.date() == now.astimezone(zone).date() else f"{local.day} {local:%b}"


def _question(one: Mapping[str, Any]) -> str:
    playbook = one["playbooks"][0]["playbook"]
    return f"Why {one['customer_id']} {'got' if one['got'] else 'did not get'} {playbook}, {one['step']}"


def _answer(one: Mapping[str, Any]) -> RenderableType:
    """The rules that let the customer in, and the gates of this step's message; `automation explain` shows all."""
    rows = []
    step = None
    for check in one["playbooks"][0]["checks"]:
        if check["rule"].startswith("step "):
            step = check["rule"].split()[1]
        if step in {None, one["step"]}:
            mark = Text("ok", style="green") if check["passed"] else Text("stop", style="red")
            rows.append((mark, GATES.get(check["rule"], check["rule"]), check["value"]))
    table = _table(("", "*", "*"), rows)
    return table if one["got"] else Group(Text(_sentence(one["reason"])), table)


def _seconds(told: Mapping[str, Any]) -> RenderableType:
    return Text(", ".join(f"{what} {seconds:.1f}" for what, seconds in told["seconds"].items()) + ".")


def _next(told: Mapping[str, Any]) -> RenderableType:
    """A command stays on one line, however narrow the terminal, so that it can be copied."""
    lines = []
    for command, what in told["next"].items():
        lines += [Text(command, style="cyan", no_wrap=True, overflow="ignore"), Text(f"  {what}")]
    return Group(*lines)
