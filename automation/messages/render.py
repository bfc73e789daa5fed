"""One message for one customer, and the headers that let them leave."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from automation.errors import BadMessage
from automation.messages.templates import CONTROL, CompiledTemplate, Content

__all__ = ["Content", "Links", "RenderContext", "render", "unsubscribe_headers"]


@dataclass(frozen=True)
class Links:
    """The addresses of one message. `surveys` is what a survey's key follows after a slash."""

    unsubscribe: str
    preferences: str
    surveys: str


@dataclass(frozen=True)
class RenderContext:
    """What one message may speak of. Instants are aware or ISO text, amounts Decimal, int, float or their text.

    `locale` is the customer's, `zone` the business's, `campaign` the playbook's key. `referral` has the customer's own
    code and link, where the template speaks of it; `survey_url` is empty where the template links to no survey.
    """

    customer: Mapping[str, Any]
    facts: Mapping[str, Any]
    stage: str
    offer: Mapping[str, Any] | None
    business: Mapping[str, Any]
    unsubscribe_url: str
    preferences_url: str
    locale: str
    zone: tzinfo
    campaign: str
    referral: Mapping[str, Any] | None = None
    survey_url: str = ""


def render(template: CompiledTemplate, context: RenderContext) -> Content:
    """Subject, HTML and text. Raises BadMessage for a value that is not set, or a subject that cannot be a header."""
    return template.render(vars(context))


def unsubscribe_headers(url: str) -> dict[str, str]:
    """The two headers of one-click unsubscribing (RFC 8058); no mailto among them, for nobody here reads mail.

    Raises BadMessage for an address that breaks a header.
    """
    if CONTROL.search(url) or not url.isascii() or set(url) & set("<> "):
        raise BadMessage("the unsubscribe address cannot stand in a header; check [business] public_url")
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
