"""The rule that bounds what a unit adds to a group."""

from __future__ import annotations

from dataclasses import replace

from dpsql.declaration import Declaration
from dpsql.planning.model import OF_VALUES, UNBOUNDED, Bounds, Part, Plan, Threshold
from dpsql.tree import Column

ROWS = 31  # no unit has more than 2 ** ROWS rows in a group


def bound_contributions(plan: Plan, declaration: Declaration) -> Plan:
    """Return `plan` with the bounds of every part: by the number of rows of a unit where it is known, else by a threshold."""
    summed = {part.name for part in plan.parts if part.kind in ("sum", "square")}
    means = {p for f in plan.formulas if f.function != "value" for role, p in f.parts.items() if role in ("sum", "square")} & summed
    counts = {f.parts["count"] for f in plan.formulas if "count" in f.parts}
    thresholds = list(plan.thresholds)
    parts = tuple(_bounded(part, plan, part.name in means, counts, thresholds) for part in plan.parts)
    shown = {f.parts["value"] for f in plan.formulas if f.function == "value"}
    strict = {part.threshold for part in parts if part.name in shown} | {"groups"}
    eased = {part.threshold for part in parts if part.scaled} - strict  # a sum that is cut off takes its mean with it
    return replace(plan, parts=parts, thresholds=tuple(replace(t, of_means=t.name in eased, total=plan.total) for t in thresholds))


def _bounded(part: Part, plan: Plan, of_mean: bool, counts: set[str], thresholds: list[Threshold]) -> Part:
    rows = plan.release.rows.most_rows
    if part.kind == "units" or (part.kind == "distinct" and _own_unit(part, plan)):
        return replace(part, unit=Bounds(0, 1))
    if part.kind in OF_VALUES:
        each = part.row or Bounds(0, 1)
        if rows is not None and each.largest * rows <= UNBOUNDED:
            return replace(part, unit=Bounds(each.lo * rows, each.hi * rows))
        # the number and the sum of the same values share a bound
        of = next((p for p in plan.parts if p.kind == "distinct" and p.argument == part.argument and not _own_unit(p, plan)), part)
        of = of if part.kind == "sum of distinct" else part
        return _with(part, thresholds, Threshold(of.name, of.name, True, ROWS))
    if part.row is not None and rows is not None and part.row.largest * rows <= UNBOUNDED:
        # what keys allow is all that there is; beyond what is declared, a mean stays where it was by scaling
        scaled = of_mean and plan.release.rows.rows_a_unit is None
        return replace(part, unit=Bounds(part.row.lo * rows, part.row.hi * rows), scaled=scaled)
    if part.row is not None and of_mean:
        counted = _counted(part, plan)
        return replace(_with(part, thresholds, Threshold(f"{counted}_rows", counted, True, ROWS)), scaled=True)
    if part.kind in ("rows", "values"):
        name = f"{part.name}_rows" if part.name in counts else part.name
        return _with(part, thresholds, Threshold(name, part.name, True, ROWS))
    return _with(part, thresholds, Threshold(part.name, part.name))


def _own_unit(part: Part, plan: Plan) -> bool:
    """Whether the different values counted are the units themselves, of which each has one."""
    return isinstance(part.argument, Column) and part.argument.name == plan.release.rows.unit


def _counted(part: Part, plan: Plan) -> str:
    """The part that counts the values that `part` sums."""
    return next(f.parts["count"] for f in plan.formulas if "count" in f.parts and part.name in f.parts.values())


def _with(part: Part, thresholds: list[Threshold], threshold: Threshold) -> Part:
    if all(known.name != threshold.name for known in thresholds):
        thresholds.append(threshold)
    return replace(part, threshold=threshold.name)
