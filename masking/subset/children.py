"""Choosing children: the rows of a table that reference given rows, so many for each."""

from __future__ import annotations

import numpy as np

from masking.subset.graph import Graph
from masking.subset.key_hashes import I64, U64, HashSet, KeyHasher, Mask
from masking.subset.pointers import Scanner

_PRUNE_AT = 1 << 20


def children_of(
    scanner: Scanner, graph: Graph, hasher: KeyHasher, parent: str, parents: Mask, child: str, limit: int | None, count: int
) -> Mask:
    """Return which of the `count` rows of `child` reference the rows of `parent` that are true in `parents`.

    With a `limit`, those of each parent and reference that rank first by their own keys (`KeyHasher.ranks`).
    """
    references = graph.between(child, parent)
    wanted = _keys_of(scanner, parent, parents, list(dict.fromkeys(r.target for r in references)))
    chosen = np.zeros(count, np.bool_)
    shortlists = [_Shortlist(limit) for _ in references]
    key = graph.schema.table(child).key
    for batch in scanner.scan(child, [key] if key and limit is not None else [], references):
        ranks = None if limit is None else hasher.ranks(batch.keys[0] if key else None, batch.first, batch.rows)
        for reference, pointers, shortlist in zip(references, batch.pointers, shortlists, strict=True):
            at, found = wanted[reference.target].places(pointers.hashes)
            rows = pointers.rows[found]
            if ranks is None:
                chosen[rows + batch.first] = True
            else:
                shortlist.add(at[found], ranks[rows], rows + batch.first)
    for shortlist in shortlists:
        chosen[shortlist.rows()] = True
    return chosen


def _keys_of(scanner: Scanner, table: str, rows: Mask, keys: list[tuple[str, ...]]) -> dict[tuple[str, ...], HashSet]:
    found = {key: HashSet() for key in keys}
    if rows.any():
        for batch in scanner.scan(table, keys):
            part = rows[batch.slice]
            for key, (hashes, valid) in zip(keys, batch.keys, strict=True):
                found[key].add(hashes[part & valid])
    return found


class _Shortlist:
    """The rows that rank first for each parent, of those that were added."""

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._held: list[tuple[I64, U64, I64]] = []
        self._size = self._prune_at = 0

    def add(self, parents: I64, ranks: U64, rows: I64) -> None:
        """Add candidates; those that cannot be chosen any more are let go from time to time."""
        self._held.append((parents, ranks, rows))
        self._size += len(rows)
        if self._size > max(_PRUNE_AT, 2 * self._prune_at):
            self._prune()

    def rows(self) -> I64:
        """The rows that are chosen."""
        self._prune()
        return self._held[0][2] if self._held else np.zeros(0, np.int64)

    def _prune(self) -> None:
        if not self._held or self._limit is None:
            return
        parents, ranks, rows = (np.concatenate(parts) for parts in zip(*self._held, strict=True))
        order = np.lexsort((rows, ranks, parents))
        parents = parents[order]
        places = np.arange(len(parents))
        begins = np.maximum.accumulate(np.where(np.concatenate([[True], parents[1:] != parents[:-1]]), places, 0))
        order = order[places - begins < self._limit]
        self._held = [(parents[places - begins < self._limit], ranks[order], rows[order])]
        self._size = self._prune_at = len(order)
