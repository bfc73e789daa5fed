"""What is wrong between surveys, the templates that link to them, and the facts that are made of their answers."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace

from automation.customers.facts.definition import FactDefinitions
from automation.customers.facts.model import MEASURES
from automation.errors import BadFiles, Problem
from automation.messages.sources import read_sources
from automation.messages.templates import compile_template
from automation.playbooks.load import shown
from automation.playbooks.survey_files import read_surveys, survey_files
from automation.playbooks.surveys import EVENT, Survey
from automation.settings import Settings
from automation.tomlfile import read_toml

Uses = Iterable[tuple[str, str]]


def check_surveys(
    settings: Settings, surveys: dict[str, Survey], facts: FactDefinitions | None, uses: Uses
) -> Iterator[Problem]:
    """Of surveys without a mistake of their own. `uses`: name and channel of every template that a playbook has."""
    linked = _linked(settings, uses)
    for path in survey_files(settings):
        survey = surveys.get(path.stem)
        if survey is None:
            continue
        file = read_toml(path, shown(settings, path))
        for locale, template in sorted(linked.get(survey.key, {}).items()):
            if not _speaks(survey, locale):
                message = f'the question is not put in "{locale}", in which {template} asks it'
                problem = file.problem(("question",), message, f'write {locale} = "…"', at_key=True)
                yield problem if locale in settings.business.locales else replace(problem, severity="warning")
        if facts is not None and not _is_seen(survey, facts):
            name = survey.model.property
            hint = f'in facts.toml: event = "{EVENT}", latest = "{name}"'
            yield replace(file.problem(("property",), f'no fact is made of "{name}"', hint), severity="warning")


def known_surveys(settings: Settings) -> dict[str, Collection[str]]:
    """All by key, with their answers. Those with mistakes have none here, and may be linked to all the same."""
    surveys, _ = read_surveys(settings)
    return {path.stem: surveys[path.stem].answers if path.stem in surveys else () for path in survey_files(settings)}


def _linked(settings: Settings, uses: Uses) -> dict[str, dict[str, str]]:
    """By survey the locales of the templates that link to it, each with one of them."""
    root = settings.path(settings.paths.templates)
    found: dict[str, dict[str, str]] = {}
    for name, channel in uses:
        try:
            templates = [compile_template(source) for source in read_sources(root, name, channel).values()]
        except BadFiles:
            continue  # told where the template is checked
        for template in templates:
            for key in template.surveys:
                found.setdefault(key, {}).setdefault(template.source.locale, template.source.file)
    return found


def _speaks(survey: Survey, locale: str) -> bool:
    return locale in survey.model.question or locale.partition("-")[0] in survey.model.question


def _is_seen(survey: Survey, facts: FactDefinitions) -> bool:
    """A fact that measures nothing is told wrong already; it may have been meant for this one."""
    measured = [
        [getattr(fact.model, one) for one in MEASURES if getattr(fact.model, one) is not None]
        for fact in facts.facts
        if EVENT in fact.events
    ]
    return any(not names or survey.model.property in names for names in measured)
