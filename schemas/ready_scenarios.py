"""Ready scenarios: those that come with the project for schemas of a name, and which scenarios a data set gets.

A ready scenario is one file, `packs/<schema>/<scenario>.yaml`, and holds what stands under the scenario's name in a schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from importlib import resources

from schemas.errors import InputError, Problem, SchemaError, nearest
from schemas.model import Schema
from schemas.scenario_reader import ScenarioReader
from schemas.scenario_rules import scenario_problems
from schemas.scenarios import Scenario
from schemas.yaml_nodes import Reading


def ready_names(schema: str) -> tuple[str, ...]:
    """The names of the ready scenarios for schemas of a name."""
    folder = resources.files("schemas") / "packs" / schema
    if "/" in schema or "\\" in schema or schema in ("", ".", "..") or not folder.is_dir():
        return ()
    return tuple(sorted(f.name.removesuffix(".yaml") for f in folder.iterdir() if f.name.endswith(".yaml")))


def read_ready(schema: Schema, name: str) -> Scenario:
    """Return the ready scenario `name`, checked against `schema`; raises SchemaError with the places in its file."""
    file = f"schemas/packs/{schema.name}/{name}.yaml"
    reading = Reading()
    root = reading.compose((resources.files("schemas") / "packs" / schema.name / f"{name}.yaml").read_text("utf-8"))
    scenario = None if root is None else ScenarioReader(reading, schema, file).read(name, root)
    problems = [*reading.problems, *(() if scenario is None else scenario_problems(schema, scenario))]
    if problems or scenario is None:
        raise SchemaError(file, dict.fromkeys(problems))
    return scenario


def known_scenarios(schema: Schema) -> tuple[str, ...]:
    """The names of the scenarios that `schema` has of its own, and of the ready ones for it."""
    return tuple(sorted({*ready_names(schema.name), *(n for n, s in schema.scenarios.items() if isinstance(s, Scenario))}))


def no_such_scenario(schema: Schema, name: str) -> str:
    """Say that there is no scenario of a name, and which there are."""
    known = known_scenarios(schema)
    hint = nearest(name, known) or (f"; there are {', '.join(known)}" if known else ", and no other")
    return f"there is no scenario '{name[:60]}' for schema '{schema.name}'{hint}"


def scenario_named(schema: Schema, name: str) -> Scenario:
    """Return a scenario by name: the schema's own, or else a ready one; raises InputError or SchemaError for a name that is neither."""
    own = schema.scenarios.get(name)
    if isinstance(own, Scenario):
        return own
    if name not in ready_names(schema.name):
        message, at = no_such_scenario(schema, name), schema.scenario_places.get(name)
        raise InputError(message) if at is None else SchemaError(schema.file, [Problem(message, at)])
    return read_ready(schema, name)


def adding_scenarios(schema: Schema) -> dict[str, tuple[str, ...]]:
    """Return for each table the names of the scenarios that can add rows to it, applied or not.

    Ready ones that do not fit the schema add none.
    """
    found: dict[str, list[str]] = {}
    for name in known_scenarios(schema):
        try:
            changes = scenario_named(schema, name).all_changes()
        except SchemaError:
            continue
        for table in dict.fromkeys(change.table for change in changes if change.adds):
            found.setdefault(table, []).append(name)
    return {table: tuple(names) for table, names in found.items()}


def scenarios_to_apply(schema: Schema, asked: Mapping[str, float | None]) -> tuple[Scenario, ...]:
    """Return the scenarios that a data set gets, with their shares, by name.

    They are those to which the schema gives a share, and those that are `asked` for, with another share or (None) their own; a
    share of 0 means none. Near misses keep their proportion to the share. Raises InputError and SchemaError.
    """
    wanted: dict[str, float | None] = {}
    for name, given in schema.scenarios.items():
        share = given.share if isinstance(given, Scenario) else given
        if share is not None:
            wanted[name] = share
    for name, share in asked.items():
        wanted[name] = wanted.get(name) if share is None else share
    found = []
    for name in sorted(wanted):
        scenario = _with_share(scenario_named(schema, name), wanted[name])
        if scenario.share:
            found.append(scenario)
    return tuple(found)


def _with_share(scenario: Scenario, share: float | None) -> Scenario:
    own = scenario.share
    share = own if share is None else share
    if share is None:
        raise InputError(f"scenario '{scenario.name}' has no share of its own; say how much: {scenario.name}=0.01")
    if not 0 <= share <= 1:
        raise InputError(f"the share of scenario '{scenario.name}' must lie between 0 and 1, not {share:g}")
    near = scenario.near_miss * (share / own) if own else scenario.near_miss
    return replace(scenario, share=share, near_miss=min(near, 1 - share))
