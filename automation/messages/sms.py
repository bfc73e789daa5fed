"""What an SMS costs: its encoding and the number of segments it is billed as.

The rules are 3GPP TS 23.038 (the default alphabet and its extension table, no national shift tables) and TS 23.040.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from gsm0338 import Codec


@dataclass(frozen=True)
class Segments:
    """`units` are septets in GSM-7 and UTF-16 code units in UCS-2."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    segments: int


class Room(NamedTuple):
    """Units in a message of one segment, and in each of several: six octets of these number the parts."""

    alone: int
    each: int


GSM_7 = Room(alone=160, each=153)
UCS_2 = Room(alone=70, each=67)


def segments(text: str) -> Segments:
    """Encoding, length and segments of one text, character for character as given; an empty one is sent as one."""
    if costly_characters(text):
        widths = [2 if char > "\uffff" else 1 for char in text]
        return Segments("UCS-2", sum(widths), _count(widths, UCS_2))
    widths = [SEPTETS[char] for char in text]
    return Segments("GSM-7", sum(widths), _count(widths, GSM_7))


def costly_characters(text: str) -> list[str]:
    """The different characters any one of which turns the whole SMS into UCS-2, in order of appearance.

    Most often a no-break space, a curly quote or a long dash: with it a segment holds 70 characters, not 160.
    """
    return [char for char in dict.fromkeys(text) if char not in SEPTETS]


def _count(widths: Iterable[int], room: Room) -> int:
    widths = list(widths)
    if sum(widths) <= room.alone:
        return 1
    count, used = 1, 0
    for width in widths:
        # A pair that does not fit goes to the next segment whole.
        if used + width > room.each:
            count, used = count + 1, 0
        used += width
    return count


def _septets() -> dict[str, int]:
    decode = Codec().decode
    escape = b"\x1b"  # announces a character of the extension table and is none itself
    codes = [bytes([code]) for code in range(0x80) if code != ord(escape)]
    basic = {decode(code)[0]: 1 for code in codes}
    extension = {decode(escape + code, "ignore")[0]: 2 for code in codes}
    return {char: width for char, width in (extension | basic).items() if char}


SEPTETS = _septets()
