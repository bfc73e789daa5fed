"""What became of the messages: sent or not and why, what providers told of them, and how long they took."""

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from automation.reasons import STATUSES, Reason
from automation.reports.asked import Asked
from automation.reports.figures import Average, Figure, Report, Share, Table
from automation.reports.medians import median_of, percentile_of
from automation.reports.posted import State, Tries, moments, states, told, waits
from automation.reports.told import Told
from automation.settings.sections import CHANNELS

ABOUT = (
    "The messages that were planned in the period, whatever has become of them since. Each outcome counts once for a "
    "message, as far as providers have told it. Opens, clicks, complaints and unsubscribes are shares of the messages "
    "that were sent and not returned, because not every provider tells of delivery."
)
SILENT = (
    "No provider has told what became of any message. Set up its webhooks, so that returned mail and complaints are "
    "heard of."
)
OF_MAIL = "Emails sent and not returned; of them those {what}. Texts have no such thing."
STATUS_COLUMNS = ("status", "reason", "email", "sms", "messages", "in words")
OUTCOME_COLUMNS = ("channel", "provider", "outcome", "messages")
WAIT_COLUMNS = ("channel", "sent", "median seconds", "95 % within seconds")
LATE = 95
Waits = Mapping[str, Counter[int]]


def report(asked: Asked) -> Report:
    """A handful of passes over the period's part of the send log."""
    found, heard, waited = states(asked), told(asked), waits(asked)
    days, hours = moments(asked)
    tables = [
        Table("status", STATUS_COLUMNS, list(_statuses(found)), "By status and reason"),
        Table("outcomes", OUTCOME_COLUMNS, list(_outcomes(heard)), "What providers told, of those sent", "messages"),
        Table("waiting", WAIT_COLUMNS, list(_waiting(waited)), "From due to sent"),
        Table("days", ("day", *CHANNELS, "sent"), list(_by(days)), "Sent by day", "sent"),
        Table("hours", ("hour", *CHANNELS, "sent"), list(_by(hours)), "Sent by hour of the day", "sent"),
    ]
    everything = sum(heard.values(), Told())
    mail = sum((one for (channel, _), one in heard.items() if channel == "email"), Told())
    figures = {**_tried(found), **_heard(everything), **_read(mail), **_in_time(waited)}
    notes = [SILENT] if everything.sent and everything.silent else []
    return Report("delivery", asked.period, ABOUT, figures, tables, notes)


def _statuses(found: Mapping[State, Tries]) -> Iterator[tuple[Any, ...]]:
    """In the order of a message's life, the most frequent reason first."""
    total = sum(one.messages for one in found.values())
    by_reason: Counter[tuple[str, str | None]] = Counter()
    for state, tries in found.items():
        by_reason[state.status, state.reason] += tries.messages
    order = sorted(by_reason, key=lambda key: (STATUSES.index(key[0]), -by_reason[key], key[1] or ""))
    for status, reason in order:
        channels = (found.get(State(channel, status, reason), Tries()).messages for channel in CHANNELS)
        words = Reason.of(reason).sentence if reason else ""
        yield (status, reason, *channels, Share(by_reason[status, reason], total), words)


def _outcomes(heard: Mapping[tuple[str, str], Told]) -> Iterator[tuple[str, str, str, Share]]:
    for (channel, provider), one in sorted(heard.items()):
        shares = {
            "delivered": one.of_sent("delivered"),
            "bounced_hard": one.of_sent("bounced_hard"),
            "bounced_soft": one.returned_softly,
            "failed": one.of_sent("failed"),
            "complained": one.of_arrived("complained"),
            "unsubscribed": one.of_arrived("unsubscribed"),
        }
        if channel == "email":
            shares |= {"opened": one.of_arrived("opened"), "clicked": one.of_arrived("clicked")}
        yield from ((channel, provider, outcome, share) for outcome, share in shares.items())


def _waiting(waited: Waits) -> Iterator[tuple[Any, ...]]:
    for channel, seconds in sorted(waited.items()):
        yield channel, seconds.total(), median_of(seconds), percentile_of(seconds, LATE)


def _by(counts: Mapping[tuple[Any, str], int]) -> Iterator[tuple[Any, ...]]:
    """Days or hours in order, those with nothing left out."""
    for moment in sorted({moment for moment, _ in counts}):
        found = [counts.get((moment, channel), 0) for channel in CHANNELS]
        yield (moment, *found, sum(found))


def _tried(found: Mapping[State, Tries]) -> dict[str, Figure]:
    total = sum(found.values(), Tries())
    ended = Counter[str]()
    for state, tries in found.items():
        ended[state.status] += tries.messages
    return {
        "sent": Figure("Sent", Share(ended["sent"], total.messages), "Messages planned; of them the sent."),
        "skipped": Figure(
            "Not sent, with a reason",
            Share(ended["skipped"] + ended["expired"] + ended["canceled"], total.messages),
            "Messages planned; of them those that were skipped, canceled or too late.",
        ),
        "retried": Figure(
            "Posted more than once",
            Share(total.retried, total.posted),
            "Messages posted to a provider; of them those that took more than one attempt.",
        ),
        "possible_duplicates": Figure(
            "Perhaps sent twice",
            Share(total.doubtful, total.posted),
            "Messages posted; of them those posted again although the first may have been taken.",
        ),
        "unknown": Figure(
            "Unknown",
            Share(ended["unknown"], total.posted),
            "Messages posted; of them those of which nobody knows whether the provider took them.",
        ),
    }


def _heard(everything: Told) -> dict[str, Figure]:
    sent, arrived = "Messages sent; of them those ", "Messages sent and not returned; of them those "
    return {
        "delivery_rate": Figure("Delivered", everything.of_sent("delivered"), f"{sent}told to be delivered."),
        "hard_bounce_rate": Figure(
            "Returned for good", everything.of_sent("bounced_hard"), f"{sent}that bounced hard."
        ),
        "soft_bounce_rate": Figure(
            "Returned for now", everything.returned_softly, f"{sent}that bounced softly and did not arrive after all."
        ),
        "complaint_rate": Figure("Complaints", everything.of_arrived("complained"), f"{arrived}reported as spam."),
        "unsubscribe_rate": Figure(
            "Unsubscribed", everything.of_arrived("unsubscribed"), f"{arrived}whose readers want no more."
        ),
    }


def _read(mail: Told) -> dict[str, Figure]:
    return {
        "open_rate": Figure("Opened", mail.of_arrived("opened"), OF_MAIL.format(what="opened")),
        "click_rate": Figure("Clicked", mail.of_arrived("clicked"), OF_MAIL.format(what="with a link followed")),
    }


def _in_time(waited: Waits) -> dict[str, Figure]:
    """Exact, from whole seconds counted by value."""
    seconds = sum(waited.values(), Counter[int]())
    late = percentile_of(seconds, LATE)
    since = "From due to sent; what waits for a window, a cap or a retry is due again when the wait is over."
    return {
        "seconds_to_send": Figure("Seconds to send, median", Average(median_of(seconds), seconds.total()), since),
        "seconds_to_send_95": Figure(
            f"Seconds to send, {LATE} % within",
            Average(None if late is None else Decimal(late), seconds.total()),
            "The same: so many percent took no longer.",
        ),
    }
