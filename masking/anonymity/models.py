"""The privacy models: what every equivalence class of an anonymised table must be.

    Model
    ├── KAnonymity                          at least k rows
    ├── DistinctDiversity                   at least l different sensitive values
    ├── EntropyDiversity                    sensitive values as mixed as l equally frequent ones
    ├── RecursiveDiversity                  the most frequent sensitive value not too frequent beside the rest
    ├── EqualCloseness, OrderedCloseness    sensitive values distributed as in the whole table, but for t

All are closed under union: two classes that meet a model meet it together (k-anonymity: Sweeney 2002; l-diversity: Machanavajjhala,
Kifer, Gehrke, Venkitasubramaniam 2007; t-closeness: Li, Li, Venkatasubramanian 2007).
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.class_statistics import ClassStatistics, Histograms
from masking.errors import ModelInfeasible
from schemas.errors import InputError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

# logarithms and sums of shares are right to about 1e-15; a class at the very bound meets its model
TOLERANCE = 1e-9
_CELLS = 1 << 22


class Model(ABC):
    """A promise about every equivalence class."""

    @property
    @abstractmethod
    def title(self) -> str:
        """How people call it, such as `5-anonymity`."""

    @property
    @abstractmethod
    def figure(self) -> str:
        """What is measured, such as `k` or `distinct l of 'salary'`."""

    @property
    def sensitive(self) -> str | None:
        """The sensitive column that it is about, None if it is about the rows alone."""
        return None

    @property
    def rows(self) -> int:
        """No class with fewer rows than this can meet it."""
        return 1

    @abstractmethod
    def measure(self, statistics: ClassStatistics) -> Floats:
        """What each class reaches, in the unit of the model's own parameter."""

    @abstractmethod
    def met(self, measured: Floats) -> Flags:
        """Whether what is reached is enough."""

    @abstractmethod
    def worst(self, measured: Floats) -> float:
        """Of what classes reach, what is furthest from meeting the model."""

    @abstractmethod
    def nearest(self, measured: float) -> str:
        """The nearest parameter that a table which reaches `measured` as a single class can meet, in words."""


@dataclass(frozen=True)
class KAnonymity(Model):
    """Every class has at least `k` rows, k >= 1."""

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise InputError(f"k must be at least 1, not {self.k}")

    @property
    def title(self) -> str:
        return f"{self.k}-anonymity"

    @property
    def figure(self) -> str:
        return "k"

    @property
    def rows(self) -> int:
        return self.k

    def measure(self, statistics: ClassStatistics) -> Floats:
        return statistics.sizes.astype(np.float64)

    def met(self, measured: Floats) -> Flags:
        return measured >= self.k

    def worst(self, measured: Floats) -> float:
        return float(measured.min())

    def nearest(self, measured: float) -> str:
        return f"k = {int(measured)}, the rows of the table"


@dataclass(frozen=True)
class _Diversity(Model):
    """What the kinds of l-diversity share: a number l >= 1 and a sensitive column."""

    l: float  # noqa: E741
    column: str

    def __post_init__(self) -> None:
        if not (math.isfinite(self.l) and self.l >= 1):
            raise InputError(f"l must be a number of at least 1, not {self.l:g}")

    @property
    def sensitive(self) -> str:
        return self.column

    @property
    def rows(self) -> int:
        return math.ceil(self.l - TOLERANCE)

    def met(self, measured: Floats) -> Flags:
        return measured >= self.l - TOLERANCE

    def worst(self, measured: Floats) -> float:
        return float(measured.min())


@dataclass(frozen=True)
class DistinctDiversity(_Diversity):
    """Every class has at least `l` different values of the sensitive `column`."""

    @property
    def title(self) -> str:
        return f"distinct {self.l:g}-diversity of '{self.column}'"

    @property
    def figure(self) -> str:
        return f"distinct l of {self.column}"

    def measure(self, statistics: ClassStatistics) -> Floats:
        return np.diff(statistics.histograms[self.column].starts).astype(np.float64)

    def nearest(self, measured: float) -> str:
        return f"l = {int(measured)}, the different values of '{self.column}'"


@dataclass(frozen=True)
class EntropyDiversity(_Diversity):
    """The entropy of the sensitive `column` in every class is at least log l; l need not be whole.

    What is measured is the exponential of the entropy: the number of equally frequent values that would be as mixed.
    """

    @property
    def title(self) -> str:
        return f"entropy {self.l:g}-diversity of '{self.column}'"

    @property
    def figure(self) -> str:
        return f"entropy l of {self.column}"

    def measure(self, statistics: ClassStatistics) -> Floats:
        found = statistics.histograms[self.column]
        shares = found.counts / _sizes(found)[found.classes]
        return np.exp(_summed(found, -shares * np.log(shares)))

    def nearest(self, measured: float) -> str:
        return f"l = {math.floor(measured * 1000) / 1000:g}"


@dataclass(frozen=True)
class RecursiveDiversity(_Diversity):
    """In every class the most frequent value of `column` occurs less than `c` times as often as all from the l-th most frequent on.

    Recursive (c, l)-diversity, c > 0, l whole. What is measured is the ratio of the two, infinite with fewer than l values.
    """

    c: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.l != int(self.l):
            raise InputError(f"l of recursive diversity must be whole, not {self.l:g}")
        if not (math.isfinite(self.c) and self.c > 0):
            raise InputError(f"c of recursive diversity must be a number above 0, not {self.c:g}")

    @property
    def title(self) -> str:
        return f"recursive ({self.c:g}, {self.l:g})-diversity of '{self.column}'"

    @property
    def figure(self) -> str:
        return f"recursive c of {self.column} with l = {self.l:g}"

    def measure(self, statistics: ClassStatistics) -> Floats:
        found = statistics.histograms[self.column]
        classes = found.classes
        order = np.lexsort((-found.counts, classes))
        counts = found.counts[order]
        rank = np.arange(len(counts)) - found.starts[classes]
        rest = _summed(found, np.where(rank >= self.l - 1, counts, 0))
        first = _summed(found, np.where(rank == 0, counts, 0))
        return np.where(rest > 0, first / np.maximum(rest, 1), np.inf)

    def met(self, measured: Floats) -> Flags:
        return measured < self.c - TOLERANCE

    def worst(self, measured: Floats) -> float:
        return float(measured.max())

    def nearest(self, measured: float) -> str:
        if math.isinf(measured):
            return f"a smaller l: '{self.column}' has fewer than {self.l:g} different values"
        return f"c = {math.floor(measured * 1000 + 1) / 1000:g} with l = {self.l:g}"


@dataclass(frozen=True)
class _Closeness(Model):
    """What the kinds of t-closeness share: a distance t of 0 up to 1, and a sensitive column."""

    t: float
    column: str

    def __post_init__(self) -> None:
        if not 0 <= self.t <= 1:
            raise InputError(f"t must be a number from 0 to 1, not {self.t:g}")

    @property
    def sensitive(self) -> str:
        return self.column

    def met(self, measured: Floats) -> Flags:
        return measured <= self.t + TOLERANCE

    def worst(self, measured: Floats) -> float:
        return float(measured.max())

    def nearest(self, measured: float) -> str:
        return f"t = {math.ceil(measured * 1000) / 1000:g}"


@dataclass(frozen=True)
class EqualCloseness(_Closeness):
    """The sensitive `column` is distributed in every class as in the whole table, but for `t` of its rows.

    The distance is the earth mover's with all values equally far apart: half the sum of the differences of the shares.
    """

    @property
    def title(self) -> str:
        return f"{self.t:g}-closeness of '{self.column}'"

    @property
    def figure(self) -> str:
        return f"t of {self.column}"

    def measure(self, statistics: ClassStatistics) -> Floats:
        found = statistics.histograms[self.column]
        shares = found.counts / _sizes(found)[found.classes]
        expected = (found.whole / found.whole.sum())[found.values]
        # values that a class lacks add their whole share: all of them, less those that it has
        return (_summed(found, np.abs(shares - expected) - expected) + 1) / 2


@dataclass(frozen=True)
class OrderedCloseness(_Closeness):
    """The same for values that have an order, of which neighbours are nearer than others.

    The distance is the earth mover's with the m values evenly spaced: the sum of the absolute differences of the cumulated shares,
    divided by m - 1.
    """

    @property
    def title(self) -> str:
        return f"{self.t:g}-closeness of '{self.column}' by its order"

    @property
    def figure(self) -> str:
        return f"ordered t of {self.column}"

    def measure(self, statistics: ClassStatistics) -> Floats:
        found = statistics.histograms[self.column]
        number, values = len(found.starts) - 1, len(found.whole)
        expected = np.cumsum(found.whole) / found.whole.sum()
        sizes = _sizes(found)
        measured = np.empty(number)
        step = max(1, _CELLS // values)
        for first in range(0, number, step):
            last = min(first + step, number)
            held = slice(found.starts[first], found.starts[last])
            dense = np.zeros((last - first, values))
            dense[found.classes[held] - first, found.values[held]] = found.counts[held]
            shares = np.cumsum(dense, axis=1) / np.maximum(sizes[first:last, None], 1)  # a class may be asked for that has no rows
            measured[first:last] = np.abs(shares - expected).sum(axis=1) / max(values - 1, 1)
        return measured


def smallest_class(models: Sequence[Model]) -> int:
    """The rows below which no class can meet all of `models`."""
    return max((model.rows for model in models), default=1)


def all_met(models: Sequence[Model], statistics: ClassStatistics) -> Flags:
    """Whether each class meets all of `models`."""
    met = np.ones(len(statistics.sizes), np.bool_)
    for model in models:
        met &= model.met(model.measure(statistics))
    return met


def require_feasible(models: Sequence[Model], whole: ClassStatistics) -> None:
    """Raise ModelInfeasible, which says what can be met, where the table as a single class does not meet a model.

    As the models are closed under union, no recoding of such a table can meet it.
    """
    problems = []
    for model in models:
        measured = model.measure(whole)
        if not model.met(measured).all():
            nearest = model.nearest(model.worst(measured))
            problems.append(f"{model.title} cannot be met, not even with all rows in one class; the nearest that can is {nearest}")
    if problems:
        raise ModelInfeasible("\n".join(problems))


def _sizes(found: Histograms) -> Floats:
    return _summed(found, found.counts)


def _summed(found: Histograms, entries: NDArray[np.generic]) -> Floats:
    """The sums of `entries` over each class; added one after the other, so that they are the same on every machine."""
    return np.bincount(found.classes, entries, len(found.starts) - 1).astype(np.float64)
