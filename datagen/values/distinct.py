"""Several values of one owner, none of which it has twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datagen.randomness import Int64, UInt64, below
from datagen.values.choices import shares

MOST_DISTINCT = 50


def without_repeats(draws: UInt64, counts: Int64, size: int) -> Int64:
    """Turn the draws of items, owner by owner, into positions below `size` of which no owner has one twice.

    The item at place i takes one of the size - i positions that are left: it steps over each that is taken, from the lowest.
    """
    first = np.cumsum(counts) - counts
    result = np.empty(len(draws), np.int64)
    taken: list[Int64] = []  # of each owner the positions that are taken, rising
    for place in range(int(counts.max(initial=0))):
        owners = np.flatnonzero(counts > place)
        at = first[owners] + place
        found = below(draws[at], size - place)
        for earlier in taken:
            found += found >= earlier[owners]
        result[at] = found
        rising = np.full(len(counts), size, np.int64)
        rising[owners] = found
        for i, earlier in enumerate(taken):
            taken[i], rising = np.minimum(earlier, rising), np.maximum(earlier, rising)
        taken.append(rising)
    return result


def without_repeats_by_weight(draws: UInt64, counts: Int64, weights: Sequence[float]) -> Int64:
    """The same by weight: each item takes one of the positions that are left, in proportion to their weights."""
    first = np.cumsum(counts) - counts
    result = np.empty(len(draws), np.int64)
    left = np.tile(shares(weights), (len(counts), 1))
    for place in range(int(counts.max(initial=0))):
        owners = np.flatnonzero(counts > place)
        running = np.cumsum(left[owners], axis=1)
        target = below(draws[first[owners] + place], running[:, -1])
        found = (running <= target[:, None]).sum(axis=1)
        result[first[owners] + place] = found
        left[owners, found] = 0
    return result
