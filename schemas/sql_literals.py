"""Values as SQL literals that PostgreSQL, DuckDB and SQLite take for a column of their type.

Values are what Arrow gives Python for `SqlType.arrow`. SQLite's are spelled as `schemas.ddl_sqlite` says they are kept.
"""

from __future__ import annotations

import json
import math
from datetime import timedelta
from typing import Any, Literal

from schemas.ddl_duckdb import duckdb_type
from schemas.ddl_names import literal
from schemas.ddl_sqlite_expressions import keeps_as_text
from schemas.types import FLOATS, INTEGERS, SqlType

Dialect = Literal["postgresql", "duckdb", "sqlite"]

_MICROSECOND = timedelta(microseconds=1)


def sql_literal(type: SqlType, value: Any, dialect: Dialect) -> str:
    """Return `value` as a literal for a column of `type`, NULL for None; ValueError where SQLite holds no such value."""
    if value is None:
        return "NULL"
    if type.kind == "boolean":
        return str(int(value)) if dialect == "sqlite" else str(value).upper()
    if type.kind in INTEGERS:
        return str(value)
    if type.kind == "numeric":
        text = format(value, "f")
        return literal(text) if dialect == "sqlite" and keeps_as_text(type) else text
    if type.kind in FLOATS and (math.isfinite(value) or dialect == "sqlite"):
        return _sqlite_float(value) if not math.isfinite(value) else repr(float(value))
    if type.kind == "bytes":
        return _bytes(value, dialect)
    if type.kind == "interval" and dialect != "postgresql":
        return f"to_microseconds({value // _MICROSECOND})" if dialect == "duckdb" else str(value // _MICROSECOND)
    if type.kind == "array":
        return _array(type, value, dialect)
    return literal(_text(type, value))


def _text(type: SqlType, value: Any) -> str:
    """A value as text that the database reads."""
    if type.kind in ("timestamp", "timestamptz"):
        return str(value.isoformat(" ", "microseconds"))
    if type.kind == "time":
        return str(value.isoformat("microseconds"))
    if type.kind == "date":
        return str(value.isoformat())
    if type.kind == "interval":
        return f"{value // _MICROSECOND} microseconds"
    if type.kind == "numeric":
        return format(value, "f")
    return str(value)


def _sqlite_float(value: float) -> str:
    if math.isnan(value):
        raise ValueError("SQLite holds no NaN")
    return "9e999" if value > 0 else "-9e999"


def _bytes(value: bytes, dialect: Dialect) -> str:
    if dialect == "sqlite":
        return f"X'{value.hex()}'"
    return f"'\\x{value.hex()}'" if dialect == "postgresql" else f"unhex('{value.hex()}')"


def _array(type: SqlType, values: list[Any], dialect: Dialect) -> str:
    item = type.item
    assert item is not None
    if dialect == "duckdb":
        return f"CAST([{', '.join(sql_literal(item, v, dialect) for v in values)}] AS {duckdb_type(type)})"
    if dialect == "sqlite":
        return literal(json.dumps([_json(item, v) for v in values], ensure_ascii=False, separators=(",", ":")))
    return literal("{" + ",".join("NULL" if v is None else _quoted_item(item, v) for v in values) + "}")


def _quoted_item(item: SqlType, value: Any) -> str:
    """An item of PostgreSQL's text of an array, always in double quotes."""
    text = f"\\x{value.hex()}" if item.kind == "bytes" else _text(item, value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(item: SqlType, value: Any) -> Any:
    """An item of an array as SQLite keeps it in JSON."""
    if value is None or item.kind in (*INTEGERS, *FLOATS):
        return value
    if item.kind == "boolean":
        return int(value)
    if item.kind == "numeric" and not keeps_as_text(item):
        return float(value) if item.decimals else int(value)
    if item.kind == "interval":
        return value // _MICROSECOND
    return value.hex() if item.kind == "bytes" else _text(item, value)
