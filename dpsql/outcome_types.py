"""Which types meet in what is done with the noisy outcome: one that can only fail to become another is told before anything is paid for.

A database converts types by itself, `COUNT(*) = 'many'` to a number, and says that it cannot once it has a row to do it for. So the
conversions of the statement's plan are tried on the constants that they are of, or on a value of the column's type.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import sqlglot
from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid
from dpsql.sandbox import can_only_fail, conversions

EXACT = ("VARCHAR", "INTEGER", "BIGINT", "BOOLEAN")  # whose constants a plan holds as they are written
ANY_VALUE = {
    "BOOLEAN": "TRUE", "TINYINT": "1", "SMALLINT": "1", "INTEGER": "1", "BIGINT": "1", "HUGEINT": "1", "FLOAT": "1", "DOUBLE": "1",
    "DECIMAL": "1", "DATE": "'2000-01-01'", "TIMESTAMP": "'2000-01-01'", "TIMESTAMP WITH TIME ZONE": "'2000-01-01'", "TIME": "'00:00'",
    "INTERVAL": "'1 day'",
}  # fmt: skip


def check_types(residual: str, empty: Mapping[str, pa.Table]) -> None:
    """Raise QueryInvalid where `residual` converts a value that cannot be: a constant, or one of any column of its type.

    `empty` has the tables that it reads, without rows: what they will hold has no part in this. A text that the analyst casts by name is
    left to the rows.
    """
    cast_by_name = None
    for conversion in conversions(residual, empty):
        (source,) = conversion["children"]
        target = _type(conversion["return_type"])
        value = _value(source)
        if target is None or conversion["function_data"].get("try_cast"):
            continue
        if value is None:
            if _name(source) != "VARCHAR" or target == "VARCHAR":
                continue
            if cast_by_name is None:
                cast_by_name = _casts_by_name(residual)
            if not cast_by_name:
                raise QueryInvalid(_told(f"a text is not a value of type {target}; cast one of both"))
        elif (said := can_only_fail(f"CAST({value} AS {target})")) is not None:
            raise QueryInvalid(_told(said))


def _told(reason: str) -> str:
    return f"what the query does with the noisy outcome failed: {reason}"


def _name(source: Mapping[str, Any]) -> str:
    kind = source["value"]["type"] if "value" in source else source["return_type"]
    return str(kind["id"])


def _value(source: Mapping[str, Any]) -> str | None:
    """What is converted, in SQL: a constant, or any value of the type where there is one that stands for all."""
    if "value" in source and source["value"]["is_null"]:
        return "NULL"
    if "value" in source and _name(source) in EXACT:
        value = source["value"]["value"]
        return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else str(value).upper()
    kind = _type(source["value"]["type"] if "value" in source else source["return_type"])
    any_value = ANY_VALUE.get(_name(source))
    return None if kind is None or any_value is None else f"CAST({any_value} AS {kind})"


def _type(kind: Mapping[str, Any]) -> str | None:
    """The name of a type, None of one that is made of others."""
    about = kind.get("type_info")
    if kind["id"] == "DECIMAL" and about:
        return f"DECIMAL({about['width']}, {about['scale']})"
    return None if about else str(kind["id"])


def _casts_by_name(residual: str) -> bool:
    casts: Iterator[exp.Cast] = sqlglot.parse_one(residual, dialect="duckdb").find_all(exp.Cast)
    return any(not isinstance(cast.this, exp.Literal) for cast in casts)
