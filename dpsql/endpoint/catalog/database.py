"""The sandbox that holds the catalogs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import expressions as exp
from sqlglot.errors import SqlglotError

from dpsql.binding.repeating import hold_repeating
from dpsql.endpoint.catalog.contents import contents
from dpsql.endpoint.catalog.functions import MACROS, OWN_TABLES, PREFIX
from dpsql.endpoint.catalog.relations import PLACES, relations
from dpsql.endpoint.catalog.rewriting import output_names, rewrite
from dpsql.endpoint.sqlstates import Fault
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.sql_text import sql_of
from dpsql.stoppable import stoppable
from schemas.model import Schema

SETTINGS = ("GLOBAL TimeZone = 'UTC'", "temp_directory = ''", "enable_external_access = false", "lock_configuration = true")
MOST_BYTES = 33_554_432


@dataclass(frozen=True)
class Found:
    """What a catalog query gave: its columns' names, which may occur twice, and the table."""

    names: tuple[str, ...]
    table: pa.Table


class Catalog:
    """The catalogs of a schema, under the name `database`."""

    def __init__(self, schema: Schema, database: str) -> None:
        self._database = database
        self._connection = duckdb.connect(":memory:", config={"threads": 1, "memory_limit": "512MB"})
        self._lock = Lock()
        self._fill(schema)
        for setting in SETTINGS:
            self._connection.execute(f"SET {setting}")

    def _fill(self, schema: Schema) -> None:
        made = [f"CREATE SCHEMA {place}" for place in PLACES.values()]
        for full, columns in relations().items():
            listed = ", ".join(f'"{c}" {kind}' for c, kind in columns.items())
            made.append(f"CREATE TABLE {self._place(full)} ({listed})")
        self._connection.execute(";\n".join(made))
        made = [f"CREATE TABLE pgc.{name} ({columns})" for name, columns in OWN_TABLES.items()]
        self._connection.execute(";\n".join(made))
        for full, rows in contents(schema, self._database):
            if not rows:
                continue
            known = relations().get(full, rows[0])
            filled = pa.Table.from_pylist([{n: row[n] for n in row if n in known} for row in rows])
            listed = ", ".join(f'"{n}"' for n in filled.column_names)
            self._connection.register("filled", filled)
            self._connection.execute(f"INSERT INTO {self._place(full)} ({listed}) SELECT * FROM filled")
            self._connection.unregister("filled")
        for head, body in MACROS.items():
            self._connection.execute(f"CREATE MACRO {PREFIX}{head} AS {body}")

    @staticmethod
    def _place(full: str) -> str:
        space, _, name = full.rpartition(".")
        return f"pgc.{name}" if not space else f'{PLACES[space]}."{name}"'

    def run(
        self,
        query: exp.Expr,
        session: Mapping[str, str],
        *,
        parameters: Sequence[Any] = (),
        seconds: float,
        most: int,
        running: Callable[[Callable[[], None]], None] = lambda _: None,
    ) -> Found:
        """Return what `query` finds, within `seconds` and `most` rows; `running` is handed a function that stops it.

        Raises Fault: 42601, 42P01, 42883, 0A000, 57014 for one that takes too long, 54000 for one that finds too much.
        """
        names = output_names(query)
        try:
            hold_repeating(query)
            sql = sql_of(rewrite(query, {**session, "database": self._database}, parameters), "duckdb")
        except (SqlglotError, QueryInvalid, QueryRefused, RecursionError) as error:
            raise Fault("0A000", "the catalogs cannot be asked like this") from error
        with self._lock:
            cursor = self._connection.cursor()
        try:
            with stoppable(cursor, seconds) as stop:
                running(stop)
                outcome = cursor.sql(f"SELECT * FROM ({sql}\n) LIMIT {most + 1}") if isinstance(query, exp.Query) else cursor.sql(sql)
                table = outcome.to_arrow_table()
        except duckdb.InterruptException as error:
            raise Fault("57014", "the query was stopped") from error
        except duckdb.Error as error:
            raise Fault("0A000", f"the catalogs cannot answer this: {str(error).splitlines()[0][:200]}") from error
        if table.num_rows > most or table.nbytes > MOST_BYTES:
            raise Fault("54000", f"the catalogs give at most {most:,} rows and {MOST_BYTES:,} bytes at a time")
        known = names[:-1] if None in names else names
        shown = [*known, *table.column_names[len(known) :]]
        return Found(tuple(str(n) for n in shown), table)

    def close(self) -> None:
        """Close the sandbox."""
        self._connection.close()
