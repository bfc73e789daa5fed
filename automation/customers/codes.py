"""Codes that people read out: letters and digits that nobody can guess without this database's own key."""

import hashlib
import hmac

# No vowels and no look-alikes: codes are read out on the telephone and never spell a word.
LETTERS = "23456789BCDFGHJKLMNPQRSTVWXZ"


def fill_pattern(pattern: str, key: bytes, words: str) -> str:
    """Each # becomes a letter or digit; the same words give the same code."""
    number = int.from_bytes(hmac.digest(key, words.encode(), hashlib.sha256))
    filled = []
    for one in pattern:
        if one == "#":
            number, rest = divmod(number, len(LETTERS))
            filled.append(LETTERS[rest])
        else:
            filled.append(one)
    return "".join(filled)
