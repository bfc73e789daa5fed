import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.messages.sms import Segments, costly_characters, segments

VECTORS = Path(__file__).parents[2] / ".." / "shared" / "data" / "sms_vectors.json"

plain = st.text("abc 019@£éÇ\n€[]{}^~|\\")
anything = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("a€я😀"))


def vectors() -> list[Any]:
    if not VECTORS.exists():
        return [pytest.param({}, marks=pytest.mark.skip(reason="the shared SMS vectors are not on this machine"))]
    found = json.loads(VECTORS.read_text(encoding="utf-8"))["vectors"]
    return [pytest.param(vector, id=vector["id"]) for vector in found]


def units(text: str) -> int:
    return segments(text).units


@pytest.mark.parametrize("vector", vectors())
def test_a_text_costs_what_the_shared_vectors_say(vector: dict[str, Any]) -> None:
    length = vector["septets"] if vector["encoding"] == "GSM-7" else vector["code_units"]
    assert segments(vector["text"]) == Segments(vector["encoding"], length, vector["segments"])


def test_an_empty_text_is_one_segment() -> None:
    assert segments("") == Segments("GSM-7", 0, 1)


def test_the_whole_default_alphabet_is_gsm_7() -> None:
    alphabet = (
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    )
    assert segments(alphabet) == Segments("GSM-7", 127, 1)
    assert segments("\f^{}\\[~]|€") == Segments("GSM-7", 20, 1)


def test_an_escape_is_no_character_of_the_alphabet() -> None:
    assert segments("\x1b").encoding == "UCS-2"


def test_a_no_break_space_makes_a_long_text_three_times_as_dear() -> None:
    text = "x" * 150
    assert segments(text) == Segments("GSM-7", 150, 1)
    assert segments(text + "\u00a0") == Segments("UCS-2", 151, 3)


def test_an_extension_character_that_does_not_fit_moves_to_the_next_segment_whole() -> None:
    assert segments("x" * 152 + "€" + "x" * 152) == Segments("GSM-7", 306, 3)


def test_an_emoji_that_does_not_fit_moves_to_the_next_segment_whole() -> None:
    assert segments("я" * 66 + "😀" + "я" * 66) == Segments("UCS-2", 134, 3)


def test_costly_characters_are_named_once_in_order_of_appearance() -> None:
    assert costly_characters("It’s 10\u00a0€ – it’s") == ["’", "\u00a0", "–"]


def test_a_text_of_the_default_alphabet_has_no_costly_characters() -> None:
    assert costly_characters("Ciao @ 10 €, già") == []


@given(anything)
def test_ucs_2_units_are_those_of_utf_16(text: str) -> None:
    found = segments(text)
    assert (found.encoding == "UCS-2") == bool(costly_characters(text))
    assert found.encoding == "GSM-7" or found.units == len(text.encode("utf-16-le")) // 2


@given(plain | anything, st.integers(1, 40))
def test_segments_hold_the_text_with_at_most_one_unit_wasted_in_each(text: str, times: int) -> None:
    found = segments(text * times)
    alone, each = (160, 153) if found.encoding == "GSM-7" else (70, 67)
    if found.units <= alone:
        assert found.segments == 1
    else:
        assert -(-found.units // each) <= found.segments <= -(-found.units // (each - 1))


@given(plain, st.integers(1, 40))
def test_a_longer_text_never_takes_fewer_segments(text: str, times: int) -> None:
    counts = [segments(text * count).segments for count in range(1, times + 1)]
    assert all(one <= next_ for one, next_ in pairwise(counts))
    assert units(text * times) == units(text) * times
