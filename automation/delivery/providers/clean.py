"""What no request may contain, whatever the template, the import or the settings let through."""

import re

from automation.delivery.replies import Outgoing
from automation.errors import BadMessage

# RFC 9110, 5.6.2: the characters of a header's name.
HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# One recipient per message, always: several providers show co-recipients to each other.
ONE_EMAIL = re.compile(r"[^\s@<>,;]+@[^\s@<>,;]+")
E164 = re.compile(r"\+[1-9][0-9]{1,14}")
# Unicode's categories Cc (CR, LF, NUL and friends), Cs (half a surrogate pair), Zl and Zp (line, paragraph separators).
FORBIDDEN = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029]")


def check(message: Outgoing) -> None:
    """Raises BadMessage, without naming an address, when a field could break out of its place."""
    for name, text in (("subject", message.subject), ("sender", message.sender), ("tag", message.tag)):
        _one_line(name, text)
    _recipient(message)
    for name, value in message.headers.items():
        if not HEADER_NAME.fullmatch(name):
            raise BadMessage(f"{name!a} is no name of a header; use letters, digits and hyphens.")
        _one_line(f"header {name}", value)
    for name, text in (("html", message.html), ("text", message.text)):
        _encodable(name, text)


def _one_line(name: str, text: str) -> None:
    if FORBIDDEN.search(text):
        raise BadMessage(
            f"The {name} contains a control character or a line break; take it out of the data or template."
        )


def _recipient(message: Outgoing) -> None:
    _one_line("recipient", message.recipient)
    form = E164 if message.channel == "sms" else ONE_EMAIL
    if not form.fullmatch(message.recipient):
        wanted = "a phone number in E.164 form, like +15550100" if message.channel == "sms" else "one email address"
        raise BadMessage(f"The recipient is not {wanted}; correct it at its source and import the customer again.")


def _encodable(name: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadMessage(f"The {name} contains half a character (a lone surrogate); correct the data.") from None
    if "\0" in text:
        raise BadMessage(f"The {name} contains a NUL character; correct the data.")
