"""What is wrong with a template, told before a customer could see it."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from jinja2 import nodes

from automation.errors import BadFiles, BadMessage, Problem, suggest
from automation.messages import language
from automation.messages.formats import plural_forms
from automation.messages.render import RenderContext, render
from automation.messages.sms import costly_characters, segments
from automation.messages.sources import LAYOUTS, Part, Parts, TemplateSource, choose_locale, find, moved, read_sources
from automation.messages.templates import CompiledTemplate, compile_template

FEW_SEGMENTS = 2
SAMPLE_TOKEN = "sample".ljust(32, "-")  # as long as a real one, which counts in an SMS
# No more than a warning: a playbook whose stages only hold customers with names may do without a default.
LACKING: Literal["error", "warning"] = "warning"
NUMBERS = frozenset({"money", "plural", "round", "int", "float", "abs"})
SAMPLES: Mapping[str, Any] = {
    "text": "plus",
    "number": Decimal("12.5"),
    "boolean": True,
    "instant": datetime(2026, 1, 31, 9, tzinfo=UTC),
}
REQUIRED = {
    "unsubscribe_url": "every email needs a visible unsubscribe link",
    "business.postal_address": "every email needs the postal address",
}


@dataclass(frozen=True)
class Known:
    """What a template may speak of. `facts` may map each name to text, number, boolean or instant; `surveys` maps each
    key to its answers, none where they are not known.
    """

    facts: Collection[str]
    attributes: Collection[str] | None
    has_offer: bool
    surveys: Mapping[str, Collection[str]] | None = None


@dataclass(frozen=True)
class Use:
    name: str
    part: Part
    offset: int


def check_files(
    root: Path,
    name: str,
    channel: str,
    *,
    default_locale: str,
    known_facts: Collection[str],
    known_attributes: Collection[str] | None = None,
    known_surveys: Mapping[str, Collection[str]] | None = None,
    has_offer: bool = False,
) -> list[Problem]:
    """Everything wrong with every locale of one template, files named as they lie on this machine."""
    try:
        sources = read_sources(root, name, channel)
        paths = find(root, name, channel)
    except BadFiles as error:
        return error.problems
    layouts = {f"templates/{LAYOUTS}/{path.name}": str(path) for path in (root / LAYOUTS).glob("*.mjml")}
    problems: list[Problem] = []
    for locale, source in sources.items():
        names = {source.file: str(paths[locale]), **layouts}
        found = check_template(source, known_facts, known_attributes, known_surveys=known_surveys, has_offer=has_offer)
        problems += moved(found, names)
    try:
        choose_locale(None, sources, default_locale)
    except BadMessage as error:
        problems.append(Problem(str(root / name), 0, 0, str(error)))
    return sorted(problems)


def check_template(
    source: TemplateSource,
    known_facts: Collection[str],
    known_attributes: Collection[str] | None,
    *,
    known_surveys: Mapping[str, Collection[str]] | None = None,
    has_offer: bool = False,
) -> list[Problem]:
    """Problems of one file, in order of place. Only those with severity "error" keep a playbook from being used.

    `known_facts` may be a mapping to text, number, boolean or instant: then the sample customers have such values.
    """
    try:
        template = compile_template(source)
    except BadFiles as error:
        return error.problems
    known = Known(known_facts, known_attributes, has_offer, known_surveys)
    trees = [(part, language.parse(part)) for part in Parts(source).all]
    uses = [Use(name, part, _offset(part, line, name)) for part, tree in trees for name, line in language.uses(tree)]
    problems = [*_strangers(trees), *_unknown(uses, known), *_unknown_surveys(trees, known)]
    problems += [*_missing(template), *_plurals(source, trees)]
    if not any(one.severity == "error" for one in problems):
        problems += _trials(template, trees, uses, known)
    return sorted(set(problems))


def sample_context(
    template: CompiledTemplate, known_facts: Collection[str], *, has_offer: bool = False
) -> RenderContext:
    """The customer that `check_template` renders for: one who has a value for everything the template names."""
    trees = [(part, language.parse(part)) for part in Parts(template.source).all]
    return _sample(template, trees, Known(known_facts, None, has_offer))


def _offset(part: Part, line: int, name: str) -> int:
    root, _, key = name.partition(".")
    follows = rf"""\s*(?:\.\s*{re.escape(key)}\b|\[\s*["']{re.escape(key)}["'])""" if key else r"\b"
    return part.find(line, rf"\b{root}{follows}")


def _strangers(trees: list[tuple[Part, nodes.Template]]) -> Iterator[Problem]:
    for part, tree in trees:
        known = language.LAYOUT_WORDS if _takes_layout_words(part) else frozenset()
        for name, line in language.strangers(tree, known):
            hint = suggest(name, language.RECORDS | language.WORDS)
            yield part.problem(part.find(line, rf"\b{name}\b"), f'unknown name "{name}"', hint)


def _takes_layout_words(part: Part) -> bool:
    return "<mjml" in part.text


def _unknown(uses: list[Use], known: Known) -> Iterator[Problem]:
    guarded = any(use.name == "offer" for use in uses)
    for use in uses:
        root, _, key = use.name.partition(".")
        if root == "offer" and key and not known.has_offer and not guarded:
            hint = "add [offer] to the playbook, or write {% if offer %} around it"
            yield use.part.problem(use.offset, "the playbook has no offer", hint)
        names = {"facts": known.facts, **language.KEYS}.get(root)
        if names is not None and key and key not in names:
            yield use.part.problem(use.offset, f'unknown name "{use.name}"', suggest(key, names))
        attributes = known.attributes
        if root == "customer" and attributes is not None and key not in {*attributes, *language.CUSTOMER_KEYS}:
            hint = suggest(key, {*attributes, *language.CUSTOMER_KEYS})
            problem = use.part.problem(use.offset, f'no customer has the attribute "{key}" yet', hint)
            yield replace(problem, severity="warning")


def _unknown_surveys(trees: list[tuple[Part, nodes.Template]], known: Known) -> Iterator[Problem]:
    if known.surveys is None:
        return
    for part, key, answer, line in ((part, *found) for part, tree in trees for found in language.surveys(tree)):
        if key not in known.surveys:
            hint = suggest(key, known.surveys) if known.surveys else "a survey is a file in playbooks/surveys/"
            yield part.problem(part.find(line, re.escape(key)), f'there is no survey "{key}"', hint)
        elif answer is not None and known.surveys[key] and answer not in known.surveys[key]:
            offset = part.find(line, rf"(?<=\()\W*{re.escape(answer)}\b")
            yield part.problem(offset, f'"{answer}" is no answer to "{key}"', suggest(answer, known.surveys[key]))


def _missing(template: CompiledTemplate) -> Iterator[Problem]:
    parts = Parts(template.source)
    if not parts.body.text.strip():
        yield parts.body.problem(0, "there is no body", "write the message, below the header in an email")
    if template.source.channel == "email":
        for name, message in REQUIRED.items():
            if name not in template.names:
                yield (parts.layout or parts.body).problem(0, message, f"write {{{{ {name} }}}}")


def _plurals(source: TemplateSource, trees: list[tuple[Part, nodes.Template]]) -> Iterator[Problem]:
    """A language's own forms: Polish "2 zamówienia" is neither its "1 zamówienie" nor its "5 zamówień"."""
    needed = plural_forms(source.locale)
    for part, tree in trees:
        for node in tree.find_all(nodes.Filter):
            lacking = needed - {one.key for one in node.kwargs}
            if node.name == "plural" and lacking:
                message = f"plural lacks forms that locale {source.locale} has: {', '.join(sorted(lacking))}"
                offset = part.find(node.lineno, r"(?<=\|)\s*plural\b|\bplural\b")
                offset += len(part.text[offset:]) - len(part.text[offset:].lstrip())
                yield replace(part.problem(offset, message, 'write them like few="# …"'), severity="warning")


def _trials(
    template: CompiledTemplate, trees: list[tuple[Part, nodes.Template]], uses: list[Use], known: Known
) -> Iterator[Problem]:
    context = _sample(template, trees, known)
    try:
        content = render(template, context)
    except BadMessage as error:
        message = str(error).removeprefix(f"{template.source.file}: ")
        yield Parts(template.source).body.problem(0, f"a sample customer's message cannot be rendered: {message}")
        return
    yield from _without_each(template, context, uses)
    if template.source.channel == "sms":
        yield from _long_sms(Parts(template.source).body, content.text)
    elif not content.text.strip():
        yield Parts(template.source).body.problem(0, "there is no text to read", "write the message")


def _without_each(template: CompiledTemplate, context: RenderContext, uses: list[Use]) -> Iterator[Problem]:
    """Any customer may lack a name or an attribute, and would then get no message."""
    for use in uses:
        root, _, key = use.name.partition(".")
        if root != "customer" or key in {"id", "locale"}:
            continue
        customer = {name: value for name, value in context.customer.items() if name != key}
        try:
            render(template, replace(context, customer=customer))
        except BadMessage:
            hint = f'give it a default: {{{{ {use.name} | default("…") }}}}'
            message = f"a customer without {key} would get no message"
            yield replace(use.part.problem(use.offset, message, hint), severity=LACKING)


def _long_sms(body: Part, text: str) -> Iterator[Problem]:
    size = segments(text)
    if size.segments <= FEW_SEGMENTS:
        return
    costly = costly_characters(text)
    hint = "shorten it"
    if costly:
        hint += "; these characters halve what fits: " + " ".join(f"{one} (U+{ord(one):04X})" for one in costly[:10])
    offset = next((body.text.find(one) for one in costly if one in body.text), 0)
    message = f"this SMS is sent and billed as {size.segments} ({size.encoding}, {size.units} units)"
    yield replace(body.problem(offset, message, hint), severity="warning")


def _sample(template: CompiledTemplate, trees: list[tuple[Part, nodes.Template]], known: Known) -> RenderContext:
    types = known.facts if isinstance(known.facts, Mapping) else {}
    guesses = _types_by_use(tree for _, tree in trees)
    values: dict[str, dict[str, Any]] = {"customer": {}, "facts": {}}
    for name in template.names:
        root, _, key = name.partition(".")
        if root in values:
            kind = (types.get(key) if root == "facts" else None) or guesses.get(name, "text")
            values[root][key] = SAMPLES[kind]
    people = {"id": "sample", "first_name": "Katarzyna", "last_name": "Brown", "locale": template.source.locale}
    return RenderContext(
        customer=values["customer"] | people,
        facts=values["facts"],
        stage="purchase",
        offer={"code": "SAMPLE-10", "expires": SAMPLES["instant"]} if known.has_offer else None,
        business={
            "name": "Example Shop",
            "postal_address": "Via Esempio 1, 20121 Milano, Italy",
            "public_url": "https://shop.example",
            "contact": "help@shop.example",
        },
        referral={"code": "SAMPLE2345", "url": "https://shop.example/r/SAMPLE2345"},
        unsubscribe_url="https://shop.example/unsubscribe/sample",
        preferences_url="https://shop.example/preferences/sample",
        locale=template.source.locale,
        zone=ZoneInfo("UTC"),
        campaign="sample",
        survey_url=f"https://shop.example/s/{SAMPLE_TOKEN}",
    )


def _types_by_use(trees: Iterator[nodes.Template]) -> dict[str, str]:
    """What a value must be for the filters and comparisons it stands in."""
    found: dict[str, str] = {}
    for tree in trees:
        for node in tree.find_all(nodes.Filter):
            kind = "instant" if node.name == "date" else "number" if node.name in NUMBERS else None
            for name, _ in language.uses(node.node) if kind and node.node else ():
                found.setdefault(name, str(kind))
        for compared in tree.find_all((nodes.Compare, nodes.BinExpr)):
            numbers = isinstance(compared, nodes.BinExpr) or any(
                isinstance(one.value, int | float) for one in compared.find_all(nodes.Const)
            )
            for name, _ in language.uses(compared) if numbers else ():
                found.setdefault(name, "number")
    return found
