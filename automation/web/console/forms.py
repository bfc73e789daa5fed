"""What people type into a form, as it is kept."""

import re

from automation.errors import BadInput
from automation.web.console.call import Call

LONGEST = 1000
# PostgreSQL keeps no NUL; the others would break the lines of a log or a file.
UNFIT = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


def reason_in(call: Call, text: str) -> str:
    """Why somebody acts, in one line. Raises BadInput when nothing is said."""
    words = " ".join(lines(call, text).split())
    if not words:
        raise BadInput(call.office.texts("frame.no_reason"))
    return words


def lines(call: Call, text: str) -> str:
    """As it was typed, without what no database keeps. Raises BadInput."""
    words = text.replace("\r\n", "\n").strip()
    if UNFIT.search(words):
        raise BadInput(call.office.texts("frame.unfit"))
    if len(words) > LONGEST:
        raise BadInput(call.office.texts("frame.too_long", n=LONGEST))
    return words
