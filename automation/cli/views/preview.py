"""A rendered message: as text, as JSON, and as a page of its own."""

from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from rich.text import Text

from automation.cli.output import console, show_pairs
from automation.cli.preview import Previewed
from automation.cli.views.values import counted
from automation.errors import BadInput
from automation.messages.sms import segments


def content_told(seen: Previewed) -> dict[str, Any]:
    """As `automation preview --json` prints it."""
    content = seen.content
    told = {"channel": content.channel, "subject": content.subject or None, "html": content.html or None}
    return {**told, "text": content.text, "segments": segments(content.text).segments if _is_sms(seen) else None}


def _is_sms(seen: Previewed) -> bool:
    return seen.content.channel == "sms"


def page_of(seen: Previewed) -> Path:
    if _is_sms(seen):
        raise BadInput("an SMS has no page to open; leave out --open")
    with NamedTemporaryFile("w", suffix=".html", prefix="preview-", delete=False, encoding="utf-8") as file:
        file.write(seen.content.html)
    return Path(file.name)


def show_content(seen: Previewed) -> None:
    content = seen.content
    pairs = {"template": seen.file}
    if content.channel == "email":
        pairs["subject"] = content.subject
    else:
        size = segments(content.text)
        pairs["sms"] = f"{counted(size.segments, 'segment')}, {size.encoding}, {size.units} units"
    show_pairs(pairs)
    console.print()
    console.print(Text(content.text))
