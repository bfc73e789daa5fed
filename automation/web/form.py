"""The form in which customers choose: a group for each channel, with a box for the channel and one for each topic."""

from collections.abc import Mapping
from itertools import count

from markupsafe import Markup

from automation.customers.consent import EVERY_TOPIC
from automation.customers.preferences import Box
from automation.delivery.outcomes.preferences import Preferences
from automation.settings import Settings
from automation.web.words import Words, topic_name

NAMES = ("was", "now")
Names = Mapping[str, Mapping[str, str]]
FORM = Markup("""<p>{intro}</p>
<form method="post" action="?" autocomplete="off">
{channels}
<button>{save}</button>
</form>
<p class="aside">{service}</p>""")
CHANNEL = Markup("""<fieldset>
<legend>{channel} <span class="address">{address}</span></legend>
{warning}{boxes}
</fieldset>""")
WARNING = Markup('<p class="warning">{told}</p>\n')
BOX = Markup("""<div class="{kind}">
<input type="checkbox" id="{id}" name="now" value="{value}"{ticked}{described}>
<label for="{id}">{label}</label>
{more}</div>""")
HINT = Markup('<p class="hint" id="{id}-hint">{hint}</p>\n')
WAS = Markup('<input type="hidden" name="was" value="{value}">\n')


def form_of(found: Preferences, language: str, words: Words, settings: Settings) -> Markup:
    channels = list(dict.fromkeys(box.channel for box in found.boxes))
    if not channels:
        return Markup("<p>{}</p>").format(words.nowhere)
    groups = [_channel(found, channel, language, words, settings.topics) for channel in channels]
    intro = words.intro.format(name=settings.business.name)
    return FORM.format(intro=intro, channels=Markup("\n").join(groups), save=words.save, service=words.service)


def wording(box: Box, language: str, words: Words, names: Names) -> str:
    """What is agreed to by ticking a box."""
    whole = words.all_email if box.channel == "email" else words.all_sms
    if box.topic == EVERY_TOPIC:
        return f"{whole}. {words.covers}"
    return f"{whole}: {topic_name(box.topic, language, words, names)}"


def _channel(found: Preferences, channel: str, language: str, words: Words, names: Names) -> Markup:
    numbers = count(1)
    boxes = [
        _box(box, f"{channel}-{next(numbers)}", box in found.ticked, _label(box, language, words, names), words)
        for box in found.boxes
        if box.channel == channel
    ]
    refusal = found.refused.get(channel)
    return CHANNEL.format(
        channel=words.by_email if channel == "email" else words.by_sms,
        address=hidden(found.address(channel) or ""),
        warning=WARNING.format(told=getattr(words, refusal)) if refusal else "",
        boxes=Markup("\n").join(boxes),
    )


def _label(box: Box, language: str, words: Words, names: Names) -> str:
    if box.topic != EVERY_TOPIC:
        return topic_name(box.topic, language, words, names)
    return words.all_email if box.channel == "email" else words.all_sms


def _box(box: Box, name: str, is_ticked: bool, label: str, words: Words) -> Markup:
    whole, value = box.topic == EVERY_TOPIC, f"{box.channel}:{box.topic}"
    hint = HINT.format(id=name, hint=words.stops if is_ticked else words.covers) if whole else Markup()
    return BOX.format(
        kind=("whole was-on" if is_ticked else "whole") if whole else "topic",
        id=name,
        value=value,
        ticked=Markup(" checked") if is_ticked else "",
        described=Markup(' aria-describedby="{}-hint"').format(name) if whole else "",
        label=label,
        more=hint + (WAS.format(value=value) if is_ticked else Markup()),
    )


def hidden(address: str) -> str:
    """Enough for its owner to know it by: `a…@example.com`, `…123`."""
    name, at, domain = address.rpartition("@")
    if at:
        return f"{name[:1] if len(name) > 1 else ''}…@{domain}"
    return f"…{address[-3:]}"
