"""JSON schemas that a chat model's answers are held to."""

from __future__ import annotations

from typing import Any


def object_schema(**properties: Any) -> dict[str, Any]:
    """Of an object that has all of these properties and no other: endpoints that hold to a schema want it so."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
