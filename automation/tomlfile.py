"""TOML with line numbers: every problem in a file a person wrote says where it stands and what is near it."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

import tree_sitter
import tree_sitter_toml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from automation.errors import BadFiles, Problem, nearest, suggest

KeyPath = tuple[str | int, ...]
Stamps = Mapping[Path, tuple[int, int]]
Model = TypeVar("Model", bound=BaseModel)
GRAMMAR = tree_sitter.Language(tree_sitter_toml.language())
KEY_NODES = ("bare_key", "quoted_key")
TYPE_NAME = re.compile(r"bool|int|float|str|tuple\[.*\]")
# What tomllib complains of, what that means to whoever wrote the file, and what to do.
SYNTAX = (
    (r"Cannot declare \('(.+?)',\) twice", "[{}] is there twice", "make one of the two, or rename one"),
    (r"Cannot overwrite a value", "this key is there twice", "keep one of the two"),
    (r"Illegal character '\\n'", "this text is not closed", "write a quotation mark at its end"),
    (r"Unterminated string", "this text is not closed", 'write """ at its end'),
    (r"Invalid value", "this is no value", 'text stands in quotation marks: "…"'),
    (r"Expected '=' after a key", "after the key comes an = sign", 'write it like key = "…"'),
    (
        r"Expected newline or end",
        "the line goes on after its value",
        "begin a new line, or a note with #; a text within a text takes '…'",
    ),
    (r"Unclosed array", "this list is not closed", "write a ] at its end"),
    (r"Expected '\]", "the brackets are not closed", "write [name] or [[name]]"),
)
TEXT, WHOLE, NUMBER, TRUTH = "a text in quotation marks", "a whole number", "a number", "true or false"
LIST, TABLE = "a list in [ ]", "a table"
# What each of pydantic's complaints wants: https://docs.pydantic.dev/latest/errors/validation_errors/
WANTED = {
    "string_type": TEXT,
    "path_type": TEXT,
    "int_type": WHOLE,
    "int_parsing": WHOLE,
    "int_from_float": WHOLE,
    "float_type": NUMBER,
    "float_parsing": NUMBER,
    "finite_number": NUMBER,
    "bool_type": TRUTH,
    "bool_parsing": TRUTH,
    "tuple_type": LIST,
    "list_type": LIST,
    "dict_type": TABLE,
    "model_type": TABLE,
    "model_attributes_type": TABLE,
    "date_type": "a date like 2026-01-31",
    "literal_error": "{expected}",
    "string_too_short": "a text with something in it",
    "string_too_long": "a text of at most {max_length} characters",
    "too_short": "a list with something in it",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
    "string_pattern_mismatch": "in small letters, digits and _, beginning with a letter",
}


class Place(NamedTuple):
    """Line and column, from 1, in characters."""

    line: int
    column: int


@dataclass(frozen=True)
class TomlFile:
    """A parsed file: `name` as people know it, `data` as tomllib reads it, and where each key stands."""

    name: str
    text: str
    data: dict[str, Any]
    keys: dict[KeyPath, Place] = field(repr=False)
    values: dict[KeyPath, Place] = field(repr=False)

    def problem(self, path: Sequence[str | int], message: str, hint: str = "", *, at_key: bool = False) -> Problem:
        """A problem at the value (or key) of `path`, or at the nearest thing around it that stands in the file."""
        line, column = self.place(tuple(path), at_key=at_key)
        return Problem(self.name, line, column, message, hint)

    def place(self, path: KeyPath, *, at_key: bool = False) -> Place:
        while path:
            found = (self.keys if at_key else self.values).get(path) or self.keys.get(path)
            if found:
                return found
            path, at_key = path[:-1], True
        return Place(1, 1)

    def place_in(self, path: KeyPath, offset: int) -> Place:
        """Where character `offset` of a text value stands; the value's start when escapes blur the count."""
        start = self.place(path)
        value: Any = self.data
        for part in path:
            value = value[part]
        raw = "".join(self.text.splitlines(keepends=True)[start.line - 1 :])[start.column - 1 :]
        opening = len(raw) - len(raw.lstrip("\"'"))
        opening = 3 if opening >= len('"""') else 1
        if opening > 1 and raw[opening : opening + 1] == "\n":
            opening += 1
        if raw[opening : opening + len(value)] != value:
            return start
        before = raw[: opening + offset]
        line = start.line + before.count("\n")
        column = len(before) - before.rfind("\n") if "\n" in before else start.column + len(before)
        return Place(line, column)


def read_toml(path: Path, name: str | None = None) -> TomlFile:
    """Read one file. Raises BadFiles when it is missing, not UTF-8 or not TOML."""
    name = name or str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except OSError as error:
        raise BadFiles([Problem(name, 0, 0, f"cannot be read: {(error.strerror or 'unknown').lower()}")]) from None
    except UnicodeDecodeError as error:
        raise BadFiles([Problem(name, 0, 0, f"is not UTF-8 (byte {error.start})", "save it as UTF-8")]) from None
    return parse_toml(text, name)


def stamps(paths: Iterable[Path]) -> Stamps:
    """When each of those that are there was last written (ns), and its size in bytes: whether one has changed."""
    stats = {path: path.stat() for path in paths if path.exists()}
    return {path: (stat.st_mtime_ns, stat.st_size) for path, stat in stats.items()}


def parse_toml(text: str, name: str) -> TomlFile:
    """Parse TOML text. Raises BadFiles with the place of the first syntax error."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadFiles([_syntax_problem(name, text, str(error))]) from None
    keys: dict[KeyPath, Place] = {}
    values: dict[KeyPath, Place] = {}
    _Places(text, keys, values).document()
    return TomlFile(name, text, data, keys, values)


def _syntax_problem(name: str, text: str, message: str) -> Problem:
    words, _, where = message.rpartition(" (at ")
    numbers = [int(word.strip(",)")) for word in where.split() if word.strip(",)").isdigit()]
    lines = text.splitlines() or [""]
    line, column = numbers if len(numbers) == len(Place._fields) else (len(lines), len(lines[-1]) + 1)
    for pattern, told, hint in SYNTAX:
        found = re.search(pattern, words)
        if found:
            return Problem(name, line, column, told.format(*found.groups()), hint)
    return Problem(name, line, column, f"this is not TOML: {words or message}", "check quotes, brackets and = signs")


class _Places:
    """Walks the syntax tree once and notes where each key and value begins."""

    def __init__(self, text: str, keys: dict[KeyPath, Place], values: dict[KeyPath, Place]) -> None:
        self.lines = text.encode().split(b"\n")
        self.root = tree_sitter.Parser(GRAMMAR).parse(text.encode()).root_node
        self.keys, self.values = keys, values
        self.counts: dict[KeyPath, int] = {}

    def document(self) -> None:
        for node in self.root.named_children:
            if node.type == "pair":
                self._pair((), node)
            elif node.type == "table":
                self._table(self._inside(self._key(node.named_children[0])), node)
            elif node.type == "table_array_element":
                path = self._inside(self._key(node.named_children[0]))
                self.counts[path] = self.counts.get(path, -1) + 1
                self._note(self.keys, path, node.named_children[0])
                self._table((*path, self.counts[path]), node)

    def _table(self, path: KeyPath, node: tree_sitter.Node) -> None:
        self._note(self.keys, path, node.named_children[0])
        for child in node.named_children[1:]:
            if child.type == "pair":
                self._pair(path, child)

    def _pair(self, path: KeyPath, node: tree_sitter.Node) -> None:
        key, value = (child for child in node.named_children if child.type != "comment")
        inner = path
        for part in self._key(key):
            inner = (*inner, part)
            self._note(self.keys, inner, key)
        self._value(inner, value)

    def _value(self, path: KeyPath, node: tree_sitter.Node) -> None:
        self._note(self.values, path, node)
        if node.type == "inline_table":
            for child in node.named_children:
                if child.type == "pair":
                    self._pair(path, child)
        elif node.type == "array":
            for index, child in enumerate(one for one in node.named_children if one.type != "comment"):
                self._value((*path, index), child)

    def _inside(self, path: tuple[str, ...]) -> KeyPath:
        """`[steps.variants]` belongs to the newest `[[steps]]`."""
        inner: KeyPath = ()
        for part in path[:-1]:
            inner = (*inner, part)
            if inner in self.counts:
                inner = (*inner, self.counts[inner])
        return (*inner, *path[-1:])

    def _key(self, node: tree_sitter.Node) -> tuple[str, ...]:
        text = (node.text or b"").decode()
        if node.type in KEY_NODES:
            return (next(iter(tomllib.loads(f"{text} = 0"))),)
        return tuple(part for child in node.named_children for part in self._key(child))

    def _note(self, places: dict[KeyPath, Place], path: KeyPath, node: tree_sitter.Node) -> None:
        row, byte = node.start_point
        places.setdefault(path, Place(row + 1, len(self.lines[row][:byte].decode()) + 1))


def validated(model: type[Model], file: TomlFile, data: Any = None, at: KeyPath = ()) -> Model:
    """`data` (default: the whole file) as a model. Raises BadFiles with one problem for each thing wrong."""
    try:
        return model.model_validate(file.data if data is None else data)
    except ValidationError as error:
        raise BadFiles(problems_of(error, model, file, at)) from None


def problems_of(error: ValidationError, model: type[BaseModel], file: TomlFile, at: KeyPath = ()) -> list[Problem]:
    return list(problems_at(error, model, file, at).values())


def problems_at(
    error: ValidationError, model: type[BaseModel], file: TomlFile, at: KeyPath = ()
) -> dict[KeyPath, Problem]:
    """One problem for each place, in words about the file and not about Python."""
    places: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors():
        places.setdefault((*at, *_in_file(detail["loc"], file, at)), []).append(detail)
    told_already = {path for path in (_meant(details[0], model, at) for details in places.values()) if path}
    # pydantic counts only the entries in order: a list whose one entry is wrong would be told empty as well.
    told_already |= {path[:end] for path in places for end in range(len(path)) if isinstance(path[end], int)}
    return {path: _problem(path, told, model, file) for path, told in places.items() if path not in told_already}


def _meant(detail: ErrorDetails, model: type[BaseModel], at: KeyPath) -> KeyPath | None:
    """The key that an unknown one was probably meant to be: it need not be told missing as well."""
    *outer, key = detail["loc"] or ("",)
    found = nearest(str(key), _keys_known(model, outer)) if detail["type"] == "extra_forbidden" else None
    return (*at, *outer, found) if found else None


def _problem(path: KeyPath, details: Sequence[ErrorDetails], model: type[BaseModel], file: TomlFile) -> Problem:
    detail = details[0]
    if detail["type"] == "extra_forbidden":
        known = _keys_known(model, detail["loc"][:-1])
        return file.problem(path, f'unknown key "{path[-1]}"', suggest(str(path[-1]), known), at_key=True)
    if detail["type"] == "missing":
        return file.problem(path[:-1], f'the key "{path[-1]}" is missing', at_key=True)
    if detail["type"] == "literal_error" and isinstance(detail["input"], str):
        # pydantic writes the choices as 'email' or 'sms'
        known = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        return file.problem(path, f'"{detail["input"]}" is not possible here', suggest(detail["input"], known))
    if all(one["type"] in WANTED for one in details):
        wanted = dict.fromkeys(WANTED[one["type"]].format(**one.get("ctx", {})) for one in details)
        return file.problem(path, f"this must be {_either(list(wanted))}".replace("True", "true"))
    message = detail["msg"].removeprefix("Value error, ")
    return file.problem(path, message[0].lower() + message[1:])


def _either(words: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)


def _in_file(loc: tuple[str | int, ...], file: TomlFile, at: KeyPath) -> KeyPath:
    """A pydantic location without the parts that name a type and not a key."""
    value: Any = file.data
    for part in at:
        value = value[part]
    path: KeyPath = ()
    for part in loc:
        inside = isinstance(value, dict) and part in value
        inside = inside or (isinstance(value, list) and isinstance(part, int) and part < len(value))
        if inside or not TYPE_NAME.fullmatch(str(part)):
            path, value = (*path, part), value[part] if inside else None
    return path


def _keys_known(model: Any, loc: Sequence[str | int]) -> list[str]:
    """The keys a model takes at an inner location."""
    models = list(_models(model))
    for part in loc:
        models = [
            inner
            for one in models
            for inner in (
                _models(one.model_fields[part].annotation)
                if part in one.model_fields
                else [one] * isinstance(part, int)
            )
        ] or models
    fields = (field for one in models for field in one.model_fields.items())
    return sorted({info.alias or key for key, info in fields if not _is_hidden(info)})


def _is_hidden(info: FieldInfo) -> bool:
    """Whether a field is none that a file may set: a secret, or one of our own."""
    return bool(info.exclude) or SecretStr in (info.annotation, *get_args(info.annotation))


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models(inner)
