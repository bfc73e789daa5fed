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
from automation.playbooks.load import Book, playbook_files, read_book
from automation.settings import Settings
from automation.tomlfile import Stamps, stamps
from automation.web.console import formats
from automation.web.console.texts import Texts, read_texts

PAGES = Path(__file__).parents[1] / "html" / "console"
FILTERS = ("count", "share", "span", "value")
URLS = ("customer_url", "message_url", "playbook_url", "about_url")


@dataclass
class Office:
    database: Database
    settings: Settings
    clock: Callable[[], datetime]
    texts: Texts = field(init=False)
    templates: Environment = field(init=False)
    _book: tuple[Stamps, Book] | None = None
    _reading: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.texts = read_texts(self.settings.serve.language)
        self.templates = _environment(self.settings, self.texts)

    def render(self, template: str, values: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        return HTMLResponse(self.templates.get_template(template).render(values), status)

    def book(self) -> Book:
        """The marketers' files, read again when one changed. Raises BadFiles."""
        with self._reading:
            seen = stamps(self._files())
            if self._book is None or self._book[0] != seen:
                self._book = seen, read_book(self.settings)
            return self._book[1]

    def _files(self) -> list[Path]:
        paths = self.settings.paths
        rules = [self.settings.path(one) for one in (paths.facts, paths.lifecycle)]
        templates = self.settings.path(paths.templates)
        return [*rules, *playbook_files(self.settings), *sorted(templates.rglob("*.*"))]


def _environment(settings: Settings, texts: Texts) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {name: getattr(formats, name) for name in FILTERS}
    environment.globals |= {name: getattr(formats, name) for name in URLS}
    shown = {"instant": partial(formats.instant, zone=settings.business.zone), "day": formats.day}
    environment.globals |= shown | {"t": texts, "business": settings.business}
    return environment
