"""Databases to take subsets of, and what is kept of them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from masking.source import Source
from masking.subset import Selection, read_subset, reference_graph, select

SECRET = b"a secret for tests alone"


def made(path: Path, *statements: str, rows: dict[str, list[tuple]] | None = None) -> str:
    """A SQLite database of its own; returns its URL."""
    path.unlink(missing_ok=True)
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    for table, values in (rows or {}).items():
        if values:
            connection.executemany(f'INSERT INTO "{table}" VALUES ({", ".join("?" * len(values[0]))})', values)
    connection.commit()
    connection.close()
    return f"sqlite:///{path}"


def chosen(source: Source, said: dict, virtual: tuple = (), secret: bytes = SECRET) -> Selection:
    graph = reference_graph(source.schema, virtual)
    return select(source, read_subset(said, graph, source.dialect), graph, secret)


def kept(source: Source, selection: Selection, table: str, *columns: str) -> list:
    """The values of columns in the kept rows."""
    first, found = 0, []
    for batch in source.read(table, columns):
        rows = batch.filter(selection.keep(table, batch, first))
        first += batch.num_rows
        found += rows.column(0).to_pylist() if len(columns) == 1 else list(zip(*(c.to_pylist() for c in rows.columns)))
    return found
