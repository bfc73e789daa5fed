"""A lifecycle file: stages in order; a customer stands in the last stage whose rule holds."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from automation.customers.fact_types import FactType
from automation.errors import BadFiles, Problem
from automation.lifecycle.conditions import Condition, Name, Vocabulary, read_condition_in
from automation.tomlfile import TomlFile, validated

Role = Literal["aware", "evaluating", "buying", "using", "retained", "loyal", "advocate", "leaving"]
ROLES: tuple[str, ...] = get_args(Role)
# What the stage itself decides cannot decide about the stage.
OF_STAGE = frozenset({"stage", "role", "days_in_stage"})


class StageModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    key: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    name: dict[str, str] = Field(min_length=1)
    roles: tuple[Role, ...] = ()
    when: str | None = None


class LifecycleModel(BaseModel):
    """The keys of a lifecycle file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    source: str | None = None
    language: str = "en"
    stages: tuple[StageModel, ...] = Field(min_length=1)


@dataclass(frozen=True)
class Stage:
    key: str
    name: str
    roles: tuple[str, ...]
    when: Condition | None


@dataclass(frozen=True)
class Lifecycle:
    """The stages in the model's own order."""

    key: str
    name: str
    stages: tuple[Stage, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(stage.key for stage in self.stages)

    def having(self, word: str) -> frozenset[str]:
        """Keys of the stages that a stage key or a role means; empty when it means none."""
        return frozenset(stage.key for stage in self.stages if word == stage.key or word in stage.roles)

    def vocabulary(self, types: Mapping[str, FactType]) -> Vocabulary:
        """What the conditions of playbooks may name."""
        return _vocabulary(types, {stage.key: stage.roles for stage in self.stages})


def drafted_lifecycle(
    file: TomlFile, key: str, types: Mapping[str, FactType] | None
) -> tuple[Lifecycle, list[Problem]]:
    """The stages that are named, and what is wrong. Without `types` no rule is read."""
    try:
        model = validated(LifecycleModel, file)
    except BadFiles as bad:
        return Lifecycle(key, key, tuple(_named_stages(file))), bad.problems
    problems = list(_misplaced(file, model))
    of_facts = {name: kind for name, kind in (types or {}).items() if name not in OF_STAGE}
    vocabulary = _vocabulary(of_facts, {stage.key: stage.roles for stage in model.stages})
    stages = []
    for index, stage in enumerate(model.stages):
        when = None
        if stage.when is not None and types is not None:
            try:
                when = read_condition_in(file, ("stages", index, "when"), vocabulary)
            except BadFiles as bad:
                problems += bad.problems
        stages.append(Stage(stage.key, _shown(stage, model.language), stage.roles, when))
    return Lifecycle(key, model.name, tuple(stages)), problems


def _named_stages(file: TomlFile) -> Iterator[Stage]:
    """The stages of a file with mistakes: playbooks that name them need not be told wrong as well."""
    tables = file.data.get("stages")
    for table in tables if isinstance(tables, list) else []:
        if isinstance(table, dict) and isinstance(table.get("key"), str):
            yield Stage(table["key"], table["key"], (), None)


def _vocabulary(types: Mapping[str, FactType], stages: Mapping[str, tuple[str, ...]]) -> Vocabulary:
    names = {name: Name(kind) for name, kind in types.items()}
    if "days_in_stage" in names:
        names["days_in_stage"] = Name("number", days_of="stage_since")
    return Vocabulary(names, stages, frozenset(ROLES))


def _shown(stage: StageModel, language: str) -> str:
    return stage.name.get("en") or stage.name.get(language) or next(iter(stage.name.values()))


def _misplaced(file: TomlFile, model: LifecycleModel) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, stage in enumerate(model.stages):
        if stage.key in seen:
            yield file.problem(("stages", index, "key"), f'the stage "{stage.key}" is there twice', "keys are unique")
        seen.add(stage.key)
        if index == 0 and stage.when is not None:
            yield file.problem(("stages", 0, "when"), "everyone starts in the first stage", "remove its `when`")
        if index > 0 and stage.when is None:
            hint = "only the first stage has none"
            yield file.problem(("stages", index), f'the stage "{stage.key}" needs a `when`', hint, at_key=True)
