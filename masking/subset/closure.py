"""The closure: from the rows that are kept at the start to all that they reference, and all that these reference, to the end.

Tables outside cycles are scanned once, after all tables that reference them. The tables of a cycle are scanned for their keys,
then for their references, which become edges between positions of rows; from the kept rows the edges are followed, new rows only
(semi-naive evaluation), until none is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from masking.subset.components import components, is_cyclic
from masking.subset.edges import EdgeMaker, Edges, Lookup
from masking.subset.fixpoint import follow
from masking.subset.graph import Graph, Reference
from masking.subset.key_hashes import I64, U64, HashSet, Mask
from masking.subset.pointers import Scanner, target_sets

Target = tuple[str, tuple[str, ...]]
_Lost = tuple[Reference, I64, U64]


@dataclass(frozen=True)
class Closed:
    """Which rows of each table are kept, and how many keys of each target are referenced by them but of no row."""

    kept: Mapping[str, Mask]
    missing: Mapping[Target, int]


class Closure:
    """Closes sets of rows over the references of a graph; `counts` are the rows of the tables."""

    def __init__(self, scanner: Scanner, graph: Graph, counts: Mapping[str, int]) -> None:
        self._scanner, self._graph, self._counts = scanner, graph, counts
        self._kept: dict[str, Mask] = {}
        self._wanted: dict[Target, HashSet] = {}
        self._missing: dict[Target, int] = {}

    def close(self, start: Mapping[str, Mask]) -> Closed:
        """Return what `start` comes to: at least its rows, and with each row those that it references."""
        self._kept = {name: rows.copy() for name, rows in start.items() if rows.any()}
        self._wanted, self._missing = {}, {}
        for component in components(self._graph):
            if not any(self._is_reached(name) for name in component):
                continue
            if is_cyclic(self._graph, component):
                self._close_cycle(component)
                for name in component:
                    outward = [r for r in self._graph.out_of(name) if r.target_table not in component]
                    if outward and self._rows(name).any():
                        self._scan(name, [], outward)
            else:
                self._scan(component[0], self._wanted_of(component[0]), self._graph.out_of(component[0]))
            for name in component:
                for target in self._wanted_of(name):
                    self._lack(name, target, self._wanted.pop((name, target)).unseen)
        return Closed(self._kept, {target: n for target, n in self._missing.items() if n})

    def _is_reached(self, table: str) -> bool:
        return table in self._kept or bool(self._wanted_of(table))

    def _wanted_of(self, table: str) -> list[tuple[str, ...]]:
        return [columns for name, columns in self._wanted if name == table]

    def _rows(self, table: str) -> Mask:
        if table not in self._kept:
            self._kept[table] = np.zeros(self._counts[table], np.bool_)
        return self._kept[table]

    def _lack(self, table: str, target: tuple[str, ...], keys: int) -> None:
        self._missing[table, target] = self._missing.get((table, target), 0) + keys

    def _scan(self, table: str, wanted: Sequence[tuple[str, ...]], references: Sequence[Reference]) -> None:
        """Keep the rows of which a key is wanted, and want what all kept rows reference."""
        kept = self._rows(table)
        for batch in self._scanner.scan(table, wanted, references):
            part = kept[batch.slice]
            for target, (hashes, valid) in zip(wanted, batch.keys, strict=True):
                part |= self._wanted[table, target].has(hashes) & valid
            for reference, pointers in zip(references, batch.pointers, strict=True):
                aim = reference.target_table, reference.target
                self._wanted.setdefault(aim, HashSet()).add(np.unique(pointers.hashes[part[pointers.rows]]))

    def _close_cycle(self, component: tuple[str, ...]) -> None:
        inward = {name: [r for r in self._graph.out_of(name) if r.target_table in component] for name in component}
        every = [r for references in inward.values() for r in references]
        lookups: dict[Target, Lookup] = {}
        edges: list[Edges] = []
        for name in component:
            aimed, wanted = target_sets(every, name), self._wanted_of(name)
            for target, lookup in zip(keys := list(dict.fromkeys([*aimed, *wanted])), self._lookups(name, keys), strict=True):
                edges += lookup.twins(name)
                if target in wanted:
                    self._rows(name)[lookup.positions[self._wanted[name, target].has(lookup.hashes)]] = True
                if target in aimed:
                    lookups[name, target] = lookup
        lost: list[_Lost] = []
        for name in component:
            if inward[name]:
                edges += self._edges(name, inward[name], lookups, lost)
        lookups.clear()
        follow({name: self._rows(name) for name in component}, edges)
        for reference in every:
            found = [hashes[self._rows(reference.table)[rows]] for r, rows, hashes in lost if r == reference]
            if found:
                self._lack(reference.target_table, reference.target, len(np.unique(np.concatenate(found))))

    def _lookups(self, table: str, keys: Sequence[tuple[str, ...]]) -> Iterator[Lookup]:
        """Scan a table for its keys, and sort its rows by each of them."""
        count = self._counts[table]
        hashes = [np.zeros(count, np.uint64) for _ in keys]
        valid = [np.zeros(count, np.bool_) for _ in keys]
        if keys:
            for batch in self._scanner.scan(table, keys):
                for (some, known), all_hashes, all_valid in zip(batch.keys, hashes, valid, strict=True):
                    all_hashes[batch.slice], all_valid[batch.slice] = some, known
        while hashes:
            yield Lookup.of(hashes.pop(0), valid.pop(0))

    def _edges(self, table: str, references: Sequence[Reference], lookups: Mapping[Target, Lookup], lost: list[_Lost]) -> list[Edges]:
        """Scan a table for its references, and look up the rows that they go to; what is not found goes to `lost`."""
        count = self._counts[table]
        makers = [EdgeMaker(table, r.target_table, count) for r in references]
        for batch in self._scanner.scan(table, [], references):
            for reference, pointers, maker in zip(references, batch.pointers, makers, strict=True):
                rows = pointers.rows + batch.first
                lookup = lookups[reference.target_table, reference.target]
                at, found = lookup.places(pointers.hashes)
                maker.add(rows[found], lookup.positions[at[found]])
                if not found.all():
                    lost.append((reference, rows[~found], pointers.hashes[~found]))
        return [maker.edges() for maker in makers]
