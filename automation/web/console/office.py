"""What every page works with: database, settings, files, words and templates."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from automation.database.engine import Database
from automation.playbooks.load import Book, Draft, book_of, read_draft
from automation.settings import Settings
from automation.tomlfile import Stamps, stamps
from automation.web.console import formats
from automation.web.console.recent import Recent
from automation.web.console.texts import Texts, read_texts

PAGES = Path(__file__).parents[1] / "html" / "console"
FILTERS = ("count", "moment", "share", "span", "value")
URLS = ("customer_url", "message_url", "playbook_url", "about_url")


@dataclass
class Office:
    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    texts: Texts = field(init=False)
    templates: Environment = field(init=False)
    recent: Recent = field(default_factory=Recent)
    _read: tuple[Stamps, Draft] | None = None
    _book: tuple[Draft, Stamps, Book] | None = None
    _reading: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.texts = read_texts(self.settings.serve.language)
        self.templates = _environment(self.settings, self.texts)

    def render(self, template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(template).render(values), status)

    def book(self) -> Book:
        """The marketers' files, read again when one changed. Raises BadFiles."""
        draft = self.draft()
        with self._reading:
            seen = stamps(self._templates())
            if self._book is None or self._book[0] is not draft or self._book[1] != seen:
                self._book = draft, seen, book_of(draft)
            return self._book[2]

    def draft(self) -> Draft:
        """The same with as much as can be read in spite of mistakes; the texts of messages are no part of it."""
        with self._reading:
            seen = stamps(self._rules())
            if self._read is None or self._read[0] != seen:
                self._read = seen, read_draft(self.settings)
            return self._read[1]

    def _rules(self) -> list[Path]:
        paths = self.settings.paths
        playbooks = self.settings.path(paths.playbooks).glob("*.toml")
        return [*(self.settings.path(one) for one in (paths.facts, paths.lifecycle)), *sorted(playbooks)]

    def _templates(self) -> list[Path]:
        return sorted(self.settings.path(self.settings.paths.templates).rglob("*.*"))


def _environment(settings: Settings, texts: Texts) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {name: getattr(formats, name) for name in FILTERS}
    environment.globals |= {name: getattr(formats, name) for name in URLS}
    shown = {"instant": partial(formats.instant, zone=settings.business.zone), "day": formats.day}
    environment.globals |= shown | {"t": texts, "business": settings.business}
    return environment
