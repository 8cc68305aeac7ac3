"""Given values: choices by weight, lists in turn, constants, booleans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Context as DecimalContext
from decimal import Decimal
from typing import Any
from uuid import UUID

import numpy as np
import pyarrow as pa
import rfc8785

from datagen.arrays import DAY, from_units
from datagen.coded import MOST_VALUES, Coded, Codes, coded
from datagen.compiling import Context, generator
from datagen.randomness import Int64, UInt64, unit
from datagen.rows import Kernel, Rows
from datagen.values.texts import pick
from schemas.model import Recipe
from schemas.recipes import argument
from schemas.times import parse_moment, resolve_time_of_day
from schemas.types import SqlType

_GRID = 2**53
_EXACT = DecimalContext(prec=80)  # the usual one rounds to 28 digits
_FEW = 16


def constants(values: Sequence[Any], type: SqlType, ctx: Context) -> pa.Array:
    """Return given values as an array of `type.arrow`; fails where one cannot be of that type."""
    try:
        converted = [_convert(v, type) for v in values]
        if type.kind == "uuid":
            return pa.uuid().wrap_array(pa.array(converted, pa.binary(16)))
        return pa.array(converted, type.arrow)
    except (ValueError, TypeError, ArithmeticError, pa.ArrowException):
        ctx.fail(f"the given values are not all of type {type}")


def _convert(value: Any, type: SqlType) -> Any:
    if value is None:
        return None
    match type.kind:
        case "numeric":
            return Decimal(str(value)).quantize(Decimal(1).scaleb(-type.decimals), context=_EXACT)
        case "date":
            return parse_moment(str(value)) // DAY
        case "timestamp" | "timestamptz":
            return parse_moment(str(value))
        case "time":
            return resolve_time_of_day(str(value))
        case "uuid":
            return UUID(str(value)).bytes
        case "json":
            return rfc8785.dumps(value).decode()
        case "bytes":
            return str(value).encode()
        case "array":
            assert type.item is not None
            return [_convert(v, type.item) for v in value]
        case "real" | "double":
            if abs(float(value)) > float(np.finfo(np.float32 if type.kind == "real" else np.float64).max):
                raise ValueError
            return float(value)
    return value


@generator("choice")
def choice(recipe: Recipe, ctx: Context) -> Kernel:
    """One of the values by weight; in a unique column each value once, in scattered order."""
    pairs = argument(recipe, "values")
    if ctx.unique or ctx.factor is not None:
        pairs = [(value, weight) for value, weight in pairs if weight]
    values = constants([v for v, _ in pairs], ctx.type, ctx)
    if ctx.unique or ctx.factor is not None:
        require_distinct(values, ctx)
        index = ctx.index(len(pairs), "values")
        return lambda rows: pick(values, index(rows))
    position = by_weight([w for _, w in pairs])
    own = ctx.stream()
    return of_values(values, lambda rows: position(rows.draws(own)))


def of_values(values: pa.Array, positions: Callable[[Rows], Codes]) -> Kernel:
    """A kernel that gives values by position; texts as dictionary arrays where they are few and differ."""
    if values.type != pa.string() or len(values) > MOST_VALUES or len(values.unique()) < len(values):
        return lambda rows: pick(values, positions(rows))
    return Coded(lambda rows: coded(values, positions(rows)))


def by_weight(weights: Sequence[float]) -> Callable[[UInt64], Codes]:
    """Return how a draw becomes a position, each as likely as its weight says."""
    thresholds = cumulated(weights)
    if len(thresholds) > _FEW:
        return lambda draws: np.searchsorted(thresholds, draws >> np.uint64(11), side="right")
    # a threshold of 2**53 is above every draw, and would not fit once shifted
    shifted = [np.uint64(int(t) << 11) for t in thresholds if int(t) < _GRID]

    def position(draws: UInt64) -> Codes:
        found = np.zeros(len(draws), np.int8)
        for threshold in shifted:
            found += (draws >= threshold).view(np.int8)
        return found

    return position


def require_distinct(values: pa.Array, ctx: Context) -> None:
    """Fail where one of the values is there twice."""
    found = values.to_pylist()
    twice = next((v for i, v in enumerate(found) if v in found[:i]), None)
    if twice is not None:
        ctx.fail(f"values that must not repeat have to differ, and {str(twice)[:40]!r} is there twice")


def shares(weights: Sequence[float]) -> Int64:
    """Whole numbers in proportion to weights, above 0 where they are, which sum to about 2**53."""
    exact = [Decimal(str(w)) for w in weights]
    total = sum(exact)
    return np.array([max(int(w * _GRID / total), 1) if w else 0 for w in exact], np.int64)


def cumulated(weights: Sequence[float]) -> np.ndarray:
    """Return the thresholds of all but the last weight on the grid of 53-bit draws, by exact arithmetic."""
    exact = [Decimal(str(w)) for w in weights]
    total, running, thresholds = sum(exact), Decimal(0), []
    for weight in exact[:-1]:
        running += weight
        thresholds.append(int(running * _GRID / total))
    return np.array(thresholds, np.uint64)


@generator("list")
def listed(recipe: Recipe, ctx: Context) -> Kernel:
    """The values in turn; in a table with rows per parent the turn begins anew with every parent."""
    given = argument(recipe, "values")
    values = constants(given, ctx.type, ctx)
    family = ctx.plan.family(ctx.table.name)
    longest = ctx.rows if family is None or ctx.unique else family.most
    if ctx.unique:
        require_distinct(values, ctx)
        if len(values) < longest:
            ctx.fail(f"{longest:,} unique values are asked for and the list has {len(values)}")

    def positions(rows: Rows) -> Int64:
        if family is None or ctx.unique:
            return rows.numbers()
        return family.ordinal_of(rows.index, rows.family_parents())

    return of_values(values, lambda rows: positions(rows) % len(values))


@generator("constant")
def constant(recipe: Recipe, ctx: Context) -> Kernel:
    """The same value in every row, or none."""
    if argument(recipe, "value") is None:
        return lambda rows: pa.nulls(len(rows), ctx.type.arrow)
    value = constants([argument(recipe, "value")], ctx.type, ctx)
    return of_values(value, lambda rows: np.zeros(len(rows), np.int8))


@generator("boolean")
def boolean(recipe: Recipe, ctx: Context) -> Kernel:
    """true with the given chance; 1 and 0 in integer columns."""
    share, own, type = float(argument(recipe, "share")), ctx.stream(), ctx.type
    if type.kind == "boolean":
        return lambda rows: pa.array(unit(rows.draws(own)) < share)
    return lambda rows: from_units(type, (unit(rows.draws(own)) < share).astype(np.int64))
