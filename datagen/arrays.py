"""Arrow arrays from whole numbers and back.

Every measurable column type has a unit: 1 for integers, the last decimal for numerics, a day for dates, a microsecond for
times, time stamps and intervals. Kernels compute in units (int64) and turn them into Arrow at the end.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from datagen.randomness import Int64
from schemas.types import INTEGER_RANGE, INTEGERS, SqlType

Mask = npt.NDArray[np.bool_]

DAY = 86_400_000_000
SECOND = 1_000_000
MAX_UNITS = 2**62

_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_FIRST = {"date": _FIRST_DAY, "timestamp": _FIRST_DAY * DAY, "timestamptz": _FIRST_DAY * DAY}
_LAST = {"date": _LAST_DAY, "timestamp": (_LAST_DAY + 1) * DAY - 1, "timestamptz": (_LAST_DAY + 1) * DAY - 1}

_STORAGE = {
    "smallint": np.int16, "integer": np.int32, "bigint": np.int64, "date": np.int32, "time": np.int64, "timestamp": np.int64,
    "timestamptz": np.int64, "interval": np.int64,
}  # fmt: skip


def from_units(type: SqlType, units: Int64, absent: Mask | None = None) -> pa.Array:
    """Return an array of `type.arrow` from whole units; rows in `absent` are null."""
    validity = None if absent is None else pa.py_buffer(np.packbits(~absent, bitorder="little"))
    if type.kind == "numeric":
        wide = np.zeros((len(units), 2), np.int64)
        wide[:, 0] = units
        if len(units) and units.min() < 0:
            wide[:, 1] = units >> 63
        return pa.Array.from_buffers(type.arrow, len(units), [validity, pa.py_buffer(wide)])
    data = np.ascontiguousarray(units, dtype=_STORAGE[type.kind])
    return pa.Array.from_buffers(type.arrow, len(units), [validity, pa.py_buffer(data)])


def to_units(type: SqlType, values: pa.Array) -> tuple[Int64, Mask | None]:
    """Return the whole units of an array of `type.arrow`, and which rows are null (None for none).

    Raises OverflowError where a numeric has more units than 64 bits hold.
    """
    absent = None if values.null_count == 0 else np.asarray(values.is_null())
    data = values.buffers()[1]
    if type.kind == "numeric":
        words = np.frombuffer(data, np.int64)[2 * values.offset : 2 * (values.offset + len(values))].reshape(-1, 2)
        units = words[:, 0]
        if words[:, 1].any() or (len(units) and units.min() < 0):  # of most columns all are small and above 0, which is soon seen
            beyond = words[:, 1] != units >> 63
            if beyond.any() and (absent is None or (beyond & ~absent).any()):
                raise OverflowError(f"a value of {type} is beyond the 18 digits that generators compute with")
    else:
        units = np.frombuffer(data, _STORAGE[type.kind])[values.offset : values.offset + len(values)].astype(np.int64, copy=False)
    return (units if absent is None else np.where(absent, 0, units)), absent


def moments(type: SqlType, values: pa.Array) -> tuple[Int64, Mask | None]:
    """Dates or time stamps in microseconds since 1970, and where they are null."""
    units, absent = to_units(type, values)
    return units * (DAY if type.kind == "date" else 1), absent


def has_units(type: SqlType) -> bool:
    """Whether values of `type` are counted in whole units."""
    return type.kind in _STORAGE or type.kind == "numeric"


def empty_batch(schema: pa.Schema) -> pa.RecordBatch:
    """Return no rows of a schema, whatever its types (pyarrow makes no empty list of an extension type out of Python values)."""
    return pa.RecordBatch.from_arrays([pa.nulls(0, field.type) for field in schema], schema=schema)


def from_floats(type: SqlType, values: npt.NDArray[np.float64]) -> pa.Array:
    """Return an array of a float type."""
    return pa.array(values.astype(np.float32) if type.kind == "real" else values)


def largest_units(type: SqlType) -> int:
    """The largest whole number of units that a column of `type` can hold (and the kernels can compute with)."""
    if type.kind in INTEGERS:
        return INTEGER_RANGE[type.kind]
    if type.kind == "numeric" and type.precision is not None:
        return min(int(10**type.precision) - 1, MAX_UNITS)
    return MAX_UNITS


def require_years(type: SqlType, values: pa.Array) -> None:
    """Raise OverflowError where a date or time stamp lies outside the years 1 to 9999, which databases and Python share."""
    if type.kind in _FIRST and len(values):
        units, absent = to_units(type, values)
        first, last = _FIRST[type.kind], _LAST[type.kind]
        outside = (units < first) | (units > last)
        if outside.any() and (absent is None or (outside & ~absent).any()):
            raise OverflowError("a time lies outside the years 1 to 9999")


def either(first: Mask | None, second: Mask | None) -> Mask | None:
    """Rows that are absent in one or the other."""
    if first is None or second is None:
        return second if first is None else first
    return first | second


def blank(values: pa.Array, absent: Mask) -> pa.Array:
    """Return `values` with null in the rows of `absent`."""
    if not absent.any():
        return values
    present = pa.array(~absent)
    if isinstance(values, pa.ExtensionArray):
        return values.type.wrap_array(blank(values.storage, absent))
    kept = pa.compute.and_(values.is_valid(), present) if values.null_count else present
    if values.offset == 0 and values.type.num_buffers <= 3 and not pa.types.is_nested(values.type):
        return pa.Array.from_buffers(values.type, len(values), [kept.buffers()[1], *values.buffers()[1:]])
    return values.take(pa.array(np.arange(len(values)), mask=absent))  # which knows lists of uuids, too
