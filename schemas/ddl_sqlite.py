"""DDL for SQLite: every constraint stands in CREATE TABLE, and the database enforces all of them.

How types are kept: booleans as 0 and 1; uuids, dates, times and documents as text (times as `2026-01-31 09:00:00.000000`,
in UTC and with `+00:00` where they have a zone); intervals as whole microseconds; arrays as JSON; numerics of up to 15
digits with NUMERIC affinity, which holds them exactly, and wider ones as text. A check on a wider one sees its nearest
binary64 number. A table's name may hold a dot: SQLite has no schemas.
"""

from __future__ import annotations

from schemas.ddl import Ddl, Probe
from schemas.ddl_expressions import Untranslatable, for_sqlite
from schemas.ddl_names import FreeNames, listed, literal, quoted
from schemas.ddl_order import fill_order, in_cycle
from schemas.ddl_writer import DdlWriter, in_words
from schemas.model import Column, ForeignKey, Schema, Table
from schemas.types import INTEGERS, SqlType

_TYPES = {
    "double": "DOUBLE", "uuid": "CHAR(36)", "json": "TEXT", "bytes": "BLOB", "enum": "TEXT", "array": "TEXT",
    "timestamptz": "TIMESTAMP",
}  # fmt: skip
_ORDER = ("tables", "indexes")


def sqlite_ddl(schema: Schema, probe: Probe) -> Ddl:
    """Return the statements of `schema` for SQLite; see `schemas.ddl.ddl`."""
    return _Writer(schema, probe).write()


def sqlite_type(type: SqlType) -> str:
    """Return a type in SQLite's words."""
    from schemas.ddl_sqlite_expressions import keeps_as_text

    return "TEXT" if keeps_as_text(type) else _TYPES.get(type.kind) or str(type).upper()


def row_id_column(table: Table) -> str | None:
    """Return the column that is SQLite's row number: the key, where it is one integer column."""
    if len(table.key) == 1 and table.column(table.key[0]).type.kind in INTEGERS:
        return table.key[0]
    return None


def free_row_number(table: Table) -> str | None:
    """Return one of SQLite's names of the row number that no column hides; None where all are hidden."""
    taken = {c.name.lower() for c in table.database_columns}
    return next((name for name in ("rowid", "oid", "_rowid_") if name not in taken), None)


class _Writer(DdlWriter):
    def __init__(self, schema: Schema, probe: Probe) -> None:
        super().__init__(schema)
        self._probe = probe
        self._names = FreeNames(t.name for t in schema.tables)

    def write(self) -> Ddl:
        cyclic = in_cycle(self._schema)
        for table in self._schema.tables:
            table = self._table(table, cyclic)
            for index in table.indexes:
                name = self._names.take(index.name or f"{table.name}_{'_'.join(index.columns)}_idx")
                unique = "UNIQUE " if index.unique else ""
                sql = f"CREATE {unique}INDEX {quoted(name)} ON {quoted(table.name)} ({listed(index.columns)})"
                self._add("indexes", table.name, sql)
        return self._written("sqlite", _ORDER, fill_order(self._schema))

    def _table(self, table: Table, cyclic: set[tuple[str, ForeignKey]]) -> Table:
        """Write a table; what is returned is without the columns that are left out."""
        written = {column.name: self._column(table, column) for column in table.database_columns}
        table = self._without(table, (name for name, sql in written.items() if sql is None))
        lines = [(written[column.name] or "", _comment(column.comment)) for column in table.database_columns]
        if table.key:
            lines.append((f"PRIMARY KEY ({listed(table.key)})", ""))
        for unique in table.unique:
            lines.append((f"{_constraint(unique.name)}UNIQUE ({listed(unique.columns)})", ""))
        for key in table.foreign_keys:
            deferred = " DEFERRABLE INITIALLY DEFERRED" if (table.name, key) in cyclic or key.table == table.name else ""
            lines.append((
                f"{_constraint(key.name)}FOREIGN KEY ({listed(key.columns)}) "
                f"REFERENCES {quoted(key.table)} ({listed(key.target)}){deferred}",
                "",
            ))  # fmt: skip
        lines += [(line, "") for line in self._checks(table)]
        body = "\n".join(f"    {sql}{',' if number < len(lines) else ''}{comment}" for number, (sql, comment) in enumerate(lines, 1))
        self._add("tables", table.name, f"CREATE TABLE {quoted(table.name)} ({_comment(table.comment)}\n{body}\n)")
        return table

    def _column(self, table: Table, column: Column) -> str | None:
        # exactly this word makes the key the row number, which counts on by itself
        name, type = quoted(column.name), "INTEGER" if column.name == row_id_column(table) else sqlite_type(column.type)
        if column.computed is not None:
            what = f"computed column '{column.name}': {column.computed}"
            return self._accepted(table, f"{name} {type} GENERATED ALWAYS AS (%s) STORED", column.computed, what)
        parts = [f"{name} {type}"]
        if column.identity:
            if column.name != row_id_column(table):
                self._leave_out(table, f"identity of '{column.name}'", "only a key of one integer column counts on in SQLite")
        elif column.default is not None:
            default, what = f"{name} {type} DEFAULT (%s)", f"default of '{column.name}': {column.default}"
            parts = [self._accepted(table, default, column.default, what, column.name) or parts[0]]
        if not column.nullable or column.name in table.key:
            parts.append("NOT NULL")
        if column.type.kind == "enum":
            parts.append(f"CHECK ({name} IN ({', '.join(map(literal, column.type.values))}))")
        if column.type.kind == "boolean":
            parts.append(f"CHECK ({name} IN (0, 1))")
        return " ".join(parts)

    def _checks(self, table: Table) -> list[str]:
        found = [
            self._accepted(table, f"{_constraint(check.name)}CHECK (%s)", check.sql, in_words(check)) for check in self._conditions(table)
        ]
        return [line for line in found if line is not None]

    def _accepted(self, table: Table, line: str, sql: str, what: str, default_of: str | None = None) -> str | None:
        """`line` around the translated `sql`, if a table of the same columns takes it; else it is reported as left out."""
        try:
            before, _, after = line.rpartition("%s")
            full = before + for_sqlite(sql, table, default_of=default_of) + after
        except Untranslatable as error:
            self._leave_out(table, what, str(error))
            return None
        columns = [f"{quoted(c.name)} {sqlite_type(c.type)}" for c in table.database_columns if not line.startswith(f"{quoted(c.name)} ")]
        reason = self._probe(f"CREATE TABLE probe ({', '.join([*columns, full])})")
        if reason is not None:
            self._leave_out(table, what, reason)
        return full if reason is None else None


def _constraint(name: str | None) -> str:
    return f"CONSTRAINT {quoted(name)} " if name is not None else ""


def _comment(text: str | None) -> str:
    """SQLite has no comments on tables, but keeps the text of a statement as it was."""
    return f" /* {text.replace('*/', '* /')} */" if text else ""
