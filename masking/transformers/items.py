"""Arrays: a transformer applied to every item."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc

from masking.transformers.base import Context, Learner, Masker, Rows, Transformer
from masking.transformers.binding import bound


def bind_items(transformer: Transformer, context: Context) -> Masker:
    """Bind `transformer` to the items of an array column; null items and null arrays stay null, lengths and order as they are."""
    item = context.column.type.item
    assert item is not None
    masker = bound(transformer, replace(context, column=replace(context.column, type=item, null=0.0)))
    return LearningItems(masker) if isinstance(masker, Learner) else Items(masker)


@dataclass(frozen=True)
class Items:
    """A masker of items, applied to all items of a batch at once."""

    masker: Masker

    def apply(self, values: pa.Array, rows: Rows) -> pa.Array:
        items, parents = values.flatten(), pc.list_parent_indices(values)
        masked = self.masker.apply(items, rows.take(parents))
        lengths = pc.fill_null(pc.list_value_length(values), 0)
        ends = pc.cumulative_sum(lengths.cast(pa.int32()))
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
        return pa.ListArray.from_arrays(offsets, masked, type=values.type, mask=pc.is_null(values))


@dataclass(frozen=True)
class LearningItems(Items):
    """The same where the masker has to see all items first."""

    def learn(self, values: pa.Array, rows: Rows) -> None:
        assert isinstance(self.masker, Learner)
        self.masker.learn(values.flatten(), rows.take(pc.list_parent_indices(values)))

    def finish(self) -> None:
        assert isinstance(self.masker, Learner)
        self.masker.finish()
