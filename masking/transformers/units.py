"""Numbers, dates and times as whole numbers of their smallest unit, so that they are reckoned with exactly.

Integers count ones, numerics their last decimal, dates days, times, time stamps and intervals microseconds. They are int64, or
Python's integers (an array of objects) where a numeric is too large for that; `real` and `double` stay float64.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context as Arithmetic
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers.base import Context
from masking.transformers.fit import unfit
from masking.transformers.scalars import Unscalable, scalar
from schemas.types import FLOATS, INTEGER_RANGE, SqlType

Units = np.ndarray[Any, Any]

DAY = 86_400_000_000
# the years 1 to 9999, which every database and Python can hold
FIRST_DAY, LAST_DAY = -719_162, 2_932_896
_EXACT = Arithmetic(prec=100)
_INT64 = 2**63


@dataclass(frozen=True)
class Limits:
    """The least and the greatest value of a column in its units, by its type and its CHECK constraints, both inclusive."""

    low: Any
    high: Any


def read_units(values: pa.Array) -> Units:
    """Return `values` in units; 0 where one is null."""
    kind = values.type
    if pa.types.is_floating(kind):
        return pc.fill_null(values.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
    if pa.types.is_decimal(kind):
        return _decimal_units(values)
    if pa.types.is_temporal(kind):
        values = values.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64())
    return pc.fill_null(values.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]


def write_units(units: Units, like: pa.Array) -> pa.Array:
    """Return `units`, which are within the limits of the type, with the type and the nulls of `like`."""
    null = pc.is_null(like).to_numpy(zero_copy_only=False)
    kind = like.type
    if pa.types.is_floating(kind):
        return pa.array(units, pa.float64(), mask=null).cast(kind)
    if pa.types.is_decimal(kind):
        return _decimals(units, null, kind)
    whole = pa.array(units.astype(np.int64), pa.int64(), mask=null)
    if pa.types.is_date32(kind):
        whole = whole.cast(pa.int32())
    return whole.cast(kind)


def to_units(value: Decimal | float | str, type: SqlType) -> int | float:
    """Return a plain value of the policy in units of `type`; raises Unscalable."""
    found = read_units(pa.array([scalar(value, type)], type.arrow))[0]
    return float(found) if type.kind in FLOATS else int(found)


def step_units(step: Decimal, type: SqlType) -> int | float:
    """Return a step of numbers, such as 0.05 or 100, in units of `type`; raises Unscalable where it is finer than the scale."""
    if type.kind in FLOATS:
        return float(step)
    units = _EXACT.scaleb(step, type.decimals)
    if units != units.to_integral_value():
        raise Unscalable(f"{step} is finer than the column, which is {type}")
    return int(units)


def step_of(context: Context, transformer: str, step: Decimal) -> int | float:
    """Return a step in units of the column of `context`; raises TransformerUnfit where it is finer than the scale, or no coarser."""
    type = context.column.type
    try:
        units = step_units(step, type)
    except Unscalable as error:
        raise unfit(context, transformer, str(error)) from None
    if units == 1 and type.kind not in FLOATS:
        raise unfit(context, transformer, f"a step of {step} leaves every {type} as it is; use a larger one")
    return units


def roomy(units: Units, step: float = 0) -> Units:
    """Return whole `units` such that sums and differences with numbers up to `step` do not overflow: Python's integers if need be."""
    if units.dtype != np.int64 or not len(units):
        return units
    most = max(abs(int(units.min())), abs(int(units.max())), abs(int(step)))
    return units if most < _INT64 // 4 else units.astype(object)


def reflected(units: Units, change: Units, limits: Limits) -> Units:
    """Return whole `units + change`, thrown back from `limits` as often as need be: clipped, they would tell what lies near a limit."""
    moved: Units = roomy(units) + roomy(change)
    beyond = np.flatnonzero((moved < limits.low) | (moved > limits.high))
    if len(beyond):
        width = limits.high - limits.low
        away = (moved[beyond].astype(object) - limits.low) % (2 * width or 1)
        back = np.array([limits.low + (a if a <= width else 2 * width - a) for a in away.tolist()], dtype=object)
        moved[beyond] = back if moved.dtype == object else back.astype(np.int64)
    return moved


def reflected_floats(numbers: Units, change: Units, limits: Limits) -> Units:
    """The same of floating-point numbers; what is infinite ends at the limit that it passed, as does all in columns as wide as the type."""
    with np.errstate(over="ignore", invalid="ignore"):
        moved = numbers + change
        width = np.float64(limits.high) - np.float64(limits.low)
        away = np.mod(moved - limits.low, 2 * width)
        back = limits.low + np.where(away > width, 2 * width - away, away)
        inside = (moved >= limits.low) & (moved <= limits.high)
        found: Units = np.where(inside | ~np.isfinite(back), moved, back)
    return np.clip(found, limits.low, limits.high)


def limits_of(context: Context) -> Limits:
    """The limits of the column of `context`: those of its type, made narrower by its CHECK constraints."""
    from schemas.check_facts import facts_of

    type = context.column.type
    low, high = _type_limits(type)
    names = [column.name for column in context.table.columns]
    facts = facts_of([check.sql for check in context.table.checks], names).of(context.column.name)
    for bound, text, is_open, sign in ((facts.low, facts.low_text, facts.open_low, 1), (facts.high, facts.high_text, facts.open_high, -1)):
        said = text if bound is None else bound
        if said is None:
            continue
        limit = _bound(said, type, sign)
        if limit is None:
            continue
        if is_open and type.kind in FLOATS:
            limit = float(np.nextafter(limit, sign * np.inf, dtype=np.float32 if type.kind == "real" else np.float64))
        elif is_open and _meets(said, limit, type):
            limit += sign
        low, high = (max(low, limit), high) if sign > 0 else (low, min(high, limit))
    return Limits(low, high)


def _bound(said: Decimal | str, type: SqlType, sign: int) -> Any:
    if isinstance(said, Decimal) and type.kind not in FLOATS:
        units = _EXACT.scaleb(said, type.decimals)
        return int(units.to_integral_value("ROUND_CEILING" if sign > 0 else "ROUND_FLOOR"))
    try:
        return to_units(said, type)
    except Unscalable:
        return None


def _meets(said: Decimal | str, limit: int, type: SqlType) -> bool:
    return not isinstance(said, Decimal) or _EXACT.scaleb(said, type.decimals) == limit


def _type_limits(type: SqlType) -> tuple[Any, Any]:
    if type.kind in INTEGER_RANGE:
        return -INTEGER_RANGE[type.kind] - 1, INTEGER_RANGE[type.kind]
    if type.kind in FLOATS:
        most = float(np.finfo(np.float32 if type.kind == "real" else np.float64).max)
        return -most, most
    if type.kind == "numeric":
        digits = type.arrow.precision
        return -(10**digits) + 1, 10**digits - 1
    if type.kind == "date":
        return FIRST_DAY, LAST_DAY
    if type.kind == "time":
        return 0, DAY - 1
    if type.kind == "interval":
        return -_INT64 + 1, _INT64 - 1
    return FIRST_DAY * DAY, (LAST_DAY + 1) * DAY - 1


def _decimal_units(values: pa.Array) -> Units:
    halves = np.frombuffer(values.buffers()[1], np.int64)[2 * values.offset : 2 * (values.offset + len(values))].reshape(-1, 2)
    valid = pc.is_valid(values).to_numpy(zero_copy_only=False)
    low, high = np.where(valid, halves[:, 0], 0), np.where(valid, halves[:, 1], 0)
    if np.array_equal(high, low >> 63):
        return low
    return high.astype(object) * 2**64 + low.view(np.uint64).astype(object)  # type: ignore[no-any-return]


def _decimals(units: Units, null: np.ndarray[Any, Any], kind: pa.DataType) -> pa.Array:
    halves = np.empty((len(units), 2), np.int64)
    if units.dtype == object:
        halves[:, 0] = (units & (2**64 - 1)).astype(np.uint64).view(np.int64)
        halves[:, 1] = (units >> 64).astype(np.int64)
    else:
        halves[:, 0], halves[:, 1] = units, units >> 63
    valid = pa.py_buffer(np.packbits(~null, bitorder="little").tobytes())
    return pa.Array.from_buffers(kind, len(units), [valid, pa.py_buffer(halves.tobytes())])
