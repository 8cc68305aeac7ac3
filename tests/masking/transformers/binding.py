"""Binding a transformer to a column made up for a test, and masking values with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from masking.keys import MaskingKey
from masking.transformers.base import Context, Rows
from schemas.model import Column, Schema, Table
from schemas.model import Rows as RowCount
from schemas.types import SqlType

KEY = MaskingKey(bytes(range(32)), "env")
OTHER_KEY = MaskingKey(bytes(range(100, 132)), "env")


def context(kind: str | SqlType = "text", others: Sequence[str] = (), **what: Any) -> Context:
    """A column `c` of a type, beside text columns called `others`; `what` are fields of Context."""
    column = Column("c", kind if isinstance(kind, SqlType) else SqlType(kind), null=0.0)
    table = Table("t", (column, *(Column(name, SqlType("text")) for name in others)), RowCount(1))
    return Context(**{"schema": Schema("s", (table,)), "table": table, "column": column, "key": KEY, "domain": "d", **what})


def masked_array(transformer: Any, values: pa.Array, of: Context, subject: Sequence[Any] | None = None, **columns: list[Any]) -> pa.Array:
    rows = Rows({"c": values, **{name: pa.array(column) for name, column in columns.items()}}, len(values), None)
    if subject is not None:
        rows = Rows(rows.columns, rows.length, pa.array(subject, pa.string()))
    result = transformer.bind(of).apply(values, rows)
    assert result.type == values.type
    assert len(result) == len(values)
    return result


def masked(
    transformer: Any, values: Sequence[Any], kind: str | SqlType = "text", subject: Any = None, rows: Any = None, **what: Any
) -> list:
    """The masked values, as Python has them; `rows` are other columns of the table."""
    of = context(kind, tuple(rows or ()), **what)
    return masked_array(transformer, pa.array(values, of.column.type.arrow), of, subject, **(rows or {})).to_pylist()
