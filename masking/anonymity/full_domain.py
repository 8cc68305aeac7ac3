"""Global, full-domain recoding: one level for each column, so that the cells of a column can be compared."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.class_statistics import class_statistics, whole_counts
from masking.anonymity.distinct import DistinctTable, packed_keys
from masking.anonymity.models import KAnonymity, Model, all_met
from masking.anonymity.peeling import mean_losses

Ints = NDArray[np.int64]

_LATTICE = 1 << 20
_UNORDERED = 1 << 11


@dataclass(frozen=True)
class FullDomain:
    """A level for each column, the class of each tuple (-1: suppressed), and the mean loss of a row."""

    levels: tuple[int, ...]
    classes: Ints
    loss: float


def recode_globally(table: DistinctTable, models: Sequence[Model], suppression: int = 0) -> FullDomain:
    """Find the levels of least loss at which all classes meet `models`, but for at most `suppression` rows, which are suppressed.

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
        self._rows = table.rows
        self._losses = [mean_losses(d, c, table.counts) for d, c in zip(table.domains, table.codes, strict=True)]
        self._wholes = whole_counts(table.observations)
        self._most = sum(domain.weight for domain in table.domains)
        self._known: dict[tuple[int, ...], FullDomain | None] = {}
        self._monotone = suppression == 0 or all(isinstance(model, KAnonymity) for model in models)

    def exhaust(self, heights: tuple[int, ...]) -> FullDomain:
        total = np.zeros(())
        for losses in self._losses:
            total = total[..., None] + losses
        # no loss may be lower than that of what is above, where feasibility is said to be inherited from
        order = np.argsort(total, axis=None, kind="stable")
        bad = np.zeros(heights, np.bool_)
        best: FullDomain | None = None
        tried = 0
        for place in order.tolist():
            levels = tuple(int(level) for level in np.unravel_index(place, heights))
            if best is not None and total[levels] >= best.loss:
                break
            if bad[levels]:
                continue
            if self._monotone:
                chain = self._chain(levels, heights)
                low, high = 0, len(chain) - 1  # the top meets every model
                while low < high:
                    middle = (low + high) // 2
                    if self._at(chain[middle]) is None:
                        bad[tuple(slice(0, level + 1) for level in chain[middle])] = True
                        low = middle + 1
                    else:
                        high = middle
                found = self._at(chain[high])
            else:
                tried += 1
                if tried > _UNORDERED:
                    break
                found = self._at(levels)
            if found is not None and (best is None or found.loss < best.loss):
                best = found
        return best or self._top(heights)

    def climb(self, heights: tuple[int, ...]) -> FullDomain:
        """Raise the column that leaves the fewest rows in classes that lack, for what it loses; then lower what can be lowered."""
        levels = tuple(0 for _ in heights)
        while self._at(levels) is None:
            higher = self._neighbours(levels, heights, 1)
            levels = min(higher, key=lambda at: (self._lacking(at) / self._rows + 1e-3) * (self._loss(at) + 1e-3))
        while lower := [at for at in self._neighbours(levels, heights, -1) if self._at(at) is not None]:
            levels = min(lower, key=self._loss)
        found = self._at(levels)
        assert found is not None
        return found

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

    def _top(self, heights: tuple[int, ...]) -> FullDomain:
        found = self._at(tuple(height - 1 for height in heights))
        assert found is not None
        return found

    def _grouped(self, levels: tuple[int, ...]) -> tuple[Ints, NDArray[np.bool_]]:
        domains = self._table.domains
        nodes = [d.ancestors[level, c] for d, c, level in zip(domains, self._table.codes, levels, strict=True)]
        keys = packed_keys(nodes, [int(d.ancestors.max()) + 1 for d in domains])
        found, classes = np.unique(keys, return_inverse=True)
        counted = class_statistics(classes, len(found), self._table.counts, self._table.observations, self._wholes)
        return classes, all_met(self._models, counted)

    def _lacking(self, levels: tuple[int, ...]) -> int:
        classes, good = self._grouped(levels)
        return int(self._table.counts[~good[classes]].sum())

    def _at(self, levels: tuple[int, ...]) -> FullDomain | None:
        """What the generalisation comes to, None where too many rows would have to be suppressed."""
        if levels not in self._known:
            self._known[levels] = self._evaluated(levels)
        return self._known[levels]

    def _evaluated(self, levels: tuple[int, ...]) -> FullDomain | None:
        classes, good = self._grouped(levels)
        out = ~good[classes]
        rows = int(self._table.counts[out].sum())
        if rows > self._suppression:
            return None
        loss = 0.0
        for domain, codes, level in zip(self._table.domains, self._table.codes, levels, strict=True):
            each = domain.losses[domain.ancestors[level, codes]]
            loss += float(np.cumsum(np.where(out, domain.weight, each) * self._table.counts)[-1]) / self._rows
        numbered = (np.cumsum(good) - 1)[classes]
        return FullDomain(levels, np.where(out, -1, numbered), loss)
