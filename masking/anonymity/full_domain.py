"""Global, full-domain recoding: one level for each column, so that the cells of a column can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.class_statistics import class_statistics, whole_counts
from masking.anonymity.distinct import DistinctTable, packed_keys
from masking.anonymity.models import KAnonymity, Model, all_met, smallest_class
from masking.anonymity.peeling import mean_losses

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_LATTICE = 1 << 20
_UNORDERED = 1 << 11


@dataclass(frozen=True)
class FullDomain:
    """A level for each column, the class of each tuple (-1: suppressed), and the mean loss of a row."""

    levels: tuple[int, ...]
    classes: Ints
    loss: float


def recode_globally(table: DistinctTable, models: Sequence[Model], suppression: int = 0) -> FullDomain:
    """Find the levels of least loss at which all classes meet `models`, but for at most `suppression` rows, which are suppressed
    (and are as many as a class must have).

    The search goes through the lattice of generalisations by ascending loss, along chains that are cut by halves, and tags what
    follows from each answer (Flash: Kohlmayer et al. 2012). It is optimal where feasibility is monotone: always without
    suppression, and for k-anonymity; otherwise it tries the 2,048 cheapest, and in a lattice of more than a million generalisations
    it climbs greedily. The whole table must meet the models.
    """
    search = _Search(table, models, suppression)
    heights = tuple(len(domain.ancestors) for domain in table.domains)
    if math.prod(heights) > _LATTICE:
        return search.climb(heights)
    return search.exhaust(heights)


class _Search:
    def __init__(self, table: DistinctTable, models: Sequence[Model], suppression: int) -> None:
        self._table, self._models, self._suppression = table, models, suppression
        self._need = smallest_class(models)
        self._rows = table.rows
        self._losses = [mean_losses(d, c, table.counts) for d, c in zip(table.domains, table.codes, strict=True)]
        self._wholes = whole_counts(table.observations)
        self._known: dict[tuple[int, ...], tuple[int, float | None]] = {}
        self._monotone = suppression == 0 or all(isinstance(model, KAnonymity) for model in models)

    def exhaust(self, heights: tuple[int, ...]) -> FullDomain:
        total = np.zeros(())
        for losses in self._losses:
            total = total[..., None] + losses
        order = np.argsort(total, axis=None, kind="stable")
        bad = np.zeros(heights, np.bool_)
        best, least = None, math.inf
        tried = 0
        for place in order.tolist():
            levels = tuple(int(level) for level in np.unravel_index(place, heights))
            if total[levels] >= least:
                break
            if bad[levels]:
                continue
            if self._monotone:
                chain = self._chain(levels, heights)
                low, high = 0, len(chain) - 1  # the top meets every model
                while low < high:
                    middle = (low + high) // 2
                    if self._lacking(chain[middle]) > self._suppression:
                        bad[tuple(slice(0, level + 1) for level in chain[middle])] = True
                        low = middle + 1
                    else:
                        high = middle
                levels = chain[high]
            else:
                tried += 1
                if tried > _UNORDERED:
                    break
            loss = self._at(levels)
            if loss is not None and loss < least:
                best, least = levels, loss
        return self._found(best or tuple(height - 1 for height in heights))

    def climb(self, heights: tuple[int, ...]) -> FullDomain:
        """Raise the column that leaves the fewest rows in classes that lack, for what it loses; then lower what can be lowered."""
        levels = tuple(0 for _ in heights)
        while self._at(levels) is None:
            higher = self._neighbours(levels, heights, 1)
            levels = min(higher, key=lambda at: (self._lacking(at) / self._rows + 1e-3) * (self._loss(at) + 1e-3))
        while lower := [at for at in self._neighbours(levels, heights, -1) if self._at(at) is not None]:
            levels = min(lower, key=self._loss)
        return self._found(levels)

    def _chain(self, levels: tuple[int, ...], heights: tuple[int, ...]) -> list[tuple[int, ...]]:
        """The way to the top that loses least at each step."""
        chain = [levels]
        while higher := self._neighbours(chain[-1], heights, 1):
            chain.append(min(higher, key=self._loss))
        return chain

    @staticmethod
    def _neighbours(levels: tuple[int, ...], heights: tuple[int, ...], step: int) -> list[tuple[int, ...]]:
        moved = [(*levels[:i], level + step, *levels[i + 1 :]) for i, level in enumerate(levels)]
        return [at for at in moved if all(0 <= level < height for level, height in zip(at, heights, strict=True))]

    def _loss(self, levels: tuple[int, ...]) -> float:
        return float(sum(losses[level] for losses, level in zip(self._losses, levels, strict=True)))

    def _found(self, levels: tuple[int, ...]) -> FullDomain:
        classes, good = self._grouped(levels)
        good = self._with_more(classes, good)
        loss = self._at(levels)
        assert loss is not None
        return FullDomain(levels, np.where(good[classes], (np.cumsum(good) - 1)[classes], -1), loss)

    def _grouped(self, levels: tuple[int, ...]) -> tuple[Ints, Flags]:
        domains = self._table.domains
        nodes = [d.ancestors[level, c] for d, c, level in zip(domains, self._table.codes, levels, strict=True)]
        keys = packed_keys(nodes, [int(d.ancestors.max()) + 1 for d in domains])
        found, classes = np.unique(keys, return_inverse=True)
        counted = class_statistics(classes, len(found), self._table.counts, self._table.observations, self._wholes)
        return classes, all_met(self._models, counted)

    def _with_more(self, classes: Ints, good: Flags) -> Flags:
        """Suppress the smallest classes as well, so that those who are suppressed are not fewer than a class must be."""
        sizes = np.bincount(classes, self._table.counts, len(good)).astype(np.int64)
        rows = sizes[~good].sum()
        if not rows:
            return good
        good = good.copy()
        for smallest in np.argsort(sizes, kind="stable").tolist():
            if rows >= self._need:
                break
            if good[smallest]:
                good[smallest] = False
                rows += sizes[smallest]
        return good

    def _lacking(self, levels: tuple[int, ...]) -> int:
        """The rows in classes that do not meet the models; no more at higher levels, where that is monotone."""
        return self._looked_at(levels)[0]

    def _at(self, levels: tuple[int, ...]) -> float | None:
        """What a row loses, None where too many rows would have to be suppressed."""
        return self._looked_at(levels)[1]

    def _looked_at(self, levels: tuple[int, ...]) -> tuple[int, float | None]:
        if levels not in self._known:
            classes, good = self._grouped(levels)
            rows = int(self._table.counts[~good[classes]].sum())
            self._known[levels] = rows, self._evaluated(levels, classes, self._with_more(classes, good))
        return self._known[levels]

    def _evaluated(self, levels: tuple[int, ...], classes: Ints, good: Flags) -> float | None:
        out = ~good[classes]
        if self._table.counts[out].sum() > self._suppression:
            return None
        loss = 0.0
        for domain, codes, level in zip(self._table.domains, self._table.codes, levels, strict=True):
            each = domain.losses[domain.ancestors[level, codes]]
            loss += float(np.cumsum(np.where(out, domain.weight, each) * self._table.counts)[-1]) / self._rows
        return loss
