"""`top_bottom`: extreme values brought to a limit, since the few who have them are known by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from masking.errors import TransformerUnfit
from masking.transformers.base import Context, Rows
from masking.transformers.fit import MOMENTS, NUMBERS, place_of, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter
from masking.transformers.scalars import Unscalable
from masking.transformers.units import Units, read_units, to_units, write_units


@dataclass(frozen=True)
class TopBottom:
    """Top and bottom coding: values beyond a limit become the limit.

    Limits are given (`bottom`, `top`), or the values at two percentiles of the column (`percentiles: [1, 99]`), found by reading it
    first; the memory for that is 16 bytes for each different value. NaN stays.
    """

    name: ClassVar[str] = "top_bottom"
    fits: ClassVar[tuple[str, ...]] = (*NUMBERS, *MOMENTS, "time", "interval")

    bottom: Decimal | str | None = parameter("values below become this", default=None)
    top: Decimal | str | None = parameter("values above become this", default=None)
    percentiles: tuple[float, ...] | None = parameter("the percentiles, from 0 to 100, whose values are the limits", default=None)

    def __post_init__(self) -> None:
        given = self.bottom is not None or self.top is not None
        if given == (self.percentiles is not None):
            raise ValueError("give either 'bottom' or 'top' or both, or 'percentiles'")
        if self.percentiles is not None and (len(self.percentiles) != 2 or not 0 <= self.percentiles[0] < self.percentiles[1] <= 100):
            raise ValueError("'percentiles' must be two ascending numbers from 0 to 100, such as [1, 99]")
        if self.percentiles is not None and tuple(self.percentiles) == (0, 100):
            raise ValueError("'percentiles' of 0 and 100 leave all values as they are; use `keep` for that")

    def bind(self, context: Context) -> Coded:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "hash or code")
        if self.percentiles is not None:
            return CodedByPercentiles(None, None, self.percentiles, place_of(context))
        try:
            bottom, top = (None if limit is None else to_units(limit, context.column.type) for limit in (self.bottom, self.top))
        except Unscalable as error:
            raise unfit(context, self.name, str(error)) from None
        if bottom is not None and top is not None and bottom > top:
            raise unfit(context, self.name, "'bottom' is above 'top'")
        return Coded(bottom, top)


@dataclass
class Coded:
    """Values held between two limits, in units; None where there is no limit."""

    bottom: int | float | None
    top: int | float | None

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        if self.bottom is None and self.top is None:
            return values
        return write_units(np.clip(read_units(values), self.bottom, self.top), values)


@dataclass
class CodedByPercentiles(Coded):
    """A Learner: the limits are values of the column, by nearest rank."""

    percentiles: Sequence[float]
    place: str
    _values: Units | None = field(default=None, repr=False)
    _counts: Any = field(default=None, repr=False)
    _ready: bool = False

    def learn(self, values: pa.Array, rows: Rows) -> None:
        units = read_units(values.drop_null())
        if units.dtype == np.float64:
            units = units[~np.isnan(units)] + 0.0  # -0.0 becomes 0.0
        found, counts = np.unique(units, return_counts=True)
        if self._values is not None:
            everything = np.concatenate([self._values, found])
            weights = np.concatenate([self._counts, counts])
            found, place = np.unique(everything, return_inverse=True)
            counts = np.zeros(len(found), np.int64)
            np.add.at(counts, place, weights)
        self._values, self._counts = found, counts

    def finish(self) -> None:
        if self._values is not None and len(self._values):
            ranks = np.cumsum(self._counts)
            low, high = (np.ceil(p / 100 * ranks[-1]) for p in self.percentiles)
            self.bottom = self._values[np.searchsorted(ranks, max(low, 1.0))]
            self.top = self._values[np.searchsorted(ranks, max(high, 1.0))]
        self._values = self._counts = None
        self._ready = True

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        if not self._ready:
            raise TransformerUnfit(f"{self.place}: 'top_bottom' has not read its column yet, and percentiles need that")
        return super().apply(values, rows)
