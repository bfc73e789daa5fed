"""What people mean by the texts that they send us."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.regions import meaning_of
from automation.regions.words import words

SHOWN = ["{}", "{}!", "  {} ", '"{}."', "{}\n"]


@pytest.mark.parametrize(
    "word", ["STOP", "Stop All", "unsubscribe", "CANCEL", "end", "Quit", "revoke", "OPT-OUT", "S T O P"]
)
@pytest.mark.parametrize("shown", SHOWN)
def test_the_whole_text_is_a_stop_word_in_any_case_and_with_any_punctuation(word: str, shown: str) -> None:
    assert meaning_of(shown.format(word), []) == "stop"


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("ARRÊT", "fr"),
        ("arret", "fr-CA"),
        ("Rezygnuję", "pl-PL"),
        ("REZYGNUJE", "pl"),
        ("baja.", "es"),
        ("退订", "zh-CN"),
    ],
)
def test_stop_words_of_the_customers_language_count_with_and_without_accents(text: str, locale: str) -> None:
    assert meaning_of(text, [locale]) == "stop"


def test_words_of_languages_that_nobody_there_speaks_mean_nothing() -> None:
    assert meaning_of("Alto", ["it"]) is None
    assert meaning_of("Alto", ["it", "es"]) == "stop"


def test_stop_is_understood_in_every_language() -> None:
    assert {meaning_of("stop", [language]) for language in words()} == {"stop"}


@pytest.mark.parametrize(
    ("text", "locale"),
    [
        ("Please stop texting me", "en"),
        ("DON'T TEXT me again!!", "en"),
        ("Don’t contact me", "en"),
        ("you have the wrong number", "en"),
        ("Non scrivetemi più, grazie", "it"),
        ("Bitte keine SMS mehr", "de"),
        ("ne m’écrivez plus", "fr"),
        ("no más mensajes por favor", "es"),
        ("To pomyłka", "pl"),
        ("请不要再发了", "zh"),
    ],
)
def test_a_phrase_inside_a_text_is_suspected(text: str, locale: str) -> None:
    assert meaning_of(text, [locale]) == "suspected"


@pytest.mark.parametrize(
    "text", ["", " ", "...", "Thanks, see you at the end of the month", "yes", "I love the hat", "🎩"]
)
def test_other_texts_mean_nothing(text: str) -> None:
    assert meaning_of(text, ["en", "it", "xx", ""]) is None


@pytest.mark.parametrize(
    ("text", "locale", "meaning"), [("START", "it", "start"), ("Hilfe?", "de", "help"), ("INFO", "pl", "help")]
)
def test_start_and_help_are_understood(text: str, locale: str, meaning: str) -> None:
    assert meaning_of(text, [locale]) == meaning


def test_a_plain_yes_starts_only_where_that_is_configured() -> None:
    assert meaning_of("Sì", ["it"]) is None
    assert meaning_of("Sì", ["it"], yes_starts=True) == "start"


def test_every_word_of_the_file_means_what_it_is_listed_for() -> None:
    for language, known in words().items():
        assert {meaning_of(one, [language]) for one in known.stop} == {"stop"}
        assert {meaning_of(one, [language]) for one in known.start} <= {"start"}
        assert {meaning_of(one, [language]) for one in known.help} <= {"help"}
        assert {meaning_of(f"hm {one} hm", [language]) for one in known.phrases} == {"suspected"}


@given(st.text(), st.lists(st.text(max_size=5), max_size=3), st.booleans())
def test_any_text_can_be_read(text: str, locales: list[str], yes_starts: bool) -> None:
    assert meaning_of(text, locales, yes_starts=yes_starts) in {None, "stop", "start", "help", "suspected"}
