"""DDL for DuckDB: constraints stand in CREATE TABLE, as it can add hardly any to a table later.

A foreign key can only name a table of the same namespace that exists already, so one key of each cycle of tables is left
out and reported with a query that finds the rows which break it.
"""

from __future__ import annotations

from collections.abc import Mapping

from schemas.ddl import Ddl, Probe, SelfReferenceProbe
from schemas.ddl_expressions import Untranslatable, for_duckdb
from schemas.ddl_names import FreeNames, listed, literal, qualified, quoted, reference, split
from schemas.ddl_order import fill_order
from schemas.ddl_writer import DdlWriter, in_words, names_of
from schemas.model import Column, ForeignKey, Schema, Table
from schemas.types import SqlType

_TYPES = {"json": "JSON", "bytes": "BLOB", "text": "VARCHAR", "varchar": "VARCHAR", "char": "VARCHAR", "real": "FLOAT"}
_ORDER = ("namespaces", "sequences", "tables", "indexes", "comments")


def duckdb_ddl(schema: Schema, probe: Probe, next_values: Mapping[tuple[str, str], int], self_references: SelfReferenceProbe | None) -> Ddl:
    """Return the statements of `schema` for DuckDB; see `schemas.ddl.ddl`."""
    return _Writer(schema, probe, next_values, self_references).write()


def duckdb_type(type: SqlType) -> str:
    """Return a type in DuckDB's words."""
    if type.kind == "array":
        assert type.item is not None
        return f"{duckdb_type(type.item)}[]"
    if type.kind == "enum":
        return f"ENUM ({', '.join(map(literal, type.values))})"
    if type.kind == "numeric" and type.precision is None:
        return "DECIMAL(38,9)"
    return _TYPES.get(type.kind) or str(type).upper()


def orphans(table: Table, key: ForeignKey) -> str:
    """Return the query that counts the rows of `table` whose foreign key `key` finds no row."""
    child, parent = qualified(table.name), qualified(key.table)
    present = " AND ".join(f"c.{quoted(c)} IS NOT NULL" for c in key.columns)
    same = " AND ".join(f"p.{quoted(t)} = c.{quoted(c)}" for c, t in zip(key.columns, key.target, strict=True))
    return f"SELECT count(*) FROM {child} c WHERE {present} AND NOT EXISTS (SELECT 1 FROM {parent} p WHERE {same})"


class _Writer(DdlWriter):
    def __init__(
        self,
        schema: Schema,
        probe: Probe,
        next_values: Mapping[tuple[str, str], int],
        self_references: SelfReferenceProbe | None,
    ) -> None:
        super().__init__(schema)
        self._probe, self._next_values, self._self_references = probe, next_values, self_references
        self._order = fill_order(schema)
        self._names: dict[str | None, FreeNames] = {}
        for table in schema.tables:
            namespace, name = split(table.name)
            self._names.setdefault(namespace, FreeNames()).claim(name)

    def write(self) -> Ddl:
        for namespace in dict.fromkeys(split(t.name)[0] for t in self._schema.tables):
            if namespace is not None:
                self._add("namespaces", namespace, f"CREATE SCHEMA IF NOT EXISTS {quoted(namespace)}")
        for name in self._order:
            table = self._table(self._schema.table(name))
            self._indexes(table)
            self._comments(table)
        return self._written("duckdb", _ORDER, self._order)

    def _table(self, table: Table) -> Table:
        """Write a table; what is returned is without the columns that are left out."""
        written = {column.name: self._column(table, column) for column in table.database_columns}
        table = self._without(table, (name for name, sql in written.items() if sql is None))
        computed = {c.name for c in table.database_columns if c.computed is not None}
        lines = [written[column.name] or "" for column in table.database_columns]
        if table.key:
            lines.append(f"PRIMARY KEY ({listed(table.key)})")
        for columns in self._unique_sets(table):
            if computed & set(columns):
                self._leave_out(table, f"unique ({', '.join(columns)})", "DuckDB takes no constraint on a computed column")
            else:
                lines.append(f"UNIQUE ({listed(columns)})")
        for key in table.foreign_keys:
            reason = self._obstacle(table, key, computed)
            if reason is None:
                columns, target = self._ends(key)
                lines.append(f"FOREIGN KEY ({listed(columns)}) REFERENCES {qualified(key.table)} ({listed(target)})")
            else:
                self._leave_out(table, reference(key), reason, orphans(table, key))
        lines += self._checks(table)
        body = ",\n    ".join(lines)
        self._add("tables", table.name, f"CREATE TABLE {qualified(table.name)} (\n    {body}\n)")
        return table

    def _ends(self, key: ForeignKey) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The columns of a reference and those that it leads to, in the order of the constraint there, which DuckDB asks for."""
        parent, columns = self._schema.table(key.table), dict(zip(key.target, key.columns, strict=True))
        target = next(names for names in (parent.key, *self._unique_sets(parent)) if set(names) == set(key.target))
        return tuple(columns[name] for name in target), target

    def _unique_sets(self, table: Table) -> list[tuple[str, ...]]:
        """The unique constraints, and those unique indexes that a foreign key needs as constraints."""
        wanted = [u.columns for u in table.unique]
        for other in self._schema.tables:
            wanted += [k.target for k in other.foreign_keys if k.table == table.name]
        distinct: dict[frozenset[str], tuple[str, ...]] = {}
        for columns in wanted:
            if set(columns) != set(table.key):
                distinct.setdefault(frozenset(columns), columns)
        return list(distinct.values())

    def _obstacle(self, table: Table, key: ForeignKey, computed: set[str]) -> str | None:
        if split(table.name)[0] != split(key.table)[0]:
            return "DuckDB takes no foreign key to another schema"
        if computed & set(key.columns):
            return "DuckDB takes no constraint on a computed column"
        if key.table == table.name:
            return self._self_references(table, key) if self._self_references else None
        if self._order.index(key.table) > self._order.index(table.name):
            return "DuckDB takes no foreign keys in a cycle of tables"
        parent = self._schema.table(key.table)
        for column, target in zip(key.columns, key.target, strict=True):
            if duckdb_type(table.column(column).type) != duckdb_type(parent.column(target).type):
                return "DuckDB takes no foreign key between different types"
        return None

    def _column(self, table: Table, column: Column) -> str | None:
        name, type = quoted(column.name), duckdb_type(column.type)
        if column.computed is not None:
            computed = f"{name} {type} GENERATED ALWAYS AS (%s) VIRTUAL"
            return self._accepted(table, computed, column.computed, f"computed column '{column.name}': {column.computed}")
        parts = [name, type]
        if column.identity:
            parts.append(f"DEFAULT nextval({literal(self._sequence(table, column))})")
        elif column.default is not None:
            default = f"{name} {type} DEFAULT (%s)"
            what = f"default of '{column.name}': {column.default}"
            parts = [self._accepted(table, default, column.default, what) or f"{name} {type}"]
        if not column.nullable or column.name in table.key:
            parts.append("NOT NULL")
        return " ".join(parts)

    def _sequence(self, table: Table, column: Column) -> str:
        namespace, name = split(table.name)
        sequence = self._names[namespace].take(f"{name}_{column.name}_seq")
        full = quoted(sequence) if namespace is None else f"{quoted(namespace)}.{quoted(sequence)}"
        start = self._next_values.get((table.name, column.name), 1)
        self._add("sequences", table.name, f"CREATE SEQUENCE {full} START WITH {start}")
        return full

    def _checks(self, table: Table) -> list[str]:
        found: list[str] = []
        computed = [c.name for c in table.database_columns if c.computed is not None]
        for check in self._conditions(table):
            over = next((name for name in computed if name in names_of(check.sql, table)), None)
            if over is not None:
                self._leave_out(table, in_words(check), f"DuckDB takes no check over a computed column, such as '{over}'")
                continue
            line = self._accepted(table, "CHECK (%s)", check.sql, in_words(check))
            if line is None:
                continue
            if self._is_condition(table, check.sql):
                found.append(line)
            else:
                reason = "DuckDB takes it for no condition: it gives something else than true or false"
                self._leave_out(table, in_words(check), reason)
        return found

    def _is_condition(self, table: Table, sql: str) -> bool:
        """Whether a check that DuckDB takes is of true and false: it takes others, and fails on their rows."""
        columns = [f"CAST(NULL AS {duckdb_type(c.type)}) AS {quoted(c.name)}" for c in table.database_columns if c.computed is None]
        probe = f"CREATE TABLE probe AS SELECT bool_and({for_duckdb(sql, table)}) AS condition FROM (SELECT {', '.join(columns)})"
        return self._probe(probe) is None

    def _accepted(self, table: Table, line: str, sql: str, what: str) -> str | None:
        """`line` around the translated `sql`, if a table of the same columns takes it; else it is reported as left out."""
        try:
            before, _, after = line.rpartition("%s")
            full = before + for_duckdb(sql, table) + after
        except Untranslatable as error:
            self._leave_out(table, what, str(error))
            return None
        columns = [f"{quoted(c.name)} {duckdb_type(c.type)}" for c in table.database_columns if not line.startswith(f"{quoted(c.name)} ")]
        reason = self._probe(f"CREATE TABLE probe ({', '.join([*columns, full])})")
        if reason is not None:
            self._leave_out(table, what, reason)
        return full if reason is None else None

    def _indexes(self, table: Table) -> None:
        namespace, name = split(table.name)
        for index in table.indexes:
            free = self._names[namespace].take(index.name or f"{name}_{'_'.join(index.columns)}_idx")
            unique = "UNIQUE " if index.unique else ""
            if any(table.column(c).type.kind in ("array", "json") for c in index.columns):
                self._leave_out(table, f"index ({', '.join(index.columns)})", "DuckDB indexes no arrays or documents")
            else:
                sql = f"CREATE {unique}INDEX {quoted(free)} ON {qualified(table.name)} ({listed(index.columns)})"
                self._add("indexes", table.name, sql)
