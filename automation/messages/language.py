"""The template language: Jinja in a sandbox, with the filters and names that a message may use."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from automation.errors import BadFiles, BadMessage, Problem, suggest
from automation.messages.formats import FILTERS
from automation.messages.sources import Part

MAX_RANGE = 1000
# What is not here is not deterministic (random), undoes escaping (safe), or has no use in a message.
JINJA_FILTERS = frozenset(
    """
    abs capitalize d default e escape first float int join last length list lower max min replace reverse round sort
    striptags sum title trim truncate unique upper urlencode wordcount
    """.split()  # noqa: SIM905 (words read better than quotes)
)
RECORDS = frozenset({"customer", "facts", "offer", "business", "referral"})
WORDS = frozenset({"stage", "unsubscribe_url", "preferences_url"})
# Known when the template is compiled: the locale is the one it is written in.
FIXED = frozenset({"locale"})
LAYOUT_WORDS = frozenset({"content", "subject", "preheader"})
CUSTOMER_KEYS = frozenset({"id", "first_name", "last_name", "locale"})
REFERRAL_KEYS = frozenset({"code", "url"})
OFFER_KEYS = frozenset({"code", "expires"})
BUSINESS_KEYS = frozenset({"name", "postal_address", "public_url", "contact"})
KEYS: Mapping[str, frozenset[str]] = {"offer": OFFER_KEYS, "business": BUSINESS_KEYS, "referral": REFERRAL_KEYS}
LOOP_CALLS = frozenset({"cycle", "changed"})


class Unset(StrictUndefined):
    """A value this customer lacks: `default` and `if` know what to do with it, anything else is an error."""

    __slots__ = ()

    def __bool__(self) -> bool:  # type: ignore[override] # the one act a strict one refuses that is ours
        return False


class Language(ImmutableSandboxedEnvironment):
    """No loader, no methods, no clock and no chance: the same values always give the same text."""

    intercepted_binops = frozenset({"*", "**"})

    def __init__(self, *, escapes: bool) -> None:
        super().__init__(autoescape=escapes, undefined=Unset, keep_trailing_newline=True, finalize=_printable)
        self.filters = {name: one for name, one in self.filters.items() if name in JINJA_FILTERS} | dict(FILTERS)
        self.globals = {"range": _short_range}

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**" or isinstance(left, str | list | tuple) or isinstance(right, str | list | tuple):
            raise BadMessage("only numbers can be multiplied")
        return super().call_binop(context, operator, left, right)


def _printable(value: Any) -> Any:
    if isinstance(value, list | dict):
        raise BadMessage("a list or an object is no text; take from it what is meant, with `join` or by its name")
    return value


def _short_range(*bounds: int) -> range:
    found = range(*bounds)
    if len(found) > MAX_RANGE:
        raise BadMessage(f"a range has at most {MAX_RANGE} steps")
    return found


HTML = Language(escapes=True)
TEXT = Language(escapes=False)


def parse(part: Part) -> nodes.Template:
    """The tree of one part, only to be looked at. Raises BadFiles with the place of the first unreadable tag."""
    try:
        return _tree(part.text)
    except TemplateSyntaxError as error:
        offset = part.find(error.lineno, r"\{[{%#]")
        raise BadFiles([part.problem(offset, f"this tag cannot be read: {error.message}")]) from None


@lru_cache(maxsize=1024)
def _tree(text: str) -> nodes.Template:
    """Read once: a layout is a part of every email."""
    return TEXT.parse(text)


def mistakes(part: Part, tree: nodes.Template) -> Iterator[Problem]:
    """What can be seen to be wrong without knowing the facts of the business."""
    yield from _unknown_words(part, tree)
    for node in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        yield part.problem(part.find(node.lineno, r"\{%"), "a template stands alone", "use a layout for what is shared")
    for node in tree.find_all(nodes.ScopedEvalContextModifier):
        yield part.problem(part.find(node.lineno, r"\{%"), "escaping cannot be switched off", "remove this tag")
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Getattr) and call.node.attr not in LOOP_CALLS:
            offset = part.find(call.lineno, rf"\.\s*{call.node.attr}\s*\(")
            yield part.problem(offset, f'"{call.node.attr}()" cannot be called', "use a filter: {{ value | upper }}")
    yield from _misused_records(part, tree)
    for link in _survey_filters(tree):
        if _survey_key(link) is None:
            offset = part.find(link.lineno, r"\bsurvey\b")
            yield part.problem(offset, "say which survey, by its key", 'write {{ "nps" | survey }}')


def _unknown_words(part: Part, tree: nodes.Template) -> Iterator[Problem]:
    known_tests = TEXT.tests
    for node in tree.find_all((nodes.Filter, nodes.Test)):
        kind, known = ("filter", list(TEXT.filters)) if isinstance(node, nodes.Filter) else ("test", list(known_tests))
        name = getattr(node, "name", "")
        if name not in known:
            offset = part.find(node.lineno, rf"(?<=\|)\s*\b{name}\b|\b{name}\b")
            offset += len(part.text[offset:]) - len(part.text[offset:].lstrip())
            yield part.problem(offset, f'unknown {kind} "{name}"', suggest(name, known))


def _misused_records(part: Part, tree: nodes.Template) -> Iterator[Problem]:
    """Only named values are kept for a message, so a record must be followed by a name."""
    for name in tree.find_all(nodes.Name):
        offset = part.find(name.lineno, rf"\b{name.name}\b")
        if name.ctx != "load" and name.name in RECORDS | WORDS | FIXED:
            yield part.problem(offset, f'"{name.name}" has a meaning already', "choose another name")
    followed = {id(use.node) for use in _nodes(tree, nodes.Getattr, nodes.Getitem) if _dotted(use)}
    for name in tree.find_all(nodes.Name):
        if name.name in RECORDS - {"offer"} and name.ctx == "load" and id(name) not in followed:
            offset = part.find(name.lineno, rf"\b{name.name}\b")
            yield part.problem(offset, f'say which value of "{name.name}"', f"write {name.name}.something")


def uses(tree: nodes.Node) -> list[tuple[str, int]]:
    """Every value that a tree names, as (`customer.first_name`, line), in order of appearance."""
    whole = [(node, _dotted(node)) for node in _nodes(tree, nodes.Getattr, nodes.Getitem)]
    inner = {id(node.node) for node, dotted in whole if dotted and isinstance(node, nodes.Getattr | nodes.Getitem)}
    words = [(node, node.name) for node in _nodes(tree, nodes.Name) if id(node) not in inner and node.ctx == "load"]
    found = [(dotted, node.lineno) for node, dotted in chain(whole, words) if dotted]
    return sorted(((name, line) for name, line in found if _root(name) in RECORDS | WORDS), key=lambda one: one[1])


def surveys(tree: nodes.Node) -> list[tuple[str, str | None, int]]:
    """The key of every survey that a tree links to, the answer chosen there, if it is written out, and the line."""
    keys = ((node, _survey_key(node)) for node in _survey_filters(tree))
    return [(key, _answer(node), node.lineno) for node, key in keys if key is not None]


def _answer(node: nodes.Filter) -> str | None:
    given = [getattr(one, "value", None) for one in (*node.args, *(pair.value for pair in node.kwargs))]
    return str(given[0]) if given and given[0] is not None else None


def _survey_filters(tree: nodes.Node) -> Iterator[nodes.Filter]:
    return (node for node in tree.find_all(nodes.Filter) if node.name == "survey")


def _survey_key(node: nodes.Filter) -> str | None:
    """Written in the template itself: what a customer's own values may say is no name of a file."""
    key = getattr(node.node, "value", None)
    return key if isinstance(key, str) else None


def _nodes(tree: nodes.Node, *kinds: type[nodes.Node]) -> list[Any]:
    """Those of some kinds in a tree, its own root among them."""
    return [*([tree] if isinstance(tree, kinds) else []), *tree.find_all(kinds)]


def strangers(tree: nodes.Template, known: frozenset[str]) -> list[tuple[str, int]]:
    """Names that nothing gives a value to, with their lines."""
    unknown = meta.find_undeclared_variables(tree) - RECORDS - WORDS - FIXED - known - TEXT.globals.keys()
    return sorted({(node.name, node.lineno) for node in tree.find_all(nodes.Name) if node.name in unknown})


def _root(name: str) -> str:
    return name.partition(".")[0]


def _dotted(node: nodes.Node) -> str | None:
    if isinstance(node, nodes.Getattr | nodes.Getitem) and isinstance(node.node, nodes.Name):
        key = node.attr if isinstance(node, nodes.Getattr) else getattr(node.arg, "value", None)
        if node.node.name in RECORDS and isinstance(key, str):
            return f"{node.node.name}.{key}"
    return None


class Slots(NodeTransformer):
    """Replaces `customer.first_name` by one variable: looking it up in the sandbox costs as much as writing it."""

    def __init__(self, names: frozenset[str], fixed: Mapping[str, str]) -> None:
        self.slots, self.fixed = slots(names), fixed

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 (Jinja's visitor wants this name)
        return self._slot(node)

    def visit_Getitem(self, node: nodes.Getitem) -> nodes.Node:  # noqa: N802 (likewise)
        return self._slot(node)

    def visit_Name(self, node: nodes.Name) -> nodes.Node:  # noqa: N802 (likewise)
        return self._slot(node)

    def _slot(self, node: nodes.Node) -> nodes.Node:
        name = node.name if isinstance(node, nodes.Name) and node.ctx == "load" else _dotted(node)
        if name is not None and name in self.fixed:
            return nodes.Const(self.fixed[name], lineno=node.lineno)
        if name is not None and name in self.slots:
            return nodes.Name(self.slots[name], "load", lineno=node.lineno)
        return self.generic_visit(node)


def slots(names: frozenset[str]) -> dict[str, str]:
    """A variable for each value."""
    return {name: f"_{index}" for index, name in enumerate(sorted(names))}
