"""What the writer of a condition is told when it cannot be read."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from automation.errors import BadFiles
from automation.lifecycle.conditions import ConditionError, Name, Vocabulary, read_condition, read_condition_in
from automation.tomlfile import TomlFile, parse_toml

VOCABULARY = Vocabulary(
    {
        "orders": Name("number"),
        "revenue": Name("number"),
        "plan": Name("text"),
        **dict.fromkeys(("can_email", "can_sms"), Name("boolean")),
        **dict.fromkeys(("last_order", "signed_up"), Name("instant")),
        "stage": Name("text"),
        "days_in_stage": Name("number", days_of="stage_since"),
    },
    {"awareness": ("aware",), "loyalty": ("loyal",)},
)
WITHOUT_STAGE = Vocabulary({"orders": Name("number")}, VOCABULARY.stages)


def refused(text: str, vocabulary: Vocabulary = VOCABULARY) -> ConditionError:
    with pytest.raises(ConditionError) as caught:
        read_condition(text, vocabulary)
    return caught.value


# The place is where ^ stands in the condition.
@pytest.mark.parametrize(
    ("marked", "message", "suggestion"),
    [
        # names
        ("^ordrs >= 1", 'there is no fact "ordrs"', 'did you mean "orders"?'),
        ("plan = ^gold", 'there is no fact "gold"', 'a text stands in quotes: "gold"'),
        ("plan in (^gold)", "gold is a fact", 'write "gold"'),
        ("^days_sinc(last_order) > 3", 'there is no function "days_sinc"', 'did you mean "days_since"?'),
        ('stage = ^"loyalti"', 'there is no stage "loyalti"', 'did you mean "loyalty"?'),
        ('stage != ^"loyal"', 'there is no stage "loyal"', 'write role = "loyal"'),
        ('role in ("loyal", ^"loyalty")', 'there is no role "loyalty"', 'write stage = "loyalty"'),
        # types
        ('orders = ^"3"', 'orders is a number, and "3" is a text', "compare it with a number"),
        ("plan = ^3", "plan is a text, and 3 is a number", "text in quotes"),
        ('last_order > ^"2026-01-31"', "last_order is a point in time", "without quotes"),
        ("days_since(last_order) > ^2026-01-31", "days_since(last_order) is a number", "with a number"),
        ("can_sms = ^1", "can_sms is yes or no, and 1 is a number", "true or false"),
        ("^can_sms > true", 'no order for ">"', 'use "=", "!=" or "in"'),
        ('^plan between "a" and "b"', 'no order for "between"', 'use "=", "!=" or "in"'),
        ("^plan < plan", 'no order for "<"', 'use "=", "!=" or "in"'),
        ("plan = ^orders", "plan is a text and orders is a number", "the same type"),
        ("^can_sms = can_email", "two yes-or-no facts", '"and"'),
        ("^days_since(last_order) > orders", "compared with a number only", "number of days"),
        ("orders > ^days_in_stage", "compared with a number only", "number of days"),
        ("^stage = plan", "compared with values only", "in quotes"),
        ("^orders and can_sms", "orders is a number, and alone", "compare it"),
        ("^days_since(signed_up)", "is a number, and alone", "compare it"),
        ("days_since(^orders) > 3", "orders is a number", "known: last_order, signed_up"),
        ("days_since(^3) > 3", "takes a fact", "days_since(signed_up)"),
        ("^1 = 2", "two values", "must be a fact"),
        ("^true", "true is a value", "known: "),
        ("orders between ^7 and 3", "nothing lies in this range", "between 3 and 7"),
        ("orders between 3 and ^revenue", "revenue is a fact", "for example 3"),
        # slips
        ("orders ^=> 1", '"=>" is no comparison', 'did you mean ">="?'),
        ("orders ^=< 1", '"=<" is no comparison', 'did you mean "<="?'),
        ("orders ^<> 1", '"<>" is no comparison', 'did you mean "!="?'),
        ("can_email ^&& can_sms", "no word", 'did you mean "and"?'),
        ("can_email ^|| can_sms", "no word", 'did you mean "or"?'),
        ("^!can_sms", "no word", 'did you mean "not"?'),
        ("plan = ^“gold”", "not the quotes of a text", '"text"'),
        ("last_order > ^2026-02-30", "no day of the calendar", "year-month-day"),
        ("last_order > ^2026-1-5", "no date", "2026-01-31"),
        ("last_order > ^31.12.2026", "no date", "2026-01-31"),
        ("last_order > ^2026-01-05T09:00", "only dates", "time of day"),
        ("orders > ^1,5", "no comma", "9.5"),
        ("orders > ^.5", "starts with a digit", "0.5"),
        ("orders ^is null", "no test", 'write "is set" or "is not set"'),
        ('plan ^is "gold"', 'after "is"', 'write "=" or "!="'),
        ('plan ^like "g%"', "as a whole", '"="'),
        ("^days_since last_order > 3", "in parentheses", "days_since(last_order)"),
        ("orders > ^1234567890123456", "more than 15 digits", "shorter"),
        # grammar
        ("can_sms or ^(orders >= 1", "never closed", '")" is missing'),
        ("(orders >= 1)^) and can_sms", "closes nothing", "leave it out"),
        ('plan = ^"gold', "no closing quote", 'write "'),
        ("orders >=^", "the condition ends where a fact or a value is expected", "text in quotes"),
        ("orders >= 1 and^ ", "the condition ends where a condition is expected", "orders >= 1"),
        ("orders >= 1 ^revenue > 0", '"revenue" stands where "and", "or" or the end is expected', '"and" or "or"'),
        ("can_sms ^can_email", '"can_email" stands where a comparison is expected', "is set"),
        ("1 < orders ^< 5", "two sides only", "between 3 and 7"),
        ("(orders) ^> 5", "after this parenthesis", "whole conditions"),
        ("orders between 3^", 'ends where "and" is expected', "between 3 and 7"),
        ('plan in ^"gold"', '"gold" stands where a list in parentheses is expected', 'in ("a", "b")'),
        ("plan in (^)", "a fact or a value is expected", "text in quotes"),
        ("orders not ^3", '"in" or "between" is expected', "not between 3 and 7"),
        ("orders ^@ 3", '"@" has no meaning', "facts are words"),
        ('plan = "a^\0"', "no text can hold", "remove it"),
        ("^ ", "the condition is empty", "leave the key out"),
    ],
)
def test_an_error_says_where_what_and_how_instead(marked: str, message: str, suggestion: str) -> None:
    error = refused(marked.replace("^", "", 1))
    assert error.offset == marked.index("^")
    assert message in error.message
    assert suggestion in error.hint.splitlines()[-1]
    assert "\n" not in error.message


@pytest.mark.parametrize("text", ['stage = "loyalty"', "orders > 1 and role is set", "days_in_stage > 3"])
def test_a_stage_rule_cannot_depend_on_the_stage_itself(text: str) -> None:
    assert "a stage's rule cannot depend on the stage itself" in refused(text, WITHOUT_STAGE).message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("(" * 1000 + "can_sms" + ")" * 1000, "nested deeper"),
        ("not " * 1000 + "can_sms", "nested deeper"),
        ("(" * 2000, "the condition ends"),
        ("can_sms or " * 10_000 + "can_sms", "110,007 characters"),
        (" or ".join(["x"] * 501), "more than 500 facts and values"),
        ("orders in (" + ",".join(["1"] * 500) + ")", "more than 500 facts and values"),
    ],
)
def test_a_condition_that_is_too_deep_or_too_long_is_refused(text: str, message: str) -> None:
    assert message in refused(text).message


def test_the_caret_stands_under_the_place_in_its_line_even_in_a_long_one() -> None:
    several = refused("can_sms\nand\tordrs > 1\nor can_email")
    assert several.hint.splitlines() == ["and ordrs > 1", "    ^", 'did you mean "orders"?']
    line, caret, _ = refused("can_sms or " * 50 + "ordrs > 1").hint.splitlines()
    assert line[caret.index("^") :].startswith("ordrs")


WORDS = """
    orders plan can_sms last_order stage role days_in_stage days_since( days_until( ( ) , and or NOT in between
    is set true = == != < >= 3 -2.5 2026-01-31 2026-99-99 'a' "loyalty" ' " & ! => \\ ż 1,5 null
"""


def answer(text: str) -> ConditionError | None:
    try:
        read_condition(text, VOCABULARY)
    except ConditionError as error:
        return error
    return None


@settings(max_examples=400, deadline=None, derandomize=True, database=None)
@given(st.lists(st.sampled_from(WORDS.split()), max_size=12).map(" ".join) | st.text(max_size=30))
def test_whatever_is_written_is_a_condition_or_an_error_with_a_place(text: str) -> None:
    error = answer(text)
    assert error is None or 0 <= error.offset <= len(text)
    assert error is None or "Token" not in error.message


def toml(text: str) -> TomlFile:
    return parse_toml(text, "playbooks/win_back.toml")


def test_in_a_file_the_error_has_the_place_in_the_file() -> None:
    file = toml('name = "x"\n[[steps]]\nwhen = "can_sms and ordrs > 1"\n')
    with pytest.raises(BadFiles) as caught:
        read_condition_in(file, ("steps", 0, "when"), VOCABULARY)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line, problem.column) == ("playbooks/win_back.toml", 3, 21)
    assert problem.message == 'there is no fact "ordrs"'
    assert problem.hint == 'can_sms and ordrs > 1\n            ^\ndid you mean "orders"?'


def test_in_a_text_of_several_lines_the_place_is_in_its_line() -> None:
    file = toml("when = '''\ncan_sms\nand ordrs > 1\n'''\n")
    with pytest.raises(BadFiles) as caught:
        read_condition_in(file, ("when",), VOCABULARY)
    assert (caught.value.problems[0].line, caught.value.problems[0].column) == (3, 5)


def test_a_condition_in_a_file_must_be_a_text() -> None:
    with pytest.raises(BadFiles, match=r"win_back.toml:1:8: a condition is a text"):
        read_condition_in(toml("when = true\n"), ("when",), VOCABULARY)


def test_a_condition_that_is_right_is_read_from_its_file() -> None:
    condition = read_condition_in(toml("when = 'orders >= 1'"), ("when",), VOCABULARY)
    assert condition.text == "orders >= 1"
