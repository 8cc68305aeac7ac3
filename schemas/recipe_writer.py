"""Recipes as the schema language writes them: the other direction of `schemas.recipe_reader`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemas.model import Recipe
from schemas.recipes import BY_NAME
from schemas.times import format_duration
from schemas.types import SqlType
from schemas.yaml_text import Written, scalar

_BIGINT = SqlType("bigint")
_JSON = SqlType("json")
_INTERVAL = SqlType("interval")
_UNQUOTED = re.compile(r"[+-]?[0-9a-z.]+\Z|[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")


def written_recipe(recipe: Recipe, type: SqlType) -> Any:
    """Return a recipe as the plain value that stands under `generate:` of a column of `type`."""
    spec = BY_NAME[recipe.name]
    if not recipe.args:
        return recipe.name
    kinds = {p.name: p.kind for p in spec.parameters}
    arguments = {name: _argument(kinds[name], recipe.args[name], type) for name in kinds if name in recipe.args}
    if spec.main in arguments:
        return {recipe.name: arguments.pop(str(spec.main)), **arguments}
    inner = {p.name: arguments.pop(p.name) for p in spec.parameters if p.required} if spec.main is None else {}
    return {recipe.name: inner, **arguments} if inner else {recipe.name: arguments}


def written_distribution(value: Recipe | int | float) -> Any:
    """Return a distribution over whole numbers, or a number, as a plain value."""
    return written_recipe(value, _BIGINT) if isinstance(value, Recipe) else value


def _argument(kind: str, value: Any, type: SqlType) -> Any:
    match kind:
        case "span":
            return written_recipe(value, _INTERVAL) if isinstance(value, Recipe) else Written(format_duration(value))
        case "case":
            return written_recipe(value, type) if isinstance(value, Recipe) else value
        case "cases":
            return {case: written_recipe(inner, type) if isinstance(inner, Recipe) else inner for case, inner in value.items()}
        case "duration":
            return Written(format_duration(value))
        case "measure":
            return _measure(value, type)
        case "range" | "measures":
            return [_measure(item, type) for item in value]
        case "moment" | "limit":
            return _moment(value)
        case "period":
            return [_moment(item) for item in value]
        case "distribution":
            return written_distribution(value)
        case "recipe":
            return written_recipe(value, type.item or _JSON)
        case "recipes":
            return {name: written_recipe(inner, _JSON) for name, inner in value.items()}
        case "weights":
            if all(weight == 1 for _, weight in value):
                return [_scalar(item, type) for item, _ in value]
            return {scalar(_scalar(item, type)): weight for item, weight in value}
        case "scalars":
            return [_scalar(item, type) for item in value]
        case "scalar":
            return _scalar(value, type)
        case "dwell":
            if isinstance(value, Mapping):
                return {state: Written(format_duration(time)) for state, time in value.items()}
            return Written(format_duration(value))
    return value


def _measure(value: Any, type: SqlType) -> Any:
    return Written(format_duration(value)) if type.kind == "interval" else value


def _moment(value: str) -> str:
    return Written(value) if _UNQUOTED.match(value) else value


def _scalar(value: Any, type: SqlType) -> Any:
    if type.kind == "array" and isinstance(value, (list, tuple)):
        return [_scalar(item, type.item or _JSON) for item in value]
    if type.kind == "interval":
        return Written(format_duration(value))
    return Written(value) if type.kind == "numeric" else value
