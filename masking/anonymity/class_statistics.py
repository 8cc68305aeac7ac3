"""What the models ask of equivalence classes: how many rows each has, and which sensitive values how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Observations:
    """How often each value of one sensitive column stands beside each tuple of quasi-identifiers.

    `tuples`, `values` and `counts` are parallel; `tuples` ascend. Values are codes from 0 to `size - 1`, in the order of the values
    (which ordered t-closeness measures by).
    """

    tuples: Ints
    values: Ints
    counts: Ints
    size: int


@dataclass(frozen=True)
class Histograms:
    """How often each sensitive value occurs in each class: those of class i are at `starts[i]` up to `starts[i + 1]`, values ascending.

    `whole` holds how often each value occurs in the whole table, which t-closeness compares with.
    """

    starts: Ints
    values: Ints
    counts: Ints
    whole: Ints

    @property
    def classes(self) -> Ints:
        """The class of each entry."""
        return np.repeat(np.arange(len(self.starts) - 1), np.diff(self.starts))


@dataclass(frozen=True)
class ClassStatistics:
    """Rows of each class, and the histograms of each sensitive column by its name."""

    sizes: Ints
    histograms: Mapping[str, Histograms]


def class_statistics(
    classes: Ints, number: int, counts: Ints, observations: Mapping[str, Observations], wholes: Mapping[str, Ints]
) -> ClassStatistics:
    """Count the rows and the sensitive values of `number` classes.

    `classes` gives the class of each tuple, below zero for tuples that are in none of them; `counts` the rows of each tuple.
    """
    inside = classes >= 0
    sizes = np.bincount(classes[inside], counts[inside], number).astype(np.int64)
    return ClassStatistics(sizes, {name: _histograms(classes, number, seen, wholes[name]) for name, seen in observations.items()})


def whole_counts(observations: Mapping[str, Observations]) -> dict[str, Ints]:
    """How often each sensitive value occurs in the whole table."""
    return {name: np.bincount(seen.values, seen.counts, seen.size).astype(np.int64) for name, seen in observations.items()}


def _histograms(classes: Ints, number: int, seen: Observations, whole: Ints) -> Histograms:
    of = classes[seen.tuples]
    inside = of >= 0
    keys, inverse = np.unique(of[inside] * seen.size + seen.values[inside], return_inverse=True)
    counts = np.bincount(inverse, seen.counts[inside], len(keys)).astype(np.int64)
    starts = np.searchsorted(keys, np.arange(number + 1, dtype=np.int64) * seen.size)
    return Histograms(starts.astype(np.int64), keys % seen.size, counts, whole)
