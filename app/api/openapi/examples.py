"""Examples from real responses, in examples.json. `make docs` writes that file (tests/api_examples.py)."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

from app.api.openapi.operations import Operation

FILE = Path(__file__).with_name("examples.json")


@cache
def _recorded() -> dict[str, Any]:
    recorded: dict[str, Any] = orjson.loads(FILE.read_bytes())
    return recorded


def problems() -> dict[str, Any]:
    """Problems by their code."""
    recorded: dict[str, Any] = _recorded()["problems"]
    return recorded


def add(operation: Operation) -> None:
    """Adds the examples of an operation's parameters, body and responses."""
    recorded = _recorded()["operations"].get(operation.id, {})
    for name, value in recorded.get("parameters", {}).items():
        operation.parameters[name]["example"] = value
    for media_type in operation.members.get("requestBody", {}).get("content", {}).values():
        _show(media_type, recorded.get("bodies", {}))
    for status, values in recorded.get("responses", {}).items():
        _show(operation.members["responses"][status]["content"]["application/json"], values)


def _show(media_type: dict[str, Any], values: dict[str, Any]) -> None:
    if values:
        media_type["examples"] = {name: {"value": value} for name, value in values.items()}
