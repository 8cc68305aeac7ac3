"""Where noisy tables are worked on: a DuckDB in memory that sees no file, no network, and nothing private."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import duckdb
import pyarrow as pa

from dpsql.errors import QueryInvalid

SECONDS = 30
SETTINGS = (
    "GLOBAL TimeZone = 'UTC'",  # a cursor takes over what is global alone
    f"GLOBAL max_execution_time = {SECONDS * 1000}",
    "temp_directory = ''",
    "enable_external_access = false",
    "lock_configuration = true",
)


def work(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return the outcome of `sql` over `tables`; QueryInvalid where it fails, which tells of nothing but noisy and public values."""
    cursor = _locked().cursor()
    try:
        for name, table in tables.items():
            cursor.register(name, table)
        return cursor.sql(sql).to_arrow_table()
    except duckdb.InterruptException as error:
        raise QueryInvalid(f"what the query does with the noisy outcome took longer than {SECONDS} s") from error
    except duckdb.Error as error:
        raise QueryInvalid(f"what the query does with the noisy outcome failed: {str(error).splitlines()[0]}") from error
    finally:
        cursor.close()


@cache
def _locked() -> duckdb.DuckDBPyConnection:
    """The one database, whose tables each cursor keeps to itself."""
    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"})
    for setting in SETTINGS:
        connection.execute(f"SET {setting}")
    return connection
