"""The different ones of many numbers, by sorting."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

_Item = TypeVar("_Item", np.uint64, np.int64)


def different(values: npt.NDArray[_Item]) -> npt.NDArray[_Item]:
    """Return the different numbers of an array of one dimension, sorted: what `numpy.unique` gives.

    That looks for them by a hash table, which for numbers that hardly repeat takes ten times as long.
    """
    ordered = np.sort(values)
    first = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=first[1:])
    return ordered if first.all() else ordered[first]
