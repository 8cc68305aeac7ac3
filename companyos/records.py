"""Values as commands print them: ISO times, exact decimals as text, hexadecimal bytes, JSON as it is."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from schemas.times import MICROSECOND, SECOND

if TYPE_CHECKING:
    import pyarrow as pa

    from schemas.model import Table
    from schemas.types import SqlType


def records(table: Table, batch: pa.RecordBatch, names: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `batch`, cut to the columns `names`, as values that JSON can hold."""
    show = {name: shown(table.column(name).type) for name in names}
    values = [batch.column(name).to_pylist() for name in names]
    if not names:
        return
    for row in zip(*values, strict=True):
        yield {name: None if v is None else show[name](v) for name, v in zip(names, row, strict=True)}


def shown(sql_type: SqlType) -> Callable[[Any], Any]:
    """How a value of a type is written."""
    kind = sql_type.kind
    if sql_type.item is not None:
        item = shown(sql_type.item)
        return lambda values: [None if v is None else item(v) for v in values]
    if kind in ("date", "time"):
        return lambda value: value.isoformat()
    if kind in ("timestamp", "timestamptz"):
        return lambda value: value.isoformat().replace("+00:00", "Z")
    if kind == "interval":
        return _seconds
    if kind == "bytes":
        return lambda value: value.hex()
    if kind == "json":
        return json.loads
    if kind == "numeric":
        return lambda value: f"{value:f}"
    if kind == "uuid":
        return str
    return lambda value: value


def _seconds(length: timedelta) -> str:
    """Seconds to the microsecond; as a float a length of some centuries would lose its last digits."""
    whole, rest = divmod(abs(length) // MICROSECOND, SECOND)
    return f"{'-' if length < timedelta(0) else ''}{whole}.{rest:06}s"
