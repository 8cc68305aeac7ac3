"""The closure: from the rows that are kept at the start to all that they reference, and all that these reference, to the end.

Tables outside cycles are scanned once, after all tables that reference them. The tables of a cycle are scanned for their keys and
references, whose hashes become edges between positions of rows; from the kept rows the edges are then followed, new rows only
(semi-naive evaluation), until none is new.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from masking.subset.components import components, is_cyclic
from masking.subset.fixpoint import Edges, follow
from masking.subset.graph import Graph, Reference
from masking.subset.key_hashes import I64, U64, HashSet, Mask
from masking.subset.pointers import Scanner, target_sets

Target = tuple[str, tuple[str, ...]]


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
        inward = [r for name in component for r in self._graph.out_of(name) if r.target_table in component]
        loaded = {name: self._load(name, inward) for name in component}
        edges, lost = [], []
        for name in component:
            for target in loaded[name].keys:
                lookup = loaded[name].lookup(target)
                if (wanted := self._wanted.get((name, target))) is not None:
                    self._rows(name)[lookup.positions[wanted.has(lookup.hashes)]] = True
                edges += lookup.twins(name)
                for reference in (r for r in inward if (r.target_table, r.target) == (name, target)):
                    rows, hashes = loaded[reference.table].take(reference)
                    at, found = lookup.places(hashes)
                    count = self._counts[reference.table]
                    edges.append(Edges.of(reference.table, name, rows[found], lookup.positions[at[found]], count))
                    lost.append((reference, rows[~found], hashes[~found]))
        follow({name: self._rows(name) for name in component}, edges)
        for reference, rows, hashes in lost:
            missed = np.unique(hashes[self._rows(reference.table)[rows]])
            self._lack(reference.target_table, reference.target, len(missed))

    def _load(self, table: str, inward: Sequence[Reference]) -> _Loaded:
        keys = list(dict.fromkeys([*target_sets(inward, table), *self._wanted_of(table)]))
        references = [r for r in inward if r.table == table]
        count = self._counts[table]
        hashes = {key: np.zeros(count, np.uint64) for key in keys}
        valid = {key: np.zeros(count, np.bool_) for key in keys}
        found: dict[Reference, list[tuple[npt.NDArray[Any], U64]]] = {r: [] for r in references}
        small = np.int32 if count < 2**31 else np.int64
        for batch in self._scanner.scan(table, keys, references):
            for key, (some, known) in zip(keys, batch.keys, strict=True):
                hashes[key][batch.slice], valid[key][batch.slice] = some, known
            for reference, pointers in zip(references, batch.pointers, strict=True):
                found[reference].append(((pointers.rows + batch.first).astype(small), pointers.hashes))
        return _Loaded({key: (hashes[key], valid[key]) for key in keys}, found)


@dataclass
class _Loaded:
    """The keys of a table in a cycle, and what its rows reference within the cycle."""

    keys: dict[tuple[str, ...], tuple[U64, Mask]]
    pointers: dict[Reference, list[tuple[npt.NDArray[Any], U64]]]

    def lookup(self, target: tuple[str, ...]) -> _Lookup:
        """Sort the rows by a key, whose hashes are then no longer held here."""
        hashes, valid = self.keys[target]
        self.keys[target] = hashes[:0], valid[:0]
        positions = np.flatnonzero(valid)
        order = np.argsort(hashes[positions], kind="stable")
        return _Lookup(hashes[positions][order], positions[order])

    def take(self, reference: Reference) -> tuple[npt.NDArray[Any], U64]:
        """The rows that reference something, and the hashes of what, which are then no longer held here."""
        parts = self.pointers.pop(reference)
        if not parts:
            return np.zeros(0, np.int64), np.zeros(0, np.uint64)
        return np.concatenate([rows for rows, _ in parts]), np.concatenate([hashes for _, hashes in parts])


@dataclass(frozen=True)
class _Lookup:
    """Sorted hashes of a key, and the positions of their rows."""

    hashes: U64
    positions: I64

    def places(self, hashes: U64) -> tuple[I64, Mask]:
        if not len(self.hashes):
            return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.bool_)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        return at, self.hashes[at] == hashes

    def twins(self, table: str) -> list[Edges]:
        """Edges that join rows of one hash in a ring, so that they are kept together, since a lookup finds the first alone."""
        same = np.flatnonzero(self.hashes[1:] == self.hashes[:-1])
        if not len(same):
            return []
        begins = same[np.concatenate([[True], np.diff(same) > 1])]
        ends = same[np.concatenate([np.diff(same) > 1, [True]])] + 1
        rows = np.concatenate([self.positions[same], self.positions[ends]])
        others = np.concatenate([self.positions[same + 1], self.positions[begins]])
        return [Edges.of(table, table, rows, others, int(self.positions.max()) + 1)]
