"""DuckDB over the Parquet files of a bundle: a private session, and scans of tables with the types of their schema."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from bundles.errors import StoreFailure
from schemas.ddl_names import literal, quoted
from schemas.heeding import LOOK, result_of
from schemas.model import Schema, Table
from schemas.types import SqlType

MEMORY = "1GiB"
_GLOB = re.compile(r"([*?\[])")


class Session:
    """A connection to DuckDB whose queries Ctrl-C stops at once.

    DuckDB looks for signals only now and then, so queries run in a thread of their own, and the one that asks waits.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, spill: str) -> None:
        self._connection, self._spill = connection, spill
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="duckdb")

    def row(self, sql: str) -> tuple[Any, ...]:
        """Return the first row of a query that has one; raises duckdb.Error, and StoreFailure where memory or disk run out."""
        row = self._asked(sql)
        assert row is not None
        return row

    def run(self, sql: str) -> None:
        """Run a statement; raises as `row` does."""
        self._asked(sql)

    def _asked(self, sql: str) -> tuple[Any, ...] | None:
        answer = self._thread.submit(lambda: self._connection.execute(sql).fetchone())
        try:
            return result_of(answer)
        except KeyboardInterrupt:
            while not wait([answer], LOOK).done:  # it passes over one that comes before it begins
                self._connection.interrupt()
            raise
        except (duckdb.OutOfMemoryException, duckdb.IOException) as error:
            if isinstance(error, duckdb.IOException) and self._spill not in str(error):
                raise  # a file of the bundle
            # not to be taken for SQL that cannot be evaluated, or a rule would pass unseen
            raise StoreFailure(
                f"constraints cannot be checked: {MEMORY} of memory and the free space of {tempfile.gettempdir()} are not enough; "
                "free some space there, or set TMPDIR to a folder with more"
            ) from None

    def prepare(self, sql: str) -> None:
        """Raise duckdb.Error where `sql` means nothing; no row is read."""
        self.row(f"SELECT count(*) FROM ({sql} LIMIT 0)")

    def close(self) -> None:
        """Wait for the last query and close the connection."""
        self._thread.shutdown(wait=True)
        self._connection.close()


@contextmanager
def session(folder: Path, schema: Schema, threads: int | None = None) -> Iterator[Session]:
    """Open an in-memory DuckDB that reads files below `folder` only, at most 1 GiB in memory, the rest in a private folder.

    Dates and times are those of UTC, and `/` between whole numbers is integer division, as in PostgreSQL.
    """
    with tempfile.TemporaryDirectory(prefix="companyos-") as spill:
        options: dict[str, str | bool | int | float | list[str]] = {"memory_limit": MEMORY, "temp_directory": spill}
        if threads is not None:
            options["threads"] = min(threads, os.cpu_count() or 1)  # DuckDB makes all its threads at once
        connection = duckdb.connect(":memory:", config=options)
        opened = Session(connection, spill)
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET integer_division = true")
            for name, values in schema.enums.items():
                with suppress(duckdb.Error):  # a name that DuckDB keeps for itself: a check that needs it is not evaluated
                    connection.execute(f"CREATE TYPE {quoted(name)} AS ENUM ({', '.join(map(literal, values))})")
            connection.execute(f"SET allowed_directories = [{literal(str(folder))}, {literal(_escaped(folder))}]")
            connection.execute("SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            yield opened
        finally:
            opened.close()


def scan(table: Table, paths: Sequence[Path], positional: bool = False) -> str:
    """Return a SELECT over the files of `table`, in the order of its rows.

    Columns have their names, or with `positional` the names c0, c1, ...: DuckDB does not tell `id` from `Id`.
    """
    names = [f"c{i}" for i in range(len(table.stored_columns))]
    files = ", ".join(literal(_escaped(path)) for path in paths)
    columns = ", ".join(
        f"{_converted(c.type, name)} AS {name if positional else quoted(c.name)}"
        for c, name in zip(table.stored_columns, names, strict=True)
    )
    return f"SELECT {columns} FROM read_parquet([{files}], hive_partitioning = false) AS _file({', '.join(names)})"


def numbered(relation: str, taken: Sequence[str]) -> tuple[str, str]:
    """Return a SELECT that adds row numbers, from 0, to `relation`, and the name of the column that has them."""
    name = "row"
    while name in {t.lower() for t in taken}:
        name += "_"
    return f"SELECT *, row_number() OVER () - 1 AS {name} FROM ({relation})", name


def positional_names(table: Table, columns: Sequence[str]) -> list[str] | None:
    """Return the names of `columns` in a positional scan, None where one of them is not stored."""
    names = [c.name for c in table.stored_columns]
    return [f"c{names.index(c)}" for c in columns] if set(columns) <= set(names) else None


def reason(error: duckdb.Error) -> str:
    """Return what a DuckDB error says, without the values of rows that errors of conversion quote."""
    text = str(error).partition("\n")[0]
    return text if isinstance(error, (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)) else type(error).__name__


def _escaped(path: Path) -> str:
    """A path whose every character stands for itself, where DuckDB looks for patterns."""
    return _GLOB.sub(r"[\1]", str(path))


def _converted(type: SqlType, name: str) -> str:
    if type.kind == "interval":
        return f"to_microseconds({name})"
    if type.kind == "array" and type.item is not None and type.item.kind == "interval":
        return f"list_transform({name}, lambda x: to_microseconds(x))"
    return name
