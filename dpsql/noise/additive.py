"""Noise that is added to whole numbers: discrete Laplace or discrete Gaussian, as `dpsql.pricing` shares out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any, Literal

from dpsql.amounts import strictly_below
from dpsql.noise import laws
from dpsql.noise.ranges import LARGEST, check_epsilon, check_sensitivity, check_values
from dpsql.opendp import library
from schemas.errors import InputError

TAIL = 0.05


@dataclass(frozen=True)
class Sensitivity:
    """What one unit changes: at most `linf` in each of at most `l0` whole numbers."""

    l0: int
    linf: int

    @property
    def l1(self) -> int:
        return self.l0 * self.linf

    @property
    def l2(self) -> float:
        """The square root of l0, times linf, or the float above it."""
        square = self.l0 * self.linf**2
        root = math.sqrt(square)
        while Fraction(root) ** 2 < square:
            root = math.nextafter(root, math.inf)
        return root


@dataclass(frozen=True)
class Mechanism:
    """Noise of one law. `scale` is b of discrete Laplace, P[x] ~ exp(-|x| / b), or sigma of discrete Gaussian, exp(-x^2 / 2 sigma^2)."""

    kind: Literal["laplace", "gaussian"]
    scale: float

    @staticmethod
    @lru_cache(maxsize=1024)
    def laplace(sensitivity: Sensitivity, epsilon: float) -> Mechanism:
        """Return the least noise that makes `sensitivity` `epsilon`-DP, by OpenDP's own map.

        Raises InputError where epsilon or the sensitivity is out of range.
        """
        check_epsilon(epsilon)
        check_sensitivity(sensitivity.l0, sensitivity.linf, sensitivity.l1)
        most = strictly_below(epsilon)
        scale = sensitivity.l1 / most
        while sensitivity.l1 and _laplace(scale).map(sensitivity.l1) > most:
            scale = math.nextafter(scale, math.inf)
        return Mechanism("laplace", _drawable(scale))

    @staticmethod
    @lru_cache(maxsize=1024)
    def gaussian(sensitivity: Sensitivity, rho: float) -> Mechanism:
        """Return the least noise that makes `sensitivity` `rho`-zCDP, by OpenDP's own map; InputError as `laplace`."""
        if not 0 < rho < math.inf:
            raise InputError(f"rho must be above 0, not {rho:g}: spend more on the query, or ask for less in it")
        check_sensitivity(sensitivity.l0, sensitivity.linf, sensitivity.l1)
        most = strictly_below(rho)
        scale = sensitivity.l2 / math.sqrt(2 * most)
        while sensitivity.l1 and _gaussian(scale).map(sensitivity.l2) > most:
            scale = math.nextafter(scale, math.inf)
        return Mechanism("gaussian", _drawable(scale))

    @property
    def variance(self) -> float:
        """Of the noise, exactly but for rounding."""
        return laws.gaussian_variance(self.scale) if self.kind == "gaussian" else laws.laplace_variance(self.scale)

    @property
    def error95(self) -> float:
        """The least whole number that the noise exceeds in magnitude with a probability of at most 5 %."""
        return float((laws.gaussian_quantile if self.kind == "gaussian" else laws.laplace_quantile)(self.scale, TAIL))


def add_noise(values: Sequence[int], mechanism: Mechanism) -> list[int]:
    """Return `values` with independent noise on each; InputError where one is beyond +-2^62.

    A sum that noise takes beyond 64 bits stays at their end, which tells no more than the sum would.
    """
    check_values(values)
    if not values:
        return []
    measurement = (_laplace if mechanism.kind == "laplace" else _gaussian)(mechanism.scale)
    return list(measurement(list(values)))


def _drawable(scale: float) -> float:
    if scale >= LARGEST:
        raise InputError("the noise would be greater than 64 bits hold: spend more on the query, or declare narrower bounds")
    return scale


@lru_cache(maxsize=256)
def _laplace(scale: float) -> Any:
    dp = library()
    return dp.m.make_laplace(dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"), scale=scale)


@lru_cache(maxsize=256)
def _gaussian(scale: float) -> Any:
    dp = library()
    return dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=scale)
