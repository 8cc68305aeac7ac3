"""The rows of the shop in DuckDB, with or without one of its people."""

from __future__ import annotations

import random
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


Database = Mapping[str, pa.Table]
OF_ORDERS, OF_UNITS = ("items",), ("orders", "events", "profiles")


def without(unit: int | None, found: Database | None = None) -> Database:
    """The shop as if the user `unit` had never been, with the orders, items and events that were theirs; None: the rows of nobody."""
    made = dict(tables() if found is None else found)
    orders = {o for o, u in zip(*(made["orders"][name].to_pylist() for name in ("id", "user_id"))) if u == unit}
    made["users"] = _kept(made["users"], [u != unit for u in made["users"]["id"].to_pylist()])
    for name in OF_UNITS:
        made[name] = _kept(made[name], [u != unit for u in made[name]["user_id"].to_pylist()])
    for name in OF_ORDERS:
        made[name] = _kept(made[name], [o not in orders for o in made[name]["order_id"].to_pylist()])
    return made


def few_people(seed: int) -> tuple[Database, list[int]]:
    """The shop with three people and a few of their rows, and who they are: so few that each one's rows tell beside those of all others."""
    draw = random.Random(seed)
    people = draw.sample(range(1, 51), 3)
    made = dict(tables())
    made["users"] = _kept(made["users"], [u in people for u in made["users"]["id"].to_pylist()])
    for name, share in zip(OF_UNITS, (0.5, 0.3, 0.7), strict=True):
        units = made[name]["user_id"].to_pylist()
        made[name] = _kept(made[name], [draw.random() < (share if u is not None else 0.1) and u in [*people, None] for u in units])
    orders = set(made["orders"]["id"].to_pylist())
    made["items"] = _kept(made["items"], [o in orders for o in made["items"]["order_id"].to_pylist()])
    return made, people


def _kept(table: pa.Table, rows: list[bool]) -> pa.Table:
    return table.filter(pa.array(rows, pa.bool_()))


def neighbours(people: range, few: int) -> list[tuple[DuckDBEngine, DuckDBEngine]]:
    """Databases with and without one unit: the whole shop without each of `people`, and `few` small ones without each of theirs."""
    whole = engine_over(tables())
    made = [(whole, engine_over(without(unit))) for unit in (None, *people)]
    for seed in range(few):
        found, units = few_people(seed)
        small = engine_over(found)
        made += [(small, engine_over(without(unit, found))) for unit in (None, *units)]
    return made
