"""Scenarios as plain JSON data, as the schemas in the configs of bundles hold them, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from schemas.model import Recipe
from schemas.scenarios import Change, Scenario

Write = Callable[[Any], Any]


def scenario_data(scenario: Scenario, recipe: Write, distribution: Write) -> dict[str, Any]:
    """Return a scenario as JSON data; `recipe` and `distribution` write those."""
    said = {
        "subjects": scenario.subjects,
        "at": recipe(scenario.moment),
        "share": scenario.share,
        "near_miss": scenario.near_miss or None,
        "where": scenario.where,
        "comment": scenario.comment,
        "changes": [_change(c, recipe, distribution) for c in scenario.changes],
        "near": [_change(c, recipe, distribution) for c in scenario.near] or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _change(change: Change, recipe: Write, distribution: Write) -> dict[str, Any]:
    said = {
        "table": change.table,
        "columns": [[name, recipe(made)] for name, made in change.columns.items()] or None,
        "where": change.where,
        "pick": change.pick,
        "phase": change.phase,
        "count": None if change.count is None else distribution(change.count),
        "per": change.per,
        "fresh": change.fresh or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def to_scenario(name: str, data: Mapping[str, Any], recipe: Callable[[Any], Recipe], distribution: Write) -> Scenario:
    """Return the scenario that `scenario_data` wrote; raises KeyError and the like where the data is none of its making."""
    share = data.get("share")
    return Scenario(
        name,
        data["subjects"],
        recipe(data["at"]),
        tuple(_to_change(c, recipe, distribution) for c in data["changes"]),
        tuple(_to_change(c, recipe, distribution) for c in data.get("near", ())),
        None if share is None else float(share),
        float(data.get("near_miss", 0.0)),
        data.get("where"),
        data.get("comment"),
    )


def _to_change(data: Mapping[str, Any], recipe: Callable[[Any], Recipe], distribution: Write) -> Change:
    return Change(
        data["table"],
        {name: recipe(made) for name, made in data.get("columns", ())},
        data.get("where"),
        data.get("pick"),
        data.get("phase"),
        distribution(data["count"]) if "count" in data else None,
        data.get("per"),
        data.get("fresh", False),
    )
