"""Template files: which there are, which locale a customer gets, and what a file is made of."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, cast

from babel import Locale, UnknownLocaleError
from pydantic import BaseModel, ConfigDict, Field

from automation.errors import BadFiles, BadMessage, Problem, nearest, suggest
from automation.tomlfile import Place, TomlFile, parse_toml, validated

Kind = Literal["md", "mjml", "txt"]
KINDS: Mapping[str, tuple[Kind, ...]] = {"email": ("md", "mjml"), "sms": ("txt",)}
LAYOUTS = "_layouts"
NAME = re.compile(r"[\w-]+(/[\w-]+)*")
HEADER = re.compile(r"\+\+\+[ \t]*\n(.*?)^\+\+\+[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
DOCUMENT = re.compile(r"\s*(?:<!--.*?-->\s*)*<mjml[\s>]", re.DOTALL)


@dataclass(frozen=True)
class TemplateSource:
    """Everything one message template is made from, so that a message can be rendered long after the files changed.

    `name` is what a step says (`win_back/we_miss_you`), `text` the whole file with its header, `layout` the text of the
    layout around it, None for an SMS and for a body that is a whole `<mjml>` document.
    """

    name: str
    locale: str
    kind: Kind
    text: str
    layout: str | None

    @property
    def file(self) -> str:
        return f"templates/{self.name}.{self.locale}.{self.kind}"

    @property
    def channel(self) -> Literal["email", "sms"]:
        return "sms" if self.kind == "txt" else "email"


class Header(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    subject: str = Field(min_length=1)
    preheader: str = ""
    layout: str = Field("default", pattern=r"^[\w-]+$")


@dataclass(frozen=True)
class Part:
    """A piece of template text and where each of its characters stands in its file."""

    file: str
    text: str
    place: Callable[[int], Place]

    def problem(self, offset: int, message: str, hint: str = "") -> Problem:
        return Problem(self.file, *self.place(offset), message, hint)

    def find(self, line: int, pattern: str) -> int:
        """The offset of the first match at or after the start of a line (from 1) of this text."""
        starts = [0, *(found.end() for found in re.finditer("\n", self.text))]
        start = starts[min(line, len(starts)) - 1]
        found = re.compile(pattern).search(self.text, start)
        return found.start() if found else start


@dataclass(frozen=True)
class Parts:
    """The parts of one source. An SMS has a body only."""

    source: TemplateSource

    @cached_property
    def body(self) -> Part:
        start = self._opening.end() if self.source.channel == "email" else 0
        text = self.source.text
        return Part(self.source.file, text[start:], lambda offset: place_of(text, start + offset))

    @cached_property
    def header(self) -> TomlFile:
        """The header as TOML; the opening `+++` counts as its first line. Raises BadFiles."""
        return parse_toml("\n" + self._opening[1], self.source.file)

    @cached_property
    def settings(self) -> Header:
        return validated(Header, self.header)

    def setting(self, key: Literal["subject", "preheader"]) -> Part:
        text = getattr(self.settings, key)
        return Part(self.source.file, text, lambda offset: self.header.place_in((key,), offset))

    @cached_property
    def layout(self) -> Part | None:
        text = self.source.layout
        if text is None or self.source.channel == "sms":
            return None
        return Part(f"templates/{LAYOUTS}/{self.settings.layout}.mjml", text, lambda offset: place_of(text, offset))

    @cached_property
    def is_document(self) -> bool:
        """Whether the body is a whole MJML document that stands without a layout."""
        return self.source.kind == "mjml" and DOCUMENT.match(self.body.text) is not None

    @property
    def all(self) -> list[Part]:
        if self.source.channel == "sms":
            return [self.body]
        return [self.setting("subject"), self.setting("preheader"), self.body, *([self.layout] if self.layout else [])]

    @cached_property
    def _opening(self) -> re.Match[str]:
        found = HEADER.match(self.source.text)
        if not found:
            hint = 'write +++, subject = "…" and +++ on the first three lines'
            raise BadFiles(
                [Problem(self.source.file, 1, 1, "an email starts with a header between two lines +++", hint)]
            )
        return found


def place_of(text: str, offset: int) -> Place:
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def find(root: Path, name: str, channel: str) -> dict[str, Path]:
    """The files of one template by locale. Raises BadFiles for an impossible name or two files for one locale."""
    if not NAME.fullmatch(name):
        raise BadFiles(
            [Problem(str(root), 0, 0, f'"{name}" is no template name', "write it like win_back/we_miss_you")]
        )
    found: dict[str, Path] = {}
    problems = []
    stem = root / name
    for path in sorted(stem.parent.glob(f"{stem.name}.*")):
        locale, _, kind = path.name.removeprefix(f"{stem.name}.").rpartition(".")
        if kind not in KINDS[channel] or not locale:
            continue
        if not _is_locale(locale):
            problems.append(Problem(str(path), 0, 0, f'"{locale}" is no locale', "name the file like step.en.md"))
        elif locale in found:
            hint = f"keep {found[locale].name} or {path.name}"
            problems.append(Problem(str(path), 0, 0, f'there are two files for locale "{locale}"', hint))
        found.setdefault(locale, path)
    if problems:
        raise BadFiles(problems)
    return found


def read_sources(root: Path, name: str, channel: str) -> dict[str, TemplateSource]:
    """Every locale of one template with its layout. Raises BadFiles when there is none, or one cannot be read."""
    files = find(root, name, channel)
    if not files:
        raise BadFiles(
            [Problem(str(root / name), 0, 0, f'there is no {channel} template "{name}"', _near(root, name, channel))]
        )
    sources, problems = {}, []
    for locale, path in files.items():
        try:
            sources[locale] = _read_source(root, name, locale, path)
        except BadFiles as error:
            problems += error.problems
    if problems:
        raise BadFiles(problems)
    return sources


def choose_locale(wanted: str | None, available: Iterable[str], default: str) -> str:
    """The first available of `pl-PL`, `pl`, then the business's own locale. Raises BadMessage when none is there."""
    known = {_plain(locale): locale for locale in available}
    for locale in (wanted, default):
        parts = _plain(locale or "").split("-")
        for count in range(len(parts), 0, -1):
            found = known.get("-".join(parts[:count]))
            if found:
                return found
    raise BadMessage(
        f'there is no template file for locale "{default}"; add one, it is what other locales fall back to'
    )


def _plain(locale: str) -> str:
    return locale.replace("_", "-").lower()


def _is_locale(text: str) -> bool:
    try:
        Locale.parse(text, sep="_" if "_" in text else "-")
    except (ValueError, UnknownLocaleError):
        return False
    return True


def _near(root: Path, name: str, channel: str) -> str:
    endings = KINDS[channel]
    there = [path for path in root.glob("*/*") if path.suffix.removeprefix(".") in endings]
    if any(path.relative_to(root).with_suffix("").as_posix() == name for path in there):
        return f"the file's name lacks its locale: {name}.en.{endings[0]}"
    stems = {path.relative_to(root).as_posix().rsplit(".", 2)[0] for path in there if path.parent.name != LAYOUTS}
    near = nearest(name, stems)
    return f'did you mean "{near}"?' if near else f"write it in {root.name}/{name}.en.{endings[0]}"


def _read_source(root: Path, name: str, locale: str, path: Path) -> TemplateSource:
    kind = cast("Kind", path.suffix.removeprefix("."))
    source = TemplateSource(name, locale, kind, _read(path), None)
    if kind == "txt":
        return source
    try:
        parts = Parts(source)
        wanted = None if parts.is_document else parts.settings.layout
    except BadFiles as error:
        raise BadFiles(moved(error.problems, {source.file: str(path)})) from None
    if wanted is None:
        return source
    layout = root / LAYOUTS / f"{wanted}.mjml"
    if not layout.is_file():
        place = parts.header.place(("layout",))
        hint = suggest(wanted, (one.stem for one in layout.parent.glob("*.mjml")))
        raise BadFiles([Problem(str(path), *place, f'there is no layout "{wanted}"', hint)])
    return TemplateSource(name, locale, kind, source.text, _read(layout))


def moved(problems: Iterable[Problem], files: Mapping[str, str]) -> list[Problem]:
    """The same problems, with the files named as they are on this machine."""
    return [
        Problem(files.get(one.file, one.file), one.line, one.column, one.message, one.hint, one.severity)
        for one in problems
    ]


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        reason = (error.strerror or "unknown").lower()
        raise BadFiles([Problem(str(path), 0, 0, f"cannot be read: {reason}")]) from None
    except UnicodeDecodeError as error:
        raise BadFiles([Problem(str(path), 0, 0, f"is not UTF-8 (byte {error.start})", "save it as UTF-8")]) from None
