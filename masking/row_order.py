"""The order in which masked rows are written: drawn by the masking key, where that of the source would tell what was masked.

A source is read in the order of its keys. Written in that order, the rows whose keys are hashed would still stand by their keys: who
knows that a table counts from 1 would know every key by the place of its row, and with it all that references it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.binding import BoundTable
from masking.canonical import texts_of, validity
from masking.cmac import Cmac
from masking.keyed import UInt64
from masking.keys import MaskingKey
from schemas.model import Table

_BETWEEN = "\x1f"


def is_told_by_what_is_kept(bound: BoundTable) -> bool:
    """Whether the order of a table's rows in the source follows from cells that are written as they were: from its whole key.

    What has no key lies in an order that stands in no column, and so may rows of a key that is null.
    """
    kept = {c.column.name for c in bound.columns if c.masker is None}
    return bool(bound.table.key) and all(name in kept and not bound.table.column(name).nullable for name in bound.table.key)


@dataclass(frozen=True)
class RowOrder:
    """A number for each row of a table, by which its rows are put in order.

    It is drawn by the row's key, so that other rows keep their order where one comes in; by its place among the rows that are read where
    the table has no key, it is not read, or it is null.
    """

    key: Sequence[str]
    by_key: Cmac
    by_place: Cmac

    @classmethod
    def of(cls, table: Table, read: Sequence[str], key: MaskingKey) -> RowOrder:
        """The order of a table of which the columns `read` are at hand."""
        usable = all(name in read and not pa.types.is_nested(table.column(name).type.arrow) for name in table.key)
        by_key, by_place = (Cmac(key.derive(f"order of rows/{table.name}/{by}")) for by in ("key", "place"))
        return cls(table.key if usable else (), by_key, by_place)

    def draws(self, batch: pa.RecordBatch, first: int) -> UInt64:
        """Return one number of 64 bits for each raw row, the first of which is the row `first` of those read."""
        if not self.key:
            return self._by_place(batch, first)
        texts = self._texts(batch)
        drawn, valid = self.by_key.words(texts)[0], validity(texts)
        return drawn if valid is None else np.where(valid, drawn, self._by_place(batch, first))

    def _by_place(self, batch: pa.RecordBatch, first: int) -> UInt64:
        places: UInt64 = self.by_place.words(pa.array(np.arange(first, first + batch.num_rows)).cast(pa.string()))[0]
        return places

    def _texts(self, batch: pa.RecordBatch) -> pa.Array:
        """A text for each row that no row of another key has; null where a column of the key is."""
        texts = [texts_of(batch.column(name)) for name in self.key]
        if len(texts) == 1:
            return texts[0]
        # with their lengths, since what stands between texts may stand in them too
        parts = [part for text in texts for part in (pc.binary_length(text).cast(pa.string()), text)]
        return pc.binary_join_element_wise(*parts, _BETWEEN)
