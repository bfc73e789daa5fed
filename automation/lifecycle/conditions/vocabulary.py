"""What a condition may name."""

from collections.abc import Mapping
from dataclasses import dataclass

from automation.customers.fact_types import FactType

# These cannot be the names of facts: the grammar keeps them, in any case.
RESERVED = frozenset({"and", "or", "not", "in", "between", "is", "set", "true", "false"})


@dataclass(frozen=True)
class Name:
    """A fact's type. With `days_of` it is a number: the whole days since the instant stored under that name."""

    type: FactType
    days_of: str | None = None


@dataclass(frozen=True)
class Vocabulary:
    """The facts there are, and each stage's key with its roles.

    Without `stage` among the names a condition can name neither stage nor role nor the days spent in it: it decides
    about the stage itself.
    """

    names: Mapping[str, Name]
    stages: Mapping[str, tuple[str, ...]]
    # Roles that some lifecycle has: naming one is no mistake where the lifecycle in use has no such stage.
    other_roles: frozenset[str] = frozenset()

    @property
    def roles(self) -> frozenset[str]:
        return self.other_roles.union(*self.stages.values())
