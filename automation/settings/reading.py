"""Reading them, with every problem in the file and the environment at once."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from automation.errors import BadFiles, Problem, nearest, suggest
from automation.settings.model import PREFIX, SECRETS, Settings, is_secret
from automation.settings.provider import Provider, sandbox_providers
from automation.settings.sections import CHANNELS
from automation.tomlfile import KeyPath, TomlFile, problems_at, problems_of, read_toml


def load(config: Path) -> Settings:
    """Read one configuration. Raises BadFiles with every problem in the file and the environment."""
    settings, problems = read(config)
    if problems:
        raise BadFiles(problems)
    return settings


def read(config: Path) -> tuple[Settings, list[Problem]]:
    """What can be read, and what is wrong: each section that is not in order stands with its defaults."""
    try:
        file = read_toml(config)
    except BadFiles as bad:
        return Settings.model_construct(root=config.parent), bad.problems
    data, strange = _known_part(file)
    problems = [*_secrets_in(file), *strange, *_unknown_variables(file)]
    apart, in_sections = _of_sections(_without_secrets(data), file)
    apart = apart.model_copy(update={"root": config.parent})
    try:
        settings = Settings(**_without_secrets(data), root=config.parent)
    except ValidationError as error:
        return apart, [*problems, *_problems(error, file)]
    except OSError as error:
        hint = "check the …_FILE variable"
        unread = Problem(str(error.filename), 0, 0, "a secret's file cannot be read", hint)
        return apart, [*problems, *in_sections, unread]
    except ValueError as error:
        hint = 'lists are written as JSON: ["08:00", "21:00"]'
        return apart, [*problems, *in_sections, Problem("environment", 0, 0, str(error), hint)]
    return settings, [*problems, *_wrong_providers(settings, file), *_unsigned_alerts(settings, file)]


def _known_part(file: TomlFile) -> tuple[dict[str, Any], list[Problem]]:
    """The keys that may stand in the file: what pydantic-settings itself takes (`_env_file`, `root`) may not."""
    known = {name for name in Settings.model_fields if name != "root"}
    strange = [key for key in file.data if key not in known]
    sections = known - SECRETS
    problems = [file.problem((key,), f'unknown key "{key}"', suggest(key, sections), at_key=True) for key in strange]
    return {key: value for key, value in file.data.items() if key not in strange}, problems


def _of_sections(data: dict[str, Any], file: TomlFile) -> tuple[Settings, list[Problem]]:
    """The file alone, section by section: those in order are enough for reading the other files."""
    sections: dict[str, Any] = {}
    problems: list[Problem] = []
    for name, value in data.items():
        kind: Any = Settings.model_fields[name].annotation
        try:
            sections[name] = TypeAdapter(kind).validate_python(value)
        except ValidationError as error:
            problems += problems_of(error, kind, file, (name,))
    return Settings.model_construct(**sections), problems


def _problems(error: ValidationError, file: TomlFile) -> Iterator[Problem]:
    """What comes from the environment is told of the variable, not of the line in the file that it overrides."""
    variables = {name.upper() for name in os.environ}
    for path, problem in problems_at(error, Settings, file).items():
        name = PREFIX + "__".join(map(str, path)).upper()
        if name in variables:
            if not problem.message.startswith("unknown key"):  # unknown variables are told already
                yield Problem("environment", 0, 0, f"{name}: {problem.message}", problem.hint)
        elif path[0] != "providers" or path[:2] in file.keys:  # likewise a provider that only they speak of
            yield problem


def _wrong_providers(settings: Settings, file: TomlFile) -> Iterator[Problem]:
    for channel in CHANNELS:
        for index, key in enumerate(settings.channel(channel).providers):
            path: KeyPath = (channel, "providers", index)
            provider = settings.providers.get(key)
            if provider is None:
                yield file.problem(path, f"there is no [providers.{key}]", suggest(key, settings.providers))
            elif provider.channel != channel:
                hint = f"name a provider for {channel}"
                yield file.problem(path, f"{provider.kind} sends {provider.channel}, not {channel}", hint)


def _unsigned_alerts(settings: Settings, file: TomlFile) -> Iterator[Problem]:
    if settings.alerts.url and settings.alerts.webhook_secret is None:
        hint = f"set {PREFIX}ALERTS__WEBHOOK_SECRET (or …_FILE) in the environment to what the receiver checks with"
        yield file.problem(("alerts", "url"), "alerts need a secret that signs them", hint)


def _secrets_in(file: TomlFile) -> Iterator[Problem]:
    for path in file.keys:
        if path[-1] in SECRETS:
            name = PREFIX + "__".join(str(part) for part in path).upper()
            hint = f"remove it here, replace it by a new one, and set {name} (or {name}_FILE) in the environment"
            yield file.problem(path, f'a secret ("{path[-1]}") does not belong in a file', hint, at_key=True)


def _without_secrets(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_secrets(value) for key, value in data.items() if key not in SECRETS}
    return data


def _unknown_variables(file: TomlFile) -> Iterator[Problem]:
    """A misspelt variable is an error, not a silence."""
    given = file.data.get("providers")
    providers = {*(given if isinstance(given, dict) else sandbox_providers()), *_defined_outside()}
    for name in sorted(os.environ):
        if name.startswith(PREFIX):
            bare = name.removesuffix("_FILE") if is_secret(name.removesuffix("_FILE").lower()) else name
            parts = bare.removeprefix(PREFIX).lower().split("__")
            right, known = _nearest_path(parts, providers)
            if right != parts:
                hint = suggest(parts[-1], known)
                if right:
                    hint = f"did you mean {PREFIX}{'__'.join(right).upper()}?"
                yield Problem("environment", 0, 0, f"unknown variable {name}", hint)


def _defined_outside() -> set[str]:
    """Providers that stand in the environment alone."""
    names = (name.removeprefix(f"{PREFIX}PROVIDERS__").lower() for name in os.environ)
    return {name.removesuffix("__kind") for name in names if name.endswith("__kind")}


def _nearest_path(parts: list[str], providers: Iterable[str]) -> tuple[list[str] | None, list[str]]:
    """The names of a setting that is most like `parts`, or None with the names known where nothing is like them."""
    model: Any = Settings
    right: list[str] = []
    for part in parts:
        names = _names(model, providers)
        found = part if part in names else nearest(part, names)
        if found is None:
            return None, sorted(names)
        right.append(found)
        model = names[found]
    return right, []


def _names(model: Any, providers: Iterable[str]) -> dict[str, Any]:
    """The names below a section with what stands under each; a plain setting has none below."""
    if model == dict[str, Provider]:
        return dict.fromkeys(providers, Provider)
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return {}
    return {info.alias or key: info.annotation for key, info in model.model_fields.items() if not info.exclude}
