"""`truncate`: less of a value: the first characters of a text, the month of a date, the thousands of a number."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers.base import Context, Masker, Rows
from masking.transformers.fit import MOMENTS, NUMBERS, WORDS, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter
from masking.transformers.units import DAY, FIRST_DAY, LAST_DAY, Limits, limits_of, read_units, roomy, step_of, write_units

_CALENDAR = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class Truncate:
    """Cuts off what is too exact: texts after `to` characters, dates and times to their month (quarter, year ...), numbers to a step.

    A text of no more than `to` characters loses its latter half, since it would stay whole: of `Bob` is left `B`, wherever it is cut.
    Dates and times fall back to the first moment of the span (weeks begin on Monday, time stamps with a zone are cut in UTC), numbers
    to the multiple of the step that is nearest towards zero.
    """

    name: ClassVar[str] = "truncate"
    fits: ClassVar[tuple[str, ...]] = (*WORDS, *MOMENTS, "time", *NUMBERS)

    to: Literal["year", "quarter", "month", "week", "day", "hour", "minute", "second"] | Decimal = parameter(
        "a span of time, for dates and times; a number of characters, for text; a step, for numbers"
    )

    def __post_init__(self) -> None:
        if isinstance(self.to, Decimal) and self.to < 0:
            raise ValueError("'to' must not be less than 0")

    def bind(self, context: Context) -> Masker:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "hash or code")
        kind = context.column.type.kind
        if kind in (*MOMENTS, "time"):
            spans = {"date": _CALENDAR[:4], "time": _CALENDAR[5:]}.get(kind, _CALENDAR)
            if self.to not in spans:
                raise unfit(context, self.name, f"'to' must be one of {', '.join(spans)} for a column of type {context.column.type}")
            return TimeTruncated(str(self.to))
        if not isinstance(self.to, Decimal):
            raise unfit(context, self.name, f"'to' must be a number for a column of type {context.column.type}")
        if kind in WORDS:
            if self.to != int(self.to):
                raise unfit(context, self.name, "'to' must be a whole number of characters")
            return TextTruncated(int(self.to))
        if self.to == 0:
            raise unfit(context, self.name, "'to' must be greater than 0")
        return NumberTruncated(step_of(context, self.name, self.to), limits_of(context))


@dataclass(frozen=True)
class TextTruncated:
    """The first `length` characters; of texts that have no more, the first half of those they have, rounded down."""

    length: int

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        cut = pc.utf8_slice_codeunits(values, 0, self.length)
        short = pc.equal(cut, values).fill_null(False)
        if not pc.any(short).as_py():
            return cut
        texts = values.filter(short).dictionary_encode()
        halves = pa.array([text[: len(text) // 2] for text in texts.dictionary.to_pylist()], pa.string())
        return pc.replace_with_mask(cut, short, halves.take(texts.indices))


@dataclass(frozen=True)
class TimeTruncated:
    """The first moment of the `span` of the calendar in which a moment lies."""

    span: str

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        kind = values.type
        if pa.types.is_time64(kind):
            size = {"hour": 3_600_000_000, "minute": 60_000_000, "second": 1_000_000}[self.span]
            units = read_units(values)
            return write_units(units - units % size, values)
        units = read_units(values)
        day = 1 if pa.types.is_date32(kind) else DAY
        # beyond the calendar lies PostgreSQL's infinity
        within = (units >= FIRST_DAY * day) & (units < (LAST_DAY + 1) * day)
        plain = pa.array(np.where(within, units, 0)).cast(pa.int32() if day == 1 else pa.int64())
        cut = pc.floor_temporal(plain.cast(pa.date32() if day == 1 else pa.timestamp("us")), unit=self.span)
        return write_units(np.where(within, read_units(cut), units), values)


@dataclass(frozen=True)
class NumberTruncated:
    """Multiples of `step` units, towards zero."""

    step: int | float
    limits: Limits

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        units = roomy(read_units(values), self.step)
        if units.dtype == np.float64:
            with np.errstate(over="ignore", invalid="ignore"):
                cut = np.clip(np.trunc(units / self.step) * self.step, self.limits.low, self.limits.high)
            return write_units(np.where(np.isfinite(units), cut, units), values)
        size: Any = np.abs(units)
        cut = (size - size % self.step) * np.where(units < 0, -1, 1)
        return write_units(np.clip(cut, self.limits.low, self.limits.high), values)
