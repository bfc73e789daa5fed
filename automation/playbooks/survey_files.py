"""Reading the folder of surveys."""

import logging
from collections.abc import Iterator, Mapping
from pathlib import Path

from automation.errors import BadFiles, Problem
from automation.playbooks.load import bad_key, shown
from automation.playbooks.surveys import Survey, SurveyModel
from automation.settings import Settings
from automation.tomlfile import KeyPath, Stamps, TomlFile, read_toml, stamps, validated

log = logging.getLogger(__name__)
FOLDER = "surveys"


def survey_files(settings: Settings) -> list[Path]:
    """Those beside the playbooks; a shop that asks nothing has no such folder."""
    return sorted((settings.path(settings.paths.playbooks) / FOLDER).glob("*.toml"))


def read_surveys(settings: Settings) -> tuple[dict[str, Survey], list[Problem]]:
    """By key, those without a mistake, and everything that is wrong."""
    surveys: dict[str, Survey] = {}
    problems: list[Problem] = []
    for path in survey_files(settings):
        try:
            surveys[path.stem] = read_survey(read_toml(path, shown(settings, path)), path.stem)
        except BadFiles as bad:
            problems += bad.problems
    return surveys, problems


def read_survey(file: TomlFile, key: str) -> Survey:
    """Raises BadFiles with one problem for each thing wrong."""
    model = validated(SurveyModel, file)
    problems = [*bad_key(file, key, "survey"), *_twice(file, model), *_unsaid(file, model)]
    if problems:
        raise BadFiles(problems)
    return Survey(key, model)


def _twice(file: TomlFile, model: SurveyModel) -> Iterator[Problem]:
    keys = [choice.key for choice in model.choices or ()]
    for index, key in enumerate(keys):
        if key in keys[:index]:
            yield file.problem(("choices", index, "key"), f'the answer "{key}" is there twice', "keys are unique")


def _unsaid(file: TomlFile, model: SurveyModel) -> Iterator[Problem]:
    """A page is in one language from its question to its thanks."""
    for path, texts in _texts(model):
        for language in model.question.keys() - texts.keys():
            yield file.problem(path, f'this is not said in "{language}", but the question is', at_key=True)
        for language in texts.keys() - model.question.keys():
            hint = f'ask the question in "{language}" as well, or leave this out'
            yield file.problem((*path, language), f'the question is not put in "{language}"', hint, at_key=True)


def _texts(model: SurveyModel) -> Iterator[tuple[KeyPath, Mapping[str, str]]]:
    """All but the question, with their places."""
    scale = model.scale
    said: dict[KeyPath, Mapping[str, str] | None] = {("comment",): model.comment, ("thanks",): model.thanks}
    said |= {("scale", "low"): scale.low, ("scale", "high"): scale.high} if scale else {}
    said |= {("choices", index, "text"): choice.text for index, choice in enumerate(model.choices or ())}
    yield from ((path, texts) for path, texts in said.items() if texts is not None)


class SurveyFiles:
    """The surveys, read again when a file changes. A broken one leaves what could be read of it before in force."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen: Stamps | None = None
        self._surveys: dict[str, Survey] = {}

    def surveys(self) -> Mapping[str, Survey]:
        paths = survey_files(self._settings)
        seen = stamps(paths)
        if seen != self._seen:
            found, problems = read_surveys(self._settings)
            for problem in problems:
                log.error("a survey file has a problem; what was read before stays in force: %s", problem)
            there = {path.stem for path in paths}
            kept = {key: survey for key, survey in self._surveys.items() if key in there}
            self._surveys, self._seen = kept | found, seen
        return self._surveys
