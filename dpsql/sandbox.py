"""Where noisy tables are worked on: a DuckDB in memory that sees no file, no network, and nothing private."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Timer

import duckdb
import pyarrow as pa

from dpsql.errors import QueryInvalid

SECONDS = 30.0


def work(sql: str, tables: Mapping[str, pa.Table]) -> pa.Table:
    """Return the outcome of `sql` over `tables`; QueryInvalid where it fails, which tells of nothing but noisy and public values."""
    connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "1GB"})
    try:
        for name, table in tables.items():
            connection.register(f"_{name}", table)
            connection.execute(f'CREATE TABLE "{name}" AS SELECT * FROM "_{name}"')
            connection.unregister(f"_{name}")
        for setting in ("TimeZone = 'UTC'", "temp_directory = ''", "enable_external_access = false", "lock_configuration = true"):
            connection.execute(f"SET {setting}")
        timer = Timer(SECONDS, connection.interrupt)
        timer.start()
        try:
            return connection.sql(sql).to_arrow_table()
        finally:
            timer.cancel()
    except duckdb.InterruptException as error:
        raise QueryInvalid(f"what the query does with the noisy outcome took longer than {SECONDS:.0f} s") from error
    except duckdb.Error as error:
        raise QueryInvalid(f"what the query does with the noisy outcome failed: {str(error).splitlines()[0]}") from error
    finally:
        connection.close()
