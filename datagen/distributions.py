"""Distributions as samplers: functions from 64-bit draws to numbers.

Continuous distributions are sampled by their quantile function, tabulated once over 4,096 equal steps of probability (and
twice again inside the first and last step, for the tails) and interpolated exactly; `min` and `max` cut the distribution,
they do not heap it up at the bounds. Discrete ones are sampled by search in a table of cumulated chances.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datagen.elementary import Float64, exp, log, normal_quantile, power
from datagen.randomness import Int64, UInt64, unit

Quantile = Callable[[Float64], Float64]

_CELLS = 4096
_CELL_BITS = 12
_EDGE = 2.0**-53
_SIMPSON = 2048
_LEAST_SHAPE = 1e-6
_LARGEST_SHAPE = 1e9
_BETA_REACH = 32.0  # standard deviations, beyond which less than 1e-13 of the mass lies
_GRID = 2.0**53
_POISSON_SPREAD = 12.0


def normal(mean: float, sd: float) -> Quantile:
    """Quantile function of the normal distribution."""
    return lambda u: mean + sd * normal_quantile(u)


def lognormal(median: float, sigma: float) -> Quantile:
    """Quantile function of the lognormal distribution with the given median and sigma of the logarithm."""
    return lambda u: median * exp(np.clip(sigma * normal_quantile(u), -700.0, 700.0))


def exponential(mean: float) -> Quantile:
    """Quantile function of the exponential distribution."""
    return lambda u: -mean * log(1.0 - u)


def beta(a: float, b: float) -> Quantile | None:
    """Quantile function of the beta distribution on [0, 1], by Simpson's rule on each side of the mean; None where the shape is so
    extreme that its mass is lost in rounding."""
    if min(a, b) < _LEAST_SHAPE or max(a, b) > _LARGEST_SHAPE:
        return None
    mean = a / (a + b)
    reach = _BETA_REACH * math.sqrt(mean * (1.0 - mean) / (a + b + 1.0))
    left_x, left_mass = _beta_side(a, b, mean, reach)
    right_x, right_mass = _beta_side(b, a, b / (a + b), reach)
    total = left_mass[-1] + right_mass[-1]
    if not 0 < total < np.inf:
        return None
    xs = np.concatenate([left_x, 1.0 - right_x[-2::-1]])
    cdf = np.concatenate([left_mass, total - right_mass[-2::-1]]) / total
    return piecewise(cdf, xs)


def _beta_side(a: float, b: float, middle: float, reach: float) -> tuple[Float64, Float64]:
    """Points from 0, or from `reach` below `middle`, up to `middle`, and the mass below each, that of the density over its value there.

    Where a < 1 the density has no bound at 0; with v = t**a, t**(a-1) (1-t)**(b-1) dt becomes (1-t)**(b-1) / a dv, which has one.
    """
    steps = np.arange(2 * _SIMPSON + 1, dtype=np.float64)
    ends = log(np.array([middle, 1.0 - middle]))
    if a < 1.0:
        v = steps * (power(np.array([middle]), a)[0] / (2 * _SIMPSON))
        t, width = power(v, 1.0 / a), v[1] / a
        exponent = (b - 1.0) * (log(1.0 - t) - ends[1]) - (a - 1.0) * ends[0]
    else:
        first = max(middle - reach, 0.0)
        width = (middle - first) / (2 * _SIMPSON)
        t = first + steps * width
        exponent = (a - 1.0) * (log(np.maximum(t, _EDGE * middle)) - ends[0]) + (b - 1.0) * (log(1.0 - t) - ends[1])
    f = exp(np.clip(exponent, -700.0, 700.0))
    return t[::2], np.concatenate([[0.0], np.cumsum((f[:-2:2] + 4.0 * f[1:-1:2] + f[2::2]) * (width / 3.0))])


def piecewise(cdf: Float64, xs: Float64) -> Quantile:
    """Quantile function of a piecewise uniform distribution: chance cdf[i+1] - cdf[i] between xs[i] and xs[i+1]."""
    keep = np.concatenate([[True], cdf[1:] > cdf[:-1]])
    starts, ends = np.flatnonzero(keep[1:]), np.flatnonzero(keep[1:]) + 1
    low, width = cdf[starts], cdf[ends] - cdf[starts]
    base, slope = xs[starts], (xs[ends] - xs[starts]) / width

    def quantile(u: Float64) -> Float64:
        i = np.clip(np.searchsorted(low, u, side="right") - 1, 0, len(low) - 1)
        result: Float64 = base[i] + (u - low[i]) * slope[i]
        return result

    return quantile


def probability_below(quantile: Quantile, x: float) -> float:
    """Return the chance of a value below `x`, by bisection of the quantile function."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if not _EDGE <= middle <= 1.0 - _EDGE:
            break
        if quantile(np.array([middle]))[0] < x:
            low = middle
        else:
            high = middle
    return low


def cut(quantile: Quantile, low: float | None, high: float | None) -> Quantile | None:
    """Return the quantile function given that the value lies in [low, high]; None where that has no chance."""
    start = 0.0 if low is None else probability_below(quantile, low)
    end = 1.0 if high is None else probability_below(quantile, high)
    if end - start < 2.0**-40:
        return None

    def inner(u: Float64) -> Float64:
        values = quantile(np.clip(start + u * (end - start), _EDGE, 1.0 - _EDGE))
        if low is not None:
            values = np.maximum(values, low)
        return values if high is None else np.minimum(values, high)

    return inner


@dataclass(frozen=True)
class Tabulated:
    """A quantile function as a table: 4,096 cells, and finer tables inside the first and the last, twice."""

    levels: tuple[tuple[Float64, Float64], ...]

    @classmethod
    def of(cls, quantile: Quantile) -> Tabulated:
        levels = []
        for depth in range(3):
            width = 2.0 ** (-_CELL_BITS * depth)
            steps = np.arange(_CELLS + 1) * (width / _CELLS)
            first = quantile(np.clip(steps, _EDGE, 1.0 - _EDGE))
            last = quantile(np.clip(1.0 - steps[::-1], _EDGE, 1.0 - _EDGE))
            levels.append((first, last))
        return cls(tuple(levels))

    def __call__(self, draws: UInt64) -> Float64:
        table = self.levels[0][0]
        cell, values = self._look_up(table, draws, 0)
        for side, edge in ((0, 0), (1, _CELLS - 1)):
            rows = np.flatnonzero(cell == edge)
            for depth in (1, 2):
                if not len(rows):
                    break
                inner, finer = self._look_up(self.levels[depth][side], draws[rows], depth)
                values[rows] = finer
                rows = rows[inner == edge]
        return values

    @staticmethod
    def _look_up(table: Float64, draws: UInt64, depth: int) -> tuple[Int64, Float64]:
        shifted = draws << np.uint64(_CELL_BITS * depth)
        cell = (shifted >> np.uint64(64 - _CELL_BITS)).astype(np.int64)
        fraction = unit(shifted << np.uint64(_CELL_BITS))
        low = table[cell]
        step = table[cell + 1] - low
        return cell, low + step * fraction


@dataclass(frozen=True)
class Discrete:
    """Values `first`, `first` + 1, ... with the given weights."""

    first: int
    thresholds: UInt64

    @classmethod
    def of(cls, first: int, weights: Float64) -> Discrete:
        cumulated = np.cumsum(weights)
        scaled = np.floor(cumulated / cumulated[-1] * _GRID).astype(np.uint64)
        return cls(first, scaled[:-1])

    def chance_up_to(self, value: int) -> float:
        """Return the chance of `value` or less."""
        place = value - self.first
        return 0.0 if place < 0 else 1.0 if place >= len(self.thresholds) else float(self.thresholds[place]) / _GRID

    def __call__(self, draws: UInt64) -> Int64:
        found = np.searchsorted(self.thresholds, draws >> np.uint64(11), side="right")
        return found + np.int64(self.first)


def poisson(mean: float, low: int | None, high: int | None) -> Discrete | None:
    """The Poisson distribution cut to [low, high]; None where that has no chance.

    Weights are taken outwards from the mode by the ratio of neighbours, so that nothing underflows.
    """
    reach = int(_POISSON_SPREAD * math.sqrt(mean + 4.0)) + 20
    mode = int(mean)
    first = max(low if low is not None else 0, mode - reach, 0)
    last = min(high if high is not None else mode + reach, mode + reach)
    if last < first:
        return None
    anchor = min(max(mode, first), last)
    upward = np.cumprod(np.concatenate([[1.0], mean / np.arange(anchor + 1, last + 1)]))
    downward = np.cumprod(np.arange(anchor, first, -1) / mean)[::-1] if anchor > first else np.empty(0)
    return Discrete.of(first, np.concatenate([downward, upward]))


def zipf(exponent: float, low: int, high: int) -> Discrete:
    """The distribution on low..high with chances proportional to k ** -exponent."""
    ranks = np.arange(low, high + 1, dtype=np.float64)
    return Discrete.of(low, exp(np.maximum(-exponent * log(ranks), -700.0)))


def zipf_rank(draws: UInt64, exponent: float, sizes: Int64) -> Int64:
    """Return a rank from 0 to size - 1 for each row, with chances falling as about (rank + 1) ** -exponent.

    The inverse of the continuous power law on [1, size + 1), which needs no table, so that every row may have its own size.
    """
    u = unit(draws)
    top = log(sizes.astype(np.float64) + 1.0)
    if abs(exponent - 1.0) < 1e-9:
        x = exp(u * top)
    else:
        rest = 1.0 - exponent
        x = exp(log(1.0 + u * (exp(rest * top) - 1.0)) / rest)
    return np.clip(np.floor(x).astype(np.int64) - 1, 0, np.maximum(sizes - 1, 0))
