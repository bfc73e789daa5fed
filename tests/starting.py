"""The starter as a shop that writes in one language has it: a fifth of the messages, and of the time to check them."""

import re
from pathlib import Path

from automation.cli.starter import copy_starter


def english_starter(folder: Path) -> Path:
    copy_starter(folder)
    for path in (folder / "templates").rglob("*.*.*"):
        if ".en." not in path.name:
            path.unlink()
    config = (folder / "config.toml").read_text(encoding="utf-8")
    (folder / "config.toml").write_text(re.sub(r"(?m)^locales = \[.*?\]", "locales = []", config), encoding="utf-8")
    return folder
