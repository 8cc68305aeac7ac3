"""Asking the databases that were loaded, each in its own words."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import psycopg


def file_of(url: str) -> Path:
    return Path(url.partition(":///")[2])


def connect(url: str) -> Any:
    """A connection that commits each statement and enforces foreign keys."""
    if url.startswith("duckdb"):
        return duckdb.connect(str(file_of(url)))
    if url.startswith("sqlite"):
        connection = sqlite3.connect(file_of(url), isolation_level=None)
        connection.execute("PRAGMA foreign_keys = ON")
        return connection
    return psycopg.connect(url, autocommit=True)


def ask(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """Run the statements and return the rows of the last."""
    connection = connect(url)
    try:
        for statement in statements:
            cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def table(url: str, name: str) -> str:
    """A table's name in the words of the database: SQLite has no namespaces."""
    if url.startswith("sqlite") or "." not in name:
        return '"' + name.replace('"', '""') + '"'
    return ".".join(f'"{part}"' for part in name.split(".", 1))


LISTS = {
    "duckdb": "SELECT schema_name, table_name FROM duckdb_tables()",
    "sqlite": "SELECT NULL, name FROM sqlite_master WHERE type = 'table'",
    "postgresql": "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')",
}


def contents(url: str) -> dict[str, Any]:
    """All rows of all tables, as text where the driver would need more than is installed."""
    dialect = url.partition(":")[0]
    if dialect != "postgresql" and not file_of(url).exists():
        return {}
    found = {}
    for namespace, name in sorted(ask(url, LISTS[dialect])):
        place = ".".join('"' + part.replace('"', '""') + '"' for part in (namespace, name) if part is not None)
        columns = "CAST(COLUMNS(*) AS VARCHAR)" if dialect == "duckdb" else "*"
        found[place] = sorted(map(repr, ask(url, f"SELECT {columns} FROM {place}")))
    return found
