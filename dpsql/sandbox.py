"""Where noisy tables are worked on: a DuckDB in memory that sees no file, no network, and nothing private."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa

from dpsql.compiling.dialects import quoted
from dpsql.errors import OutcomeOverflow, QueryInvalid

SECONDS = 30
DAY = 86_400_000_000  # microseconds
OVERFLOWS = ("Out of Range", "out of range", "Could not cast value")  # a text is one that it could not convert
SETTINGS = (
    "GLOBAL TimeZone = 'UTC'",  # a cursor takes over what is global alone
    f"GLOBAL max_execution_time = {SECONDS * 1000}",
    "GLOBAL error_on_division_by_zero = false",  # what is left of a division by zero is null, as its quotient is
    "temp_directory = ''",
    "GLOBAL python_enable_replacements = false",  # a name never means a variable of this program
    "enable_external_access = false",
    "lock_configuration = true",
)
# DuckDB's own NULLIF is planned once more for each that it stands in, which doubles with every one; a lambda may hold no subquery
NULLIF = "nullif(a, b) AS list_transform(list_filter([{'v': a, 'w': b}], lambda p: p.v IS DISTINCT FROM p.w), lambda p: p.v)[1]"
# what comes to no number is null, in conditions and COALESCE as in what is shown: NaN would be above all numbers there
TO_NO_NUMBER = {
    **dict.fromkeys(("ln", "log2", "log10", "sqrt", "exp", "acos", "asin", "acosh", "atanh", "cot"), ("x",)),
    **dict.fromkeys(("pow", "power"), ("x, y",)),
    "log": ("x", "b, x"),
}


def work(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return the outcome of `sql` over `tables`; QueryInvalid where it fails, which tells of nothing but noisy and public values.

    OutcomeOverflow where that is for a number that its type does not hold.
    """
    cursor = _locked().cursor()
    try:
        for name, table in tables.items():
            cursor.register(name, table)
        return _with_durations(cursor.sql(sql).to_arrow_table())
    except duckdb.InterruptException as error:
        raise QueryInvalid(f"what the query does with the noisy outcome took longer than {SECONDS} s") from error
    except duckdb.Error as error:
        overflow = isinstance(error, duckdb.OutOfRangeException | duckdb.ConversionException) and any(w in str(error) for w in OVERFLOWS)
        kind = OutcomeOverflow if overflow else QueryInvalid
        raise kind(f"what the query does with the noisy outcome failed: {str(error).splitlines()[0]}") from error
    finally:
        cursor.close()


def _with_durations(table: pa.Table) -> pa.Table:
    """Intervals as durations, which are Python's timedelta; a month is 30 days then, as where PostgreSQL compares intervals."""
    for position, name in enumerate(table.column_names):
        column = table.column(position)
        if column.type == pa.month_day_nano_interval():
            micros = [None if v is None else ((v.months * 30 + v.days) * DAY + v.nanoseconds // 1000) for v in column.to_pylist()]
            table = table.set_column(position, name, pa.array(micros, pa.int64()).cast(pa.duration("us")))
    return table


def conversions(sql: str, empty: Mapping[str, pa.Table]) -> list[dict[str, Any]]:
    """Return the casts in the plan of a SELECT over tables without rows, as DuckDB describes them: those that it puts in itself, too."""
    cursor = _locked().cursor()
    try:
        for name, table in empty.items():
            cursor.register("described", table)  # a plan over Arrow cannot be described
            cursor.execute(f"CREATE TEMP TABLE {quoted(name)} AS SELECT * FROM described").fetchall()
            cursor.unregister("described")
        ((described,),) = cursor.execute("SELECT json_serialize_plan(CAST(? AS VARCHAR))", [sql]).fetchall()
        return list(_casts(json.loads(described)))
    except duckdb.Error:
        return []  # `work` says what there is to say
    finally:
        for name in empty:
            cursor.execute(f"DROP TABLE IF EXISTS {quoted(name)}")
        cursor.close()


def can_only_fail(expression: str) -> str | None:
    """Return why a constant expression fails, None where it does not."""
    cursor = _locked().cursor()
    try:
        cursor.sql(f"SELECT {expression}").to_arrow_table()  # Python values of some types need a further library
        return None
    except duckdb.Error as error:
        return str(error).splitlines()[0]
    finally:
        cursor.close()


def _casts(described: Any) -> Iterator[dict[str, Any]]:
    if isinstance(described, dict):
        if described.get("type") == "OPERATOR_CAST":
            yield described
        described = list(described.values())
    if isinstance(described, list):
        for part in described:
            yield from _casts(part)


@cache
def _locked() -> duckdb.DuckDBPyConnection:
    """The one database, whose tables each cursor keeps to itself."""
    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"})
    for macro in (NULLIF, *_finite_functions()):
        connection.execute(f"CREATE MACRO {macro}")
    for setting in SETTINGS:
        connection.execute(f"SET {setting}")
    return connection


def _finite_functions() -> Iterator[str]:
    for name, forms in TO_NO_NUMBER.items():
        yield f"{name}{', '.join(f'({given}) AS list_filter([system.main.{name}({given})], lambda v: isfinite(v))[1]' for given in forms)}"
