"""`shift`: all dates and times of one person moved by the same length of time, in every table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from masking.draws import draws
from masking.transformers.base import Context, Rows
from masking.transformers.fit import MOMENTS, require_kind, unfit
from masking.transformers.parameters import parameter
from masking.transformers.units import DAY, FIRST_DAY, LAST_DAY, Units, limits_of, read_units, write_units

_SECOND = 1_000_000
_UNITS = {"second": _SECOND, "minute": 60 * _SECOND, "hour": 3600 * _SECOND, "day": DAY, "week": 7 * DAY}


@dataclass(frozen=True)
class Shift:
    """Moves the dates and times of each subject by one keyed length of time within plus or minus `days`, never zero.

    The length depends on the key and the subject alone, so that the intervals between one person's events survive, in all columns
    and tables. Whole weeks keep weekdays, whole days the time of day (of a `timestamptz`: in UTC). A `date` moves by whole days,
    the part of a day in a finer shift being dropped. 0001-01-01 and 9999-12-31, which stand for 'always', and what lies beyond them
    (PostgreSQL's infinity) stay as they are; all else stays between them, at the last moment before the edge if need be.
    Rows whose subject is null all move by the same length.
    """

    name: ClassVar[str] = "shift"
    fits: ClassVar[tuple[str, ...]] = MOMENTS

    days: int = parameter("how far at most, either way", default=30, least=1, most=36_500)
    unit: Literal["second", "minute", "hour", "day", "week"] = parameter("lengths are whole numbers of these", default="day")
    scope: Literal["subject", "all"] = parameter("one length for each subject, or one for all rows of the database", default="subject")

    def __post_init__(self) -> None:
        if self.days * DAY < _UNITS[self.unit]:
            raise ValueError("'days' must be at least 7 for whole weeks")

    def bind(self, context: Context) -> Shifted:
        require_kind(context, self.name, self.fits)
        if self.scope == "subject" and context.subject_domain is None:
            raise unfit(context, self.name, "the table has no subject; name it (`subject:`), or say `scope: all` to shift all rows alike")
        if context.unique and self.scope == "subject":
            raise unfit(context, self.name, "the column is unique, and the days of two subjects may become the same; say `scope: all`")
        step = _UNITS[self.unit]
        purpose = "shift/all" if self.scope == "all" else f"shift/subject/{context.subject_domain}"
        limits = limits_of(context)
        return Shifted(
            context.column.type.kind == "date",
            step,
            self.days * DAY // step,
            self.scope,
            limits.low,
            limits.high,
            context.key.derive(purpose),
        )


@dataclass(frozen=True)
class Shifted:
    """Lengths of -`most` to `most` times `step` microseconds, without 0; `low` and `high` bound the results, in units."""

    whole_days: bool
    step: int
    most: int
    scope: str
    low: int
    high: int
    key: bytes = field(repr=False)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        units = read_units(values)
        day = 1 if self.whole_days else DAY
        always = (units < (FIRST_DAY + 1) * day) | (units >= LAST_DAY * day)
        # a CHECK may bound the column more narrowly than the calendar does
        low, high = max((FIRST_DAY + 1) * day, self.low), min(LAST_DAY * day - 1, self.high)
        moved = np.clip(np.where(always, 0, units) + self._lengths(len(values), rows), low, high)
        return write_units(np.where(always, units, moved), values)

    def _lengths(self, count: int, rows: Rows) -> Units:
        subject = pa.nulls(count, pa.string()) if self.scope == "all" or rows.subject is None else rows.subject
        # 2 * most lengths: -most .. -1 and 1 .. most
        drawn: np.ndarray[Any, Any] = (draws(subject, self.key) % np.uint64(2 * self.most)).astype(np.int64)
        steps = np.where(drawn < self.most, drawn - self.most, drawn - self.most + 1)
        lengths: Units = steps * self.step
        return lengths // DAY if self.whole_days else lengths
