"""One table of facts.toml, as it is written."""

from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    StrictStr,
    field_validator,
    model_validator,
)

from automation.customers.fact_types import FactType
from automation.values import Duration

MEASURES = ("count", "sum", "min", "max", "first", "last", "latest", "distinct")
# Properties that are amounts of money: https://segment.com/docs/connections/spec/ecommerce/v2/
MONEY = frozenset({"revenue", "total", "subtotal", "value", "amount", "price", "discount", "shipping", "tax"})
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


class Range(BaseModel):
    """A property that is a number between bounds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    above: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    below: float | None = None

    @model_validator(mode="after")
    def _some_bound(self) -> "Range":
        if not self.model_fields_set:
            raise ValueError("say between which bounds: above, at_least, at_most, below")
        return self


Wanted = Scalar | tuple[Scalar, ...] | Range


class FactModel(BaseModel):
    """One table of facts.toml."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    event: str | tuple[str, ...] | None = None
    count: Literal[True] | None = None
    sum: str | None = None
    min: str | None = None
    max: str | None = None
    first: str | None = None
    last: str | None = None
    latest: str | None = None
    distinct: str | None = None
    minus: str | tuple[str, ...] | None = Field(None, description="events whose property is taken off the sum")
    within: Duration | None = None
    where: dict[str, Wanted] | None = Field(None, description="only events of which all of this is true")
    unless: dict[str, Wanted] | None = Field(None, description="no events of which any of this is true")
    currency: str | None = Field(None, pattern=r"^[A-Z]{3}$", description="of the amounts; default: the business's own")
    attribute: str | None = None
    type: FactType | None = None

    @field_validator(*(one for one in MEASURES if one != "count"), "attribute")
    @classmethod
    def _plain_name(cls, name: str | None) -> str | None:
        if name is not None and (not name or set(name) & set('"\\')):
            raise ValueError("a property's name is not empty and has no quotation mark or backslash")
        return name

    @field_validator("where", "unless")
    @classmethod
    def _plain_names(cls, rules: dict[str, Any] | None) -> dict[str, Any] | None:
        for name in rules or {}:
            cls._plain_name(name)
        return rules

    @model_validator(mode="after")
    def _one_source(self) -> "FactModel":
        given = [measure for measure in MEASURES if getattr(self, measure) is not None]
        if (self.event is None) == (self.attribute is None):
            raise ValueError("a fact has either an event or an attribute")
        if self.attribute is not None and (given or self.within or self.where or self.unless):
            raise ValueError("a fact of an attribute takes only a type")
        if self.event is not None and len(given) != 1:
            raise ValueError("a fact of an event has exactly one of: " + ", ".join(MEASURES))
        if self.event in {"", ()}:
            raise ValueError("the event's name is missing")
        if self.minus is not None and self.sum is None:
            raise ValueError("`minus` takes something off a sum: it goes with `sum` alone")
        if self.currency is not None and self.sum is self.min is self.max is None:
            raise ValueError("`currency` is that of an amount: it goes with sum, min or max")
        return self
