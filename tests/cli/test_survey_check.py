"""What `automation check` and `preview` say of surveys."""

from pathlib import Path

import pytest
from starting import english_starter
from typed import Done, Run

TEMPLATE = "templates/nps_survey/recommend.en.md"
NPS = "playbooks/surveys/nps.toml"


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    english_starter(tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path / "shop"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def told(done: Done) -> list[tuple[str, str, str, str]]:
    return [(one["file"], one["severity"], one["message"], one["hint"]) for one in done.json["problems"]]


def test_a_survey_that_is_not_there_is_an_error_with_a_suggestion(shop: Path, run: Run) -> None:
    change(shop / TEMPLATE, '"nps" | survey(0)', '"npss" | survey(0)')
    done = run("check", "--json")
    assert done.code == 2
    assert told(done) == [(TEMPLATE, "error", 'there is no survey "npss"', 'did you mean "nps"?')]
    assert done.json["problems"][0]["line"] > 3


def test_an_answer_that_cannot_be_given_is_an_error_with_a_suggestion(shop: Path, run: Run) -> None:
    change(shop / TEMPLATE, '"nps" | survey(0)', '"nps" | survey(11)')
    leaving = "templates/why_did_you_leave/one_question.en.md"
    change(shop / leaving, '"leaving" | survey("range")', '"leaving" | survey("rnage")')
    assert told(run("check", "--json")) == [
        (TEMPLATE, "error", '"11" is no answer to "nps"', 'did you mean "1"?'),
        (leaving, "error", '"rnage" is no answer to "leaving"', 'did you mean "range"?'),
    ]


def test_a_language_that_a_template_has_and_the_question_lacks_is_a_warning(shop: Path, run: Run) -> None:
    (shop / TEMPLATE.replace(".en.", ".cs.")).write_bytes((shop / TEMPLATE).read_bytes())
    found = [one for one in told(run("check", "--json")) if one[0] == NPS]
    template = TEMPLATE.replace(".en.", ".cs.")
    message = f'the question is not put in "cs", in which {template} asks it'
    assert found == [(NPS, "warning", message, 'write cs = "…"')]


def test_an_answer_of_which_no_fact_is_made_is_a_warning(shop: Path, run: Run) -> None:
    change(shop / NPS, 'property = "nps"', 'property = "nsp"')
    (found,) = told(run("check", "--json"))
    assert found[:3] == (NPS, "warning", 'no fact is made of "nsp"')


def test_mistakes_in_a_survey_are_told_with_file_and_line(shop: Path, run: Run) -> None:
    change(shop / NPS, "to = 10", "too = 10")
    done = run("check", "--json")
    assert done.code == 2
    assert (NPS, "error", 'unknown key "too"', 'did you mean "to"?') in told(done)


@pytest.mark.usefixtures("shop")
def test_a_preview_shows_a_sample_link(run: Run) -> None:
    shown = run("preview", "nps_survey", "recommend", "--json")
    assert "/s/sample" in shown.json["html"]
    assert "/nps?a=9" in shown.json["html"]
