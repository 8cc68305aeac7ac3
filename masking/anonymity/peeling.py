"""Local recoding from the cheapest generalisations up: at each, the groups that meet the models are classes and leave.

A generalisation is a level for each column. They are visited by the mean loss of the rows; the rows that are left are grouped by their
labels (and their part of the table), and the groups that meet all models are taken away. No row that is left ever fits a class made
before it, as it would have been taken then. It is the search of full-domain recoding (Samarati 2001; El Emam et al. 2009), repeated on
what no generalisation so far could cover.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.distinct import DistinctTable, packed_keys
from masking.anonymity.domain import Domain

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Words = NDArray[np.uint64]

GENERALISATIONS = 1 << 14
_STRIDE = np.uint64(0x9E3779B97F4A7C15)
_VISITS = 1 << 24
_VISITS_PER_TUPLE = 48
_SUMMED = 1 << 17
_SHRUNK = 0.75


def peel(table: DistinctTable, met: Callable[[Ints, int], Flags], need: int, *, most: int = GENERALISATIONS) -> Ints:
    """Return the class of each tuple, -1 for those that are left.

    `met(classes, number)` says which of `number` classes meet the models, given the class of each tuple (-1 for none); `need` is the
    number of rows below which none can. At most `most` generalisations are visited, fewer where many tuples are left for long, and
    never the one of which nothing is left.
    """
    number = len(table.counts)
    classes = np.full(number, -1, np.int64)
    levels = cheapest_generalisations(table, most)
    left, made, visits = np.arange(number), 0, 0
    allowed = _VISITS + _VISITS_PER_TUPLE * number
    grouper: _Grouper | None = None
    top = [len(domain.ancestors) - 1 for domain in table.domains]
    for generalisation in levels:
        if not len(left) or visits > allowed or generalisation.tolist() == top:
            break
        if grouper is None or len(left) < _SHRUNK * grouper.size:
            grouper = _Grouper(table, left)
        visits += grouper.size
        groups = grouper.groups(generalisation, need)
        if groups is None:
            continue
        found = np.full(number, -1, np.int64)
        members, of, count = groups
        found[members] = of
        good = met(found, count)
        if not good.any():
            continue
        kept = good[of]
        classes[members[kept]] = made + (np.cumsum(good) - 1)[of[kept]]
        made += int(good.sum())
        left = np.flatnonzero(classes < 0)
        grouper.drop(members[kept])
    return classes


def cheapest_generalisations(table: DistinctTable, most: int) -> NDArray[np.int16]:
    """The `most` generalisations of least mean loss, ascending: shape (generalisations, columns), a level for each column.

    As the lowest level of a column loses nothing, the cheapest of some columns are parts of the cheapest of all.
    """
    total, chosen = np.zeros(1), np.zeros((1, 0), np.int16)
    for domain, codes in zip(table.domains, table.codes, strict=True):
        losses = mean_losses(domain, codes, table.counts)
        sums = (total[:, None] + losses).ravel()
        order = np.argsort(sums, kind="stable")[:most]
        before, level = np.divmod(order, len(losses))
        total, chosen = sums[order], np.column_stack([chosen[before], level.astype(np.int16)])
    return chosen


def mean_losses(domain: Domain, codes: NDArray[np.int32], counts: Ints) -> NDArray[np.float64]:
    """What a row loses on average at each level of a column; summed exactly, so that no machine orders them in another way."""
    rows = np.bincount(codes, counts, len(domain.values))
    return np.array([math.fsum(domain.losses[level] * rows) / math.fsum(rows) for level in domain.ancestors])


class _Grouper:
    """Groups some tuples by generalisations: by the sum of a number for each label, of which every few columns are summed before."""

    def __init__(self, table: DistinctTable, tuples: Ints) -> None:
        self._table, self._tuples = table, tuples
        self._counts = table.counts[tuples].copy()
        self.size = len(tuples)
        self._bits = max(10, int(self.size).bit_length() + 1)
        base = table.parts[tuples].astype(np.uint64)
        stride, self._exact = int(table.parts.max(initial=0)) + 1, True
        self._sums: list[tuple[list[int], Words]] = []
        parts: list[Words] = []
        for domain, codes in zip(table.domains, table.codes, strict=True):
            nodes = int(domain.ancestors.max()) + 1
            self._exact &= stride * nodes < 1 << 64
            parts.append(domain.ancestors[:, codes[tuples]].astype(np.uint64) * np.uint64(stride % (1 << 64)) + base)
            base = np.zeros(1, np.uint64)
            stride = stride * nodes if self._exact else (stride * nodes * 2 + 1) % (1 << 64)
        group: list[int] = []
        summed: Words | None = None
        for column, part in enumerate(parts):
            if summed is not None and len(summed) * len(part) * self.size > _SUMMED:
                self._sums.append((group, summed))
                group, summed = [], None
            group = [*group, column]
            summed = part if summed is None else (summed[:, None] + part[None]).reshape(-1, self.size)
        assert summed is not None
        self._sums.append((group, summed))

    def drop(self, tuples: Ints) -> None:
        """Count these no more."""
        self._counts[np.searchsorted(self._tuples, tuples)] = 0

    def groups(self, generalisation: NDArray[np.int16], need: int) -> tuple[Ints, Ints, int] | None:
        """The tuples in groups of at least `need` rows, the group of each, and the number of groups."""
        keys = self._keys(generalisation)
        # most groups are too small: they are told by counting into buckets, of which each holds one or more groups
        buckets = ((keys * _STRIDE) >> np.uint64(64 - self._bits)).astype(np.int64)
        rows = np.bincount(buckets, self._counts)
        full = rows >= need
        if not full.any():
            return None
        places = np.flatnonzero(full[buckets] & (self._counts > 0))
        if self._exact:
            _, of = np.unique(keys[places], return_inverse=True)
        else:
            _, of = np.unique(self._exact_keys(generalisation, places), return_inverse=True)
        enough = np.bincount(of, self._counts[places]) >= need
        if not enough.any():
            return None
        kept = enough[of]
        return self._tuples[places[kept]], (np.cumsum(enough) - 1)[of[kept]], int(enough.sum())

    def _keys(self, generalisation: NDArray[np.int16]) -> Words:
        total: Words | None = None
        for columns, sums in self._sums:
            row = 0
            for column in columns:
                row = row * len(self._table.domains[column].ancestors) + int(generalisation[column])
            total = sums[row] if total is None else total + sums[row]
        assert total is not None
        return total

    def _exact_keys(self, generalisation: NDArray[np.int16], places: Ints) -> Ints:
        tuples = self._tuples[places]
        domains: Sequence[Domain] = self._table.domains
        labels = [d.ancestors[g, c[tuples]] for d, c, g in zip(domains, self._table.codes, generalisation, strict=True)]
        parts = self._table.parts
        return packed_keys([parts[tuples], *labels], [int(parts.max(initial=0)) + 1, *(int(d.ancestors.max()) + 1 for d in domains)])
