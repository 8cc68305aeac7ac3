"""`noise`: numbers, dates and times moved by a random amount of a given spread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import fsum, sqrt
from typing import ClassVar, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.draws import draws
from masking.keyed import UInt64
from masking.transformers.base import Context, Rows
from masking.transformers.distributions import Floats, laplace, normal, uniform
from masking.transformers.fit import MOMENTS, NUMBERS, require_kind, require_repeats, unfit
from masking.transformers.parameters import parameter
from masking.transformers.units import Limits, Units, limits_of, read_units, reflected, reflected_floats, write_units
from schemas.times import parse_duration
from schemas.types import FLOATS, SqlType

_DISTRIBUTIONS = {"normal": normal, "laplace": laplace, "uniform": uniform}
# the sums of a column are taken over blocks of so many values, however the column is cut into batches
_BLOCK = 65_536
_FARTHEST = sqrt(np.finfo(np.float64).max / 2**40)  # from the origin, so that 2^40 squares have a sum
_DAY = 86_400_000_000


@dataclass(frozen=True)
class Noise:
    """Adds noise of a given spread to numbers, dates and times.

    The noise is drawn by the keyed code of the value (or of the row's subject), so that equal values stay equal. `spread` is the
    standard deviation of `normal`, the scale of `laplace` (its standard deviation is 1.41 times that), half the width of `uniform`.
    It counts as a share of each value (`relative`, the default for numbers), in the column's own measure (`absolute`; for dates and
    times a length such as `3d`), or in standard deviations of the whole column (`deviations`, which reads the column first).
    Results keep the type's scale and stay in the column's range (type and CHECK), and on their side of 0 where `sign` says so: what
    would leave it is thrown back. Whole numbers, numerics, dates and times move by one step of theirs at least; zeros, infinities and
    NaN of relative noise stay.
    """

    name: ClassVar[str] = "noise"
    fits: ClassVar[tuple[str, ...]] = (*NUMBERS, *MOMENTS, "interval")

    spread: float | str = parameter("how far: a number, or a length of time such as `3d`", least=0)
    unit: Literal["relative", "absolute", "deviations"] | None = parameter("what `spread` counts", default=None)
    distribution: Literal["normal", "laplace", "uniform"] = parameter("the distribution of the noise", default="normal")
    per: Literal["value", "subject"] = parameter("whether equal values, or all values of a subject, get the same noise", default="value")
    sign: bool = parameter("whether positive numbers stay at or above 0, and negative ones at or below", default=True)

    def __post_init__(self) -> None:
        if isinstance(self.spread, str):
            parse_duration(self.spread)
        elif self.spread == 0:
            raise ValueError("'spread' must be greater than 0; `keep` keeps values as they are")

    def bind(self, context: Context) -> Noisy:
        require_kind(context, self.name, self.fits)
        require_repeats(context, self.name, "hash or code")
        type = context.column.type
        timed = type.kind in (*MOMENTS, "interval")
        unit = self.unit or ("absolute" if timed else "relative")
        if timed and unit == "relative":
            raise unfit(context, self.name, "a share of a date or time means nothing; use `unit: absolute` and a length such as 3d")
        if isinstance(self.spread, str) != (timed and unit == "absolute"):
            wanted = "a length of time such as 3d" if timed and unit == "absolute" else "a number"
            raise unfit(context, self.name, f"'spread' must be {wanted} for a column of type {type} and `unit: {unit}`")
        if self.per == "subject" and context.subject_domain is None:
            raise unfit(context, self.name, "the table has no subject; name it (`subject:`) or leave out `per: subject`")
        domain = context.domain if self.per == "value" else context.subject_domain
        sign = self.sign and not timed
        noise = (unit, self.distribution, self.per, sign, limits_of(context), context.key.derive(f"noise/{self.per}/{domain}"))
        if unit == "deviations":
            return NoisyByDeviation(1.0, *noise, share=float(self.spread))
        spread = _spread_units(self.spread, unit, type)
        if (unit == "absolute" and spread < (1 if type.kind not in FLOATS else 0)) or spread <= 0:
            raise unfit(context, self.name, f"a spread of {self.spread} is less than the smallest step of a {type}; values would stay")
        return Noisy(spread, *noise)


@dataclass
class Noisy:
    """Noise of a known spread, in units."""

    spread: float
    unit: str
    distribution: str
    per: str
    sign: bool
    limits: Limits
    key: bytes = field(repr=False)

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        units = read_units(values)
        noise = _DISTRIBUTIONS[self.distribution](self._draws(values, rows)) * self.spread
        if self.unit == "relative":
            with np.errstate(over="ignore", invalid="ignore"):
                noise = noise * units.astype(np.float64)
        return write_units(self._moved(units, noise), values)

    def _draws(self, values: pa.Array, rows: Rows) -> UInt64:
        by_value = draws(values, self.key)
        if self.per == "value" or rows.subject is None:
            return by_value
        known = pc.is_valid(rows.subject).to_numpy(zero_copy_only=False)
        return np.where(known, draws(rows.subject, self.key), by_value)

    def _moved(self, units: Units, noise: Floats) -> Units:
        if units.dtype == np.float64:
            return np.where(np.isfinite(units), self._within_limits(units, noise, reflected_floats), units)
        steps = _whole(noise)
        least = np.where(noise < 0, -1, 1)  # no number stays for want of digits; nought has no noise of its own
        steps = np.where((steps == 0) & ((units != 0) | (self.unit != "relative")), least, steps)
        return self._within_limits(units, steps, reflected)

    def _within_limits(self, units: Units, change: Units, moved_in: Callable[[Units, Units, Limits], Units]) -> Units:
        low, high = self.limits.low, self.limits.high
        if not self.sign or low > 0 or high < 0:
            return moved_in(units, change, self.limits)
        above = moved_in(units, change, Limits(max(low, 0), high))
        return np.where(units >= 0, above, moved_in(units, change, Limits(low, min(high, 0)))) if (units < 0).any() else above


@dataclass
class NoisyByDeviation(Noisy):
    """Noise whose spread is a share of the column's standard deviation; a Learner, in constant memory."""

    share: float = 0.0
    _pending: list[Floats] = field(default_factory=list, repr=False)
    _origin: float | None = None
    _sums: list[tuple[int, float, float]] = field(default_factory=list, repr=False)

    def learn(self, values: pa.Array, rows: Rows) -> None:
        floats = read_units(values.drop_null()).astype(np.float64)
        floats = floats[np.isfinite(floats)]
        if len(floats) and self._origin is None:
            self._origin = float(floats[0])  # near the mean, so that the squares stay exact enough
        self._pending.append(floats)
        if sum(map(len, self._pending)) >= _BLOCK:
            waiting = np.concatenate(self._pending)
            full = len(waiting) // _BLOCK * _BLOCK
            for start in range(0, full, _BLOCK):
                self._add(waiting[start : start + _BLOCK])
            self._pending = [waiting[full:]]

    def finish(self) -> None:
        if self._pending:
            self._add(np.concatenate(self._pending))
        self._pending = []
        count = sum(n for n, _, _ in self._sums)
        if count:
            mean = fsum(s for _, s, _ in self._sums) / count
            self.spread = self.share * sqrt(max(0.0, fsum(q for _, _, q in self._sums) / count - mean * mean))

    def _add(self, block: Floats) -> None:
        with np.errstate(over="ignore"):
            apart = np.clip(block - (self._origin or 0.0), -_FARTHEST, _FARTHEST)
        self._sums.append((len(block), fsum(apart.tolist()), fsum((apart * apart).tolist())))


def _spread_units(spread: float | str, unit: str, type: SqlType) -> float:
    if isinstance(spread, str):
        length = float(parse_duration(spread))
        return length / _DAY if type.kind == "date" else length
    if unit == "relative" or type.kind in FLOATS:
        return spread
    return spread * 10.0**type.decimals


def _whole(noise: Floats) -> Units:
    # further than any type reaches, so that what lies beyond is all the same
    rounded = np.clip(np.rint(noise), -1e60, 1e60)
    if len(rounded) and np.abs(rounded).max() >= 2.0**61:
        return np.array([int(x) for x in rounded.tolist()], dtype=object)
    return rounded.astype(np.int64)
