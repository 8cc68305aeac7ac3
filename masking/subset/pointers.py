"""Reading the keys and references of a table's rows, as hashes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.source.base import Source
from masking.subset.graph import Graph, Reference
from masking.subset.json_paths import JsonPaths
from masking.subset.key_hashes import I64, U64, KeyHasher, Mask


@dataclass(frozen=True)
class Pointers:
    """What the rows of one batch reference by one reference: `rows` (within the batch, rising) and the hash of each one's target."""

    rows: I64
    hashes: U64


@dataclass(frozen=True)
class Scanned:
    """One batch of a table: where its rows begin, how many they are, and what was asked of them.

    `keys` holds, for each set of columns, the hash of each row's key and whether it has one; `accepted` tells of each condition.
    """

    first: int
    rows: int
    keys: Sequence[tuple[U64, Mask]]
    pointers: Sequence[Pointers]
    accepted: Sequence[Mask]

    @property
    def slice(self) -> slice:
        """Where the rows are in the table."""
        return slice(self.first, self.first + self.rows)


class Scanner:
    """Reads tables of a source for what the closure needs of them."""

    def __init__(self, source: Source, graph: Graph, hasher: KeyHasher) -> None:
        self._source, self._graph, self._hasher = source, graph, hasher
        self._paths = JsonPaths()

    def scan(
        self, table: str, keys: Sequence[tuple[str, ...]] = (), references: Sequence[Reference] = (), conditions: Sequence[str] = ()
    ) -> Iterator[Scanned]:
        """Read the keys over the columns `keys`, `references` and which rows `conditions` accept, of all rows in their order."""
        columns = list(dict.fromkeys(c for found in (*keys, *(r.columns for r in references)) for c in found))
        asked = list(dict.fromkeys([*conditions, *(r.when for r in references if r.when is not None)]))
        first = 0
        for batch in self._source.read(table, columns, asked):
            flags = {said: np.asarray(batch.column(len(columns) + i)) for i, said in enumerate(asked)}
            yield Scanned(
                first,
                batch.num_rows,
                [self._keys(table, batch, key) for key in keys],
                [self._pointers(batch, r, None if r.when is None else flags[r.when]) for r in references],
                [flags[said] for said in conditions],
            )
            first += batch.num_rows

    def _keys(self, table: str, batch: pa.RecordBatch, columns: tuple[str, ...]) -> tuple[U64, Mask]:
        types = [self._graph.schema.table(table).column(c).type for c in columns]
        return self._hasher.hashes([batch.column(c) for c in columns], types)

    def _pointers(self, batch: pa.RecordBatch, reference: Reference, flags: Mask | None) -> Pointers:
        target = self._graph.schema.table(reference.target_table)
        arrays = [batch.column(c) for c in reference.columns]
        if reference.path is not None:
            arrays = [self._paths.found(arrays[0], reference.path)]
        rows: I64 | None = None
        if len(arrays) == 1 and pa.types.is_list(arrays[0].type):
            rows = np.asarray(pc.list_parent_indices(arrays[0]), np.int64)
            arrays = [arrays[0].flatten()]
        hashes, valid = self._hasher.hashes(arrays, [target.column(c).type for c in reference.target])
        rows = np.arange(batch.num_rows) if rows is None else rows
        if flags is not None:
            valid = valid & flags[rows]
        return Pointers(rows[valid], hashes[valid])


def target_sets(references: Iterable[Reference], table: str) -> list[tuple[str, ...]]:
    """The sets of columns of a table that some of `references` go to."""
    return list(dict.fromkeys(r.target for r in references if r.target_table == table))
