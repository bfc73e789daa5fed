"""Every status and reason in the send log: closed lists. Each reason has a sentence that support staff can read out."""

from enum import StrEnum
from typing import Self

STATUSES = ("planned", "sending", "sent", "rejected", "failed", "unknown", "skipped", "expired", "canceled")


class Reason(StrEnum):
    """Why a message was held, skipped, refused, or ended as it did; also why an enrollment ended."""

    sentence: str

    def __new__(cls, key: str, sentence: str) -> Self:
        member = str.__new__(cls, key)
        member._value_ = key
        member.sentence = sentence
        return member

    @classmethod
    def of(cls, key: str) -> "Reason":
        """The reason stored under a key. Raises KeyError."""
        return BY_KEY[key]

    # decided before sending
    ERASED = "erased", "The customer asked for their data to be erased."
    SUPPRESSED_ADDRESS = "suppressed_address", "The address is on the list of addresses that must not be written to."
    NO_ADDRESS = "no_address", "We have no usable address or number for this channel."
    NO_CONSENT = "no_consent", "The customer has not agreed to receive this kind of message on this channel."
    PLAYBOOK_PAUSED = "playbook_paused", "The playbook is paused; the message waits."
    EVERYTHING_PAUSED = "everything_paused", "All sending is paused; the message waits."
    CUSTOMER_PAUSED = "customer_paused", "Nothing is sent to this customer for the time being; the message waits."
    GOAL_MET = "goal_met", "The customer already did what the playbook hopes for."
    EXIT_RULE = "exit_rule", "The playbook's own exit rule ended it for this customer."
    LEFT_STAGE = "left_stage", "The customer moved on to another lifecycle stage."
    STEP_RULE = "step_rule", "The step's own condition did not hold for this customer."
    TOO_LATE = "too_late", "It could not be sent in time, and later it would have made no sense."
    OFFER_EXPIRED = "offer_expired", "The offer in it had expired."
    NO_OFFER_CODE = "no_offer_code", "No offer code was left to give."
    HOLDOUT = "holdout", "The customer is in the group that is deliberately not written to, to measure the effect."
    OUTRANKED = "outranked", "Another message to the customer was more important that day."
    OVER_CAP = "over_cap", "The customer had received as many messages as we allow ourselves."
    OUTSIDE_WINDOW = "outside_window", "It is too early or too late in the day where the customer lives; it waits."
    PROVIDER_PAUSED = "provider_paused", "The service that sends our messages was not available; the message waits."
    # learnt while sending
    RETRY = "retry", "The provider asked us to try again later, or could not be reached; the message waits."
    PROVIDER_REFUSED = "provider_refused", "The provider refused the message."
    INVALID_ADDRESS = "invalid_address", "The provider says that the address or number does not exist."
    OPTED_OUT = "opted_out", "The customer has opted out at the provider."
    NO_ANSWER = "no_answer", "Nobody knows whether the provider took it, so it is not sent again."
    RESENT = "resent", "Nobody knew whether the provider had taken it, and the playbook says to send again."
    REPEAT = "repeat", "The answer got lost; it is posted again under the same key, so that it cannot arrive twice."
    RESOLVED = "resolved", "A person looked it up at the provider and recorded what became of it."
    LOOKED_UP = "looked_up", "The answer had got lost; asked later, the provider said that it had taken the message."
    TOLD_LATER = "told_later", "The answer had got lost; what the provider told afterwards shows that it was taken."
    CANNOT_RENDER = "cannot_render", "The message could not be put together from the template and the customer's data."
    # how an enrollment ends
    COMPLETED = "completed", "All steps of the playbook are done."
    PLAYBOOK_ENDED = "playbook_ended", "The playbook's last day has passed."
    PLAYBOOK_REMOVED = "playbook_removed", "The playbook is no longer there."
    # why somebody did not enter a playbook
    RULE = "rule", "The playbook's own condition did not hold for this customer."
    OTHER_STAGE = "other_stage", "The playbook is meant for customers in other lifecycle stages."
    NOT_ASKED = "not_asked", "The playbook answers a text, and the customer has not sent one."
    NOT_STARTED = "not_started", "The playbook's first day has not come yet."
    ALREADY_ENROLLED = "already_enrolled", "The customer is in this playbook now."
    ENTERED_BEFORE = "entered_before", "The customer was in this playbook before and may not enter it again (yet)."
    NOT_EVALUATED = "not_evaluated", "The customer would enter at the next daily run."


BY_KEY = {reason.value: reason for reason in Reason}
