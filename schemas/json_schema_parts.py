"""Parts of the published JSON Schemas (draft 2020-12): the forms of YAML values as the readers take them."""

from __future__ import annotations

from typing import Any

from schemas.grammar import Key

Json = dict[str, Any]

NUMBER_TEXT = r"^[+-]?[0-9._]+([eE][+-]?[0-9]+)?$"
DURATION_TEXT = r"^[+-]?([0-9]+(\.[0-9]+)?(us|ms|mo|[smhdwy]))+$"

TEXT: Json = {"type": ["string", "number", "boolean", "null"]}
NAME: Json = {"type": ["string", "number", "boolean", "null"], "minLength": 1}
BOOLEAN: Json = {"enum": [True, False, "true", "false"]}
DURATION: Json = {"type": "string", "pattern": DURATION_TEXT}


def ref(name: str) -> Json:
    """What `$defs` has under a name."""
    return {"$ref": f"#/$defs/{name}"}


def any_of(*schemas: Json) -> Json:
    """One of several forms."""
    return {"anyOf": list(schemas)}


def list_of(items: Json, least: int = 1) -> Json:
    """A list."""
    return {"type": "array", "items": items, "minItems": least}


def map_of(values: Json, least: int = 1) -> Json:
    """A mapping from any names to values of one form."""
    return {"type": "object", "additionalProperties": values, "minProperties": least}


def number(least: float | None = None, most: float | None = None, kind: str = "number") -> Json:
    """A number within bounds; it may be written with underscores, which YAML takes for text."""
    bounds = {"minimum": least, "maximum": most}
    return {"type": [kind, "string"], "pattern": NUMBER_TEXT, **{name: bound for name, bound in bounds.items() if bound is not None}}


def keyed(keys: tuple[Key, ...], values: dict[str, Json]) -> Json:
    """A mapping whose keys are known, each with its description."""
    required = [key.name for key in keys if key.required]
    return {
        "type": "object",
        "properties": {key.name: {"description": f"{key.doc} For example: {key.example}", **values[key.name]} for key in keys},
        "additionalProperties": False,
        **({"required": required} if required else {}),
    }
