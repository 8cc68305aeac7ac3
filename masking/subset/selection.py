"""What a subset comes to: which rows of each table are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from masking.subset.key_hashes import Mask


@dataclass(frozen=True)
class Selection:
    """The kept rows of each table, by their positions in the order of the source, one bit for each row.

    `counts` are the kept rows of each table, `totals` all rows. `missing` says how many different keys kept rows reference that no
    row of the source has (`users.id` and the like): such a reference dangles in the source already.
    """

    counts: Mapping[str, int]
    totals: Mapping[str, int]
    missing: Mapping[str, int]
    _bits: Mapping[str, pa.Buffer] = field(repr=False)

    @classmethod
    def of(cls, kept: Mapping[str, Mask], totals: Mapping[str, int], missing: Mapping[str, int]) -> Selection:
        """The selection of the rows that are true in `kept`; tables that are not in it keep none."""
        counts = {name: int(np.count_nonzero(kept[name])) if name in kept else 0 for name in totals}
        bits = {name: pa.py_buffer(np.packbits(rows, bitorder="little")) for name, rows in kept.items() if counts[name]}
        return cls(counts, totals, missing, bits)

    def keep(self, table: str, batch: pa.RecordBatch, first_row: int) -> pa.BooleanArray:
        """Say which rows of `batch` are kept; its first row is the row `first_row` of the table, as `Source.read` gives them."""
        return self.rows(table, first_row, batch.num_rows)

    def rows(self, table: str, first_row: int, rows: int) -> pa.BooleanArray:
        """Say which of `rows` rows from `first_row` on are kept."""
        if first_row + rows > self.totals[table]:
            raise IndexError(f"the table '{table}' has {self.totals[table]} rows")
        if table not in self._bits:
            return pa.array(np.zeros(rows, np.bool_))
        return pa.Array.from_buffers(pa.bool_(), rows, [None, self._bits[table]], 0, first_row)
