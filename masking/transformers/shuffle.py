"""`shuffle`: the values of a column dealt out anew among its rows, within groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.draws import draws, told
from masking.errors import MaskingFailed, TransformerUnfit
from masking.transformers.base import Context, Rows
from masking.transformers.fit import place_of, unfit
from masking.transformers.parameters import parameter
from schemas.errors import nearest
from schemas.types import KINDS


@dataclass(frozen=True)
class Shuffle:
    """Deals the values of a column out anew among the rows that agree in the columns of `within`; the distribution stays exactly.

    Nulls stay where they are. Rows are told apart by the table's key (or a unique set of NOT NULL columns), which it must have; the
    order is drawn by the keyed code of that. Where a group holds different values, at least two rows have another value than before;
    a group of one row keeps its value, and so does one whose values are all alike: shuffling hides who has a value, not the value.
    Reads the column first; memory: the column's values twice and 64 bytes for each row.
    """

    name: ClassVar[str] = "shuffle"
    fits: ClassVar[tuple[str, ...]] = KINDS
    whole: ClassVar[bool] = True

    within: tuple[str, ...] = parameter("columns of the table; values stay within rows that agree in all of them", default=())

    def bind(self, context: Context) -> Shuffled:
        table = context.table
        names = [column.name for column in table.columns]
        for name in self.within:
            if name not in names:
                raise unfit(context, self.name, f"there is no column '{name}' in {table.name}{nearest(name, names)}")
            if name == context.column.name:
                raise unfit(context, self.name, "a column cannot be shuffled within itself; all its values would stay")
            if table.column(name).type.item is not None:
                raise unfit(context, self.name, f"'{name}' is an array, and groups are told apart by plain values")
        identity = next((unique for unique in table.unique_sets() if not any(table.column(name).nullable for name in unique)), None)
        if identity is None:
            raise unfit(context, self.name, f"{table.name} has no key by which its rows are told apart")
        purpose = f"shuffle/{table.name}.{context.column.name}"
        return Shuffled(
            self.within, identity, place_of(context), context.key.derive(f"{purpose}/row"), context.key.derive(f"{purpose}/group")
        )


@dataclass
class Shuffled:
    """A Learner: every row gets the value of the row that follows it in the drawn order of its group, the last one that of the first."""

    within: tuple[str, ...]
    identity: tuple[str, ...]
    place: str
    row_key: bytes = field(repr=False)
    group_key: bytes = field(repr=False)
    _seen: list[tuple[Any, Any, pa.Array]] = field(default_factory=list, repr=False)
    _rows: Any = field(default=None, repr=False)
    _dealt: pa.ChunkedArray | None = field(default=None, repr=False)

    def learn(self, values: pa.Array, rows: Rows) -> None:
        there = pc.is_valid(values)
        there_bits = there.to_numpy(zero_copy_only=False)
        groups = self._hash(self.within, rows, self.group_key) if self.within else np.zeros(len(values), np.uint64)
        ids = self._hash(self.identity, rows, self.row_key)
        self._seen.append((ids[there_bits], groups[there_bits], values.filter(there)))

    def finish(self) -> None:
        if not self._seen:
            self._rows = np.empty(0, np.uint64)
            return
        ids, groups = (np.concatenate([seen[part] for seen in self._seen]) for part in (0, 1))
        values = pa.chunked_array([seen[2] for seen in self._seen])
        self._seen = []
        order = np.lexsort((ids, groups))
        ids, groups = ids[order], groups[order]
        # the next in each group; after the last comes the first
        starts = np.flatnonzero(np.concatenate([[True], groups[1:] != groups[:-1]])) if len(groups) else np.empty(0, np.int64)
        ends = np.concatenate([starts[1:], [len(groups)]])[: len(starts)]
        following = np.arange(1, len(groups) + 1)
        following[ends - 1] = starts
        source = order[following]
        by_id = np.argsort(ids, kind="stable")
        self._rows = ids[by_id]
        if np.any(self._rows[1:] == self._rows[:-1]):
            raise MaskingFailed(
                f"{self.place}: two rows have the same {', '.join(self.identity)}, by which rows are told apart for shuffling"
            )
        self._dealt = values.take(pa.array(source[by_id]))

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        if self._rows is None:
            raise TransformerUnfit(f"{self.place}: 'shuffle' has not read its column yet, and needs to")
        ids = self._hash(self.identity, rows, self.row_key)
        found = np.searchsorted(self._rows, ids)
        there = pc.is_valid(values).to_numpy(zero_copy_only=False)
        if not there.any():
            return values
        known = np.minimum(found, len(self._rows) - 1)
        if self._dealt is None or not len(self._rows) or np.any(self._rows[known[there]] != ids[there]):
            raise MaskingFailed(f"{self.place}: rows came up that were not there when the column was read; the source changed meanwhile")
        dealt = self._dealt.take(pa.array(known, mask=~there)).combine_chunks()
        return dealt.cast(values.type) if dealt.type != values.type else dealt

    def _hash(self, columns: tuple[str, ...], rows: Rows, key: bytes) -> Any:
        # lengths before the texts, so that ('a', 'bc') is not ('ab', 'c'); null is another thing than empty
        pieces: list[pa.Array] = []
        for name in columns:
            values = rows.columns[name]
            text = told(values)
            pieces += [pc.if_else(pc.is_valid(values), pc.binary_length(text).cast(pa.string()), "-"), text]
        return draws(pc.binary_join_element_wise(*pieces, ":"), key)
