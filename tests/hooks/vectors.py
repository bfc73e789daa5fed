"""Signed calls that were published, or made with throwaway keys."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automation.delivery.hooks import HookCall, HookKey

FILE = Path(__file__).parents[2] / ".." / "shared" / "data" / "webhook_vectors.json"
NOW = datetime(2026, 3, 2, 11, tzinfo=UTC)


def vectors(provider: str) -> list[dict[str, Any]]:
    found = json.loads(FILE.read_text(encoding="utf-8"))["vectors"] if FILE.is_file() else []
    return [one for one in found if one["provider"] == provider]


def call_of(vector: dict[str, Any]) -> HookCall:
    headers = {name.lower(): value for name, value in vector["headers"].items()}
    url = vector.get("url", "https://shop.example/hooks/mail")
    return HookCall(vector["method"], url, headers, vector["body"].encode())


def key_of(vector: dict[str, Any]) -> HookKey:
    value = vector["key"]["value"]
    return HookKey(token=value, secret=value, public=value)
