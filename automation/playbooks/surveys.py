"""A survey: one question with its answers, in the languages of those who are asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StrictInt,
    ValidationInfo,
    field_validator,
    model_validator,
)

EVENT = "Survey Answered"
COMMENT = "comment"
# What else the event of an answer tells; the answer itself has a property of its own.
TOLD_BESIDES = frozenset({"survey", COMMENT, "message_id", "playbook"})
KEY = r"^[a-z][a-z0-9_]*$"
LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z]{2})?")
FEWEST, MOST = 2, 20  # choices
LOWEST, HIGHEST = 0, 10  # points of a scale


def _language(key: str) -> str:
    if not LANGUAGE.fullmatch(key):
        raise ValueError('a language is written like "pl" or "pt-BR"')
    return key


def _some(texts: dict[str, str]) -> dict[str, str]:
    if not texts:
        raise ValueError('say it in one language at least, like { en = "…" }')
    return texts


Text = Annotated[str, Field(min_length=1, max_length=500)]
Texts = Annotated[dict[Annotated[str, AfterValidator(_language)], Text], AfterValidator(_some)]
Point = Annotated[StrictInt, Field(ge=LOWEST, le=HIGHEST)]


class ScaleModel(BaseModel):
    """Whole numbers to choose from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    from_: Point = Field(alias="from")
    to: Point
    low: Texts | None = Field(None, description="what the lowest number means")
    high: Texts | None = Field(None, description="what the highest number means")

    @field_validator("to")
    @classmethod
    def _upwards(cls, to: int, info: ValidationInfo) -> int:
        if to <= info.data.get("from_", LOWEST - 1):
            raise ValueError("a scale goes from its lowest number up")
        return to


class ChoiceModel(BaseModel):
    """One answer in words; the key is what is kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(pattern=KEY)
    text: Texts


class SurveyModel(BaseModel):
    """The keys of a survey file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    property: str = Field(pattern=KEY, description=f'what the answer is called in the event "{EVENT}"')
    question: Texts
    comment: Texts | None = Field(None, description="asks for words of their own; without it there is no such field")
    thanks: Texts
    scale: ScaleModel | None = None
    choices: tuple[ChoiceModel, ...] | None = None

    @field_validator("property")
    @classmethod
    def _free(cls, name: str) -> str:
        if name in TOLD_BESIDES:
            raise ValueError(f'"{name}" has a meaning already; call the answer otherwise')
        return name

    @field_validator("choices")
    @classmethod
    def _enough(cls, choices: tuple[ChoiceModel, ...] | None) -> tuple[ChoiceModel, ...] | None:
        if choices is not None and not FEWEST <= len(choices) <= MOST:
            raise ValueError(f"there are {FEWEST} to {MOST} answers to choose from")
        return choices

    @model_validator(mode="after")
    def _one_way(self) -> "SurveyModel":
        if (self.scale is None) == (self.choices is None):
            raise ValueError("a survey has either a [scale] or [[choices]]")
        return self


@dataclass(frozen=True)
class Survey:
    """A survey under the key that templates and links call it by: its file's stem."""

    key: str
    model: SurveyModel

    @cached_property
    def answers(self) -> Mapping[str, int | str]:
        """What may be answered, as a form says it and as it is kept."""
        scale = self.model.scale
        if scale is not None:
            return {str(point): point for point in range(scale.from_, scale.to + 1)}
        return {choice.key: choice.key for choice in self.model.choices or ()}

    def language(self, *locales: str | None) -> str:
        """The first of these locales in which the question is put, as it is or without its country; else English,
        else whatever there is.
        """
        written = self.model.question
        asked = [part for locale in locales if locale for part in (locale, locale.replace("_", "-").split("-")[0])]
        return next((one for one in (*asked, "en") if one in written), next(iter(written)))
