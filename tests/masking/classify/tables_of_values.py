"""Makes small schemas and samples from Python values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from masking.classify import Finding, classify
from schemas.model import Check, Column, ForeignKey, Rows, Schema, Table
from schemas.type_reader import type_of


def table(
    name: str,
    columns: Mapping[str, str],
    *,
    key: tuple[str, ...] = (),
    references: Mapping[str, str] | None = None,
    checks: Sequence[str] = (),
    comments: Mapping[str, str] | None = None,
) -> Table:
    made = tuple(Column(c, type_of(t, {}), null=0.1, comment=(comments or {}).get(c)) for c, t in columns.items())
    keys = tuple(ForeignKey((c,), to.split(".")[0], (to.split(".")[1],)) for c, to in (references or {}).items())
    return Table(name, made, Rows(10), key=key, foreign_keys=keys, checks=tuple(Check(sql) for sql in checks))


def findings(*tables: tuple[Table, Mapping[str, Sequence[Any]]], **options: Any) -> Mapping[tuple[str, str], Finding]:
    """Classify tables, each with the values of its columns."""
    schema = Schema("s", tuple(t for t, _ in tables))
    samples = {t.name: sample(t, values) for t, values in tables}
    return classify(schema, samples.__getitem__, **{"deep": False, **options})


def sample(of: Table, values: Mapping[str, Sequence[Any]]) -> pa.RecordBatch:
    arrays = []
    for column in of.stored_columns:
        given = values.get(column.name, ())
        kind = column.type.arrow
        arrays.append(given if isinstance(given, pa.Array) else pa.array(list(given), kind))
    return pa.RecordBatch.from_arrays(arrays, schema=of.arrow)


def one(
    name: str, values: Any, *, type: str = "text", table_name: str = "t", comment: str | None = None, checks: Sequence[str] = ()
) -> Finding:
    """The finding of the only column of a table."""
    made = table(table_name, {name: type}, comments={} if comment is None else {name: comment}, checks=checks)
    return findings((made, {name: values}))[table_name, name]
