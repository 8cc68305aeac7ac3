"""`bucket`: which of several ranges a value lies in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context as Arithmetic
from decimal import Decimal
from itertools import pairwise
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers.base import Context, Masker, Rows
from masking.transformers.fit import MOMENTS, NUMBERS, WORDS, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter
from masking.transformers.scalars import Unscalable
from masking.transformers.units import Limits, Units, limits_of, read_units, roomy, step_units, to_units, write_units
from schemas.times import parse_duration
from schemas.types import FLOATS, SqlType

# numbers in text are read with nine digits after the point
_TEXT = SqlType("numeric")
_EXACT = Arithmetic(prec=100)  # the usual one rounds to 28 digits


@dataclass(frozen=True)
class Bucket:
    """Puts one value for each range in the place of all values that lie in it.

    Ranges hold their lower end and not their upper one; they come from `edges` (what lies below the first or from the last on is a
    range of its own), or are all `width` wide, counted from `origin`. `as` says what stands for a range: its `lower` end, its
    `midpoint` (numbers, rounded down to the scale; dates), or, in columns of text that hold numbers, the `label` `30-40`. A range
    without a lower end is known by its upper one (as a number: the next value below it). Text that is no number becomes `*`.
    """

    name: ClassVar[str] = "bucket"
    fits: ClassVar[tuple[str, ...]] = (*NUMBERS, *MOMENTS, *WORDS)

    width: Decimal | str | None = parameter("the width of every range; for dates and times a length such as `30d`", default=None)
    edges: tuple[Decimal | str, ...] | None = parameter("the ends of the ranges, in ascending order", default=None, least=1)
    origin: Decimal | str | None = parameter("where a range of `width` begins (0; for dates and times 1970-01-05, a Monday)", default=None)
    as_: Literal["lower", "midpoint", "label"] | None = parameter("what stands for a range (text: `label`, others: `lower`)", default=None)

    def __post_init__(self) -> None:
        if (self.width is None) == (self.edges is None):
            raise ValueError("give either 'width' or 'edges'")
        if self.origin is not None and self.width is None:
            raise ValueError("'origin' goes with 'width'")

    def bind(self, context: Context) -> Masker:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "hash or code")
        type = context.column.type
        text = type.kind in WORDS
        shown = self.as_ or ("label" if text else "lower")
        if shown == "label" and not text:
            raise unfit(context, self.name, f"a label is text, and the column is {type}; use `as: lower` or `as: midpoint`")
        measured = _TEXT if text else type
        try:
            ranges = self._ranges(measured)
        except (Unscalable, ValueError) as error:
            raise unfit(context, self.name, str(error)) from None
        if text:
            return TextBucketed(ranges, shown, type.length)
        limits = limits_of(context)
        if ranges.edges and type.kind not in FLOATS:
            # what lies below the first edge or from the last on ends where the column does
            ends = (min(limits.low, ranges.edges[0]), *ranges.edges, max(limits.high + 1, ranges.edges[-1]))
            single = next((i for i, (low, high) in enumerate(pairwise(ends)) if high - low == 1), None)
            if single is not None and self.edges is not None:
                where = f"from {self.edges[single - 1]} on" if single else f"below {self.edges[0]}"
                raise unfit(context, self.name, f"the range {where} holds one value, which would stay; move an edge or leave it out")
        return Bucketed(ranges, shown, limits)

    def _ranges(self, type: SqlType) -> Ranges:
        timed = type.kind in MOMENTS
        if self.edges is not None:
            edges = [to_units(edge, type) for edge in self.edges]
            if any(a >= b for a, b in pairwise(edges)):
                raise ValueError("'edges' must ascend")
            return Ranges(edges=tuple(edges))
        if isinstance(self.width, str) != timed:
            raise ValueError(f"'width' must be {'a length of time such as 30d' if timed else 'a number'} for a column of type {type}")
        if isinstance(self.width, str):
            length = parse_duration(self.width)
            day = 86_400_000_000
            if type.kind == "date" and length % day:
                raise ValueError("'width' must be whole days for dates")
            width: int | float = length // day if type.kind == "date" else length
        else:
            width = step_units(self.width or Decimal(0), type)
        if width <= 0:
            raise ValueError("'width' must be greater than 0")
        if width == 1 and type.kind not in FLOATS:
            raise ValueError(f"ranges of 'width' {self.width} hold one value each, which would stay; use wider ones")
        origin = to_units(self.origin if self.origin is not None else ("1970-01-05" if timed else 0), type)
        return Ranges(width=width, origin=origin)


@dataclass(frozen=True)
class Ranges:
    """Ranges in units: `edges`, or all of one `width` from `origin` on."""

    edges: tuple[int | float, ...] = ()
    width: int | float = 0
    origin: int | float = 0

    def ends(self, units: Units) -> tuple[Units, Units]:
        """The lower and the upper end of the range of each; where a range has none, None."""
        if not self.edges:
            units = roomy(units, abs(self.origin) + self.width)
            lower = units - (units - self.origin) % self.width
            return lower, lower + self.width
        small = all(abs(edge) < 2**63 for edge in self.edges)
        place = np.searchsorted(np.array(self.edges, dtype=units.dtype if small else object), units, side="right")
        ends = np.array([None, *self.edges, None], dtype=object)
        return ends[place], ends[place + 1]


@dataclass(frozen=True)
class Bucketed:
    """Ranges by a value of the column's own type."""

    ranges: Ranges
    shown: str
    limits: Limits

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        units = read_units(values)
        real = units.dtype == np.float64
        finite = np.isfinite(units) if real else np.ones(len(units), bool)
        inside = np.where(finite, units, 0)
        lower, upper = self.ranges.ends(inside)
        bare = np.array([low is None for low in lower], bool) if lower.dtype == object else np.zeros(len(units), bool)
        last = np.array([high is None for high in upper], bool) if upper.dtype == object else np.zeros(len(units), bool)
        below = np.nextafter(upper[bare].astype(np.float64), -np.inf) if real else upper[bare] - 1
        stands = lower.copy()
        if self.shown == "midpoint":
            closed = ~(bare | last)
            total = lower[closed] + upper[closed]
            stands[closed] = total / 2 if real else total // 2
        stands[bare] = below
        stands = np.clip(stands.astype(units.dtype) if real else stands, self.limits.low, self.limits.high)
        return write_units(np.where(finite, stands, units), values)


@dataclass(frozen=True)
class TextBucketed:
    """Ranges by a label, or by a number as text; what is no number becomes `*`, as does what does not fit the column."""

    ranges: Ranges
    shown: str
    length: int | None

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        encoded = values.dictionary_encode()
        texts = encoded.dictionary
        trimmed = pc.utf8_trim_whitespace(texts)
        number = pc.match_substring_regex(trimmed, r"^[+-]?[0-9]{1,18}(\.[0-9]{1,9})?$")
        units = read_units(pc.if_else(number, trimmed, pa.scalar("0")).cast(_TEXT.arrow))
        lower, upper = self.ranges.ends(units)
        said = [self._said(a, b) if is_number else "*" for a, b, is_number in zip(lower, upper, number.to_pylist())]
        fitting = ["*" if self.length is not None and len(text) > self.length else text for text in said]
        return pa.array(fitting, pa.string()).take(encoded.indices)

    def _said(self, lower: Any, upper: Any) -> str:
        if lower is None:
            return f"<{_written(upper)}"
        if upper is None:
            return f"{_written(lower)}+"
        if self.shown == "label":
            return f"{_written(lower)}-{_written(upper)}"
        return _written(lower if self.shown == "lower" else (lower + upper) // 2)


def _written(units: int) -> str:
    text = f"{Decimal(int(units)).scaleb(-_TEXT.decimals, _EXACT):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
