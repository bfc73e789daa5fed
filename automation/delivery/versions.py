"""Pinning what a message will be rendered from: a playbook and its templates, word for word, by their hash."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, insert, select

from automation.database.schema import playbook_versions
from automation.errors import BadFiles, BadMessage
from automation.messages.sources import TemplateSource, choose_locale, read_sources
from automation.messages.templates import CompiledTemplate, compile_template
from automation.playbooks.load import Book
from automation.playbooks.model import Playbook
from automation.settings import Settings

MOST_KNOWN = 256
KNOWN: "dict[str, Version]" = {}
CONTENTS: WeakKeyDictionary[Book, dict[str, dict[str, Any]]] = WeakKeyDictionary()


class Version:
    """What a message is rendered from."""

    def __init__(self, content: dict[str, Any]) -> None:
        self._templates: dict[str, dict[str, str]] = content["steps"]
        self._sources: dict[str, dict[str, TemplateSource]] = {}
        for source in content["templates"]:
            found = TemplateSource(**source)
            self._sources.setdefault(_named(found.channel, found.name), {})[found.locale] = found
        self._chosen: dict[tuple[str | None, ...], CompiledTemplate] = {}

    def template(
        self, step: str, variant: str | None, channel: str, wanted: str | None, default: str
    ) -> CompiledTemplate:
        """The compiled template of a step in the customer's locale, or in the nearest there is.

        Raises BadMessage when it was kept by an earlier release and cannot be compiled by this one.
        """
        asked = (step, variant, channel, wanted, default)
        if asked not in self._chosen:
            of_step = self._templates[step]
            sources = self._sources[_named(channel, of_step.get(variant or "", of_step[""]))]
            try:
                self._chosen[asked] = compile_template(sources[choose_locale(wanted, sources, default)])
            except BadFiles as bad:
                raise BadMessage(f"{bad.problems[0].file}: {bad.problems[0].message}") from None
        return self._chosen[asked]

    @cached_property
    def facts(self) -> frozenset[str]:
        """The facts that its templates speak of."""
        return frozenset(name.removeprefix("facts.") for name in self._spoken if name.startswith("facts."))

    @cached_property
    def asks_for_friends(self) -> bool:
        """Whether one of its templates speaks of the customer's own code for friends."""
        return any(name.startswith("referral.") for name in self._spoken)

    @cached_property
    def _spoken(self) -> frozenset[str]:
        sources = (one for of_locale in self._sources.values() for one in of_locale.values())
        return frozenset(name for one in sources for name in _names(one))


def _names(source: TemplateSource) -> frozenset[str]:
    try:
        return compile_template(source).names
    except BadFiles:  # told where a message is rendered from it
        return frozenset()


def _named(channel: str, name: str) -> str:
    return f"{channel}:{name}"


def pin(connection: Connection, book: Book, settings: Settings, now: datetime) -> dict[str, str]:
    """Keep today's text of every playbook. Returns version ids by playbook.

    Raises BadFiles for a template that is missing or, in a text not kept before, cannot be compiled.
    """
    contents = contents_of(book, settings)
    ids = {key: hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16] for key, content in contents.items()}
    kept = set(
        connection.execute(
            select(playbook_versions.c.version_id).where(playbook_versions.c.version_id.in_(ids.values()))
        ).scalars()
    )
    for key, version_id in ids.items():
        if version_id not in kept:
            require_good(contents[key])
            row = {"version_id": version_id, "playbook": key, "content": contents[key], "first_used_at": now}
            connection.execute(insert(playbook_versions), row)
    return ids


def contents_of(book: Book, settings: Settings) -> dict[str, dict[str, Any]]:
    """The texts of the playbooks and their templates, read once for each book: later changes belong to the next."""
    if book not in CONTENTS:
        CONTENTS[book] = {key: _content(playbook, settings) for key, playbook in book.playbooks.items()}
    return CONTENTS[book]


def require_good(content: dict[str, Any]) -> None:
    """Raises BadFiles when a template of it cannot be compiled."""
    for source in content["templates"]:
        compile_template(TemplateSource(**source))


def _content(playbook: Playbook, settings: Settings) -> dict[str, Any]:
    steps = {
        step.key: {"": step.model.template, **{one.key: one.template for one in step.model.variants}}
        for step in playbook.steps
    }
    templates = [asdict(source) for source in sources_of(playbook, settings)]
    return {"key": playbook.key, "playbook": playbook.source, "steps": steps, "templates": templates}


def sources_of(playbook: Playbook, settings: Settings) -> Iterable[TemplateSource]:
    """Every template file of a playbook, each once, in a stable order."""
    root = settings.path(settings.paths.templates)
    wanted = sorted({(name, step.model.channel) for step in playbook.steps for name in step.templates})
    for name, channel in wanted:
        found = read_sources(root, name, channel)
        yield from (found[locale] for locale in sorted(found))


def read_version(connection: Connection, version_id: str) -> Version:
    """The version of a row, read once: its id is the hash of its content."""
    if version_id not in KNOWN:
        found = select(playbook_versions.c.content).where(playbook_versions.c.version_id == version_id)
        while len(KNOWN) >= MOST_KNOWN:
            KNOWN.pop(next(iter(KNOWN)))
        KNOWN[version_id] = Version(connection.execute(found).scalar_one())
    return KNOWN[version_id]
