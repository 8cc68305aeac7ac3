"""Daily and weekly rhythm: how likely each hour of the week is.

Weights are whole numbers and times whole microseconds, so that the inverse of the cumulated rhythm is exact. Hours are
those of UTC; weeks begin on Monday.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from datagen.arrays import DAY, SECOND
from datagen.randomness import Int64, UInt64, below

HOUR = DAY // 24
WEEK = 7 * DAY

_MONDAY = 4 * DAY
_HOUR_SECONDS, _WEEK_SECONDS = HOUR // SECOND, WEEK // SECOND
_GRAIN = 1000
_OFFICE_DAYS = (100, 105, 105, 100, 90, 8, 6)
_OFFICE_HOURS = (1, 1, 1, 1, 1, 2, 5, 20, 60, 95, 100, 95, 70, 80, 95, 95, 85, 60, 30, 15, 10, 8, 4, 2)
_EVENING_DAYS = (80, 80, 85, 90, 110, 130, 120)
_EVENING_HOURS = (20, 8, 4, 2, 2, 3, 8, 15, 20, 22, 25, 30, 40, 35, 30, 32, 40, 60, 85, 100, 105, 95, 70, 40)


@dataclass(frozen=True)
class Rhythm:
    """A week of 168 hours with whole weights: `cumulated` in weight times microseconds, 169 edges."""

    weights: Int64
    cumulated: Int64

    @classmethod
    def of(cls, days: Sequence[float], hours: Sequence[float]) -> Rhythm:
        weights = np.array([[d * h for h in hours] for d in days], np.float64).reshape(-1)
        whole = np.maximum(np.floor(weights / weights.max() * _GRAIN + 0.5), 0).astype(np.int64)
        return cls(whole, np.concatenate([[0], np.cumsum(whole * HOUR)]))

    def has_weight(self, low: int, high: int) -> bool:
        """Whether anything happens in [low, high)."""
        weeks = _MONDAY + np.arange((low - _MONDAY) // WEEK, (high - _MONDAY) // WEEK + 1)[:3] * WEEK
        first, last = (self._weight_before(np.clip(moment - weeks, 0, WEEK)) for moment in (low, high))
        return bool((last > first).any())

    def place(self, times: Int64, low: Int64, high: Int64, draws: UInt64) -> Int64:
        """Move each time within its week to where the rhythm puts it, staying in [low, high).

        From a week at an end of it in whose part nothing happens, times move into the week beside it.
        """
        week = (times - _MONDAY) // WEEK * WEEK + _MONDAY
        first, last = self._weight_within(week, low, high)
        if (silent := last <= first).any():
            week = np.where(silent, np.where(week < low, week + WEEK, week - WEEK), week)
            first, last = self._weight_within(week, low, high)
        mass = first + below(draws, last - first)
        hour = np.clip(np.searchsorted(self.cumulated, mass, side="right") - 1, 0, 167)
        inside = (mass - self.cumulated[hour]) // np.maximum(self.weights[hour], 1)
        placed: Int64 = np.where(last > first, week + hour * HOUR + inside, times)
        return placed

    def later(self, times: Int64, waits: Int64) -> Int64:
        """The moments after waits of so many seconds, which pass as often as things happen: a week takes a week, a busy hour more."""
        week, inside = np.divmod(times // SECOND - _MONDAY // SECOND, _WEEK_SECONDS)
        weeks, rest = np.divmod(waits, _WEEK_SECONDS)
        cumulated = self.cumulated // SECOND
        more, mass = np.divmod(self._seconds_before(inside) + rest * cumulated[-1] // _WEEK_SECONDS, cumulated[-1])
        hour = np.searchsorted(cumulated, mass, side="right") - 1
        seconds = (week + weeks + more) * _WEEK_SECONDS + hour * _HOUR_SECONDS + (mass - cumulated[hour]) // self.weights[hour]
        later: Int64 = _MONDAY + seconds * SECOND + times % SECOND
        return later

    def passed(self, times: Int64, until: Int64) -> Int64:
        """How many seconds of waits pass between two moments, rounded down."""
        (first, inside), (last, end) = (np.divmod(t // SECOND - _MONDAY // SECOND, _WEEK_SECONDS) for t in (times, until))
        mass = self._seconds_before(end) - self._seconds_before(inside)
        passed: Int64 = (last - first) * _WEEK_SECONDS + mass * _WEEK_SECONDS // (self.cumulated[-1] // SECOND)
        return passed

    def _seconds_before(self, inside: Int64) -> Int64:
        return self._weight_before(inside * SECOND) // SECOND

    def _weight_within(self, week: Int64, low: Int64, high: Int64) -> tuple[Int64, Int64]:
        """The weights of weeks up to where [low, high) begins and ends in them."""
        return self._weight_before(np.clip(low - week, 0, WEEK)), self._weight_before(np.clip(high - week, 0, WEEK))

    def _weight_before(self, moment: Int64) -> Int64:
        hour = np.minimum(moment // HOUR, 167)
        before: Int64 = self.cumulated[hour] + (moment - hour * HOUR) * self.weights[hour]
        return before


def rhythm_of(spec: str | Mapping[str, Any]) -> Rhythm | None:
    """Return the rhythm that a recipe names (office, evening) or spells out; None for always."""
    if spec == "always":
        return None
    if spec == "office":
        return Rhythm.of(_OFFICE_DAYS, _OFFICE_HOURS)
    if spec == "evening":
        return Rhythm.of(_EVENING_DAYS, _EVENING_HOURS)
    assert not isinstance(spec, str)
    return Rhythm.of(spec.get("days", (1,) * 7), spec.get("hours", (1,) * 24))
