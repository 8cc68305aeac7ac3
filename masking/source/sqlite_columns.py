"""Columns of SQLite as ADBC reads them, which is three times as fast as by rows.

The driver takes a column's type from its first values, and SQLite holds no column to a type. So every column is asked for as what
its type is kept as (`schemas.ddl_sqlite`), a row of constants before the first says which that is, and one more column tells of rows
in which a value is kept as anything else: these, and what comes after them, are then read by rows, where spellings are understood.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from urllib.parse import quote

import pyarrow as pa
import pyarrow.compute as pc

from masking.source.batches import arrow_schema
from masking.source.conditions import as_flags, with_flags
from masking.source.losses import NotCarried
from masking.source.row_values import checked
from schemas.ddl_names import quoted
from schemas.ddl_sqlite_expressions import keeps_as_text
from schemas.model import Column
from schemas.prefetch import prefetched
from schemas.sqlite_values import decoded
from schemas.types import FLOATS, INTEGERS, TEXTS, SqlType

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection, Cursor

_TEXTS = (*TEXTS, "enum", "json", "date", "time", "timestamp", "timestamptz")
SETTINGS = ("query_only = ON", "temp_store = MEMORY", "trusted_schema = OFF")


def folded(terms: Sequence[str], operator: str) -> str:
    """The terms with an operator between them, folded in halves: SQLite takes no expression a thousand deep, as a row of terms is."""
    if len(terms) < 2:
        return "".join(terms) or "0"
    half = len(terms) // 2
    return f"({folded(terms[:half], operator)} {operator} {folded(terms[half:], operator)})"


class ByRows(Exception):
    """What is asked for, or what comes next, must be read by rows."""


@dataclass(frozen=True)
class _Asked:
    """How a column is asked for, a constant of the type that comes, and the condition that a value is kept as it should be."""

    sql: str
    constant: str
    fitting: str


class ColumnReader:
    """An ADBC connection in a read transaction of its own, which must have begun when no other had committed meanwhile."""

    def __init__(self, path: Path) -> None:
        from adbc_driver_sqlite import dbapi

        self._connection: Connection = dbapi.connect(f"file:{quote(str(path.absolute()))}?mode=ro", autocommit=True)
        self._lock = Lock()
        for setting in SETTINGS:
            self._run(f"PRAGMA {setting}")

    def begin(self) -> None:
        """Begin the transaction."""
        self._run("BEGIN")
        self._run("SELECT count(*) FROM sqlite_master")

    def end(self) -> None:
        """End the transaction, where one goes on."""
        with suppress(Exception):
            self._run("ROLLBACK")

    def close(self) -> None:
        """End the transaction and close the connection."""
        self._connection.close()

    def batches(self, columns: Sequence[Column], flags: Sequence[str], source: str, rows: int) -> Iterator[pa.RecordBatch]:
        """Stream `columns` and `flags` of the rows of `source` (what stands after FROM), at most `rows` at a time.

        Raises ByRows in place of the first batch that cannot be read like this.
        """
        asked = [_asked(column) for column in columns]
        unfit = folded([f"NOT ({a.fitting})" for a in asked], "OR")
        constants = [*(a.constant for a in asked), *("0" for _ in flags), "0"]
        # the limit keeps SQLite from forgetting the order of what is not the outermost query
        query = f"SELECT {', '.join(constants)} UNION ALL SELECT * FROM (SELECT "
        query += f"{', '.join([*(a.sql for a in asked), *as_flags(flags), unfit])} FROM {source} LIMIT -1)"
        schema = with_flags(arrow_schema(columns), len(flags))
        with self._cursor(rows) as cursor:
            try:
                with prefetched(self._given(cursor, query)) as batches:
                    for number, batch in enumerate(batches):
                        some = batch.slice(1) if number == 0 else batch
                        if pc.max(some.column(some.num_columns - 1)).as_py():
                            raise ByRows
                        arrays = [_carried(column, array) for column, array in zip(columns, some.columns, strict=False)]
                        arrays += [array.cast(pa.bool_()) for array in some.columns[len(columns) : -1]]
                        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
            except (pa.ArrowException, OSError, ValueError, NotCarried):  # what it is will be found, and told, by rows
                raise ByRows from None

    def _cursor(self, rows: int) -> Cursor:
        return self._connection.cursor(adbc_stmt_kwargs={"adbc.sqlite.query.batch_rows": str(rows)})

    def _given(self, cursor: Cursor, query: str) -> Iterator[pa.RecordBatch]:
        import adbc_driver_manager

        try:
            with self._lock:
                cursor.execute(query)
                read = iter(cursor.fetch_record_batch())
            while True:
                with self._lock:
                    batch = next(read, None)
                if batch is None:
                    return
                yield batch
        except adbc_driver_manager.Error:
            raise ByRows from None

    def _run(self, sql: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(sql)
            cursor.fetchall()


def can_read(columns: Iterable[Column]) -> bool:
    """Whether values of these columns, kept as they should be, are understood here."""
    return all(c.type.kind in (*_TEXTS, *INTEGERS, *FLOATS, "boolean", "numeric", "bytes") for c in columns)


def _asked(column: Column) -> _Asked:
    name, type = quoted(column.name), column.type
    if type.kind in INTEGERS or type.kind == "boolean":
        return _of_class(name, "('integer')", "0")
    if type.kind in FLOATS or _is_binary(type):
        asked = _of_class(name, "('real', 'integer')", "0.0")
        # whole numbers that binary64 does not hold exactly
        return _Asked(f"CAST({asked.sql} AS REAL)", "0.0", f"{asked.fitting} AND (typeof({name}) <> 'integer' OR abs({name}) < 1e15)")
    return _of_class(name, "('blob')", "x''") if type.kind == "bytes" else _of_class(name, "('text')", "''")


def _of_class(name: str, classes: str, constant: str) -> _Asked:
    return _Asked(f"CASE WHEN typeof({name}) IN {classes} THEN {name} END", constant, f"({name} IS NULL OR typeof({name}) IN {classes})")


def _is_binary(type: SqlType) -> bool:
    return type.kind == "numeric" and not keeps_as_text(type)


def _carried(column: Column, array: pa.Array) -> pa.Array:
    type = column.type
    if type.kind == "boolean" and pc.any(pc.not_equal(pc.bit_wise_and(array, ~1), 0)).as_py():
        raise ByRows
    if pa.types.is_string(array.type):
        array.validate(full=True)  # the driver hands over what is no UTF-8, too
    return checked(column, array.cast(type.arrow) if type.kind in (*INTEGERS, *FLOATS, "boolean", "bytes") else decoded(type, array))
