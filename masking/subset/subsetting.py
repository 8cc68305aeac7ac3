"""Taking a subset: the start, the children on request, and the closure over all references."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

import numpy as np

from masking.source.base import Source
from masking.subset.children import children_of
from masking.subset.closure import Closure
from masking.subset.graph import Graph
from masking.subset.key_hashes import U64, KeyHasher, Mask
from masking.subset.pointers import Scanner
from masking.subset.selection import Selection
from masking.subset.spec import SubsetSpec


def select(source: Source, spec: SubsetSpec, graph: Graph, secret: bytes) -> Selection:
    """Return which rows of `source` a subset keeps; every row that a kept one references is kept, if the source has it.

    `secret` (of any length) decides which rows a percentage or a limit draws: the same secret, the same rows. Memory: a byte for each
    row of a table that is reached, 8 for each different key that is referenced, and for tables in cycles of references some 30 for
    each of their rows and 4 for each reference. Raises SourceFailure, and PolicyInvalid where a condition cannot be evaluated.
    """
    hasher = KeyHasher(secret)
    scanner = Scanner(source, graph, hasher)
    totals = {name: source.count(name) for name in graph.tables}
    start = _Start(scanner, graph, hasher, totals)
    closed = Closure(scanner, graph, totals).close(start.rows(spec))
    missing = {f"{table}.{', '.join(columns)}": keys for (table, columns), keys in closed.missing.items()}
    return Selection.of(closed.kept, totals, missing)


class _Start:
    def __init__(self, scanner: Scanner, graph: Graph, hasher: KeyHasher, totals: Mapping[str, int]) -> None:
        self._scanner, self._graph, self._hasher, self._totals = scanner, graph, hasher, totals

    def rows(self, spec: SubsetSpec) -> dict[str, Mask]:
        """The rows that are kept whatever references them."""
        found: dict[tuple[str, ...], Mask] = {(): self._root(spec)}
        kept = {spec.root: found[()].copy()}
        for children in spec.children:
            parent, child = (spec.root, *children.path)[-2:]
            chosen = children_of(
                self._scanner, self._graph, self._hasher, parent, found[children.path[:-1]], child, children.limit, self._totals[child]
            )
            found[children.path] = chosen
            kept[child] = kept[child] | chosen if child in kept else chosen
        for name in spec.whole:
            kept[name] = np.ones(self._totals[name], np.bool_)
        return kept

    def _root(self, spec: SubsetSpec) -> Mask:
        count = self._totals[spec.root]
        kept = np.ones(count, np.bool_)
        if spec.where is None and spec.percent is None:
            return kept
        key = self._graph.schema.table(spec.root).key if spec.percent is not None else ()
        ranks = np.zeros(count if spec.percent is not None else 0, np.uint64)
        for batch in self._scanner.scan(spec.root, [key] if key else [], [], [] if spec.where is None else [spec.where]):
            if spec.where is not None:
                kept[batch.slice] = batch.accepted[0]
            if spec.percent is not None:
                ranks[batch.slice] = self._hasher.ranks(batch.keys[0] if key else None, batch.first, batch.rows)
        return kept if spec.percent is None else _first(kept, ranks, spec.percent)


def _first(rows: Mask, ranks: U64, percent: float) -> Mask:
    """The given share of `rows`, rounded up, that ranks first."""
    places = np.flatnonzero(rows)
    wanted = ceil(len(places) * percent / 100)
    order = np.argsort(ranks[places], kind="stable")[:wanted]
    drawn = np.zeros(len(rows), np.bool_)
    drawn[places[order]] = True
    return drawn
