"""What becomes of each message: a matter of its own id and of a seed, so that it is the same whenever it is asked."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from hashlib import sha256
from typing import NamedTuple

from automation.delivery.sandbox.mailbox import Taken

Outcomes = tuple[str, ...]
STOP = "STOP"
# Everything that may become of a message.
BY_HAND: Outcomes = (
    "delivered",
    "opened",
    "clicked",
    "complained",
    "unsubscribed",
    "bounced_hard",
    "bounced_soft",
    "failed",
    "inbound",
)
# Who always gets the same: a mail by what stands before "@" (and before "+"), a text by the number's last four digits.
MAILS: dict[str, Outcomes] = {
    "deliver": ("delivered",),
    "open": ("delivered", "opened"),
    "click": ("delivered", "opened", "clicked"),
    "complain": ("delivered", "complained"),
    "unsubscribe": ("delivered", "opened", "unsubscribed"),
    "bounce": ("bounced_hard",),
    "softbounce": ("bounced_soft",),
    "fail": ("failed",),
    "silent": (),
}
TEXTS: dict[str, Outcomes] = {
    "9001": ("delivered",),
    "9002": ("delivered", "inbound"),
    "9003": ("unsubscribed",),
    "9004": ("bounced_hard",),
    "9005": ("bounced_soft",),
    "9006": ("failed",),
    "9009": (),
}
# How many of 1000 get what; all others are delivered.
OF_MAILS: tuple[tuple[int, Outcomes], ...] = (
    (15, MAILS["bounce"]),
    (10, MAILS["softbounce"]),
    (5, MAILS["fail"]),
    (1, MAILS["complain"]),
    (4, MAILS["unsubscribe"]),
    (60, MAILS["click"]),
    (250, MAILS["open"]),
)
OF_TEXTS: tuple[tuple[int, Outcomes], ...] = (
    (10, TEXTS["9002"]),
    (2, TEXTS["9003"]),
    (10, TEXTS["9004"]),
    (15, TEXTS["9005"]),
    (20, TEXTS["9006"]),
)
# Seconds at least and at most after what happened before.
SECONDS: dict[str, tuple[int, int]] = {
    "opened": (5, 60),
    "clicked": (2, 20),
    "complained": (10, 60),
    "unsubscribed": (5, 60),
    "inbound": (5, 30),
}
USUAL_SECONDS = (1, 5)
SHARES = 1000


class Turn(NamedTuple):
    """This happens so long after the message was taken; `text` is what a recipient answers."""

    after: timedelta
    outcome: str
    text: str = ""


def story(message: Taken, seed: str) -> Iterator[Turn]:
    """All that becomes of it, in order."""
    after = timedelta()
    for place, outcome in enumerate(_outcomes(message, seed)):
        least, most = SECONDS.get(outcome, USUAL_SECONDS)
        after += timedelta(milliseconds=1000 * least + _dice(message, seed, str(place), 1000 * (most - least)))
        yield Turn(after, outcome, STOP if outcome == "inbound" else "")


def _outcomes(message: Taken, seed: str) -> Outcomes:
    local, at, _ = message.recipient.partition("@")
    always = MAILS.get(local.partition("+")[0].lower()) if at else TEXTS.get(message.recipient[-4:])
    return _by_share(OF_MAILS if at else OF_TEXTS, message, seed) if always is None else always


def _by_share(shares: Sequence[tuple[int, Outcomes]], message: Taken, seed: str) -> Outcomes:
    drawn = _dice(message, seed, "what", SHARES)
    for share, outcomes in shares:
        if drawn < share:
            return outcomes
        drawn -= share
    return ("delivered",)


def _dice(message: Taken, seed: str, what: str, sides: int) -> int:
    """From 0 to `sides` - 1; the provider's id is another one each time, so it counts only where there is no other."""
    named = f"{seed}\0{message.kind}\0{message.mid or message.provider_id}\0{what}"
    return int.from_bytes(sha256(named.encode()).digest()[:8]) % sides
