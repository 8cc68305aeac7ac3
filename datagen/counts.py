"""How many rows each row of a parent table has: drawn, or as the columns of the parent row say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from datagen.arrays import to_units
from datagen.cases import case_of, parts_of
from datagen.casting import conversion
from datagen.compiling import Context
from datagen.errors import GenerationFailed, Unusable
from datagen.expression import compile_expression
from datagen.families import Counts, Family, counts_with_total
from datagen.inputs import counts_of
from datagen.numbers import BIGINT, count_distribution
from datagen.randomness import Int64, Stream, stream, unit
from datagen.rows import Kernel, Rows
from schemas.grammar import MOST_ROWS
from schemas.model import Recipe, Table
from schemas.recipes import DISTRIBUTIONS

if TYPE_CHECKING:
    from datagen.plan import Plan

_DISTRIBUTIONS = {g.name for g in DISTRIBUTIONS}
_UNBOUNDED = 2**61
_HALF = Fraction(1, 2)


@dataclass(frozen=True)
class Counted:
    """The counts of parent rows, and the least and most that each row may have where a total is to be met."""

    of: Callable[[Rows], Int64]
    bounds: Callable[[Rows], tuple[Int64, Int64]]


def family_of(plan: Plan, table: Table, parents: int) -> Family:
    """Return the family of a table with rows per parent; raises Unusable where its counts cannot be met.

    The columns that the counts read are compiled first, which raises Unusable where they need the counts themselves.
    """
    rows = table.rows
    assert rows.per is not None and rows.each is not None
    parent = rows.per
    node = counts_of(parent, table.name)
    ctx = Context(plan, plan.schema.table(parent), node[1], BIGINT, at=rows.at)
    counted = _counted(rows.each, ctx, stream(plan.seed, table.name, "~rows"))
    plan.prepare(node)

    def above(numbers: range) -> Rows:
        return Rows(plan.tables, parent, numbers)

    total = _total(plan, table, parents)
    try:
        if total and not parents:
            raise Unusable(f"{parent} has no rows, so there can be no {total:,} rows of {table.name} for them", rows.at)
        if total is not None:
            least, most = counted.bounds(above(range(parents)))
            if not int(least.sum()) <= total <= int(np.minimum(most, total).sum()):
                raise Unusable(f"{parents:,} parents with {_range(least, most)} cannot have {total:,} rows in all", rows.at)
            thresholds = 1.0 - unit(stream(plan.seed, table.name, "~rows", "total").draws(range(parents)))
            drawn: Counts = lambda numbers: counted.of(above(numbers))  # noqa: E731
            family = Family(parents, counts_with_total(drawn, parents, least, np.minimum(most, total), total, thresholds))
        else:
            family = _remembering(plan, parent, parents, counted, above)
    except GenerationFailed as error:
        raise Unusable(str(error), rows.at) from None
    if family.total > MOST_ROWS:
        raise Unusable(
            f"{family.total:,} rows are more than the {MOST_ROWS:,} that a table can have; lower the count or the scale", rows.at
        )
    return family


def _remembering(plan: Plan, table: str, parents: int, counted: Counted, above: Callable[[range], Rows]) -> Family:
    """The family of `parents` rows of `table`; keeps the times and whole numbers that their counts are made from, which others read too."""
    kept, found = plan.tables[table].kept, defaultdict[str, list[pa.Array]](list)
    again: Counts = lambda numbers: counted.of(above(numbers))  # noqa: E731
    if kept is None:
        return Family(parents, again)

    def first_time(numbers: range) -> Int64:
        rows = above(numbers)
        counts = counted.of(rows)
        for name, values in rows.columns_made():
            if kept.find(("column", name)) is None and (pa.types.is_temporal(values.type) or pa.types.is_integer(values.type)):
                found[name].append(values)
        return counts

    family = Family(parents, again, first_time)
    for name, parts in found.items():
        if sum(map(len, parts)) == parents:
            kept.keep(("column", name), pa.concat_arrays(parts))
    return family


def _total(plan: Plan, table: Table, parents: int) -> int | None:
    rows = table.rows
    if rows.total is not None:
        return int(rows.total * plan.scale + _HALF)
    return None if rows.mean is None else int(Fraction(str(rows.mean)) * parents + _HALF)


def least_count(each: Recipe | int | float | None, family: Family) -> int:
    """The fewest rows that a parent may have by its distribution; where columns of the parent say how many, the fewest that one has."""
    if each is None or (isinstance(each, Recipe) and each.name not in _DISTRIBUTIONS):
        return family.least
    return min(count_distribution(each).least, family.least)


def _range(least: Int64, most: Int64) -> str:
    if len(least) and (least.min() < least.max() or most.min() < most.max()):
        return f"{_between(int(least.sum()), float(most.sum(dtype=np.float64)))} rows together"
    low, high = int(least.min(initial=_UNBOUNDED)), float(most.max(initial=0))
    return f"{_between(low, high)} rows each"


def _between(low: int, high: float) -> str:
    return f"{low:,} or more" if high >= _UNBOUNDED else f"{low:,} to {int(high):,}"


def _counted(each: Recipe | int | float, ctx: Context, own: Stream) -> Counted:
    if not isinstance(each, Recipe) or each.name in _DISTRIBUTIONS:
        return _drawn(each, ctx, own)
    if each.name == "cases":
        return _by_case(each, ctx, own)
    if each.name == "from":
        return _of_column(_taken(each, ctx), each, ctx)
    return _of_column(compile_expression(str(each.args["sql"]), ctx, each.at), each, ctx)


def _drawn(each: Recipe | int | float, ctx: Context, own: Stream) -> Counted:
    whole = count_distribution(each, ctx.at)
    least, most = whole.least, min(whole.most, _UNBOUNDED)
    return Counted(
        lambda rows: whole.sample(rows.draws(own)),
        lambda rows: (np.full(len(rows), least, np.int64), np.full(len(rows), most, np.int64)),
    )


def _taken(each: Recipe, ctx: Context) -> Kernel:
    path = str(each.args["path"])
    source, type = ctx.path(path, each.at)
    change = conversion(type, BIGINT)
    if change is None or type.decimals:
        ctx.fail(f"{path} is {type}, and a number of rows is a whole number", each.at)
    return lambda rows: change(source(rows))


def _of_column(kernel: Kernel, each: Recipe, ctx: Context) -> Counted:
    """As many as a value says (none for null); with a total, parents that have none stay without."""
    what = each.args.get("path") or each.args.get("sql")

    def counts(rows: Rows) -> Int64:
        values: pa.Array = kernel(rows)
        units, _ = to_units(BIGINT, values)
        if len(units) and int(units.min()) < 0:
            raise GenerationFailed(f"{what} is below 0 in a row of {ctx.table.name}, and a row cannot have fewer than 0 rows below it")
        return units

    def bounds(rows: Rows) -> tuple[Int64, Int64]:
        return np.zeros(len(rows), np.int64), np.where(counts(rows) > 0, np.int64(_UNBOUNDED), np.int64(0))

    return Counted(counts, bounds)


def _by_case(each: Recipe, ctx: Context, own: Stream) -> Counted:
    chosen = case_of(each, ctx)
    cases = [_counted(inner, ctx, own) for _, inner in parts_of(each)]

    def counts(rows: Rows) -> Int64:
        case, result = chosen(rows), np.zeros(len(rows), np.int64)
        for i, counted in enumerate(cases):
            here = np.flatnonzero(case == i)
            if len(here):
                result[here] = counted.of(rows.subset(here))
        return result

    def bounds(rows: Rows) -> tuple[Int64, Int64]:
        case, least, most = chosen(rows), np.zeros(len(rows), np.int64), np.zeros(len(rows), np.int64)
        for i, counted in enumerate(cases):
            here = np.flatnonzero(case == i)
            if len(here):
                least[here], most[here] = counted.bounds(rows.subset(here))
        return least, most

    return Counted(counts, bounds)
