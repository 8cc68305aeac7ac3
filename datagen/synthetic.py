"""A schema as a source of tables: any rows of any table, made on demand."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import rfc8785
from blake3 import blake3

from datagen.plan import Plan
from datagen.pools import Pools
from datagen.rows import Rows
from datagen.version import GENERATOR_VERSION
from schemas.document import to_document
from schemas.errors import InputError, nearest
from schemas.model import Schema
from schemas.reader import read_schema

BLOCK_ROWS = 65_536


class SyntheticSource:
    """The data of a schema under a seed and a scale; a `schemas.source.RangeSource`.

    Every cell is a pure function of the recipe, the seed, the names of table and column, and the row number.
    """

    kind = "synthetic"

    def __init__(self, schema: Schema, *, seed: int | None = None, scale: float = 1.0, pools: Pools | None = None) -> None:
        self.plan = Plan(schema, seed, scale, pools)
        self.schema = schema

    @cached_property
    def provenance(self) -> Mapping[str, Any]:
        """Seed, scale, generator version, the digest of each table's recipe and of every value pool used."""
        return {
            "seed": str(self.plan.seed),
            "scale": str(self.plan.scale),
            "generator_version": GENERATOR_VERSION,
            "recipes": self._recipe_digests(),
            "value_pools": self.plan.pools.digests(),
        }

    def _recipe_digests(self) -> dict[str, str]:
        return {t["name"]: blake3(rfc8785.dumps(t)).hexdigest() for t in to_document(self.schema)["tables"]}

    def row_count(self, table: str) -> int:
        """How many rows `table` has; raises InputError for an unknown table."""
        self._require(table)
        return self.plan.row_count(table)

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """Return rows `start` to `stop` (exclusive, from 0) of `table`; safe to call from several threads."""
        self.require_rows(table, start, stop)
        return self._joined(table, start, stop, Rows.column)

    def read_encoded(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """The same, with texts of few values as dictionary arrays; a `schemas.source.EncodedSource`."""
        self.require_rows(table, start, stop)
        return self._joined(table, start, stop, Rows.encoded)

    def _joined(self, table: str, start: int, stop: int, column: Callable[[Rows, str], pa.Array]) -> pa.RecordBatch:
        blocks = [self._block(table, a, min(a + BLOCK_ROWS, stop), column) for a in range(start, stop, BLOCK_ROWS)]
        if len(blocks) == 1:
            return blocks[0]
        arrow = self.schema.table(table).arrow
        return pa.concat_batches(blocks) if blocks else pa.RecordBatch.from_pylist([], arrow)

    def has_canonical_json(self, table: str, column: str) -> bool:
        """Whether a json column has canonical texts by construction."""
        return (table, column) in self.plan.canonical_json

    def require_rows(self, table: str, start: int, stop: int) -> None:
        """Raise InputError unless rows `start` to `stop` (exclusive) are all rows of `table`."""
        count = self.row_count(table)
        if not 0 <= start <= stop <= count:
            raise InputError(f"{table} has rows 0 to {count:,}; {start:,} to {stop:,} are not all among them")

    def children_of(self, table: str, row: int, children: str) -> range:
        """The numbers of the rows of `children` that row `row` (from 0) of its parent `table` has, made without any of them."""
        self._require_row(table, row)
        self._require(children)
        family, per = self.plan.family(children), self.schema.table(children).rows.per
        if family is None or per != table:
            has = f"{children} has rows per {per}" if per else f"{children} has a number of rows of its own"
            raise InputError(f"{children} has no rows per row of {table}; {has}")
        first, count = family.children_of(np.array([row]))
        return range(int(first[0]), int(first[0] + count[0]))

    def parent_of(self, table: str, row: int) -> int:
        """The number of the row of its parent table to which row `row` (from 0) of `table` belongs."""
        self._require_row(table, row)
        family = self.plan.family(table)
        if family is None:
            raise InputError(f"{table} has no rows per row of another table")
        return int(family.parent_of(range(row, row + 1))[-1])

    def _require_row(self, table: str, row: int) -> None:
        count = self.row_count(table)
        if not 0 <= row < count:
            raise InputError(f"{table} has rows 0 to {count - 1:,}, and no row {row:,}")

    def _block(self, table: str, start: int, stop: int, column: Callable[[Rows, str], pa.Array] = Rows.column) -> pa.RecordBatch:
        rows = Rows(self.plan.tables, table, range(start, stop))
        arrow = self.schema.table(table).arrow
        arrays = [column(rows, name) for name in arrow.names]
        return pa.RecordBatch.from_arrays(arrays, schema=pa.schema([f.with_type(a.type) for f, a in zip(arrow, arrays, strict=True)]))

    def read(self, table: str) -> pa.RecordBatchReader:
        """Stream all rows of `table` in blocks of 65,536."""
        self._require(table)
        count = self.plan.row_count(table)

        def blocks() -> Iterator[pa.RecordBatch]:
            for start in range(0, count, BLOCK_ROWS):
                yield self._block(table, start, min(start + BLOCK_ROWS, count))

        return pa.RecordBatchReader.from_batches(self.schema.table(table).arrow, blocks())

    def _require(self, table: str) -> None:
        if not self.schema.has(table):
            known = [t.name for t in self.schema.tables]
            raise InputError(f"{self.schema.file}: there is no table '{table}'{nearest(table, known) or '; it has ' + ', '.join(known)}")


def source(schema: Schema | str | os.PathLike[str], *, seed: int | None = None, scale: float = 1.0) -> SyntheticSource:
    """Return the data of a schema, a schema file or a built-in schema.

    `seed` is that of the schema unless given; `scale` multiplies the rows of tables with a number of rows of their own.
    Raises InputError and RecipeError (every problem at once).
    """
    if seed is not None and not 0 <= seed < 2**63:
        raise InputError(f"a seed lies between 0 and 2**63 - 1, not {seed}")
    if not 0 < scale <= 1e6:
        raise InputError(f"a scale is above 0 and at most 1,000,000, not {scale}")
    return SyntheticSource(schema if isinstance(schema, Schema) else read_schema(schema), seed=seed, scale=scale)
