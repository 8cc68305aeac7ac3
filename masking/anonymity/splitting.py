"""Local recoding from the whole table down: a class is split where that saves most, while both parts meet the models.

Top-down specialisation (Fung, Wang & Yu 2005; LeFevre, DeWitt & Ramakrishnan 2006: "Mondrian"), with two kinds of splits: a label
against the rest of its class, and numbers up to one against those above. It is the way for large classes and for models that look
at sensitive values, since every class on the way meets them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.distinct import DistinctTable
from masking.anonymity.domain import Domain
from masking.anonymity.joins import joins_of

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float64]

_BUCKETS = 1 << 11
_CELLS = 1 << 21


@dataclass(frozen=True)
class _Splits:
    """The best split of each class in one column: what it saves (-inf: none), and the first and last bucket of one part."""

    saved: Floats
    first: Ints
    last: Ints


def split(table: DistinctTable, met: Callable[[Ints, int], Flags], need: int) -> Ints:
    """Return the class of each tuple, from 0 on, starting from the parts of the table, which must meet the models; see `peel`."""
    columns = [_Column(table, i) for i in range(len(table.domains))]
    classes = table.parts.copy()
    settled = np.zeros(int(classes.max(initial=0)) + 1, np.bool_)
    while not settled.all():
        live = np.flatnonzero(~settled[classes])
        waiting, of = np.unique(classes[live], return_inverse=True)
        order = np.argsort(of, kind="stable")
        live, of = live[order], of[order]
        offers = [column.best(live, of, len(waiting), need) for column in columns]
        saved = np.stack([offer.saved for offer in offers])
        parts = np.zeros(len(live), np.bool_)
        open_ = np.ones(len(waiting), np.bool_)
        while (open_ := open_ & np.isfinite(saved.max(axis=0))).any():
            choice = saved.argmax(axis=0)
            part = np.zeros(len(live), np.bool_)
            for i, (column, offer) in enumerate(zip(columns, offers, strict=True)):
                here = (open_ & (choice == i))[of]
                bucket = column.buckets[live[here]]
                part[here] = (bucket >= offer.first[of[here]]) & (bucket <= offer.last[of[here]])
            both = np.full(len(classes), -1, np.int64)
            tried = open_[of]
            both[live[tried]] = of[tried] * 2 + part[tried]
            good = met(both, len(waiting) * 2).reshape(-1, 2).all(axis=1) & open_
            parts |= part & good[of]
            saved[:, good] = -np.inf
            saved[choice[open_], np.flatnonzero(open_)] = -np.inf
            open_ &= ~good
        divided = np.bincount(of, parts, len(waiting)) > 0
        fresh = len(settled) + np.cumsum(divided) - 1
        classes[live[parts]] = fresh[of[parts]]
        settled[waiting] = ~divided
        settled = np.concatenate([settled, np.zeros(int(divided.sum()), np.bool_)])
    return classes


class _Column:
    """One column of the table, its values in at most so many buckets, each a group of neighbours."""

    def __init__(self, table: DistinctTable, column: int) -> None:
        self._domain: Domain = table.domains[column]
        self._counts = table.counts
        self._join = joins_of([self._domain])[0]
        self._codes = table.codes[column].astype(np.int64)
        ancestors = self._domain.ancestors
        base = next(level for level in range(len(ancestors)) if len(np.unique(ancestors[level])) <= _BUCKETS)
        self._starts = np.flatnonzero(np.diff(ancestors[base], prepend=-1))
        self.buckets = (np.cumsum(np.diff(ancestors[base], prepend=-1) != 0) - 1)[self._codes]
        # the groups of buckets of each level, by their first bucket
        self._levels = [np.flatnonzero(np.diff(ancestors[level, self._starts], prepend=-1)) for level in range(base, len(ancestors) - 1)]
        self._losses = [
            self._domain.losses[ancestors[level, self._starts[groups]]] for level, groups in enumerate(self._levels, start=base)
        ]

    def best(self, live: Ints, of: Ints, number: int, need: int) -> _Splits:
        """The best split of each of `number` classes; `of` gives the class of the tuples `live`, and ascends."""
        found = _Splits(np.full(number, -np.inf), np.zeros(number, np.int64), np.zeros(number, np.int64))
        step = max(1, _CELLS // len(self._starts))
        for low in range(0, number, step):
            high = min(low + step, number)
            inside = slice(*np.searchsorted(of, [low, high]))
            buckets, classes = self.buckets[live[inside]], of[inside] - low
            rows = np.bincount(classes * len(self._starts) + buckets, self._counts[live[inside]], (high - low) * len(self._starts))
            dense = rows.astype(np.float64).reshape(high - low, -1)
            at = np.arange(high - low)
            for saved, first, last in self._offers(dense, need):
                choice = saved.argmax(axis=1)
                better = saved[at, choice] > found.saved[low:high]
                found.saved[low:high][better] = saved[at, choice][better]
                found.first[low:high][better] = first[choice][better]
                found.last[low:high][better] = last[choice][better]
        return found

    def _offers(self, rows: Floats, need: int) -> Iterator[tuple[Floats, Ints, Ints]]:
        """What each possible part saves in each class (-inf: not possible), and the first and last bucket of each part."""
        present = rows > 0
        width = rows.shape[1]
        total = rows.sum(axis=1)[:, None]
        first, last = present.argmax(axis=1), width - 1 - present[:, ::-1].argmax(axis=1)
        if self._domain.form == "range":
            share = self._domain.weight / self._domain.most
            ends = np.append(self._starts[1:], len(self._domain.values)) - 1
            low = np.cumsum(rows, axis=1)
            below = (ends[None] - self._starts[first][:, None]) * share
            above = (ends[last][:, None] - ends[None] - 1) * share
            now = (ends[last] - self._starts[first])[:, None] * share
            saved = low * (now - below) + (total - low) * (now - above)
            yield self._possible(saved, low, total, need), np.zeros(width, np.int64), np.arange(width)
            return
        different = present.sum(axis=1)[:, None]
        span = np.stack([self._starts[first], self._starts[last]])
        share = self._domain.weight / self._domain.most
        for groups, losses in zip(self._levels, self._losses, strict=True):
            inside = np.add.reduceat(rows, groups, axis=1)
            if self._domain.form == "set":
                held = np.add.reduceat(present.astype(np.int64), groups, axis=1)
                saved = (inside * (different - held) + (total - inside) * held) * share
            else:
                now = self._join.loss(span.astype(np.int32)).astype(np.float64)[:, None]
                saved = inside * (now - losses)
            yield self._possible(saved, inside, total, need), groups, np.append(groups[1:], width) - 1

    @staticmethod
    def _possible(saved: Floats, inside: Floats, total: Floats, need: int) -> Floats:
        return np.where((inside >= need) & (total - inside >= need), saved, -np.inf)
