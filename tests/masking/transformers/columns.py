"""What the tests of transformers share: a column to bind to, and values put through a transformer."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pyarrow as pa
from hypothesis import strategies as st

from masking.fitting import fitted
from masking.keys import MaskingKey
from masking.transformers.base import Context, Learner, Masker, Rows
from masking.transformers.binding import bound
from masking.transformers.registry import read
from schemas.model import Check, Column, Schema, Table, Unique
from schemas.model import Rows as RowCount
from schemas.types import SqlType

KEY = MaskingKey(bytes(range(32)), "file")
OTHER_KEY = MaskingKey(bytes(range(1, 33)), "file")
TYPES = {
    "smallint": SqlType("smallint"), "integer": SqlType("integer"), "bigint": SqlType("bigint"), "numeric": SqlType("numeric", 10, 2),
    "wide": SqlType("numeric"), "real": SqlType("real"), "double": SqlType("double"), "text": SqlType("text"),
    "varchar": SqlType("varchar", length=12), "char": SqlType("char", length=5), "boolean": SqlType("boolean"), "date": SqlType("date"),
    "time": SqlType("time"), "timestamp": SqlType("timestamp"), "timestamptz": SqlType("timestamptz"), "interval": SqlType("interval"),
    "uuid": SqlType("uuid"), "json": SqlType("json"), "bytes": SqlType("bytes"), "enum": SqlType("enum", values=("a", "b")),
    "array": SqlType("array", item=SqlType("text")),
}  # fmt: skip


def context(
    type: str | SqlType = "text",
    *,
    null: bool = True,
    checks: Sequence[str] = (),
    subject: bool = False,
    unique: bool = False,
    key: MaskingKey = KEY,
    domain: str = "t.c",
    others: Sequence[Column] = (),
    distinct: int | None = None,
) -> Context:
    """The column `c` of a table `t` whose key is `id`."""
    column = Column("c", TYPES[type] if isinstance(type, str) else type, 0.0 if null else None)
    table = Table(
        "t",
        (Column("id", SqlType("bigint")), column, *others),
        RowCount(1),
        ("id",),
        (Unique(("c",)),) if unique else (),
        checks=tuple(map(Check, checks)),
    )
    return Context(Schema("s", (table,)), table, column, key, domain, unique, "users.id" if subject else None, distinct)


def rows_of(values: pa.Array, subject: Sequence[Any] | None = None, **columns: pa.Array) -> Rows:
    """The rows of a batch: ids from 0 on, the column itself, others."""
    named = {"id": pa.array(range(len(values)), pa.int64()), "c": values, **columns}
    return Rows(named, len(values), None if subject is None else pa.array(subject, pa.string()))


def masker_for(mask: Any, at: Context) -> Masker:
    return bound(read(mask, "t.c"), at)


def mask(
    mask: Any,
    values: Sequence[Any] | pa.Array,
    type: str | SqlType = "text",
    *,
    subject: Sequence[Any] | None = None,
    columns: dict[str, pa.Array] | None = None,
    **more: Any,
) -> list[Any]:
    """Put values through a transformer, in one batch, and check that the result fits the column."""
    at = context(type, subject=subject is not None, **more)
    array = values if isinstance(values, pa.Array) else pa.array(values, at.column.type.arrow)
    rows = rows_of(array, subject, **(columns or {}))
    masker = masker_for(mask, at)
    if isinstance(masker, Learner):
        masker.learn(array, rows)
        masker.finish()
    masked = masker.apply(array, rows)
    assert masked.type == at.column.type.arrow and len(masked) == len(array)
    fitted(masked, at.column, at.table, array)
    return masked.to_pylist()


def in_batches(masker: Masker, values: pa.Array, rows: Rows, cuts: Sequence[int]) -> pa.Array:
    """Put values through in batches that begin at `cuts`, the learning included."""
    places = sorted({0, len(values), *(cut % (len(values) + 1) for cut in cuts)})
    batches = []
    for start, end in pairwise(places):
        part = Rows(
            {n: c.slice(start, end - start) for n, c in rows.columns.items()},
            end - start,
            None if rows.subject is None else rows.subject.slice(start, end - start),
        )
        batches.append((values.slice(start, end - start), part))
    if isinstance(masker, Learner):
        for batch, part in batches:
            masker.learn(batch, part)
        masker.finish()
    masked = [masker.apply(batch, part) for batch, part in batches]
    return pa.chunked_array(masked, values.type).combine_chunks() if masked else values


cuts = st.lists(st.integers(0, 50), max_size=4)
