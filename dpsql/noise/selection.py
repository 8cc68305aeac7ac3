"""Choosing privately: report noisy max."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dpsql.noise.opendp import library


def choose(scores: Sequence[int], sensitivity: int, epsilon: float, *, monotonic: bool = False) -> int:
    """Return the position of a score that is about the greatest, `epsilon`-DP (McKenna and Sheldon 2020, by OpenDP).

    A unit changes each score by at most `sensitivity`, all in the same direction where they are `monotonic`.
    """
    dp = library()
    domain = dp.vector_domain(dp.atom_domain(T="i64"))
    metric = dp.linf_distance(T="i64", monotonic=monotonic)
    scale = (1 if monotonic else 2) * sensitivity / epsilon
    measurement = dp.m.make_noisy_max(domain, metric, dp.max_divergence(), scale=scale)
    while measurement.map(sensitivity) > epsilon:
        scale = math.nextafter(scale, math.inf) * (1 + 1e-15)
        measurement = dp.m.make_noisy_max(domain, metric, dp.max_divergence(), scale=scale)
    return int(measurement(list(scores)))
