"""DDL for PostgreSQL: tables without constraints first, so that data streams in fast; the rest is added to full tables."""

from __future__ import annotations

from schemas.ddl import PHASES, Ddl
from schemas.ddl_expressions import asks_for_json, for_postgresql
from schemas.ddl_names import FreeNames, listed, literal, qualified, quoted, split
from schemas.ddl_order import components, fill_order, in_cycle
from schemas.ddl_writer import DdlWriter, in_words
from schemas.errors import InputError
from schemas.model import Check, Column, ForeignKey, Schema, Table, Unique
from schemas.types import SqlType

NAME_BYTES = 63
_IS_JSON = 16  # the first version that has it
_TYPES = {
    "double": "double precision", "json": "jsonb", "bytes": "bytea", "timestamptz": "timestamp with time zone",
    "timestamp": "timestamp without time zone", "time": "time without time zone",
}  # fmt: skip


def postgresql_ddl(schema: Schema, version: int | None = None) -> Ddl:
    """Return the statements of `schema` for a PostgreSQL of a major `version`, None for the newest.

    All is enforced there but checks that are no conditions, and what takes a newer version.
    """
    return _Writer(schema, version).write()


def counter(table: Table, column: Column) -> str:
    """Return the statement that lets an identity column go on after its largest value."""
    name, largest = qualified(table.name), f"max({quoted(column.name)})"
    return (
        f"SELECT setval(pg_get_serial_sequence({literal(name)}, {literal(column.name)}), "
        f"greatest({largest}, 1), coalesce({largest} >= 1, false)) FROM {name}"
    )


def enum_types(schema: Schema) -> dict[tuple[str, str], str]:
    """Return the quoted and qualified enum type of each enum column (of arrays too), by table and column.

    An enum without a name is called `table_column`; enums of one name share a type.
    """
    named: dict[tuple[str | None, str], tuple[str, ...]] = {}
    found = {}
    for table in schema.tables:
        namespace, name = split(table.name)
        for column in table.database_columns:
            type = _enum(column.type)
            if type is None:
                continue
            wanted = type.name or f"{name}_{column.name}"
            home, bare = split(wanted) if type.name else (namespace, wanted)
            home = home or (None if type.name else namespace)
            number, free = 1, _shortened(bare)
            while named.setdefault((home, free), type.values) != type.values:
                number += 1
                free = _shortened(bare, f"_{number}")
            found[table.name, column.name] = quoted(free) if home is None else f"{quoted(home)}.{quoted(free)}"
    return found


def _enum(type: SqlType) -> SqlType | None:
    if type.kind == "array" and type.item is not None:
        return _enum(type.item)
    return type if type.kind == "enum" else None


def _shortened(name: str, suffix: str = "") -> str:
    return name.encode()[: NAME_BYTES - len(suffix)].decode(errors="ignore") + suffix


class _Writer(DdlWriter):
    def __init__(self, schema: Schema, version: int | None) -> None:
        super().__init__(schema)
        self._version = version
        self._enums = enum_types(schema)
        # a key's or index's name is a relation's name, and unique among all relations of its namespace
        self._relations: dict[str | None, FreeNames] = {}
        for table in schema.tables:
            namespace, name = split(table.name)
            for word in (namespace or "", name, *(c.name for c in table.database_columns)):
                if len(word.encode()) > NAME_BYTES:
                    raise InputError(f"the name '{word}' is longer than the {NAME_BYTES} bytes that PostgreSQL keeps of a name")
            self._relations.setdefault(namespace, FreeNames(fold=False, limit=NAME_BYTES)).claim(name)

    def write(self) -> Ddl:
        cyclic = in_cycle(self._schema)
        stuck = _stuck(self._schema)
        enums = [_enum(self._schema.table(table).column(column).type) for table, column in self._enums]
        names = (*(t.name for t in self._schema.tables), *(e.name for e in enums if e is not None and e.name))
        for namespace in dict.fromkeys(split(name)[0] for name in names):
            if namespace is not None:
                self._add("namespaces", namespace, f"CREATE SCHEMA IF NOT EXISTS {quoted(namespace)}")
        values = {}
        for (table_name, column_name), name in self._enums.items():
            enum = _enum(self._schema.table(table_name).column(column_name).type)
            assert enum is not None
            values[name] = enum.values
        for name, labels in values.items():
            self._add("types", name, f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, labels))})")
        for table in self._schema.tables:
            self._table(table)
            self._alter(table, "keys", self._keys(table))
            self._indexes(table)
            self._alter(table, "foreign keys", [self._foreign_key(table, k, cyclic, stuck) for k in table.foreign_keys])
            self._alter(table, "checks", self._checks(table))
            self._counters(table)
            self._comments(table)
        return self._written("postgresql", PHASES, fill_order(self._schema))

    def _alter(self, table: Table, phase: str, actions: list[str]) -> None:
        # one statement for all: PostgreSQL then scans the table once for every check
        if actions:
            self._add(phase, table.name, f"ALTER TABLE {qualified(table.name)}\n    " + ",\n    ".join(actions))

    def _table(self, table: Table) -> None:
        columns = ",\n".join(f"    {self._column(table, column)}" for column in table.database_columns)
        self._add("tables", table.name, f"CREATE TABLE {qualified(table.name)} (\n{columns}\n)")

    def _column(self, table: Table, column: Column) -> str:
        parts = [quoted(column.name), self._type(table, column, column.type)]
        if column.identity:
            parts.append("GENERATED BY DEFAULT AS IDENTITY")
        elif column.computed is not None:
            sql = for_postgresql(column.computed, table, f"computed column '{column.name}'")
            parts.append(f"GENERATED ALWAYS AS (\n{sql}\n) STORED")
        elif column.default is not None:
            sql = for_postgresql(column.default, table, f"default of '{column.name}'")
            parts.append(f"DEFAULT (\n{sql}\n)")
        if not column.nullable or column.name in table.key:
            parts.append("NOT NULL")
        return " ".join(parts)

    def _type(self, table: Table, column: Column, type: SqlType) -> str:
        if type.kind == "array":
            assert type.item is not None
            return f"{self._type(table, column, type.item)}[]"
        if type.kind == "enum":
            return self._enums[table.name, column.name]
        return _TYPES.get(type.kind) or str(type)

    def _keys(self, table: Table) -> list[str]:
        actions = []
        if table.key:
            actions.append(f"ADD PRIMARY KEY ({listed(table.key)})")
        for unique in table.unique:
            actions.append(f"ADD {self._relation(table, unique.name)}UNIQUE ({listed(unique.columns)})")
        return actions

    def _relation(self, table: Table, name: str | None) -> str:
        """`CONSTRAINT name`, or nothing where there is no name or it is taken: PostgreSQL then finds one."""
        free = name is not None and self._relations[split(table.name)[0]].claim(name)
        return f"CONSTRAINT {quoted(name)} " if free and name is not None else ""

    def _indexes(self, table: Table) -> None:
        for index in table.indexes:
            claimed = index.name is not None and self._relations[split(table.name)[0]].claim(index.name)
            name = f"{quoted(index.name)} " if claimed and index.name is not None else ""
            unique = "UNIQUE " if index.unique else ""
            self._add(
                "indexes",
                table.name,
                f"CREATE {unique}INDEX {name}ON {qualified(table.name)} ({listed(index.columns)})",
            )

    def _foreign_key(self, table: Table, key: ForeignKey, cyclic: set[tuple[str, ForeignKey]], stuck: set[frozenset[str]]) -> str:
        # rows of a cycle in which every key is NOT NULL can only be added by a transaction that defers the check
        closed = (table.name, key) in cyclic and any({table.name, key.table} <= members for members in stuck)
        return (
            f"ADD {_constraint(table, key.name)}FOREIGN KEY ({listed(key.columns)}) "
            f"REFERENCES {qualified(key.table)} ({listed(key.target)}){' DEFERRABLE' if closed else ''}"
        )

    def _checks(self, table: Table) -> list[str]:
        found = []
        for check in self._conditions(table):
            sql = for_postgresql(check.sql, table, f"check {check.name or table.checks.index(check) + 1}")
            if self._version is not None and self._version < _IS_JSON and asks_for_json(sql):
                reason = f"IS JSON takes PostgreSQL {_IS_JSON} or newer, and the server is {self._version}"
                self._leave_out(table, in_words(check), reason)
                continue
            found.append(f"ADD {_constraint(table, check.name)}CHECK (\n{sql}\n)")
        return found

    def _counters(self, table: Table) -> None:
        for column in table.database_columns:
            if column.identity:
                self._add("counters", table.name, counter(table, column))


def _constraint(table: Table, name: str | None) -> str:
    """`CONSTRAINT name`, or nothing where another constraint of the table has it too."""
    named: list[Unique | ForeignKey | Check] = [*table.unique, *table.foreign_keys, *table.checks]
    same = [c for c in named if c.name == name]
    return f"CONSTRAINT {quoted(name)} " if name is not None and len(same) == 1 and len(name.encode()) <= NAME_BYTES else ""


def _stuck(schema: Schema) -> set[frozenset[str]]:
    """The cycles of tables in which no row can come first: each table has a NOT NULL reference into the cycle."""
    found = set()
    for members in components(schema):
        if len(members) > 1 and all(_needs_another(schema.table(name), members) for name in members):
            found.add(frozenset(members))
    return found


def _needs_another(table: Table, members: tuple[str, ...]) -> bool:
    return any(
        key.table in members and key.table != table.name and not any(table.column(c).nullable for c in key.columns)
        for key in table.foreign_keys
    )
