"""Amazon SES's events, by SNS: https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from automation.delivery.hooks import sns
from automation.delivery.hooks.hook import Event, HookCall, HookKey, Outcome, Told
from automation.delivery.hooks.reading import inside, moment_of, objects, own_id, reason_of, text_of


class Kind(NamedTuple):
    """`part` holds what is told of an event, `recipients` in it whom it concerns; without them the mail's are meant."""

    part: str
    outcome: Outcome
    recipients: str = ""
    reasons: tuple[str, ...] = ()


KINDS = {
    "Bounce": Kind("bounce", "bounced_soft", "bouncedRecipients", ("bounceType", "bounceSubType")),
    "Click": Kind("click", "clicked"),
    "Complaint": Kind("complaint", "complained", "complainedRecipients", ("complaintFeedbackType",)),
    "Delivery": Kind("delivery", "delivered", "recipients", ("smtpResponse",)),
    "DeliveryDelay": Kind("deliveryDelay", "info", "delayedRecipients", ("delayType",)),
    "Open": Kind("open", "opened"),
    "Reject": Kind("reject", "failed", reasons=("reason",)),
    "Rendering Failure": Kind("failure", "failed", reasons=("errorMessage",)),
    "Subscription": Kind("subscription", "unsubscribed"),
}
OTHER = Kind("", "info")
# Of the types of bounces the only one after which no other mail would arrive.
PERMANENT = "Permanent"


class Ses:
    kind = "ses"
    checked_with = "public"

    def is_genuine(self, call: HookCall, key: HookKey, now: datetime) -> bool:
        return sns.is_genuine(call, key, now)

    def told(self, call: HookCall) -> Sequence[Told]:
        found = sns.notification(call)
        return [] if found is None else list(_events(found, found.body))


def _events(found: sns.Notification, body: Any) -> Iterator[Event]:
    """One for each whom it concerns; they are told apart by their place, which a repeat does not change."""
    name = text_of(inside(body, "eventType")) or text_of(inside(body, "notificationType"))
    provider_id = text_of(inside(body, "mail", "messageId"))
    if name is None or provider_id is None:
        return
    kind = KINDS.get(name, OTHER)
    told, tags = inside(body, kind.part), inside(body, "mail", "tags", "mid")
    reasons = [inside(told, reason) for reason in kind.reasons]
    at = moment_of(inside(told, "timestamp")) or moment_of(found.at)
    for place, one in enumerate(_recipients(told, kind) or _texts(inside(body, "mail", "destination")) or [{}]):
        yield Event(
            f"{found.key}:{place}",
            _outcome(kind, told),
            name,
            at,
            own_id(tags[0]) if isinstance(tags, list) and tags else None,
            provider_id,
            text_of(one.get("emailAddress")),
            reason_of(*reasons, one.get("diagnosticCode")),
        )


def _outcome(kind: Kind, told: Any) -> Outcome:
    # Who takes a complaint back: https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html#complaint-object
    if inside(told, "complaintFeedbackType") == "not-spam":
        return "info"
    return "bounced_hard" if inside(told, "bounceType") == PERMANENT else kind.outcome


def _recipients(told: Any, kind: Kind) -> list[dict[str, Any]]:
    found = inside(told, kind.recipients)
    return [] if found is None else [*objects(found), *_texts(found)]


def _texts(value: Any) -> list[dict[str, Any]]:
    """Addresses that stand there alone, as those that stand in objects."""
    return [{"emailAddress": one} for one in value if isinstance(one, str)] if isinstance(value, list) else []
