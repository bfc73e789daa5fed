"""What a text that came in means, by the words in the file beside this one."""

import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

FILE = Path(__file__).with_name("words.toml")
Meaning = Literal["stop", "suspected", "start", "help"]
EVERYWHERE = "en"


class Words(BaseModel):
    """Of one language, folded as texts are before they are compared."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop: frozenset[str]
    start: frozenset[str]
    help: frozenset[str]
    yes: frozenset[str]
    phrases: tuple[str, ...]


@cache
def words() -> dict[str, Words]:
    """By language."""
    told = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return {
        language: Words(**{name: [_folded(text) for text in listed] for name, listed in one.items()})
        for language, one in told.items()
    }


def meaning_of(text: str, locales: Iterable[str], *, yes_starts: bool = False) -> Meaning | None:
    """Read in English and in the languages of these locales. `yes_starts`: whether a plain yes is a START."""
    languages = dict.fromkeys([EVERYWHERE, *(one.partition("-")[0].lower() for one in locales)])
    known = [words()[one] for one in languages if one in words()]
    whole = _folded(text)
    joined = whole.replace(" ", "")
    if any(joined in _joined(one.stop) for one in known):
        return "stop"
    if any(joined in _joined(one.start | (one.yes if yes_starts else frozenset())) for one in known):
        return "start"
    if any(joined in _joined(one.help) for one in known):
        return "help"
    return "suspected" if any(_says(whole, phrase) for one in known for phrase in one.phrases) else None


@cache
def _joined(listed: frozenset[str]) -> frozenset[str]:
    """Without spaces, because people write "S T O P" and "opt-out"."""
    return frozenset(one.replace(" ", "") for one in listed)


def _says(whole: str, phrase: str) -> bool:
    """As whole words; Chinese is written without spaces."""
    return f" {phrase} " in f" {whole} " or (not phrase.isascii() and phrase in whole)


def _folded(text: str) -> str:
    """Lower case, without accents, apostrophes and punctuation, one space between words: "Don't text me!" is
    "dont text me".
    """
    plain = unicodedata.normalize("NFKD", text.casefold().replace("ł", "l"))
    kept = "".join(one if one.isalnum() else "" if one in "'’" or unicodedata.combining(one) else " " for one in plain)
    return " ".join(kept.split())
