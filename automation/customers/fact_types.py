"""The four types a fact can have."""

from typing import Literal

FactType = Literal["text", "number", "boolean", "instant"]
