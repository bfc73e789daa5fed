"""What a step's message looks like for anybody, on a telephone and on a desk. Nothing is stored and nothing is sent."""

from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from automation.delivery.answers.preview import Previewed, Wanted, playbook_in, preview
from automation.errors import BadInput, BadMessage
from automation.messages.sources import read_sources
from automation.playbooks.model import Playbook, Step
from automation.web.console.call import Anyone, Call
from automation.web.console.frames import framed

router = APIRouter()


@dataclass(frozen=True)
class Asked:
    """As the form says it: nothing in a field is nothing asked for."""

    step: str = ""
    customer: str = ""
    locale: str = ""
    variant: str = ""


@router.get("/playbooks/{key}/preview")
def show_preview(
    call: Anyone, key: str, step: str = "", customer: str = "", locale: str = "", variant: str = ""
) -> Response:
    _, playbook = playbook_in(call.office.draft(), key)
    chosen = next((one for one in playbook.steps if one.key == step), playbook.steps[0])
    asked = Asked(step or chosen.key, customer.strip(), locale.strip(), variant)
    values: dict[str, Any] = {"playbook": playbook, "step": chosen, "asked": asked, "seen": None, "problem": None}
    try:
        values["locales"] = _locales(call, chosen)
        values["seen"] = _seen(call, playbook, asked)
    except (BadInput, BadMessage) as error:
        values = {"locales": [], **values, "problem": str(error)}
    return call.page("preview.html", **values)


@router.get("/playbooks/{key}/preview/frame")
def show_frame(
    call: Anyone, key: str, step: str = "", customer: str = "", locale: str = "", variant: str = ""
) -> Response:
    _, playbook = playbook_in(call.office.draft(), key)
    try:
        seen = _seen(call, playbook, Asked(step, customer, locale, variant))
    except BadMessage as error:
        raise BadInput(str(error)) from None
    return framed(seen["html"])


def _seen(call: Call, playbook: Playbook, asked: Asked) -> dict[str, Any]:
    """The message's parts as they may be read, and what an SMS costs. Raises BadInput, BadMessage."""
    wanted = Wanted(playbook.key, asked.step, asked.variant or None, asked.locale or None, call.now)
    with call.reading() as connection:
        seen = preview(call.office.settings, call.office.draft(), wanted, connection, asked.customer or None)
        sight = call.sight(connection)
    parts = {"subject": seen.content.subject, "html": seen.content.html, "text": seen.content.text}
    if asked.customer:
        parts = {name: sight.text(asked.customer, text) for name, text in parts.items()}
    return {**parts, **_about(seen)}


def _about(seen: Previewed) -> dict[str, Any]:
    return {"file": seen.file, "channel": seen.content.channel, "size": seen.size}


def _locales(call: Call, step: Step) -> list[str]:
    """Those that the step's template is written in. Raises BadFiles."""
    settings = call.office.settings
    return sorted(read_sources(settings.path(settings.paths.templates), step.model.template, step.model.channel))
