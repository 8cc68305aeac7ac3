"""Choosing privately: report noisy max."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from dpsql.amounts import strictly_below
from dpsql.noise.ranges import check_epsilon, check_sensitivity, check_values
from dpsql.opendp import library


def choose(scores: Sequence[int], sensitivity: int, epsilon: float, *, monotonic: bool = False) -> int:
    """Return the position of a score that is about the greatest, `epsilon`-DP (permute and flip: McKenna and Sheldon 2020, by OpenDP).

    A unit changes each score by at most `sensitivity`, all in the same direction where they are `monotonic`. There must be a score.
    Raises InputError where a number is out of range.
    """
    check_values(scores)
    if len(scores) == 1:
        return 0
    return int(_noisy_max(sensitivity, epsilon, monotonic)(list(scores)))


@lru_cache(maxsize=256)
def _noisy_max(sensitivity: int, epsilon: float, monotonic: bool) -> Any:
    check_epsilon(epsilon)
    check_sensitivity(sensitivity)
    dp = library()
    domain = dp.vector_domain(dp.atom_domain(T="i64"))
    metric = dp.linf_distance(T="i64", monotonic=monotonic)
    most = strictly_below(epsilon)
    scale = (1 if monotonic else 2) * sensitivity / most
    while True:
        measurement = dp.m.make_noisy_max(domain, metric, dp.max_divergence(), scale=scale)
        if measurement.map(sensitivity) <= most:
            return measurement
        scale = math.nextafter(scale, math.inf)
