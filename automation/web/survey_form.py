"""The form of a survey: the answers as radio buttons, a row for a scale and a list for choices, and room for words."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl

from markupsafe import Markup

from automation.delivery.outcomes.surveys import fit_comment
from automation.playbooks.surveys import COMMENT, Survey
from automation.web.survey_words import SurveyWords

CHOICE = "a"
LONGEST_COMMENT = 2_000  # characters
MOST_FIELDS = 20
FORM = Markup("""<form method="post" action="?" autocomplete="off">
<fieldset class="answers" aria-label="{question}">
<div class="{kind}">
{answers}
</div>
{ends}</fieldset>
{comment}<button>{button}</button>
</form>""")
ANSWER = Markup("""<label><input type="radio" name="a" value="{value}" required{checked}{described}>\
<span>{label}</span></label>""")
ENDS = Markup('<div class="ends">{low}{high}</div>\n')
END = Markup('<span id="{id}">{point} = {text}</span>')
WORDS_OF_THEIR_OWN = Markup("""<label class="question" for="comment">{label} <span class="optional">({optional})</span>\
</label>
<textarea id="comment" name="comment" rows="4" maxlength="{most}">
{comment}</textarea>
""")  # a line end at the beginning is not part of the text


@dataclass(frozen=True)
class Filled:
    """What stands in the form: `value` as the form says it, and not always an answer of the survey."""

    value: str = ""
    comment: str = ""


def read_form(body: bytes) -> Filled | None:
    """None for what is no form."""
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return None
    found = dict(fields)
    return Filled(found.get(CHOICE, ""), fit_comment(found.get(COMMENT, "")))


def form_of(survey: Survey, language: str, words: SurveyWords, filled: Filled, button: str) -> Markup:
    scale = survey.model.scale
    labels = labels_of(survey, language)
    described = _described(survey)
    return FORM.format(
        question=survey.model.question[language],
        kind="scale" if scale else "choices",
        answers=Markup("\n").join(
            _answer(value, label, value == filled.value, described.get(value)) for value, label in labels.items()
        ),
        ends=_ends(survey, language),
        comment=_comment(survey, language, words, filled.comment),
        button=button,
    )


def labels_of(survey: Survey, language: str) -> Mapping[str, str]:
    """What stands beside each answer."""
    if survey.model.choices is None:
        return {value: value for value in survey.answers}
    return {choice.key: choice.text[language] for choice in survey.model.choices}


def _answer(value: str, label: str, is_chosen: bool, described: str | None) -> Markup:
    return ANSWER.format(
        value=value,
        label=label,
        checked=Markup(" checked") if is_chosen else "",
        described=Markup(' aria-describedby="{}"').format(described) if described else "",
    )


def _described(survey: Survey) -> Mapping[str, str]:
    """Which note says what an answer means."""
    scale = survey.model.scale
    if scale is None:
        return {}
    notes = {str(scale.from_): "low" if scale.low else "", str(scale.to): "high" if scale.high else ""}
    return {value: note for value, note in notes.items() if note}


def _ends(survey: Survey, language: str) -> Markup:
    scale = survey.model.scale
    if scale is None or not (scale.low or scale.high):
        return Markup()
    low = END.format(id="low", point=scale.from_, text=scale.low[language]) if scale.low else ""
    high = END.format(id="high", point=scale.to, text=scale.high[language]) if scale.high else ""
    return ENDS.format(low=low, high=high)


def _comment(survey: Survey, language: str, words: SurveyWords, comment: str) -> Markup:
    asked = survey.model.comment
    if asked is None:
        return Markup()
    return WORDS_OF_THEIR_OWN.format(
        label=asked[language], optional=words.optional, most=LONGEST_COMMENT, comment=comment
    )
