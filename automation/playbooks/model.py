"""A playbook file, read and checked."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from automation.lifecycle.conditions import Condition
from automation.values import ClockTime, Duration

Family = Literal[
    "trial_offer",
    "purchase_nudge",
    "loyalty_reward",
    "referral_ask",
    "win_back",
    "onboarding",
    "survey",
    "care",
    "usage",
    "upgrade",
]
Key = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=100)]
Share = Annotated[float, Field(ge=0, le=1)]
ANSWERS_AGAIN = timedelta(minutes=10)  # two machines would answer each other for ever
MAIN = "main"
HOLDOUT = "holdout"


class PlaybookPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Variant(PlaybookPart):
    key: Key
    template: str = Field(min_length=1)
    weight: float = Field(gt=0, le=1, description="share of the customers who get it")

    @field_validator("key")
    @classmethod
    def _no_arm_of_ours(cls, key: str) -> str:
        if key in {MAIN, HOLDOUT}:
            raise ValueError(f'"{key}" is the name of an arm that is always there; choose another')
        return key


class StepModel(PlaybookPart):
    """One message, after a delay."""

    key: Key
    channel: Literal["email", "sms"]
    template: str = Field(min_length=1, description="templates/<template>.<locale>.<md|mjml|txt>")
    after: Duration = Field(timedelta(0), description="after the previous step was sent or skipped")
    at: ClockTime | None = Field(None, description="preferred local time of the customer")
    when: str | None = Field(None, description="a step whose condition is false is skipped")
    late_by: Duration = Field(timedelta(hours=24), description="later than this it expires instead of being sent")
    on_unknown: Literal["hold", "resend"] | None = Field(None, description="instead of the provider's setting")
    variants: tuple[Variant, ...] = ()

    @model_validator(mode="after")
    def _fair_shares(self) -> "StepModel":
        if _twice(variant.key for variant in self.variants):
            raise ValueError("two variants have the same key")
        if sum(variant.weight for variant in self.variants) > 1 + 1e-9:
            raise ValueError("the weights of the variants add up to more than 1")
        return self


class Goal(PlaybookPart):
    event: str = Field(min_length=1)
    within: Duration
    value: str | None = Field(None, description="property to sum, for the report")


class Offer(PlaybookPart):
    pool: str | None = Field(None, min_length=1, description="codes loaded with `automation offers load`")
    generate: str | None = Field(None, description="a pattern in which each # becomes a letter or digit")
    valid_for: Duration

    @model_validator(mode="after")
    def _one_source(self) -> "Offer":
        if (self.pool is None) == (self.generate is None):
            raise ValueError("an offer has either a pool or a pattern to generate codes from")
        if self.generate is not None and self.generate.count("#") < 6:  # noqa: PLR2004 (a billion codes at least)
            raise ValueError("a pattern needs at least six # so that codes cannot be guessed")
        return self


class PlaybookModel(PlaybookPart):
    """The keys of a playbook file."""

    name: str = Field(min_length=1)
    family: Family
    stages: tuple[str, ...] = Field((), description="roles, or stage keys of the lifecycle in use")
    answers: Literal["help"] | None = Field(None, description="instead of stages: whoever sends us a text that says so")
    when: str | None = None
    kind: Literal["marketing", "transactional"] = "marketing"
    topic: str = Field("offers", min_length=1, description="consent topic")
    priority: int = Field(50, ge=0, le=100)
    reenter_after: Duration | None = Field(None, description="absent: once ever")
    exit_when: str | None = None
    stay_while_in_stage: bool = False
    holdout: Share = 0.0
    active: bool = True
    starts: date | None = None
    ends: date | None = None
    goal: Goal | None = None
    offer: Offer | None = None
    steps: tuple[StepModel, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _somebody_enters(self) -> "PlaybookModel":
        if self.answers is None and not self.stages:
            raise ValueError('say who enters: stages = ["loyal"], or answers = "help"')
        if self.answers is not None and self.stages:
            raise ValueError("a playbook that answers texts has no stages")
        if self.answers is not None and (self.when is not None or self.stay_while_in_stage):
            raise ValueError("who asks is answered: leave out `when` and `stay_while_in_stage`")
        if self.answers is not None and (self.kind == "marketing" or any(one.channel != "sms" for one in self.steps)):
            raise ValueError('an answer to a text is a text, and kind = "transactional"')
        return self

    @field_validator("starts", "ends", mode="before")
    @classmethod
    def _a_date(cls, value: object) -> object:
        if value is not None and (not isinstance(value, date) or isinstance(value, datetime)):
            raise ValueError("a date is written without quotation marks: 2026-01-31")
        return value


def _twice(keys: Iterable[str]) -> bool:
    keys = list(keys)
    return len(keys) != len(set(keys))


@dataclass(frozen=True)
class Step:
    """A step with its condition read."""

    index: int
    model: StepModel
    when: Condition | None

    @property
    def key(self) -> str:
        return self.model.key

    def template_for(self, variant: str | None) -> str:
        chosen = (one.template for one in self.model.variants if one.key == variant)
        return next(chosen, self.model.template)

    @property
    def templates(self) -> tuple[str, ...]:
        return (self.model.template, *(one.template for one in self.model.variants))


@dataclass(frozen=True)
class Playbook:
    """A playbook under the lifecycle in use. `stages` are stage keys."""

    key: str
    model: PlaybookModel
    source: str
    stages: frozenset[str]
    when: Condition | None
    exit_when: Condition | None
    steps: tuple[Step, ...]

    @property
    def is_marketing(self) -> bool:
        return self.model.kind == "marketing"

    @property
    def arms(self) -> Sequence[Variant]:
        """The variants an enrollment's arm is drawn from: those of the first step that has some."""
        return next((step.model.variants for step in self.steps if step.model.variants), ())

    @property
    def reenter_after(self) -> timedelta | None:
        """How long after leaving a customer may enter again; None: never."""
        return self.model.reenter_after or (ANSWERS_AGAIN if self.model.answers else None)

    def starts_later(self, today: date) -> bool:
        return self.model.starts is not None and today < self.model.starts

    def has_ended(self, today: date) -> bool:
        return self.model.ends is not None and today > self.model.ends

    @property
    def is_idle(self) -> bool:
        """Whether nobody can ever enter, because the lifecycle in use has none of its stages."""
        return not self.stages and self.model.answers is None

    def takes(self, today: date) -> bool:
        """Whether customers may enter today."""
        return self.model.active and not self.starts_later(today) and not self.has_ended(today)

    @property
    def conditions(self) -> Iterator[Condition]:
        yield from (one for one in (self.when, self.exit_when, *(step.when for step in self.steps)) if one)
