"""A template, compiled once and rendered for many customers."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from jinja2 import Template, TemplateError, UndefinedError

from automation.errors import BadFiles, BadMessage, Problem
from automation.messages import language
from automation.messages.formats import formats
from automation.messages.language import Language, Slots, Unset
from automation.messages.markup import html_of, shown
from automation.messages.plaintext import text_of
from automation.messages.sources import Parts, TemplateSource, choose_locale, find, read_sources
from automation.messages.tags import Tags, tight

__all__ = ["CompiledTemplate", "Content", "TemplateSource", "choose_locale", "compile_template", "find", "read_sources"]

MAX_OUTPUT = 1_000_000
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
BLANK_LINES = re.compile(r"\n[ \t]*\n(?:[ \t]*\n)+")


@dataclass(frozen=True)
class Content:
    """What is handed to a provider. An SMS has neither subject nor html."""

    channel: Literal["email", "sms"]
    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class CompiledTemplate:
    """`names` are the values it uses, as `customer.first_name`, `facts.orders`, `offer.code`, `stage`.

    `surveys` are the keys of those that it links to.
    """

    source: TemplateSource
    names: frozenset[str]
    surveys: frozenset[str]
    subject: Template | None
    html: Template | None
    text: Template
    places: tuple[tuple[str, str, str | None, Unset, str], ...]

    def render(self, context: Mapping[str, Any]) -> Content:
        """One customer's message. `context` has the fields of RenderContext.

        Raises BadMessage, whose text quotes no value.
        """
        values = self._values(context)
        try:
            subject = _text(self.subject, values) if self.subject else ""
            html = _text(self.html, values) if self.html else ""
            text = _text(self.text, values)
        except BadMessage as error:
            raise BadMessage(f"{self.source.file}: {error}") from None
        except UndefinedError as error:
            raise BadMessage(f"{self.source.file}: {self._hint(error)}") from None
        except Exception as error:  # noqa: BLE001 (one message's trouble, whatever it is; its text may quote a value)
            raise BadMessage(f"{self.source.file}: cannot be rendered ({type(error).__name__})") from None
        self._refuse_unsendable(subject, html, text)
        return Content(self.source.channel, subject, html, BLANK_LINES.sub("\n\n", text).strip())

    def _values(self, context: Mapping[str, Any]) -> dict[str, Any]:
        source = self.source
        how = formats(context["locale"], source.locale, context["zone"], source.channel, context["campaign"])
        values: dict[str, Any] = {"formats": how, "survey_url": context.get("survey_url", "")}
        for slot, root, key, unset, _ in self.places:
            value = context[root]
            if key is not None and value is not None:
                value = value.get(key)
            # An empty name is no name: `default` helps there too.
            values[slot] = unset if value is None or value == "" else value
        return values

    def _hint(self, error: UndefinedError) -> str:
        hints = {hint for *_, hint in self.places}
        return error.message if error.message in hints else "something in it has no value"  # may quote a key

    def _refuse_unsendable(self, subject: str, html: str, text: str) -> None:
        if not subject.isprintable() and CONTROL.search(subject):
            raise BadMessage(f"{self.source.file}: the subject has a line break or another control character")
        try:
            for part in (subject, html, text):
                part.encode()
        except UnicodeEncodeError:
            raise BadMessage(f"{self.source.file}: a value holds half a character (a lone surrogate)") from None


def _text(template: Template, values: dict[str, Any]) -> str:
    pieces, size = [], 0
    for piece in template.root_render_func(template.new_context(values)):
        pieces.append(piece)
        size += len(piece)
        if size > MAX_OUTPUT:
            raise BadMessage(f"is longer than {MAX_OUTPUT:,} characters")
    return "".join(pieces)


@lru_cache(maxsize=1024)
def compile_template(source: TemplateSource) -> CompiledTemplate:
    """Compile one file with its layout. Raises BadFiles with the places of what is wrong."""
    parts = Parts(source)
    trees = [(part, language.parse(part)) for part in parts.all]
    problems = [problem for part, tree in trees for problem in language.mistakes(part, tree)]
    if problems:
        raise BadFiles(problems)
    names = frozenset(name for _, tree in trees for name, _ in language.uses(tree))
    surveys = frozenset(key for _, tree in trees for key, *_ in language.surveys(tree))
    ready = _jinja(source, names)
    places = tuple(_place(slot, name) for name, slot in language.slots(names).items())
    if source.channel == "sms":
        return CompiledTemplate(
            source, names, surveys, None, None, ready(language.TEXT, tight(parts.body.text)), places
        )
    tags = Tags.unlike(source.text, source.layout or "")
    html = html_of(parts, tags)
    subject = ready(language.TEXT, parts.settings.subject)
    page, text = ready(language.HTML, shown(html, tags)), ready(language.TEXT, text_of(html, tags))
    return CompiledTemplate(source, names, surveys, subject, page, text, places)


def _jinja(source: TemplateSource, names: frozenset[str]) -> Callable[[Language, str], Template]:
    def ready(environment: Language, text: str) -> Template:
        try:
            tree = environment.parse(text)
            flat = Slots(names, {"locale": source.locale}).visit(tree)
            return environment.from_string(flat)
        except TemplateError as error:
            reason = f"the tags and the markup around them are nested crosswise ({error.message})"
            hint = "open and close each tag inside the same paragraph, cell or section"
            raise BadFiles([Problem(source.file, 0, 0, reason, hint)]) from None

    return ready


def _place(slot: str, name: str) -> tuple[str, str, str | None, Unset, str]:
    root, _, key = name.partition(".")
    hint = f'{name} is not set for this customer; give it a default: {{{{ {name} | default("…") }}}}'
    return slot, root, key or None, Unset(hint), hint
