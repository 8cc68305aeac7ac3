"""Scenarios as the schema language writes them: the other direction of `schemas.scenario_reader`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from schemas.model import Schema
from schemas.recipe_writer import written_distribution, written_recipe
from schemas.scenarios import Change, Scenario
from schemas.types import SqlType

_MOMENT = SqlType("timestamptz")


def written_scenario(scenario: Scenario | float, schema: Schema) -> Any:
    """Return a scenario of `schema` as the plain value that stands under its name: a share, or the whole."""
    if not isinstance(scenario, Scenario):
        return scenario
    said = {
        "comment": scenario.comment,
        "subjects": scenario.subjects,
        "where": scenario.where,
        "share": scenario.share,
        "near_miss": scenario.near_miss or None,
        "at": written_recipe(scenario.moment, _MOMENT),
        **_part(scenario.changes, schema),
        "near": _part(scenario.near, schema) or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _part(changes: Iterable[Change], schema: Schema) -> dict[str, Any]:
    found: dict[str, dict[str, list[Any]]] = {}
    for change in changes:
        listed = found.setdefault("add" if change.adds else "set", {}).setdefault(change.table, [])
        listed.append(_change(change, schema))
    return {verb: {table: items[0] if len(items) == 1 else items for table, items in tables.items()} for verb, tables in found.items()}


def _change(change: Change, schema: Schema) -> dict[str, Any]:
    table = schema.table(change.table)
    said: dict[str, Any] = {
        "per": f"new {change.per}" if change.fresh else change.per,
        "count": None if change.count is None else written_distribution(change.count),
        "where": change.where,
        "pick": change.pick,
        "phase": change.phase,
        "columns": {name: written_recipe(recipe, table.column(name).type) for name, recipe in change.columns.items()} or None,
    }
    return {name: value for name, value in said.items() if value is not None}
