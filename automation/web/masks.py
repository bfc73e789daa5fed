"""Addresses as those see them who need not read them: enough to recognize one's own, too little to write to."""

import re

# What may stand before the sign is nearly everything; rather too much is hidden than too little.
ANY_EMAIL = re.compile(r"[^\s@<>\"(),;:]+(?:@|%40)[^\s@<>\"'(),;:/?&]+")
# A number as it is written: seven digits at least, with what people put between them. Dates and times are left.
NUMBER = re.compile(r"(?<![\w.#-])\+?\d(?:[\s().-]{0,2}\d){6,14}(?![\w-])")
DATE = re.compile(r"\d{4}-\d\d-\d\d")
SHOWN = 3


def masked(address: str) -> str:
    """`a…@e….com` of an email address, `+39…123` of a number."""
    name, at, domain = address.rpartition("@")
    if at:
        host, dot, end = domain.rpartition(".")
        return f"{name[:1]}…@{host[:1]}…{dot}{end}" if dot else f"{name[:1]}…@…"
    return f"{address[:SHOWN]}…{address[-SHOWN:]}" if len(address) > 2 * SHOWN else "…"


def hide_in(text: str) -> str:
    """The text with every email address and telephone number in it masked."""
    text = ANY_EMAIL.sub(lambda found: masked(found[0].replace("%40", "@")), text)
    return NUMBER.sub(lambda found: found[0] if DATE.match(found[0]) else masked(found[0]), text)
