"""The noisy table of a release, as the residual query sees it, and what is to be said of its making."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

import pyarrow as pa

from dpsql.formulas import Estimate, Noisy, column, estimate
from dpsql.kept import GroupKey, KeptPart
from dpsql.measuring import Measured
from dpsql.noise import Mechanism, least_released, units_to_double
from dpsql.outcome_columns import DEVIATION, ERROR
from dpsql.planning.model import Part, Plan, Threshold
from dpsql.tree import Column, Facts

LOWEST = 8  # steps: where no unit adds anything, a higher bound is chosen once in ten thousand times


def noisy_table(plan: Plan, measured: Measured, groups: Sequence[GroupKey] | None, only: Collection[str] | None = None) -> pa.Table:
    """Return keys, aggregates, and for each aggregate its deviation and 95 % error, one row a group.

    `groups` are the public ones, or None where those that were released count. Groups with fewer units than the analyst requires
    are left out, and so are columns that are not among `only`, where that is given.
    """
    if groups is None:
        groups = next(measured.parts[p.name] for p in plan.parts if p.kind == "units").groups
    noisy = {part.name: _noisy(part, measured.parts[part.name], groups) for part in plan.parts}
    rows = list(range(len(groups)))
    if plan.settings.min_units and not plan.private_keys:
        units = next(n for n in noisy.values() if n.part.kind == "units")
        rows = [n for n in rows if units.values[n] >= plan.settings.min_units]
    columns: dict[str, pa.Array] = {}
    for position, key in enumerate(plan.release.keys):
        if only is None or key.name in only:
            columns[key.name] = key_column([group[position] for group in groups], key.expression.facts)
    for name, formula, aggregate in zip(plan.release.names, plan.formulas, plan.release.aggregates, strict=True):
        found: Estimate = estimate(formula, aggregate, noisy)
        columns[name] = found.values
        if only is None or name + DEVIATION in only:
            columns[name + DEVIATION] = pa.array(found.deviations, pa.float64())
        if only is None or name + ERROR in only:
            columns[name + ERROR] = pa.array(found.errors, pa.float64())
    table = pa.table(columns) if columns else pa.table({"_": pa.nulls(len(groups), pa.int8())})
    return table if len(rows) == len(groups) else table.take(pa.array(rows, pa.int64()))


def key_column(values: Sequence[Any], facts: Facts) -> pa.Array:
    """Return the values of a key as an array of its kind."""
    match facts.kind:
        case "boolean":
            return pa.array(values, pa.bool_())
        case "text" | "uuid" | "other":
            return pa.array([None if v is None else str(v) for v in values], pa.string())
        case "integer" | "decimal" | "double":
            return column([None if v is None else Fraction(v) for v in values], facts)
        case "date":
            return pa.array(values, pa.date32())
        case "timestamptz":
            return pa.array(values, pa.timestamp("us", "UTC"))
        case "timestamp":
            return pa.array(values, pa.timestamp("us"))
        case _:
            return pa.array(values)


def nothing_measured(plan: Plan) -> Measured:
    """A measurement without groups, for the shape of an answer."""
    empty = KeptPart((), (), "laplace", 0.0, 0.0)
    return Measured({t.name: empty for t in plan.thresholds}, {p.name: empty for p in plan.parts})


def notes(plan: Plan, measured: Measured) -> Iterator[str]:
    """Say which bounds were chosen, which groups are not shown, and what the errors leave out."""
    for threshold in plan.thresholds:
        bound = measured.thresholds[threshold.name].values[0]
        yield f"chosen privately: {_what(plan, threshold)} at most {_amount(plan, threshold, bound)}"
        yield from _lost(plan, threshold, measured.thresholds[threshold.name])
    if plan.private_keys:
        yield _left_out(plan, plan.spread if plan.spread is not None else measured.thresholds["groups"].values[0], measured)
    yield from _wide_means(plan, measured)
    if plan.thresholds or any(p.unit is not None and plan.release.rows.rows_a_unit != 1 for p in plan.parts):
        yield "the 95 % errors are those of the noise; what clipping takes away is not in them"


def bounds_told(plan: Plan) -> Iterator[str]:
    """Say which bounds hold, which are still to be chosen, and which groups will not be shown."""
    if plan.release.keys and plan.groups is not None and not plan.total:
        yield f"a unit counts in at most {plan.groups:,} groups"
    for part in plan.parts:
        if part.unit is not None:
            yield f"{part.kind}: a unit adds from {float(part.unit.lo * part.step):g} to {float(part.unit.hi * part.step):g} to a group"
    for threshold in plan.thresholds:
        yield f"to be chosen privately, for epsilon {plan.shares.threshold:g}: {_what(plan, threshold)}"
    if plan.private_keys and plan.spread is not None:
        yield _left_out(plan, plan.spread)


def _lost(plan: Plan, threshold: Threshold, chosen: KeptPart) -> Iterator[str]:
    """Of sums under one of the least bounds, which are chosen where too few units are for any: next to nothing is left of the sum then."""
    if threshold.of is None or _of_rows(plan, threshold) or chosen.values[0] > LOWEST:
        return
    row = plan.part(threshold.of).row
    if row is not None and row.largest > LOWEST:
        units = ceil(units_to_double(chosen.epsilon, 1 / plan.shares.part))
        yield (
            f"hardly any bound on the sum is lower than this: for so little epsilon a higher one takes some {units:,} units of privacy "
            "that add more. If there are fewer, clipping leaves next to nothing of the sum: spend more epsilon, or declare `contributions`"
        )


def _wide_means(plan: Plan, measured: Measured) -> Iterator[str]:
    """Of means that noise drowns: bounds that follow from what is written, as of a difference of times, are often far too wide."""
    for formula, aggregate in zip(plan.formulas, plan.release.aggregates, strict=True):
        argument, lo, hi = aggregate.argument, formula.lo, formula.hi
        if formula.function != "mean" or lo is None or hi is None or hi - lo <= 1 or argument is None or isinstance(argument, Column):
            continue
        parts = [plan.part(formula.parts[role]) for role in ("sum", "count")]
        groups = measured.parts[parts[1].name].groups
        found = estimate(formula, aggregate, {p.name: _noisy(p, measured.parts[p.name], groups) for p in parts})
        told = [
            error > abs(v) for v, error in zip(found.values.to_pylist(), found.errors, strict=True) if v is not None and error is not None
        ]
        if sum(told) * 2 > len(told):
            yield (
                f"noise drowns a mean of values that count from {_plain(float(lo))} to {_plain(float(hi))}: where they lie closer "
                "together, clamp them, AVG(LEAST(GREATEST(x, LOW), HIGH)), for less noise; or spend more epsilon"
            )


def _left_out(plan: Plan, most_groups: int, measured: Measured | None = None) -> str:
    """Which groups are not shown; of what was kept, by the epsilon that it was measured with."""
    units = next(p.name for p in plan.parts if p.kind == "units")
    epsilon = plan.shares.keys if measured is None else measured.parts[units].epsilon
    _, least = least_released(most_groups, epsilon, plan.shares.keys_delta, plan.settings.min_units)
    return f"groups with fewer than about {least:,} units of privacy are left out, as it is not public which groups there are"


def _what(plan: Plan, threshold: Threshold) -> str:
    unit = "one unit of privacy"
    if threshold.of is None:
        return f"groups of {unit}"
    where = "all groups together" if threshold.total else "a group"
    return f"{'rows' if _of_rows(plan, threshold) else 'the sum'} of {unit} in {where}"


def _amount(plan: Plan, threshold: Threshold, bound: int) -> str:
    """A chosen bound in the unit of what it bounds."""
    step = 1 if threshold.of is None or _of_rows(plan, threshold) else plan.part(threshold.of).step
    return f"{bound:,}" if step == 1 else _plain(float(bound * step))


def _plain(number: float) -> str:
    return f"{number:,.0f}" if abs(number) >= 1_000_000 else f"{number:,.6g}"


def _of_rows(plan: Plan, threshold: Threshold) -> bool:
    return threshold.of is not None and (threshold.rows or plan.part(threshold.of).kind in ("rows", "values"))


def _noisy(part: Part, kept: KeptPart, groups: Sequence[GroupKey]) -> Noisy:
    values = dict(zip(kept.groups, kept.values, strict=True))
    mechanism = None if kept.mechanism == "noisy max" else Mechanism(kept.mechanism, kept.scale)
    return Noisy(
        part,
        [values.get(group, 0) for group in groups],
        None if mechanism is None else mechanism.variance**0.5,
        None if mechanism is None else mechanism.error95,
    )
