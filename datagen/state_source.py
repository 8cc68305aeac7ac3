"""The state of a history at a moment as a source of tables, whose rows can be read in any range.

The rows that exist are counted block by block once, which needs their times alone; 8 bytes a block of 65,536 rows are kept.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import rfc8785
from blake3 import blake3

from datagen.arrays import empty_batch
from datagen.blocks import BLOCK_ROWS, blocks_of
from datagen.errors import GenerationFailed
from datagen.history import StatePlan
from datagen.randomness import Index, Int64
from datagen.rows import Rows
from datagen.synthetic import SyntheticSource, made_column
from schemas.document import to_document
from schemas.errors import InputError
from schemas.times import format_moment


class StateSource(SyntheticSource):
    """The rows of `history` that exist at `moment` (the anchor where it is None), as they are then; a RangeSource.

    Rows count from 0 among those that exist.
    """

    def __init__(self, history: SyntheticSource, moment: int | None) -> None:
        self.schema, self._staged = history.schema, history._staged
        self.history = history
        self.as_of = moment
        self.state = StatePlan(history.plan, history.schema.anchor if moment is None else moment)
        self.plan = self.state
        self._starts: dict[str, Int64] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return StateSource, (self.history, self.as_of)

    def inputs(self, table: str) -> Mapping[str, str]:
        """The moment and the whole history, of which a state may see any part; InputError for an unknown table."""
        self._require(table)
        return {"moment": "anchor" if self.as_of is None else format_moment(self.as_of), "history": self._history_digest}

    @cached_property
    def _history_digest(self) -> str:
        inputs = self.history.plan.inputs.of_everything()
        return blake3(rfc8785.dumps({"schema": dict(to_document(self.schema)), "inputs": inputs})).hexdigest(length=16)

    def row_count(self, table: str) -> int:
        """How many rows of `table` exist; raises InputError for an unknown table."""
        self._require(table)
        return int(self._counted(table)[-1])

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """Return rows `start` to `stop` (exclusive, from 0) of those that exist; safe to call from several threads."""
        self.require_rows(table, start, stop)
        batches = list(self._batches(table, start, stop)) or [empty_batch(self.schema.table(table).arrow)]
        return batches[0] if len(batches) == 1 else pa.concat_batches(batches)

    def read_encoded(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """The same: what a state has of the whole history comes as it is there."""
        return self.read_rows(table, start, stop)

    def read(self, table: str) -> pa.RecordBatchReader:
        """Stream the rows of `table` that exist, block by block of the whole history."""
        count = self.row_count(table)
        return pa.RecordBatchReader.from_batches(self.schema.table(table).arrow, self._batches(table, 0, count))

    def children_of(self, table: str, row: int, children: str) -> range:
        raise InputError("a state answers no questions about row numbers; ask the whole history, the source without a moment")

    def parent_of(self, table: str, row: int) -> int:
        raise InputError("a state answers no questions about row numbers; ask the whole history, the source without a moment")

    def _counted(self, table: str) -> Int64:
        """How many rows exist before each block, and in all."""
        with self._lock:
            if table not in self._starts:
                blocks = blocks_of(self.history.row_count(table))
                if self.state.lifetimes.always(table):
                    counts = [len(block) for block in blocks]
                else:
                    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
                        counts = list(pool.map(lambda block: len(self._existing(table, block.start)), blocks))
                self._starts[table] = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
            return self._starts[table]

    def _existing(self, table: str, first: int) -> Index:
        """The numbers of the rows of a block that exist."""
        block = range(first, min(first + BLOCK_ROWS, self.history.row_count(table)))
        if self.state.lifetimes.always(table):
            return block
        mask = self.state.lifetimes.exist(Rows(self.history.plan.tables, table, block))
        return block if mask.all() else np.flatnonzero(mask) + first

    def _batches(self, table: str, start: int, stop: int) -> Iterator[pa.RecordBatch]:
        starts = self._counted(table)
        first = int(np.searchsorted(starts, start, side="right")) - 1
        for block in range(first, len(starts) - 1):
            if starts[block] >= stop:
                return
            begin, end = max(start - int(starts[block]), 0), min(stop, int(starts[block + 1])) - int(starts[block])
            if begin < end:
                yield self.state_rows(table, self._existing(table, block * BLOCK_ROWS)[begin:end])

    def _first_rows(self, table: str, count: int) -> Rows:
        numbers = np.array(self._existing(table, 0), np.int64)
        return self.state.take_for_existing(Rows(self.plan.tables, table, numbers[numbers < count]))

    def state_rows(self, table: str, numbers: Index) -> pa.RecordBatch:
        """The rows of `table` with these numbers of the whole history, all of which exist, as they are at the moment."""
        rows = self.state.take_for_existing(Rows(self.plan.tables, table, numbers))
        found = self.schema.table(table)
        columns = []
        for column in found.stored_columns:
            values = made_column(rows, column.name)
            if values.null_count and not column.nullable:
                at = "at the anchor" if self.as_of is None else f"at {format_moment(self.as_of)}"
                raise GenerationFailed(
                    f"{table}.{column.name} is NOT NULL, and some rows have no value {at}: what it is made from does not exist yet; "
                    "add `null: 0`, or `ever: true`"
                )
            columns.append(values)
        self._find_targets(rows)
        return pa.RecordBatch.from_arrays(columns, schema=found.arrow)
