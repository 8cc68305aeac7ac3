"""Which private groups are released: those that enough units are in, noise included."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from dpsql.amounts import strictly_below
from dpsql.noise.ranges import check_epsilon, check_sensitivity, check_values
from dpsql.opendp import library
from schemas.errors import InputError

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class ReleasedKeys(Generic[K]):
    """The groups released, with the noisy number of their units, the greatest first.

    `scale` is that of the discrete Laplace noise on them, and `threshold` the least noisy number that is released. A group of u units
    is missing with a probability of about exp(-(u - threshold) / scale) / 2 where u is above the threshold, and is there with one of
    about exp(-(threshold - u) / scale) / 2 where u is below it.
    """

    counts: Mapping[K, int]
    scale: float
    threshold: int


def keys_above(counts: Mapping[K, int], most_groups: int, epsilon: float, delta: float, min_units: int | None = None) -> ReleasedKeys[K]:
    """Release the keys whose noisy count of units reaches a threshold, (`epsilon`, `delta`)-DP where a unit is in `most_groups` keys.

    The threshold is the least for `delta` (stable histograms: Korolova et al. 2009, Rogers 2023), by OpenDP's map of the threshold
    below it, since its own counts too little (OpenDP issue 2922), or `min_units` where that is more. `counts` holds the keys that are
    there, each with one unit or more. Raises InputError where a number is out of range.
    """
    check_values(counts.values())
    if not 0 < delta < 1:
        raise InputError(f"groups that are not public are released by a threshold, which needs a delta above 0 and below 1, not {delta:g}")
    scale, threshold = least_released(most_groups, epsilon, delta, min_units)
    keys = list(counts)
    # OpenDP sees numbers in place of the keys, and says which of them it releases
    released = _measurement(scale, threshold)({n: counts[key] for n, key in enumerate(keys)}) if keys else {}
    ordered = sorted(((keys[n], count) for n, count in released.items()), key=lambda item: (-item[1], repr(item[0])))
    return ReleasedKeys(dict(ordered), scale, threshold)


def least_released(most_groups: int, epsilon: float, delta: float, min_units: int | None = None) -> tuple[float, int]:
    """The scale of the noise on the numbers of units, and the least noisy number that is released. Neither depends on the data."""
    scale, least = _least_threshold(most_groups, epsilon, delta)
    return scale, max(least, min_units or 0)


@lru_cache(maxsize=256)
def _least_threshold(most_groups: int, epsilon: float, delta: float) -> tuple[float, int]:
    """The least scale for `epsilon`, and the least threshold for `delta` with it."""
    check_epsilon(epsilon)
    check_sensitivity(most_groups)
    distance = (most_groups, most_groups, 1)
    most, lost = strictly_below(epsilon), strictly_below(delta)
    scale = most_groups / most
    far = 3 + math.ceil(scale * math.log(2 * max(most_groups, 1) / lost))  # the closed form, which fits but for rounding
    while _measurement(scale, far).map(distance)[0] > most:
        scale = math.nextafter(scale, math.inf)

    def fits(threshold: int) -> bool:
        if threshold == 2:  # OpenDP has no map for one less; a unit's keys are there with q / (1 + q) each, q = exp(-1 / scale)
            return most_groups * math.exp(-1 / scale) * (1 + 1e-9) <= lost
        # OpenDP releases what reaches the threshold and tells the delta of what is beyond it: too little by the threshold itself
        return bool(_measurement(scale, threshold - 1).map(distance)[1] <= lost)

    while not fits(far):
        far *= 2
    low = 1
    while far - low > 1:
        middle = (low + far) // 2
        low, far = (low, middle) if fits(middle) else (middle, far)
    return scale, far


@lru_cache(maxsize=256)
def _measurement(scale: float, threshold: int) -> Any:
    dp = library()
    domain = dp.map_domain(dp.atom_domain(T="i64"), dp.atom_domain(T="i64"))
    return dp.m.make_laplace_threshold(domain, dp.l01inf_distance(dp.absolute_distance(T="i64")), scale=scale, threshold=threshold)
