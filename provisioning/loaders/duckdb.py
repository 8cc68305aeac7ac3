"""Loading into DuckDB, which reads the bundle's Parquet files itself.

A new database is made beside its place and appears there when it is complete; in a database that exists already, one
transaction does everything. Constraints stand in CREATE TABLE, so parents are filled before children; rows of a table that
refers to itself are added generation by generation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

import duckdb
import pyarrow as pa

from provisioning.database_file import check_place, disk_errors, new_file
from provisioning.errors import ConstraintBroken, TargetInUse, TargetInvalid
from provisioning.interrupts import interruptible, last_step
from provisioning.loaders.base import already_there
from provisioning.loaders.duckdb_errors import duckdb_errors, refusal
from provisioning.loaders.duckdb_generations import Generations
from provisioning.loaders.duckdb_values import read_back_query, stored_query
from provisioning.read_back import ReadBack
from provisioning.shipment import Shipment
from provisioning.target import Target
from schemas.ddl import Ddl, NotEnforced, ddl
from schemas.ddl_names import listed, literal, qualified, split
from schemas.model import ForeignKey, Schema, Table
from schemas.plurals import counted
from schemas.types import INTEGER_RANGE

_BATCH_ROWS = 65_536
_SQLITE, _DUCKDB = b"SQLite format 3\0", b"DUCK"  # how their files begin, DuckDB's after eight bytes
_NEXTVAL = re.compile(r"nextval\('((?:[^']|'')*)'\)")


def load(target: Target, shipment: Shipment, *, replace: bool) -> Sequence[NotEnforced]:
    """Load a shipment into a DuckDB file; see `provisioning.loaders.base.Loader`."""
    assert target.path is not None
    path = target.path
    check_place(path)
    if path.exists():
        _require_database(path)
        with _open(path, path) as connection, _transaction(connection):
            return _loaded(connection, shipment, path, replace)
    with new_file(path) as partial, _open(partial, path) as connection:
        not_enforced = _loaded(connection, shipment, path, replace)
        # to close does it too, but says nothing where it fails, and the journal is not kept
        interruptible(lambda: connection.execute("CHECKPOINT"), connection.interrupt)
        return not_enforced


def _require_database(path: Path) -> None:
    """Raise TargetInvalid for a file that is not DuckDB's.

    For one of SQLite DuckDB would fetch an extension from the network; of CSV, JSON or Parquet it would make a database in memory,
    which is gone with all that is loaded into it.
    """
    with disk_errors(path), path.open("rb") as file:
        begins = file.read(len(_SQLITE))
    if begins == _SQLITE:
        raise TargetInvalid(f"'{path}' is a SQLite database, and no DuckDB one; to load into it write sqlite:///{path}")
    if not begins[8:].startswith(_DUCKDB):
        raise TargetInvalid(f"'{path}' is no DuckDB database; name one, or a file that is not there yet")


def _loaded(connection: duckdb.DuckDBPyConnection, shipment: Shipment, path: Path, replace: bool) -> Sequence[NotEnforced]:
    load = _Load(connection, shipment, path)
    return interruptible(lambda: load.run(replace), load.cancel)


class _Load:
    def __init__(self, connection: duckdb.DuckDBPyConnection, shipment: Shipment, path: Path) -> None:
        self._connection, self._shipment, self._path = connection, shipment, path
        self._generations: dict[str, Generations] = {}
        self._cancelled = Event()

    def cancel(self) -> None:
        """Stop `run`, from another thread."""
        self._cancelled.set()
        self._connection.interrupt()

    def _go_on(self) -> None:
        if self._cancelled.is_set():
            raise KeyboardInterrupt

    def run(self, replace: bool) -> Sequence[NotEnforced]:
        schema = self._shipment.schema
        _check_name(self._connection, schema, self._path)
        self._clear(schema, replace)
        plan = self._plan(schema)
        for statement in plan.phase("namespaces", "sequences", "tables"):
            self._execute(statement.sql, f"'{statement.subject}'")
        for name in plan.order:
            self._fill(schema.table(name))
        for statement in plan.phase("indexes", "comments"):
            self._execute(statement.sql, f"table '{statement.subject}'")
        with ReadBack(self._shipment, self._read_back) as read_back:
            for table in schema.tables:
                read_back.take(table)
            read_back.compare()
        for left_out in plan.not_enforced:
            self._verify(left_out)
        return plan.not_enforced

    def _clear(self, schema: Schema, replace: bool) -> None:
        existing = _existing(self._connection, schema)
        if existing and not replace:
            raise already_there(f"'{self._path}'", existing)
        _drop(self._connection, existing)

    def _execute(self, sql: str, doing: str) -> None:
        self._go_on()
        with duckdb_errors(self._path, doing):
            self._connection.execute(sql)

    def _plan(self, schema: Schema) -> Ddl:
        with duckdb.connect() as scratch:

            def probe(sql: str) -> str | None:
                try:
                    scratch.execute(sql)
                    scratch.execute("DROP TABLE probe")
                except duckdb.Error as error:
                    return refusal(error)
                return None

            return ddl(schema, "duckdb", probe=probe, next_values=self._next_values(schema), self_references=self._self_reference)

    def _next_values(self, schema: Schema) -> dict[tuple[str, str], int]:
        found = {}
        for table in schema.tables:
            for column in table.database_columns:
                if column.identity and self._shipment.rows(table.name):
                    query = f"SELECT max({listed([column.name])}) FROM {self._source(table)}"
                    largest = self._connection.execute(query).fetchone()
                    value = largest[0] if largest and largest[0] is not None else 0
                    found[table.name, column.name] = min(max(value + 1, 1), INTEGER_RANGE["bigint"])
        return found

    def _self_reference(self, table: Table, key: ForeignKey) -> str | None:
        if table.name not in self._generations:
            self._generations[table.name] = Generations(self._connection, table, self._stored(table), len(self._generations))
        return self._generations[table.name].obstacle

    def _source(self, table: Table) -> str:
        files = ", ".join(literal(str(path)) for path in self._shipment.bundle.table(table.name).sound_paths())
        return f"read_parquet([{files}])"

    def _stored(self, table: Table) -> str:
        return stored_query(table, self._source(table), self._shipment.shift)

    def _fill(self, table: Table) -> None:
        rows = self._shipment.rows(table.name)
        if not rows:
            return
        target = f"INSERT INTO {qualified(table.name)} ({listed(c.name for c in table.stored_columns)})"
        generations = self._generations.get(table.name)
        if generations is not None and generations.obstacle is None:
            for query in generations.queries():
                self._execute(f"{target} {query}", f"table '{table.name}'")
        else:
            self._execute(f"{target} {self._stored(table)}", f"table '{table.name}'")
        self._shipment.progress("load", table.name, rows)

    def _read_back(self, table: Table) -> Iterator[pa.RecordBatch]:
        name = qualified(table.name)
        generations = self._generations.get(table.name)
        ordered = name if generations is None or generations.obstacle else generations.in_order(name)
        for batch in self._connection.sql(read_back_query(table, ordered)).to_arrow_reader(_BATCH_ROWS):
            yield batch
            self._go_on()

    def _verify(self, left_out: NotEnforced) -> None:
        if left_out.query is None:
            return
        found = self._connection.execute(left_out.query).fetchone()
        if found and found[0]:
            rows = counted(found[0], "row breaks", "rows break")
            raise ConstraintBroken(f"table '{left_out.table}': {rows} {left_out.what}")


@contextmanager
def _open(path: Path, shown: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb_errors(shown):
        connection = duckdb.connect(str(path))
        try:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET preserve_insertion_order = true")
            connection.execute("SET arrow_lossless_conversion = true")
            yield connection
        finally:
            connection.close()


@contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    connection.execute("BEGIN TRANSACTION")
    try:
        yield
        with last_step():
            connection.execute("COMMIT")
            connection.close()  # which writes the rows to their place
    except BaseException:
        with suppress(duckdb.Error):
            connection.execute("ROLLBACK")
        raise


def _check_name(connection: duckdb.DuckDBPyConnection, schema: Schema, path: Path) -> None:
    """Raise TargetInvalid where DuckDB, which calls a database by its file's name, would take the name for a schema of the bundle."""
    found = connection.execute("SELECT current_database()").fetchone()
    database = str(found[0]) if found else ""
    for table in schema.tables:
        namespace = split(table.name)[0]
        if namespace and namespace.lower() == database.lower():
            raise TargetInvalid(
                f"DuckDB calls the database '{database}', as its file, and '{table.name}' is in a schema of that name: it cannot tell them "
                f"apart. Name the file otherwise, such as '{path.stem}_data{path.suffix}'"
            )


def _existing(connection: duckdb.DuckDBPyConnection, schema: Schema) -> list[str]:
    """The tables and views that have a name of the bundle's tables, children before parents."""
    held = connection.execute(
        "SELECT lower(schema_name), lower(table_name), false FROM duckdb_tables() WHERE database_name = current_database() "
        "UNION ALL SELECT lower(schema_name), lower(view_name), true FROM duckdb_views() WHERE database_name = current_database()"
    ).fetchall()
    kinds = {(namespace, name): view for namespace, name, view in held}
    found = []
    for table in schema.tables:
        namespace, name = split(table.name)
        place = ((namespace or "main").lower(), name.lower())
        if kinds.get(place):
            raise TargetInUse(f"the database has a view '{table.name}', where the bundle has a table; drop it first")
        if place in kinds:
            found.append(table.name)
    return found


def _drop(connection: duckdb.DuckDBPyConnection, tables: Sequence[str]) -> None:
    """Drop `tables` and the sequences that only their columns use; DuckDB refuses to drop a parent before its children."""
    places = {(split(t)[0] or "main", split(t)[1]): t for t in tables}
    references = connection.execute(
        "SELECT schema_name, table_name, referenced_table FROM duckdb_constraints() "
        "WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database()"
    ).fetchall()
    lower = {(s.lower(), n.lower()): t for (s, n), t in places.items()}
    children: dict[str, set[str]] = {t: set() for t in tables}
    for namespace, child, parent in references:
        dropped = lower.get((namespace.lower(), parent.lower()))
        if dropped is None or child.lower() == parent.lower():
            continue
        if (namespace.lower(), child.lower()) not in lower:
            raise TargetInUse(f"the table '{child}', which is not of the bundle, refers to '{dropped}'; drop it first")
        children[dropped].add(lower[namespace.lower(), child.lower()])
    sequences = _sequences(connection, lower)
    waiting = list(tables)
    while waiting:
        ready = next(t for t in waiting if not children[t] & set(waiting))
        connection.execute(f"DROP TABLE {qualified(ready)}")
        waiting.remove(ready)
    for sequence in sequences:
        connection.execute(f"DROP SEQUENCE {sequence}")


def _sequences(connection: duckdb.DuckDBPyConnection, dropped: Mapping[tuple[str, str], str]) -> set[str]:
    """The sequences that give defaults to columns of the `dropped` tables and to no others."""
    defaults = connection.execute(
        "SELECT schema_name, table_name, column_default FROM duckdb_columns() "
        "WHERE database_name = current_database() AND column_default LIKE 'nextval(%'"
    ).fetchall()
    own: set[str] = set()
    others: set[str] = set()
    for namespace, table, default in defaults:
        found = _NEXTVAL.match(default)
        if found:
            users = own if (namespace.lower(), table.lower()) in dropped else others
            users.add(found[1].replace("''", "'"))
    return own - others
