"""The grammar of conditions: text to a syntax tree."""

from functools import cache
from importlib.resources import files

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput

from automation.lifecycle.conditions.complaints import complaint
from automation.lifecycle.conditions.error import ConditionError

MAX_LENGTH = 5_000
OPERANDS = ("NAME", "NUMBER", "DATE", "TEXT", "BOOLEAN")
# SQLite takes expressions some 1,000 deep, and an `or` of 500 is 500 deep: https://www.sqlite.org/limits.html
MAX_OPERANDS = 500


def parse(text: str) -> Tree[Token]:
    """The syntax tree of a condition. Raises ConditionError."""
    _refuse_unreadable(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedInput as error:
        raise complaint(text, error, _tokens) from None
    _refuse_too_many(text)
    return tree


def _refuse_unreadable(text: str) -> None:
    if not text.strip():
        raise ConditionError(text, 0, "the condition is empty", 'write one such as "orders >= 1", or leave the key out')
    if len(text) > MAX_LENGTH:
        message = f"the condition has {len(text):,} characters and may have {MAX_LENGTH:,}"
        raise ConditionError(text, MAX_LENGTH, message, "say it in fewer words")
    for offset, character in enumerate(text):
        if character == "\0" or "\ud800" <= character <= "\udfff":
            raise ConditionError(text, offset, "here is a character that no text can hold", "remove it")


def _refuse_too_many(text: str) -> None:
    operands = [token for token in _tokens(text) if token.type in OPERANDS]
    if len(operands) > MAX_OPERANDS:
        message = f"the condition has more than {MAX_OPERANDS} facts and values"
        raise ConditionError(text, operands[MAX_OPERANDS].start_pos or 0, message, "say it in fewer words")


def _tokens(text: str) -> list[Token]:
    return list(_parser().lex(text))


@cache
def _parser() -> Lark:
    grammar = files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    # The basic lexer keeps keywords keywords: `orders >= and` is about "and", not about a fact of that name.
    return Lark(grammar, parser="lalr", lexer="basic", start="either", propagate_positions=True)
