"""The laws of the noise: discrete Laplace and discrete Gaussian, with their exact errors.

Canonne, Kamath and Steinke, "The Discrete Gaussian for Differential Privacy" (2020). Figures are for telling errors;
privacy does not rest on them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from statistics import NormalDist

SUMMED = 300.0  # up to this sigma the Gaussian's sums are made term by term; beyond it, it is normal to 1e-5


def laplace_variance(scale: float) -> float:
    """2 q / (1 - q)^2 with q = exp(-1 / scale)."""
    return 0.0 if scale == 0 else 2 * math.exp(-1 / scale) / math.expm1(-1 / scale) ** 2


def laplace_quantile(scale: float, tail: float) -> int:
    """The least n with P[|x| > n] = 2 q^(n + 1) / (1 + q) of at most `tail`."""
    q = 0.0 if scale == 0 else math.exp(-1 / scale)
    if q == 0:
        return 0
    return max(0, math.ceil(scale * math.log(2 / (tail * (1 + q))) - 1 - 1e-9))


def gaussian_variance(sigma: float) -> float:
    """The sum of x^2 P[x], which is less than sigma^2."""
    return sigma**2 if sigma > SUMMED else math.fsum(2 * x * x * p for x, p in enumerate(_gaussian_law(sigma)))


def gaussian_quantile(sigma: float, tail: float) -> int:
    """The least n with P[|x| > n] of at most `tail`; for great sigma, or one more."""
    if sigma > SUMMED:
        return math.ceil(NormalDist().inv_cdf(1 - tail / 2) * sigma)
    law = _gaussian_law(sigma)
    outside = math.fsum(2 * p for p in law[1:])
    n = 0
    while outside > tail:
        n += 1
        outside -= 2 * law[n]
    return n


@lru_cache(maxsize=256)
def _gaussian_law(sigma: float) -> tuple[float, ...]:
    """P[x] for x = 0, 1, ... until it vanishes; P[-x] is the same."""
    if sigma == 0:
        return (1.0,)
    weights = [math.exp(-((x / sigma) ** 2) / 2) for x in range(math.ceil(12 * sigma) + 2)]
    whole = 2 * math.fsum(weights) - 1
    return tuple(w / whole for w in weights)
