"""A plan with scenarios: from a schema and what is asked for to the plan, the effective schema and what was applied."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import rfc8785
from blake3 import blake3

from datagen.errors import RecipeError, Unusable
from datagen.inputs import documented, rows_of
from datagen.plan import Plan
from schemas.document import to_document
from schemas.errors import Problem
from schemas.model import Schema
from schemas.ready_scenarios import adding_scenarios, scenarios_to_apply

if TYPE_CHECKING:
    from datagen.overlay import Overlay
    from datagen.planting import Applied


@dataclass(frozen=True)
class Staged:
    """A plan, the schema of what it makes (with label tables), and the scenarios in it."""

    plan: Plan
    schema: Schema
    applied: tuple[Applied, ...] = field(default=())

    def account(self) -> dict[str, Any]:
        """What a bundle says of its scenarios: for each the shares, and how many subjects and rows that came to."""
        return {one.scenario.name: {"share": one.scenario.share, "near_miss": one.scenario.near_miss, **one.size()} for one in self.applied}


def staged(schema: Schema, seed: int | None, scale: float | Fraction, asked: Mapping[str, float | None]) -> Staged:
    """Make the plan of a schema with the scenarios that it says and those that are `asked` for.

    Raises InputError for scenarios that there are not, and SchemaError or RecipeError for those that cannot be carried out.
    """
    scenarios = scenarios_to_apply(schema, asked)
    plan = Plan(schema, seed, scale)
    if not scenarios:
        return Staged(plan, schema)
    from datagen.labels import Labels
    from datagen.overlay import Overlay

    overlay = Overlay(plan, scenarios, adding_scenarios(schema))
    plan = Plan(schema, seed, scale, plan.pools, overlay)
    labels = []
    for applied in overlay.applied:
        try:
            made = Labels.of(schema, applied)
        except Unusable as problem:
            raise RecipeError(applied.scenario.file, [Problem(problem.message, applied.scenario.at)]) from None
        made.add_to(plan)
        labels.append(made.table)
    effective = replace(schema, tables=(*schema.tables, *labels), scenarios={s.name: s for s in scenarios})
    _note_inputs(plan, overlay, schema, effective)
    return Staged(plan, effective, tuple(overlay.applied))


def _note_inputs(plan: Plan, overlay: Overlay, schema: Schema, effective: Schema) -> None:
    """Note that what scenarios touch depends on them, and on all data without them, any of which may have decided where they befall."""
    for node, what, said in documented(to_document(schema)):
        overlay.base.inputs.note(node, what, said)
    planted = rfc8785.dumps({"scenarios": to_document(effective)["scenarios"], "without": overlay.base.inputs.of_everything()})
    digest = blake3(planted).hexdigest(length=16)
    for table in effective.tables[len(schema.tables) :]:
        plan.inputs.note(rows_of(table.name), "count", plan.tables[table.name].count)
        plan.inputs.note(rows_of(table.name), "scenarios", digest)
    for change in (one.change for applied in overlay.applied for one in applied.laid):
        for column in change.columns:
            plan.inputs.note((change.table, column), "scenarios", digest)
        if change.adds:
            plan.inputs.note(rows_of(change.table), "scenarios", digest)
