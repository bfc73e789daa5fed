"""A playbook's files as they are written, to be shown with line numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from automation.delivery.versions import sources_of
from automation.errors import BadFiles, Problem
from automation.messages.sources import TemplateSource
from automation.playbooks.load import Draft, shown
from automation.settings import Settings


@dataclass(frozen=True)
class Sheet:
    """One file. `place` is its number on the page, so that a problem can point at a line."""

    place: int
    name: str
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


def sheets_of(settings: Settings, draft: Draft, key: str) -> tuple[list[Sheet], list[Problem]]:
    """The playbook's own file and its templates, as far as they can be read; and what is wrong with them."""
    path = draft.paths[key]
    name = shown(settings, path)
    texts = {name: path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""}
    problems = [one for one in draft.problems if one.file == name]
    if key in draft.playbooks:
        try:
            texts |= _templates(sources_of(draft.playbooks[key], settings))
        except BadFiles as bad:
            problems += bad.problems
    return _numbered(texts), problems


def sheets_of_version(content: Mapping[str, Any]) -> tuple[list[Sheet], list[Problem]]:
    """The same of a text that was used once."""
    texts = {f"{content['key']}.toml": content["playbook"]}
    return _numbered(texts | _templates(TemplateSource(**one) for one in content["templates"])), []


def _templates(sources: Iterable[TemplateSource]) -> dict[str, str]:
    return {source.file: source.text for source in sources}


def _numbered(texts: Mapping[str, str]) -> list[Sheet]:
    return [Sheet(place, name, text) for place, (name, text) in enumerate(texts.items(), start=1)]
