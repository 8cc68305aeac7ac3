"""Moving all dates and times by whole weeks, so that a bundle's 'now' lands near a given day.

Times of day, weekdays and order stay as they are. Only date, timestamp and timestamptz columns (and arrays of them) move:
not times inside texts, documents or time-ordered uuids.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import InputError
from schemas.model import Table
from schemas.times import EPOCH, MICROSECOND
from schemas.types import SqlType

_MOVED = ("date", "timestamp", "timestamptz")
_WEEK_DAYS = 7
_DAY_MICROSECONDS = 86_400_000_000


def weeks_until(anchor: int, as_of: str | date, *, today: date | None = None) -> int:
    """Return how many whole weeks bring `anchor` (microseconds since 1970, UTC) nearest to `as_of`, at or before it.

    `as_of` is `now` (that is `today`, or the clock's day in UTC) or a date; InputError for anything else.
    """
    if isinstance(as_of, date):
        day = (as_of.astimezone(UTC) if as_of.tzinfo else as_of).date() if isinstance(as_of, datetime) else as_of
    elif as_of.strip() == "now":
        day = today or datetime.now(UTC).date()
    else:
        try:
            day = date.fromisoformat(as_of.strip())
        except ValueError:
            raise InputError(f"'{as_of[:60]}' is no day; write a date such as 2026-01-31, or now") from None
    return (day - (EPOCH + anchor * MICROSECOND).date()).days // _WEEK_DAYS


@dataclass(frozen=True, slots=True)
class Shift:
    """A move of all dates and times by `weeks`."""

    weeks: int

    @property
    def days(self) -> int:
        return self.weeks * _WEEK_DAYS

    def moves(self, type: SqlType) -> bool:
        """Whether values of `type` move."""
        return self.weeks != 0 and _item(type).kind in _MOVED

    def apply(self, table: Table, batch: pa.RecordBatch) -> pa.RecordBatch:
        """Return `batch` with its dates and times moved; InputError where one would leave the range of its type."""
        arrays = list(batch.columns)
        for position, column in enumerate(table.stored_columns):
            if self.moves(column.type):
                try:
                    arrays[position] = self._moved(column.type, arrays[position])
                except pa.ArrowInvalid:
                    raise InputError(
                        f"table '{table.name}', column '{column.name}': moving its times by {self.weeks:,} weeks leaves the range "
                        f"of {column.type}; choose a nearer day"
                    ) from None
        return pa.RecordBatch.from_arrays(arrays, schema=batch.schema)

    def _moved(self, type: SqlType, array: pa.Array) -> pa.Array:
        if type.kind == "array":
            assert type.item is not None
            lengths = pc.list_value_length(array).fill_null(0).to_numpy(zero_copy_only=False)
            offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(lengths, dtype=np.int32)])
            items = self._moved(type.item, array.flatten())
            mask = array.is_null() if array.null_count else None
            return pa.ListArray.from_arrays(pa.array(offsets), items, type=array.type, mask=mask)
        if type.kind == "date":
            return pc.add_checked(array.cast(pa.int32()), pa.scalar(self.days, pa.int32())).cast(array.type)
        step = pa.scalar(self.days * _DAY_MICROSECONDS, pa.int64())
        return pc.add_checked(array.cast(pa.int64()), step).cast(array.type)


def _item(type: SqlType) -> SqlType:
    return _item(type.item) if type.kind == "array" and type.item is not None else type
