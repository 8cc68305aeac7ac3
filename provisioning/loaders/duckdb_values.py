"""Values between Parquet files and DuckDB tables: the queries that fill a table and read it back."""

from __future__ import annotations

from provisioning.shifting import Shift
from schemas.ddl_duckdb import duckdb_type
from schemas.ddl_names import quoted
from schemas.model import Column, Table
from schemas.types import SqlType


def stored_query(table: Table, source: str, shift: Shift) -> str:
    """Return the query over Parquet files that gives the rows as the table holds them, in their order."""
    return f"SELECT {', '.join(_stored(column, shift) for column in table.stored_columns)} FROM {source}"


def read_back_query(table: Table, source: str) -> str:
    """Return the query that gives the rows of the table as Arrow types that carry them (intervals as microseconds)."""
    return f"SELECT {', '.join(_read_back(column) for column in table.stored_columns)} FROM {source}"


def _stored(column: Column, shift: Shift) -> str:
    name = quoted(column.name)
    value = _moved(column.type, name, shift) if shift.moves(column.type) else name
    value = _as_interval(column.type, value)
    # DuckDB stops with an error rather than take a value that its type cannot hold
    return f"CAST({value} AS {duckdb_type(column.type)}) AS {name}"


def _moved(type: SqlType, value: str, shift: Shift) -> str:
    if type.kind == "array":
        assert type.item is not None
        return f"list_transform({value}, lambda x: {_moved(type.item, 'x', shift)})"
    if type.kind == "date":
        return f"({value} + ({shift.days})::INTEGER)"
    return f"({value} + INTERVAL '{shift.days} days')"


def _as_interval(type: SqlType, value: str) -> str:
    if type.kind == "interval":
        return f"to_microseconds({value})"
    if type.kind == "array" and type.item is not None and type.item.kind == "interval":
        return f"list_transform({value}, lambda x: to_microseconds(x))"
    return value


def _read_back(column: Column) -> str:
    name, type = quoted(column.name), column.type
    if type.kind == "interval":
        return f"epoch_us({name}) AS {name}"
    if type.kind == "array" and type.item is not None and type.item.kind == "interval":
        return f"list_transform({name}, lambda x: epoch_us(x)) AS {name}"
    return name
