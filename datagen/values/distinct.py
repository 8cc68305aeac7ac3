"""Several values of one owner, none of which it has twice."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from datagen.randomness import Int64, UInt64, below
from datagen.values.choices import shares
from schemas.model import Recipe
from schemas.recipes import argument

MOST_DISTINCT = 50
_ENDLESS = ("normal", "lognormal", "exponential", "poisson")
_CELLS = 1 << 20  # weights that are held for owners at a time


def asked_for(count: object, most: int, size: int) -> str:
    """How many different values a count asks for, of `size`, in the words of the schema; an end of our own is none of theirs."""
    if isinstance(count, Recipe) and count.name in _ENDLESS and argument(count, "max") is None:
        room = min(size, MOST_DISTINCT)
        return f"here the count is {count.name} without an end, and there are {size:,} different ones; give it one, such as `max: {room}`"
    return f"here up to {most:,} are asked for of {size:,} different ones"


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
    whole, ends = shares(weights), np.concatenate([[0], np.cumsum(counts)])
    result = np.empty(len(draws), np.int64)
    step = max(_CELLS // len(whole), 1)
    for owner in range(0, len(counts), step):
        some = counts[owner : owner + step]
        here = slice(ends[owner], ends[owner + len(some)])
        result[here] = _by_weight(draws[here], some, whole)
    return result


def _by_weight(draws: UInt64, counts: Int64, whole: Int64) -> Int64:
    first = np.cumsum(counts) - counts
    result = np.empty(len(draws), np.int64)
    left = np.tile(whole, (len(counts), 1))
    for place in range(int(counts.max(initial=0))):
        owners = np.flatnonzero(counts > place)
        running = np.cumsum(left[owners], axis=1)
        target = below(draws[first[owners] + place], running[:, -1])
        found = (running <= target[:, None]).sum(axis=1)
        result[first[owners] + place] = found
        left[owners, found] = 0
    return result
