"""A rendered message: as text, and as a page of its own."""

from pathlib import Path
from tempfile import NamedTemporaryFile

from rich.text import Text

from automation.cli.output import console, show_pairs
from automation.cli.views.values import counted
from automation.delivery.answers.preview import Previewed
from automation.errors import BadInput


def page_of(seen: Previewed) -> Path:
    if seen.size is not None:
        raise BadInput("an SMS has no page to open; leave out --open")
    with NamedTemporaryFile("w", suffix=".html", prefix="preview-", delete=False, encoding="utf-8") as file:
        file.write(seen.content.html)
    return Path(file.name)


def show_content(seen: Previewed) -> None:
    content = seen.content
    pairs = {"template": seen.file}
    if (size := seen.size) is None:
        pairs["subject"] = content.subject
    else:
        pairs["sms"] = f"{counted(size.segments, 'segment')}, {size.encoding}, {size.units} units"
    show_pairs(pairs)
    console.print()
    console.print(Text(content.text))
