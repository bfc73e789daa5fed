"""JSON Schemas of the TOML files, for editors that complete keys and underline mistakes."""

from datetime import time, timedelta
from typing import Any

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from automation.customers.facts.definition import NAME
from automation.customers.facts.model import FactModel
from automation.lifecycle.model import LifecycleModel
from automation.playbooks.model import PlaybookModel
from automation.playbooks.surveys import SurveyModel
from automation.settings import Settings
from automation.values import Rate, duration_text

DIALECT = "https://json-schema.org/draft/2020-12/schema"
TITLES = {
    "config": "config.toml",
    "facts": "facts.toml",
    "lifecycle": "A lifecycle file",
    "playbook": "A playbook file",
    "survey": "A survey file",
}


class _Written(GenerateJsonSchema):
    """Defaults as they are written in the files."""

    def encode_default(self, dft: Any) -> Any:
        match dft:
            case timedelta():
                return duration_text(dft)
            case time():
                return f"{dft:%H:%M}"
            case Rate():
                return f"{dft.amount:g}/{duration_text(dft.period).split()[-1]}"
            case tuple():
                return [self.encode_default(one) for one in dft]
        return super().encode_default(dft)


def schemas() -> dict[str, dict[str, Any]]:
    """By name: config, facts, lifecycle, playbook, survey. Dates are the text that editors see them as."""
    facts = _schema(dict[str, FactModel])
    facts["propertyNames"] = {"pattern": f"^{NAME.pattern}$"}
    found = {
        "config": _schema(Settings),
        "facts": facts,
        "lifecycle": _schema(LifecycleModel),
        "playbook": _schema(PlaybookModel),
        "survey": _schema(SurveyModel),
    }
    return {name: {"$schema": DIALECT, **schema, "title": TITLES[name]} for name, schema in found.items()}


def _schema(model: Any) -> dict[str, Any]:
    schema: dict[str, Any] = _plain(TypeAdapter(model).json_schema(schema_generator=_Written))
    if model is Settings:
        del schema["properties"]["root"]
    return schema


def _plain(node: Any) -> Any:
    """Without what no file can hold: null, secrets, and the titles that only repeat a key."""
    if isinstance(node, list):
        return [_plain(one) for one in node]
    if not isinstance(node, dict):
        return node
    choices = [one for one in node.get("anyOf", ()) if one != {"type": "null"}]
    if len(choices) == 1:
        node = {**{key: value for key, value in node.items() if key != "anyOf"}, **choices[0]}
    elif choices:
        node = {**node, "anyOf": choices}
    return {
        key: _plain(_open(value) if key == "properties" else value) for key, value in node.items() if _tells(key, value)
    }


def _tells(key: str, value: Any) -> bool:
    """A section's default only repeats those of its keys."""
    return not (key == "title" and isinstance(value, str)) and not (key == "default" and isinstance(value, dict | None))


def _open(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: schema for name, schema in properties.items() if "writeOnly" not in str(schema)}
