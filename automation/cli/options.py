"""Words that several commands take."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path, typer.Option("--config", help="The configuration file; paths in it are relative to it.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output and nothing else there.")]
Now = Annotated[
    str | None, typer.Option("--now", metavar="INSTANT", help="Replace the clock, such as 2026-01-31T09:00:00Z.")
]
JsonLogs = Annotated[
    bool, typer.Option("--json-logs", help="Log one JSON object a line on a terminal, too; elsewhere it is so anyway.")
]
CONFIG = Path("config.toml")
