"""The rows of the shop in DuckDB, with or without one of its people."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pyarrow as pa

from dpsql.engines.duckdb import DuckDBEngine
from schemas.model import Schema
from tests.dpsql.shop import rows, shop


@cache
def tables() -> Mapping[str, pa.Table]:
    """Every table of the shop as Arrow, in the order of its columns."""
    schema = shop().schema
    return {name: arrow(schema, name, values) for name, values in rows()}


def arrow(schema: Schema, name: str, values: list[tuple[Any, ...]]) -> pa.Table:
    """Rows as an Arrow table of the schema's types."""
    fields = schema.table(name).arrow
    columns = [pa.array([row[n] for row in values], field.type) for n, field in enumerate(fields)]
    return pa.Table.from_arrays(columns, schema=pa.schema([pa.field(f.name, f.type) for f in fields]))


def engine_over(found: Mapping[str, pa.Table]) -> DuckDBEngine:
    """An engine over Arrow tables."""
    engine = DuckDBEngine()
    for name, table in found.items():
        engine.add(name, table)
    return engine


def without(unit: int) -> Mapping[str, pa.Table]:
    """The shop as if the user `unit` had never been, with the orders, items and events that were theirs."""
    found = dict(tables())
    orders = {o for o, u in zip(found["orders"]["id"].to_pylist(), found["orders"]["user_id"].to_pylist()) if u == unit}
    for name, keep in (
        ("users", [u != unit for u in found["users"]["id"].to_pylist()]),
        ("orders", [u != unit for u in found["orders"]["user_id"].to_pylist()]),
        ("items", [o not in orders for o in found["items"]["order_id"].to_pylist()]),
        ("events", [u != unit for u in found["events"]["user_id"].to_pylist()]),
        ("profiles", [u != unit for u in found["profiles"]["user_id"].to_pylist()]),
    ):
        found[name] = found[name].filter(pa.array(keep))
    return found
