"""All words of the console, in one file a language: `texts/en.toml`. Another language is another file beside it."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from automation.errors import BadInput, suggest

FOLDER = Path(__file__).parents[1] / "texts"


class Texts:
    """`texts("log.found", n=3)`: the words of a key, with what stands in braces filled in."""

    def __init__(self, language: str, words: Mapping[str, str]) -> None:
        self.language, self.words = language, words

    def __call__(self, key: str, **values: Any) -> str:
        words = self.words[key]
        return words.format(**values) if values else words

    def of(self, group: str, key: str) -> str:
        """The words of one of a group, `of("act.", "pause")`; the key itself where there are none for it."""
        return self.words.get(group + key, key)

    def __contains__(self, key: str) -> bool:
        return key in self.words


def read_texts(language: str) -> Texts:
    """Raises BadInput when there is no such file."""
    known = {file.stem: file for file in FOLDER.glob("*.toml")}
    if language not in known:
        raise BadInput(f'[serve] language: the console does not speak "{language}"; {suggest(language, known)}')
    content = tomllib.loads(known[language].read_text(encoding="utf-8"))
    return Texts(language, dict(_flat(content)))


def _flat(content: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value
