"""What one step's message looks like, for one customer. Nothing is stored and nothing is sent."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from automation.clock import local_date
from automation.customers.codes import fill_pattern
from automation.customers.facts.refresh import facts_of
from automation.customers.lookup import find_customer
from automation.customers.profile import home_of
from automation.delivery.compose import Codes, content_of, context_of, with_stage_facts
from automation.delivery.offers import Code
from automation.errors import BadFiles, BadInput, UnknownCustomer, UnknownPlaybook, suggest
from automation.lifecycle.conditions import Day
from automation.lifecycle.model import Lifecycle
from automation.messages.check import SAMPLE_TOKEN, sample_context
from automation.messages.render import Content, Links
from automation.messages.sms import Segments, segments
from automation.messages.sources import choose_locale, read_sources
from automation.messages.templates import CompiledTemplate, compile_template
from automation.playbooks.load import Book, Draft
from automation.playbooks.model import Offer, Playbook, Step
from automation.regions import mark_of
from automation.settings import Settings

SAMPLE_CODE, SAMPLE_FRIENDS = "SAMPLE-CODE", "SAMPLE2345"


@dataclass(frozen=True)
class Wanted:
    """What is to be seen, by the names that people know it by. `moment` is when it would be sent."""

    playbook: str
    step: str
    variant: str | None
    locale: str | None
    moment: datetime


@dataclass(frozen=True)
class Previewed:
    """`file` is the template that was chosen."""

    content: Content
    file: str

    @property
    def size(self) -> Segments | None:
        """What an SMS costs."""
        return segments(self.content.text) if self.content.channel == "sms" else None

    def as_dict(self) -> dict[str, Any]:
        """As `automation preview --json` prints it."""
        content, size = self.content, self.size
        told = {"channel": content.channel, "subject": content.subject or None, "html": content.html or None}
        return {**told, "text": content.text, "segments": size.segments if size else None}


def preview(
    settings: Settings, draft: Draft, wanted: Wanted, connection: Connection | None, customer_id: str | None
) -> Previewed:
    """For a customer of the database, or for a sample customer who has a value for everything.

    Raises UnknownPlaybook, UnknownCustomer, BadInput for an unknown step or variant, BadFiles for mistakes in the
    playbook or template, BadMessage when the customer lacks a value that the template needs.
    """
    book, playbook = playbook_in(draft, wanted.playbook)
    step = _step(playbook, wanted.step)
    name = _template_name(step, wanted.variant)
    if customer_id is None:
        template = _template(settings, step, name, wanted.locale)
        content = _for_sample(settings, book, playbook, template, wanted.moment)
        return Previewed(content, template.source.file)
    if connection is None:
        raise UnknownCustomer(f'no customer has the id "{customer_id}": there is no database yet')
    row = dict(find_customer(connection, customer_id)._mapping)  # noqa: SLF001 (SQLAlchemy's public name for it)
    template = _template(settings, step, name, wanted.locale or row["locale"])
    content = _for_customer(connection, settings, book, playbook, template, row, wanted)
    return Previewed(content, template.source.file)


def playbook_in(draft: Draft, key: str) -> tuple[Book, Playbook]:
    """Mistakes in other playbooks do not matter here. Raises UnknownPlaybook, BadFiles."""
    playbook = draft.playbooks.get(key)
    if draft.facts is None or draft.lifecycle is None:
        raise BadFiles(draft.problems)
    if playbook is None:
        raise _missing(draft, key)
    return Book(draft.facts, draft.lifecycle, draft.playbooks), playbook


def _missing(draft: Draft, key: str) -> BadInput:
    broken = [problem for problem in draft.problems if problem.file.endswith(f"/{key}.toml")]
    if broken:
        return BadFiles(broken)
    return UnknownPlaybook(f'there is no playbook "{key}"; {suggest(key, draft.files)}')


def _step(playbook: Playbook, key: str) -> Step:
    steps = {step.key: step for step in playbook.steps}
    if key not in steps:
        raise BadInput(f'{playbook.key} has no step "{key}"; {suggest(key, steps)}')
    return steps[key]


def _template_name(step: Step, variant: str | None) -> str:
    keys = [one.key for one in step.model.variants]
    if variant is not None and variant not in keys:
        raise BadInput(f'the step {step.key} has no variant "{variant}"; {suggest(variant, keys) or "it has none"}')
    return step.template_for(variant)


def _template(settings: Settings, step: Step, name: str, locale: str | None) -> CompiledTemplate:
    sources = read_sources(settings.path(settings.paths.templates), name, step.model.channel)
    return compile_template(sources[choose_locale(locale, sources, settings.business.locale)])


def _for_sample(
    settings: Settings, book: Book, playbook: Playbook, template: CompiledTemplate, moment: datetime
) -> Content:
    context = sample_context(template, book.facts.types, has_offer=playbook.model.offer is not None)
    stage = next((key for key in book.lifecycle.keys if key in playbook.stages), book.lifecycle.keys[0])
    own = context_of(
        settings,
        template,
        customer=context.customer,
        facts={**context.facts, "stage": stage},
        codes=_sample_codes(playbook.model.offer, moment),
        links=_sample_links(settings),
        campaign=playbook.key,
    )
    return content_of(template, own)


def _for_customer(
    connection: Connection,
    settings: Settings,
    book: Book,
    playbook: Playbook,
    template: CompiledTemplate,
    row: Mapping[str, Any],
    wanted: Wanted,
) -> Content:
    day = Day(wanted.moment, settings.business.zone)
    key = (row["shard"], row["customer_id"])
    facts = dict(facts_of(connection, book.facts, [key], day.now, local_date(day.now, day.zone))[key])
    facts["stage"] = facts["stage"] or _stage_now(book.lifecycle, facts, day)
    context = context_of(
        settings,
        template,
        customer={"id": row["customer_id"], "locale": wanted.locale or row["locale"], **row["attributes"]},
        facts=with_stage_facts(facts, book.lifecycle, day),
        codes=_sample_codes(playbook.model.offer, wanted.moment),
        links=_sample_links(settings),
        campaign=playbook.key,
        mark=mark_of(
            home_of(row["country"], row["phone"]), day.now.date(), template.source.channel, playbook.model.kind
        ),
    )
    return content_of(template, context)


def _stage_now(lifecycle: Lifecycle, facts: Mapping[str, Any], day: Day) -> str:
    """Where a customer stands whom no run has seen yet."""
    holding = (one.key for one in reversed(lifecycle.stages) if one.when is None or one.when.holds(facts, day))
    return next(holding)


def _sample_codes(offer: Offer | None, moment: datetime) -> Codes:
    if offer is None:
        return Codes(friends=SAMPLE_FRIENDS)
    code = fill_pattern(offer.generate, b"preview", "sample") if offer.generate else SAMPLE_CODE
    return Codes(Code(code, moment + offer.valid_for), SAMPLE_FRIENDS)


def _sample_links(settings: Settings) -> Links:
    root = settings.business.public_url.rstrip("/")
    return Links(f"{root}/u/sample", f"{root}/p/sample", f"{root}/s/{SAMPLE_TOKEN}")
