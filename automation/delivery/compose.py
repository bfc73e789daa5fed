"""One message for one customer, from its pinned version: the values it uses, the content, and what a provider gets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row

from automation.customers.profile import home_of
from automation.delivery.cases import Loaded
from automation.delivery.desk import Desk
from automation.delivery.offers import Code
from automation.delivery.outgoing import Outgoing
from automation.delivery.versions import read_version
from automation.lifecycle.conditions import Day
from automation.lifecycle.model import Lifecycle
from automation.messages.render import Content, Links, RenderContext, render, unsubscribe_headers
from automation.messages.templates import CompiledTemplate
from automation.regions import mark_of
from automation.settings import Settings
from automation.values import instant_text


@dataclass(frozen=True)
class Composed:
    """A message ready to go, with what the ledger keeps of it."""

    outgoing: Outgoing
    context: dict[str, Any]
    content_hash: str


@dataclass(frozen=True)
class Codes:
    """What a message may have to hand out: of the playbook's offer, and the customer's own for friends."""

    offer: Code | None = None
    friends: str | None = None


def compose(connection: Connection, desk: Desk, loaded: Loaded, codes: Codes, now: datetime) -> Composed:
    """Raises BadMessage when this message cannot be rendered."""
    row = loaded.row
    default = desk.settings.business.locale
    version = read_version(connection, row.version_id)
    template = version.template(row.step, row.variant, row.channel, row.locale, default)
    context = _context(desk, loaded, template, codes, now)
    content = content_of(template, context)
    validity = None if row.channel == "email" else _validity(loaded, now)
    outgoing = outgoing_of(desk.settings, row, content, context, row.to_address, validity)
    return Composed(outgoing, context, hash_of(content))


def content_of(template: CompiledTemplate, context: Mapping[str, Any]) -> Content:
    """The same context gives the same content, today and in a year."""
    values = {**context, "zone": ZoneInfo(context["zone"])}
    mark = values.pop("mark", None)
    content = render(template, RenderContext(**values))
    if mark is None or content.subject.startswith(mark):
        return content
    return replace(content, subject=f"{mark} {content.subject}")


def hash_of(content: Content) -> str:
    """Of everything a customer sees, in order, each part closed by a byte that none can contain."""
    return hashlib.sha256(f"{content.subject}\0{content.html}\0{content.text}".encode()).hexdigest()


def _context(desk: Desk, loaded: Loaded, template: CompiledTemplate, codes: Codes, now: datetime) -> dict[str, Any]:
    row = loaded.row
    return context_of(
        desk.settings,
        template,
        customer={"id": row.customer_id, "locale": row.locale, **row.attributes},
        facts=with_stage_facts(loaded.facts, desk.book.lifecycle, desk.day(now)),
        codes=codes,
        links=desk.links(row.message_id),
        campaign=row.playbook,
        mark=mark_of(home_of(row.country, row.phone), now.date(), row.channel, row.kind),
    )


def context_of(
    settings: Settings,
    template: CompiledTemplate,
    *,
    customer: Mapping[str, Any],
    facts: Mapping[str, Any],
    codes: Codes,
    links: Links,
    campaign: str,
    mark: str | None = None,
) -> dict[str, Any]:
    """Plain JSON, and of the customer only what the template speaks of: the ledger keeps it.

    `mark` is what the subject has to begin with.
    """
    business = settings.business
    return {
        "customer": _used(template, "customer", customer),
        "facts": _used(template, "facts", facts),
        "stage": facts["stage"] or "",
        "offer": {"code": offer.code, "expires": instant_text(offer.expires_at)} if (offer := codes.offer) else None,
        "business": {
            "name": business.name,
            "postal_address": business.postal_address,
            "public_url": business.public_url,
            "contact": business.contact,
        },
        "unsubscribe_url": links.unsubscribe,
        "preferences_url": links.preferences,
        "locale": customer["locale"] or business.locale,
        "zone": business.timezone,
        "campaign": campaign,
    } | _only_here(settings, template, codes.friends, links.surveys, mark)


def _only_here(
    settings: Settings, template: CompiledTemplate, code: str | None, surveys: str, mark: str | None
) -> dict[str, Any]:
    """What most messages have not."""
    told: dict[str, Any] = {"mark": mark} if mark else {}
    if template.surveys:
        told["survey_url"] = surveys
    if code is not None and any(name.startswith("referral.") for name in template.names):
        told["referral"] = {"code": code, "url": f"{settings.business.public_url.rstrip('/')}/r/{code}"}
    return told


def with_stage_facts(facts: Mapping[str, Any], lifecycle: Lifecycle, day: Day) -> dict[str, Any]:
    """The facts with what follows from the stage: conditions work these out for themselves, templates cannot."""
    roles = [role for stage in lifecycle.stages if stage.key == facts["stage"] for role in stage.roles]
    since = facts["stage_since"]
    return {**facts, "role": ", ".join(roles), "days_in_stage": None if since is None else day.days_since(since)}


def _used(template: CompiledTemplate, prefix: str, values: Mapping[str, Any]) -> dict[str, Any]:
    names = (name.removeprefix(f"{prefix}.") for name in sorted(template.names) if name.startswith(f"{prefix}."))
    return {name: plain(values[name]) for name in names if values.get(name) is not None}


def plain(value: Any) -> Any:
    """A value as JSON has it: instants as text, amounts as numbers where that loses nothing."""
    if isinstance(value, datetime):
        return instant_text(value)
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def outgoing_of(
    settings: Settings,
    row: Row[Any],
    content: Content,
    context: Mapping[str, Any],
    recipient: str,
    validity: timedelta | None,
) -> Outgoing:
    """What a provider gets for a row of the ledger with this content. Raises BadMessage."""
    return Outgoing(
        message_id=row.message_id,
        channel=row.channel,
        sender=settings.channel(row.channel).sender,
        recipient=recipient,
        subject=content.subject,
        html=content.html,
        text=content.text,
        headers=unsubscribe_headers(context["unsubscribe_url"]) if row.channel == "email" else {},
        tag=row.playbook,
        kind=row.kind,
        validity=validity,
        reply_to=settings.email.reply_to if row.channel == "email" else "",
    )


def _validity(loaded: Loaded, now: datetime) -> timedelta:
    """A text must not wait in the provider's queue beyond the customer's evening, nor beyond its own deadline."""
    return max(loaded.case.good_until(now) - now, timedelta(seconds=1))
