"""Which private groups are released: those that enough units are in, noise included."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from dpsql.noise.opendp import library

K = TypeVar("K", bound=Hashable)


@dataclass(frozen=True)
class ReleasedKeys(Generic[K]):
    """The groups released, in a drawn order, with the noisy number of their units, and the scale of that noise."""

    counts: Mapping[K, int]
    scale: float
    threshold: int


def keys_above(counts: Mapping[K, int], most_groups: int, epsilon: float, delta: float, min_units: int | None = None) -> ReleasedKeys[K]:
    """Release the keys whose noisy count of units reaches a threshold, (`epsilon`, `delta`)-DP where a unit is in `most_groups` keys.

    The threshold is the least that OpenDP's map accepts for `delta` (Rogers 2023), or `min_units` where that is more.
    """
    dp = library()
    scale = most_groups / epsilon
    distance = (most_groups, most_groups, 1)

    def measurement(threshold: int):  # type: ignore[no-untyped-def]
        domain = dp.map_domain(dp.atom_domain(T="i64"), dp.atom_domain(T="i64"))
        return dp.m.make_laplace_threshold(domain, dp.l01inf_distance(dp.absolute_distance(T="i64")), scale=scale, threshold=threshold)

    def fits(threshold: int) -> bool:
        spent, lost = measurement(threshold).map(distance)
        return bool(lost <= delta and spent <= epsilon * (1 + 1e-12))

    threshold = 2
    while not fits(threshold):
        threshold *= 2
    low = threshold // 2
    while threshold - low > 1:
        middle = (low + threshold) // 2
        if fits(middle):
            threshold = middle
        else:
            low = middle
    threshold = max(threshold, min_units or 0)
    keys = list(counts)
    released = measurement(threshold)({n: counts[key] for n, key in enumerate(keys)}) if keys else {}
    ordered = sorted(((keys[n], count) for n, count in released.items()), key=lambda item: (-item[1], repr(item[0])))
    return ReleasedKeys(dict(ordered), scale, threshold)
