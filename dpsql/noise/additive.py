"""Noise that is added to whole numbers: discrete Laplace and discrete Gaussian (Canonne, Kamath and Steinke 2020)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dpsql.noise.opendp import library
from schemas.errors import InputError

LARGEST = 2**62  # what goes into a sampler must be smaller, so that noise cannot wrap it around


@dataclass(frozen=True)
class Sensitivity:
    """What one unit changes: at most `most` in each of at most `groups` numbers."""

    groups: int
    most: int

    @property
    def l1(self) -> int:
        return self.groups * self.most

    @property
    def l2(self) -> float:
        return math.nextafter(math.sqrt(self.groups) * self.most, math.inf)


@dataclass(frozen=True)
class Mechanism:
    """Noise of one law. `scale` is b of discrete Laplace, P[x] ~ exp(-|x| / b), or sigma of discrete Gaussian, exp(-x^2 / 2 sigma^2)."""

    kind: Literal["laplace", "gaussian"]
    scale: float

    @classmethod
    def laplace(cls, sensitivity: Sensitivity, epsilon: float) -> Mechanism:
        """Return the least noise that makes `sensitivity` `epsilon`-DP, by OpenDP's own map."""
        scale = sensitivity.l1 / epsilon
        while _laplace(scale).map(max(sensitivity.l1, 1)) > epsilon and sensitivity.l1:
            scale = math.nextafter(scale, math.inf)
        return cls("laplace", scale)

    @classmethod
    def gaussian(cls, sensitivity: Sensitivity, rho: float) -> Mechanism:
        """Return the least noise that makes `sensitivity` `rho`-zCDP, by OpenDP's own map."""
        scale = sensitivity.l2 / math.sqrt(2 * rho)
        while sensitivity.most and _gaussian(scale).map(sensitivity.l2) > rho:
            scale = math.nextafter(scale, math.inf)
        return cls("gaussian", scale)

    @property
    def variance(self) -> float:
        """Of the noise; of discrete Laplace 2 q / (1 - q)^2 with q = exp(-1 / b), of discrete Gaussian at most sigma^2."""
        if self.kind == "gaussian":
            return self.scale**2
        if self.scale == 0:
            return 0.0
        q = math.exp(-1 / self.scale)
        return 2 * q / math.expm1(-1 / self.scale) ** 2

    @property
    def error95(self) -> float:
        """The least whole number that the noise exceeds in magnitude with a probability of at most 5 %."""
        if self.kind == "gaussian":
            return float(math.ceil(1.959964 * self.scale - 0.5)) if self.scale > 0.1 else 0.0
        if self.scale == 0:
            return 0.0
        # P[|x| > n] = 2 q^(n + 1) / (1 + q)
        q = math.exp(-1 / self.scale)
        if q == 0:
            return 0.0
        return float(max(0, math.ceil(self.scale * math.log(2 / (0.05 * (1 + q))) - 1 - 1e-9)))


def calibrate(sensitivity: Sensitivity, epsilon: float, rho: float | None = None) -> Mechanism:
    """Return Gaussian noise of `rho` where that is given and errs less than Laplace noise of `epsilon`, else the latter."""
    laplace = Mechanism.laplace(sensitivity, epsilon)
    if rho is None:
        return laplace
    gaussian = Mechanism.gaussian(sensitivity, rho)
    return gaussian if gaussian.variance < laplace.variance else laplace


def add_noise(values: Sequence[int], mechanism: Mechanism) -> list[int]:
    """Return `values` with independent noise on each; InputError where one is too large for the sampler."""
    if any(abs(value) >= LARGEST for value in values):
        raise InputError(f"sums beyond {LARGEST} steps cannot be measured; declare coarser or narrower bounds")
    if not values or mechanism.scale == 0:
        return list(values)
    measurement = (_laplace if mechanism.kind == "laplace" else _gaussian)(mechanism.scale)
    return [int(value) for value in measurement(list(values))]


def _laplace(scale: float):  # type: ignore[no-untyped-def]
    dp = library()
    return dp.m.make_laplace(dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"), scale=scale)


def _gaussian(scale: float):  # type: ignore[no-untyped-def]
    dp = library()
    return dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=scale)
