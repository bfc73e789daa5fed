"""What went wrong where the grammar could not go on, said to the person who wrote the condition."""

import re
from collections.abc import Callable

from lark import Token
from lark.exceptions import UnexpectedInput, UnexpectedToken

from automation.lifecycle.conditions.error import ConditionError

Found = tuple[str, str]
Tokens = Callable[[str], list[Token]]

# Slips of the pen and habits of other languages: pattern, what is wrong, what to write.
SLIPS: tuple[tuple[str, str, str], ...] = (
    (r"=>", '"=>" is no comparison', 'did you mean ">="?'),
    (r"=<", '"=<" is no comparison', 'did you mean "<="?'),
    (r"<>", '"<>" is no comparison', 'did you mean "!="?'),
    (r"===|!==", "this is no comparison", 'write "=" or "!="'),
    (r"&&?", '"&" is no word of conditions', 'did you mean "and"?'),
    (r"\|\|?", '"|" is no word of conditions', 'did you mean "or"?'),
    (r"!(?!=)", '"!" is no word of conditions', 'did you mean "not"?'),
    (r"[“”„‘’«»]", "these are not the quotes of a text", "write \"text\" or 'text'"),
    (r"\d{4}-\d\d-\d\d[Tt ]\d\d?:[\d:]*", "only dates can be written here", "leave out the time of day: 2026-01-31"),
    (r"\b(?!\d{4}-\d\d-\d\d\b)\d{4}-\d\d?-\d\d?\b", "this is no date", "write it like 2026-01-31"),
    (r"\d{1,2}[./]\d{1,2}[./]\d{4}\b", "this is no date", "write it like 2026-01-31"),
    (r"\d+,\d+", "a number has no comma", "write decimals like 9.5 and thousands like 1000"),
    (r"-?\.\d+", "a number starts with a digit", "write 0.5"),
    (r"\d+(\.\d+)?\s*%", '"%" is no word of conditions', "write the number alone"),
    (r"\bis\s+(not\s+)?(null|none|empty|unset|missing)\b", "this is no test", 'write "is set" or "is not set"'),
    (r"\bis\s+(not\s+)?(true|false)\b", "this is no test", 'write "= true", or the fact alone'),
    (r"\bis\s+(not\s+)?[^\s()]+", 'after "is" comes "set" or "not set"', 'to compare values write "=" or "!="'),
    (r"\bdays_(since|until)\s+\w+", "the instant stands in parentheses", "write days_since(last_order)"),
    (r"\b(like|contains|startswith|matches)\b", "text is compared as a whole", 'write "=", "!=" or in ("a", "b")'),
)

VALUE_EXPECTED = "NUMBER"

JOIN = '"and", "or" or the end'
# What the grammar would accept, by a token that tells: the first that is acceptable says what to write.
EXPECTED: tuple[tuple[str, Found], ...] = (
    ("COMPARE", ("a comparison", 'write one such as ">= 1", "in (1, 2)" or "is set"')),
    ("_SET", ('"set"', 'write "is set" or "is not set"')),
    ("_NOT", ("a condition", 'write one such as "orders >= 1"')),
    (VALUE_EXPECTED, ("a fact or a value", "facts are written as they are, text in quotes, dates like 2026-01-31")),
    ("_BETWEEN", ('"in" or "between"', 'write not in ("a", "b") or not between 3 and 7')),
    ("_OR", (JOIN, 'join two conditions with "and" or "or"')),
    ("_COMMA", ("a comma or a closing parenthesis", 'write in ("a", "b")')),
    ("_AND", ('"and"', "write between 3 and 7")),
    ("_LPAR", ("a list in parentheses", 'write in ("a", "b")')),
    ("_RPAR", ("a closing parenthesis", "")),
)


def complaint(text: str, error: UnexpectedInput, tokens: Tokens) -> ConditionError:
    token = error.token if isinstance(error, UnexpectedToken) else None
    at_end = token is not None and token.type == "$END"
    offset = len(text.rstrip()) if at_end else int(error.pos_in_stream or 0)
    for pattern, message, suggestion in SLIPS:
        for slip in re.finditer(pattern, text, re.IGNORECASE):
            if slip.start() <= offset < slip.end():
                return ConditionError(text, slip.start(), message, suggestion)
    if not isinstance(error, UnexpectedToken):
        return ConditionError(text, offset, *_unknown_character(text[offset]))
    if at_end:
        return _ended(text, offset, error, tokens)
    return ConditionError(text, offset, *_misplaced(text, error))


def _unknown_character(character: str) -> Found:
    if character in "\"'":
        return "this text has no closing quote", f"write {character} after it too"
    return f'"{character}" has no meaning in a condition', "facts are words, text stands in quotes"


def _ended(text: str, offset: int, error: UnexpectedToken, tokens: Tokens) -> ConditionError:
    open_at: list[int] = []
    for token in tokens(text):
        if token.type == "_LPAR":
            open_at.append(token.start_pos or 0)
        elif token.type == "_RPAR":
            open_at.pop()
    if open_at and "_RPAR" in (error.accepts or ()):
        return ConditionError(text, open_at[-1], "this parenthesis is never closed", 'a ")" is missing')
    expected, suggestion = _expected(error)
    return ConditionError(text, offset, f"the condition ends where {expected} is expected", suggestion)


def _misplaced(text: str, error: UnexpectedToken) -> Found:
    token, accepts = error.token, error.accepts or set()
    if token.type == "_RPAR" and VALUE_EXPECTED not in accepts:
        return "this parenthesis closes nothing", 'leave it out, or open it with a "("'
    if token.type == "COMPARE" and text[: token.start_pos].rstrip().endswith(")"):
        return f"after this parenthesis comes {JOIN}", "parentheses stand around whole conditions, not around a fact"
    if token.type == "COMPARE" and "_OR" in accepts:
        return "a comparison has two sides only", 'for a range write "between 3 and 7"'
    expected, suggestion = _expected(error)
    written = token if token.type == "TEXT" else f'"{token}"'
    return f"{written} stands where {expected} is expected", suggestion


def _expected(error: UnexpectedToken) -> Found:
    accepts = error.accepts or set()
    for terminal, found in EXPECTED:
        if terminal in accepts:
            return found
    return "the end of the condition", 'join two conditions with "and" or "or"'
