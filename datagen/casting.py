"""Conversions between column types for values taken over from another column."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import DAY, blank, from_units, has_units, largest_units, to_units
from datagen.keys import uuid_text
from datagen.randomness import Int64
from schemas.types import FLOATS, INTEGER_RANGE, INTEGERS, MOMENTS, TEXTS, SqlType

Conversion = Callable[[pa.Array], pa.Array]

_EXACT = (*INTEGERS, "numeric")


def conversion(source: SqlType, target: SqlType) -> Conversion | None:
    """Return how values of `source` become values of `target`; None where they cannot."""
    if source.arrow == target.arrow and (target.length is None or target.length == source.length):
        return _same
    if source.kind in (*TEXTS, "enum", "json") and target.kind in (*TEXTS, "enum", "json"):
        length = target.length
        return _same if length is None else lambda values: pc.utf8_slice_codeunits(values, 0, length)
    if target.kind in TEXTS and source.kind == "uuid":
        return uuid_texts if (target.length or 36) >= 36 else None
    if target.kind in TEXTS and source.kind not in ("bytes", "array", "interval", "time"):
        length = target.length
        if length is None:
            return lambda values: pc.cast(values, pa.string())
        if source.kind in (*_EXACT, *FLOATS):
            return lambda values: _within(target, pc.cast(values, pa.string()))
        return lambda values: pc.utf8_slice_codeunits(pc.cast(values, pa.string()), 0, length)
    if source.kind in _EXACT and target.kind in FLOATS:
        return lambda values: pc.cast(pc.cast(values, pa.float64()), target.arrow)
    if source.kind in FLOATS and target.kind in FLOATS:
        return lambda values: pc.cast(values, target.arrow)
    if has_units(source) and has_units(target):
        change = _unit_change(source, target)
        if change is not None:
            return lambda values: _apply(source, target, change, values)
    return None


def keeps(source: SqlType, target: SqlType) -> bool:
    """Whether texts and numbers of `source` are the same values in a column of type `target`, so far as its width and decimals go."""
    if source.kind in TEXTS and target.kind in TEXTS:
        return target.length is None or (source.length is not None and source.length <= target.length)
    if source.kind in _EXACT and target.kind in _EXACT:
        return target.decimals >= source.decimals and _whole_digits(target) >= _whole_digits(source)
    return True


def _whole_digits(type: SqlType) -> int:
    """Digits before the point of the largest number of a type."""
    precision, scale = type.digits
    return precision - scale if type.kind == "numeric" else len(str(INTEGER_RANGE[type.kind]))


def _same(values: pa.Array) -> pa.Array:
    return values


def _within(type: SqlType, texts: pa.Array) -> pa.Array:
    """The texts of numbers, which say another number once they are cut; raises OverflowError where one is too long."""
    if (pc.max(pc.utf8_length(texts)).as_py() or 0) > (type.length or 0):
        raise OverflowError(f"a number has more characters than {type}")
    return texts


def uuid_texts(values: pa.Array) -> pa.Array:
    """Return uuids in their usual form of 36 characters."""
    storage = values.storage if isinstance(values, pa.ExtensionArray) else values
    absent = np.asarray(storage.is_null()) if storage.null_count else None
    filled = storage.fill_null(bytes(16))  # where a part of an array may begin elsewhere than the array did
    octets = np.frombuffer(filled.buffers()[1], np.uint8)[16 * filled.offset :][: 16 * len(filled)]
    texts = uuid_text(octets.reshape(-1, 16))
    return texts if absent is None else blank(texts, absent)


def _apply(source: SqlType, target: SqlType, change: Callable[[Int64], Int64], values: pa.Array) -> pa.Array:
    units, absent = to_units(source, values)
    changed = change(units)
    if len(changed) and max(int(changed.max()), -int(changed.min())) > largest_units(target):
        raise OverflowError(f"a value of {source} does not fit {target}")
    return from_units(target, changed, absent)


def _rescaled(digits: int) -> Callable[[Int64], Int64]:
    """How units get `digits` more decimals, or round to fewer; raises OverflowError rather than wrap."""
    factor = 10 ** abs(digits)
    if digits < 0:
        if factor >= 2**63:
            return lambda units: ((units.astype(object) + factor // 2) // factor).astype(np.int64)
        return lambda units: units // factor + (units % factor >= factor // 2)

    def more(units: Int64) -> Int64:
        if len(units) and max(int(units.max()), -int(units.min())) * factor >= 2**63:
            raise OverflowError("a value is beyond the 18 digits that generators compute with")
        return units * factor if factor < 2**63 else units  # which are all 0

    return more


def with_fewer_decimals(units: Int64, digits: int) -> Int64:
    """Whole units with `digits` fewer decimals; halves are rounded away from 0, as databases do in casts."""
    return np.sign(units) * _rescaled(-digits)(np.abs(units))


def _unit_change(source: SqlType, target: SqlType) -> Callable[[Int64], Int64] | None:
    if source.kind in _EXACT and target.kind in _EXACT:
        return _rescaled(target.decimals - source.decimals)
    if source.kind in MOMENTS and target.kind in MOMENTS:
        if source.kind == "date" and target.kind != "date":
            return lambda units: units * DAY
        if source.kind != "date" and target.kind == "date":
            return lambda units: units // DAY
        return lambda units: units
    if source.kind in ("timestamp", "timestamptz") and target.kind == "time":
        return lambda units: units % DAY
    return None
