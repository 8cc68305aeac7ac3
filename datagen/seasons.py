"""Growth and seasons: how much happens in each month of a calendar.

A month's weight is that of its season times the growth until it begins. Weights are whole numbers, made with exact arithmetic
(roots of whole numbers), and times whole seconds, so that the inverse of what has cumulated is exact.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np

from datagen.arrays import SECOND
from datagen.randomness import Int64, UInt64, below
from schemas.times import EPOCH, MICROSECOND

YEARS_BEFORE = 60
YEARS_AFTER = 10

_MOST = 2**30
_GRAIN = 1000
_EPOCH_DAY = date(1970, 1, 1).toordinal()
_DAY_SECONDS = 86_400

SEASONS: dict[str, tuple[float, ...]] = {
    "none": (1,) * 12,
    "office": (95, 100, 108, 100, 98, 96, 82, 74, 106, 112, 108, 68),
    "retail": (78, 72, 82, 84, 88, 86, 84, 86, 90, 98, 150, 180),
    "travel": (62, 66, 82, 92, 108, 128, 156, 160, 112, 88, 66, 80),
}


@dataclass(frozen=True)
class Calendar:
    """Months from `edges[0]` on (seconds since 1970, one edge more than months); `cumulated` in weight times seconds."""

    edges: Int64
    weights: Int64
    cumulated: Int64

    @classmethod
    def of(cls, anchor: int, yearly_growth: float, season: Sequence[float]) -> Calendar:
        """The months around `anchor` (microseconds since 1970), each year with `yearly_growth` times the weight of the year before.

        `season` has a weight for each month, January first. The rate grows from month to month; that of the year of the anchor is
        1. Growth outside of 2**-20 to 2**10 is cut, so that sums stay within 62 bits.
        """
        year = (EPOCH + anchor * MICROSECOND).year
        first, last = max(year - YEARS_BEFORE, 1), min(year + YEARS_AFTER, 9998)
        months = [(y, m) for y in range(first, last + 1) for m in range(1, 13)]
        days = [date(y, m, 1).toordinal() - _EPOCH_DAY for y, m in [*months, (last + 1, 1)]]
        edges = np.array(days, np.int64) * _DAY_SECONDS
        shares = np.array(season, np.float64)
        grains = np.floor(shares / shares.max() * _GRAIN + 0.5).astype(np.int64)
        growth = Fraction(str(yearly_growth))
        within = [_twelfth_root(growth**month) for month in range(12)]
        rates = [min(max(int(within[m - 1] * growth ** (y - year)), 1), _MOST) for y, m in months]
        weights = np.array([rate * int(grains[m - 1]) // _GRAIN for rate, (_, m) in zip(rates, months, strict=True)], np.int64)
        weights = np.where((weights == 0) & (np.tile(grains, len(months) // 12) > 0), 1, weights)
        return cls(edges, weights, np.concatenate([[0], np.cumsum(weights * np.diff(edges))]))

    def covers(self, low: int, high: int) -> bool:
        """Whether a period (microseconds since 1970) lies within the calendar."""
        return int(self.edges[0]) * SECOND <= low and high <= int(self.edges[-1]) * SECOND

    def has_weight(self, low: int, high: int) -> bool:
        """Whether anything happens in [low, high) (microseconds)."""
        start, stop = (self._weight_before(np.array([moment])) for moment in (low // SECOND, -(-high // SECOND)))
        return bool(stop[0] > start[0])

    def place(self, times: Int64, low: Int64, high: Int64, draws: UInt64) -> Int64:
        """Draw a moment in each [low, high) (microseconds); `times` where the calendar has no weight there."""
        start, stop = self._weight_before(low // SECOND), self._weight_before(-(-high // SECOND))
        mass = start + below(draws, stop - start)
        month = np.clip(np.searchsorted(self.cumulated, mass, side="right") - 1, 0, len(self.weights) - 1)
        inside = (mass - self.cumulated[month]) // np.maximum(self.weights[month], 1)
        placed = np.clip((self.edges[month] + inside) * SECOND, low, np.maximum(high - 1, low))
        found: Int64 = np.where(stop > start, placed, times)
        return found

    def place_in_year(self, times: Int64, low: Int64, high: Int64, draws: UInt64) -> Int64:
        """Move each time within its year to where the calendar puts it, staying in [low, high)."""
        years = times.astype("datetime64[us]").astype("datetime64[Y]")
        start, stop = (y.astype("datetime64[us]").astype(np.int64) for y in (years, years + np.timedelta64(1, "Y")))
        return self.place(times, np.maximum(low, start), np.minimum(high, stop), draws)

    def _weight_before(self, seconds: Int64) -> Int64:
        moment = np.clip(seconds, self.edges[0], self.edges[-1])
        month = np.clip(np.searchsorted(self.edges, moment, side="right") - 1, 0, len(self.weights) - 1)
        before: Int64 = self.cumulated[month] + (moment - self.edges[month]) * self.weights[month]
        return before


def season_of(spec: str | Sequence[float]) -> Sequence[float]:
    """The weights of the months, January first, of a season that is named or spelled out."""
    return SEASONS[spec] if isinstance(spec, str) else spec


def _twelfth_root(value: Fraction) -> Fraction:
    """The twelfth root of `value` times 2**20, rounded down to a multiple of 2**-20."""
    bits = 40
    wanted = value.numerator * 2 ** (12 * bits) // value.denominator
    low, high = 0, 1 << (wanted.bit_length() // 12 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**12 <= wanted else (low, middle - 1)
    return Fraction(low, 2 ** (bits - 20))
