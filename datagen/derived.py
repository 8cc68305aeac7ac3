"""Values taken from elsewhere: another column, a SQL expression, the rows that reference this one."""

from __future__ import annotations

import threading
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from datagen.additions import FurtherChildren
from datagen.arrays import from_units, has_units, largest_units, to_units
from datagen.blocks import BLOCK_ROWS, blocks_of
from datagen.casting import Conversion, conversion, with_fewer_decimals
from datagen.compiling import Context, generator
from datagen.errors import GenerationFailed
from datagen.expression import compile_expression
from datagen.families import Family
from datagen.inputs import link_of, rows_of
from datagen.links import FamilyLink
from datagen.numbers import unit_factor
from datagen.randomness import Int64
from datagen.rows import Kernel, Rows
from schemas.model import ForeignKey, Recipe
from schemas.recipes import argument
from schemas.types import SqlType

_LEAST, _MOST = np.iinfo(np.int64).min, np.iinfo(np.int64).max


@generator("from")
def taken_from(recipe: Recipe, ctx: Context) -> Kernel:
    """The value of another column, converted to this column's type."""
    path = str(argument(recipe, "path"))
    source, type = ctx.path(path, recipe.at)
    change = conversion(type, ctx.type)
    if change is None:
        ctx.fail(f"{path} is {type} and cannot become {ctx.type}", recipe.at)
    return lambda rows: change(source(rows))


@generator("expression")
def expression(recipe: Recipe, ctx: Context) -> Kernel:
    """A SQL expression over the columns of the row."""
    return compile_expression(str(argument(recipe, "sql")), ctx, recipe.at)


def _child(recipe: Recipe, ctx: Context, path: str) -> tuple[str, str, ForeignKey]:
    """Split `table.column` and find the foreign key by which the table references this one."""
    for table in ctx.schema.tables:
        column = path.removeprefix(table.name).removeprefix(".")
        if path not in (table.name, f"{table.name}.{column}") or (column and not table.has(column)):
            continue
        keys = [f for f in table.foreign_keys if f.table == ctx.table.name]
        if not keys:
            ctx.fail(f"{table.name} does not reference {ctx.table.name}", recipe.at)
        links = ctx.plan.tables[table.name].links
        chosen = next((k for k in keys if isinstance(links.get(k.columns), FamilyLink)), keys[0])
        ctx.plan.needs(ctx.node, link_of(table.name, chosen.columns))
        ctx.plan.inputs.reads(ctx.node, rows_of(table.name))
        if column:
            ctx.plan.needs(ctx.node, (table.name, column))
        return table.name, column, chosen
    ctx.fail(f"'{path}' is no column of a table that references {ctx.table.name}", recipe.at)


def _children(rows: Rows, ctx: Context, table: str, family: Family, value: Callable[[Rows], Int64], empty: int, fold: np.ufunc) -> Int64:
    """Fold `value` over the children of each of `rows`, where children lie together; all folds share the children."""
    parts = rows.memo(("children", table), lambda: _children_of(rows, ctx, table, family))
    return np.concatenate([_folded(children, count, value, empty, fold) for children, count in parts])


def _folded(children: Rows, count: Int64, value: Callable[[Rows], Int64], empty: int, fold: np.ufunc) -> Int64:
    result = np.full(len(count), empty, np.int64)
    if len(children):
        present = np.flatnonzero(count)
        bounds = (np.cumsum(count) - count)[present]
        values = value(children)
        result[present] = fold.reduceat(values, bounds)
        if fold is np.add and max(int(values.max()), -int(values.min())) * int(count.max()) >= 2**63:
            _refuse_wrapped(np.add.reduceat(values.astype(np.float64), bounds))
    return result


def _refuse_wrapped(sums: np.ndarray) -> None:
    """Raise OverflowError where a sum, here in floats, has left the 64 bits in which it is exact."""
    if len(sums) and np.abs(sums).max() >= 2.0**63 * (1 - 2.0**-20):
        raise OverflowError("a total is beyond the 18 digits that generators compute with")


def _children_of(rows: Rows, ctx: Context, table: str, family: Family) -> list[tuple[Rows, Int64]]:
    """The children of `rows`, one parent's after the other's, and how many each has; in parts that stay in the processor's cache."""
    start, count = family.children_of(rows.numbers())
    ends = np.cumsum(count)
    cuts = np.unique(np.searchsorted(ends, np.arange(0, int(ends[-1]) if len(ends) else 0, BLOCK_ROWS)))
    parts = []
    for first, last in zip([0, *cuts[cuts > 0].tolist()], [*cuts[cuts > 0].tolist(), len(count)], strict=True):
        begin, number = start[first:last], count[first:last]
        if isinstance(rows.index, range):
            index: range | Int64 = range(int(begin[0]), int(begin[-1] + number[-1])) if len(begin) else range(0)
        else:
            offset = np.repeat(begin - (np.cumsum(number) - number), number)
            index = offset + np.arange(len(offset), dtype=np.int64)
        parts.append((Rows(ctx.plan.tables, table, index), number))
    return parts


class Totals:
    """A fold over the rows that reference each row of a table from anywhere; made once, 8 bytes a parent."""

    def __init__(self, ctx: Context, table: str, key: ForeignKey, value: Callable[[Rows], Int64], empty: int, fold: np.ufunc) -> None:
        self._ctx, self._table, self._key, self._value, self._empty, self._fold = ctx, table, key, value, empty, fold
        self._lock = threading.Lock()
        self._made: Int64 | None = None

    def __call__(self, numbers: Int64) -> Int64:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return self._made[numbers]

    def _make(self) -> Int64:
        plan = self._ctx.plan
        result = np.full(plan.row_count(self._ctx.table.name), self._empty, np.int64)
        sums = np.zeros(len(result) if self._fold is np.add else 0)
        for block in blocks_of(plan.row_count(self._table)):
            rows = Rows(plan.tables, self._table, block)
            links, values = rows.links(self._key.columns), self._value(rows)
            self._fold.at(result, links[links >= 0], values[links >= 0])
            if self._fold is np.add:
                np.add.at(sums, links[links >= 0], np.abs(values[links >= 0].astype(np.float64)))
        _refuse_wrapped(sums)
        return result


def _aggregate(recipe: Recipe, ctx: Context, path: str, empty: int, fold: np.ufunc, decimals: int | None = None) -> Callable[[Rows], Int64]:
    """Fold the children of each row in units of the column's type, or with more `decimals`."""
    table, column, key = _child(recipe, ctx, path)
    if column:
        type = ctx.schema.table(table).column(column).type
        convert, folded = _conversion(recipe, ctx, type), ctx.type
        if decimals is not None and decimals > ctx.type.decimals:
            convert, folded = _unchanged, type

        def value(rows: Rows) -> Int64:
            units, absent = to_units(folded, convert(rows.column(column)))
            if fold is not np.add and (units == empty).any():
                raise OverflowError(f"a value of {path} is at the very end of 64 bits, which here stands for none")
            return units if absent is None else np.where(absent, np.int64(empty), units)
    else:

        def value(rows: Rows) -> Int64:
            return np.ones(len(rows), np.int64)

    plan = ctx.plan
    family, seen = plan.family(table), plan.existing(value, empty)
    totals = Totals(ctx, table, key, seen, empty, fold)
    folding = None if family is None else plan.foldings.add(table, family, seen, empty, fold)

    def aggregate(rows: Rows) -> Int64:
        if family is not None and isinstance(plan.tables[table].links[key.columns], FamilyLink):
            found = folding.of(rows.index) if folding is not None and isinstance(rows.index, range) else None
            return found if found is not None else _children(rows, ctx, table, family, seen, empty, fold)
        return totals(rows.numbers())

    further = plan.further.get(table)
    if further is None and ctx.table.name not in plan.further:
        return aggregate
    more = FurtherChildren(plan.tables, key.columns, seen, empty, fold, further, plan.row_count(ctx.table.name))
    return more.over(aggregate)


def _conversion(recipe: Recipe, ctx: Context, type: SqlType) -> Conversion:
    change = conversion(type, ctx.type)
    if change is None or not has_units(ctx.type):
        ctx.fail(f"{recipe.name} over {type} does not fit {ctx.type}", recipe.at)
    return change


def _unchanged(values: pa.Array) -> pa.Array:
    return values


@generator("sum")
def sum_of(recipe: Recipe, ctx: Context) -> Kernel:
    """The exact sum of a column over the rows that reference this one, rounded where it has more decimals; 0 where there are none."""
    path = str(argument(recipe, "child"))
    table, column, _ = _child(recipe, ctx, path)
    decimals = ctx.schema.table(table).column(column).type.decimals if column else 0
    total = _aggregate(recipe, ctx, path, 0, np.add, decimals)
    if decimals > ctx.type.decimals:
        return _limited(ctx, lambda rows: with_fewer_decimals(total(rows), decimals - ctx.type.decimals))
    return _limited(ctx, total)


@generator("count")
def count_of(recipe: Recipe, ctx: Context) -> Kernel:
    """How many rows reference this one."""
    total = _aggregate(recipe, ctx, str(argument(recipe, "table")), 0, np.add)
    factor = unit_factor(ctx.type)
    return _limited(ctx, lambda rows: total(rows) * factor)


def _limited(ctx: Context, total: Callable[[Rows], Int64]) -> Kernel:
    type, limit, where = ctx.type, largest_units(ctx.type), f"{ctx.table.name}.{ctx.column}"

    def kernel(rows: Rows) -> pa.Array:
        units = total(rows)
        if len(units) and (int(units.max()) > limit or int(units.min()) < -limit):
            raise GenerationFailed(f"{where}: a total does not fit {type}; use a wider type or fewer rows per parent")
        return from_units(type, units)

    return kernel


def _extreme(recipe: Recipe, ctx: Context, empty: int, fold: np.ufunc) -> Kernel:
    best = _aggregate(recipe, ctx, str(argument(recipe, "child")), empty, fold)
    type, nullable, where = ctx.type, ctx.table.column(ctx.column).nullable, f"{ctx.table.name}.{ctx.column}"

    def kernel(rows: Rows) -> pa.Array:
        units = best(rows)
        absent = units == empty
        if absent.any() and not nullable:
            raise GenerationFailed(f"{where}: some rows are referenced by none, and the column is NOT NULL; add `null: 0`")
        return from_units(type, np.where(absent, 0, units), absent if absent.any() else None)

    return kernel


@generator("earliest")
def earliest(recipe: Recipe, ctx: Context) -> Kernel:
    """The least value of a column over the rows that reference this one."""
    return _extreme(recipe, ctx, _MOST, np.minimum)


@generator("latest")
def latest(recipe: Recipe, ctx: Context) -> Kernel:
    """The greatest value of a column over the rows that reference this one."""
    return _extreme(recipe, ctx, _LEAST, np.maximum)
