"""Survey files: what is read, in which language it is asked, and what is told of mistakes."""

import re
from pathlib import Path

import pytest

from automation.errors import BadFiles
from automation.messages.sources import read_sources
from automation.messages.templates import compile_template
from automation.playbooks.survey_files import SurveyFiles, read_survey, read_surveys
from automation.playbooks.surveys import Survey
from automation.settings import load
from automation.tomlfile import parse_toml

ROOT = Path(__file__).parents[2]
GOOD = """name = "Boxes"
property = "packaging"
question = { en = "How?", pl = "Jak?", pt-BR = "Como?" }
thanks = { en = "Thanks", pl = "Dzięki", pt-BR = "Obrigado" }
scale = { from = 1, to = 3, low = { en = "bad", pl = "źle", pt-BR = "mal" } }
"""
CHOICES = """name = "Boxes"
property = "packaging"
question = { en = "How?" }
thanks = { en = "Thanks" }
[[choices]]
key = "good"
text = { en = "Good" }
[[choices]]
key = "bad"
text = { en = "Bad" }
"""


def read(text: str, key: str = "boxes") -> Survey:
    return read_survey(parse_toml(text, "boxes.toml"), key)


def test_a_scale_is_answered_with_numbers_and_choices_with_their_keys() -> None:
    assert read(GOOD).answers == {"1": 1, "2": 2, "3": 3}
    assert read(CHOICES).answers == {"good": "good", "bad": "bad"}


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        (("pl-PL", "en"), "pl"),
        (("pt-BR", "en"), "pt-BR"),
        (("pt-PT", "pl"), "pl"),
        ((None, "pl"), "pl"),
        (("ja", "de"), "en"),
    ],
)
def test_a_question_is_put_in_the_customers_language_or_in_one_there_is(
    locales: tuple[str | None, str], language: str
) -> None:
    assert read(GOOD).language(*locales) == language


@pytest.mark.parametrize(
    ("text", "old", "new", "place", "message"),
    [
        (GOOD, "thanks =", "thansk =", (4, 1), 'unknown key "thansk"'),
        (GOOD, "to = 3", "to = 11", (5, 26), "at most 10"),
        (GOOD, "to = 3", "to = 1", (5, 26), "from its lowest number up"),
        (GOOD, "from = 1", "from = 1.5", (5, 18), "a whole number"),
        (GOOD, '"packaging"', '"comment"', (2, 12), "has a meaning already"),
        (GOOD, '"packaging"', '"Pack"', (2, 12), "small letters"),
        (GOOD, 'en = "How?"', 'EN = "How?"', (3, 14), 'written like "pl"'),
        (GOOD, '{ en = "How?", pl = "Jak?", pt-BR = "Como?" }', "{}", (3, 12), "in one language"),
        (GOOD, ', pl = "Dzięki"', "", (4, 1), 'not said in "pl"'),
        (GOOD, ', pl = "Jak?"', "", (4, 27), 'not put in "pl"'),
        (CHOICES, '"bad"', '"good"', (9, 7), "twice"),
        (CHOICES, '[[choices]]\nkey = "bad"\ntext = { en = "Bad" }\n', "", (5, 3), "2 to 20 answers"),
        (CHOICES, "[[choices]]", "[scale]\nfrom = 1\nto = 2\n[[choices]]", (1, 1), "either a [scale] or [[choices]]"),
        (GOOD, "scale =", "#", (1, 1), "either a [scale] or [[choices]]"),
    ],
)
def test_a_mistake_is_told_with_its_place(text: str, old: str, new: str, place: tuple[int, int], message: str) -> None:
    assert old in text
    with pytest.raises(BadFiles) as told:
        read(text.replace(old, new, 1))
    problem = next(one for one in told.value.problems if message in one.message)
    assert (problem.line, problem.column) == place


def test_the_files_name_is_the_key_and_must_be_fit_for_a_link() -> None:
    with pytest.raises(BadFiles, match="cannot be the key of a survey"):
        read(GOOD, "My Boxes")


def test_the_guides_example_is_a_survey() -> None:
    guide = (ROOT / "playbooks/README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(# surveys/.*?)^```", guide, re.DOTALL | re.MULTILINE)
    assert read(example).answers == {str(point): point for point in range(1, 6)}


def test_the_shipped_surveys_are_asked_in_every_language_of_our_pages() -> None:
    surveys, problems = read_surveys(load(ROOT / "config.toml"))
    assert problems == []
    assert {"nps", "csat", "leaving"} <= surveys.keys()
    for survey in surveys.values():
        assert survey.model.question.keys() == {"de", "en", "es", "fr", "it", "pl", "ru", "zh"}


def test_the_answers_that_shipped_templates_offer_can_be_given() -> None:
    surveys, _ = read_surveys(load(ROOT / "config.toml"))
    offered = {
        (key, answer.strip("\"'"))
        for path in (ROOT / "templates").glob("*/*.*")
        for key, answer in re.findall(r"[\"'](\w+)[\"'] \| survey\(([^)]+)\)", path.read_text(encoding="utf-8"))
    }
    assert offered
    assert [(key, answer) for key, answer in offered if answer not in surveys[key].answers] == []


def test_a_shop_without_surveys_has_none_and_a_new_one_is_seen(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("", encoding="utf-8")
    files = SurveyFiles(load(tmp_path / "config.toml"))
    assert files.surveys() == {}
    (tmp_path / "playbooks/surveys").mkdir(parents=True)
    (tmp_path / "playbooks/surveys/boxes.toml").write_text(GOOD, encoding="utf-8")
    assert files.surveys().keys() == {"boxes"}


def test_a_template_is_known_by_the_surveys_it_links_to() -> None:
    sources = read_sources(ROOT / "templates", "nps_survey/recommend", "email")
    assert all(compile_template(source).surveys == {"nps"} for source in sources.values())
