"""One rendered message, ready for a provider. What could break out of its place in a request cannot become one."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from automation.errors import BadMessage

# RFC 9110, 5.6.2: the characters of a header's name.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# One recipient per message, always: several providers show co-recipients to each other.
ONE_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")
# Unicode's categories Cc (CR, LF, NUL and friends), Cs (half a surrogate pair), Zl and Zp (line, paragraph separators).
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")


@dataclass(frozen=True)
class Outgoing:
    """`validity` is how long an SMS may wait in the provider's queue; `reply_to`, where answers go, may be empty.

    Raises BadMessage, without naming an address, when a field could break out of its place.
    """

    message_id: int
    channel: Literal["email", "sms"]
    sender: str
    recipient: str
    subject: str
    html: str
    text: str
    headers: Mapping[str, str]
    tag: str
    kind: Literal["marketing", "transactional"]
    validity: timedelta | None = None
    reply_to: str = ""

    def __post_init__(self) -> None:
        for name in ("subject", "sender", "reply_to", "tag"):
            _one_line(name, getattr(self, name))
        self._check_recipient()
        for name, value in self.headers.items():
            if not HEADER_NAME.fullmatch(name):
                raise BadMessage(f"{name!a} is no name of a header; use letters, digits and hyphens.")
            _one_line(f"header {name}", value)
        for name, text in (("html", self.html), ("text", self.text)):
            _encodable(name, text)

    def _check_recipient(self) -> None:
        _one_line("recipient", self.recipient)
        form = E164 if self.channel == "sms" else ONE_EMAIL
        if not form.fullmatch(self.recipient):
            wanted = "a phone number in E.164 form, like +15550100" if self.channel == "sms" else "one email address"
            raise BadMessage(f"The recipient is not {wanted}; correct it at its source and import the customer again.")


def _one_line(name: str, text: str) -> None:
    if FORBIDDEN.search(text):
        raise BadMessage(
            f"The {name} contains a control character or a line break; take it out of the data or template."
        )


def _encodable(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadMessage(f"The {name} contains half a character (a lone surrogate); correct the data.") from None
    if "\0" in text:
        raise BadMessage(f"The {name} contains a NUL character; correct the data.")
