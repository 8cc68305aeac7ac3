"""What SQLite itself tells of a table, where SQLAlchemy's inspector guesses or is silent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy.engine import Connection

from schemas.ddl_names import quoted
from schemas.reflected_details import index_details
from schemas.sqlite_definitions import Definition, definition_of, module_of

_USUAL = "BINARY"
_OF_MODULE, _VIRTUAL, _STORED = 1, 2, 3


class SqliteCatalog:
    """Reads `sqlite_master` and pragmas; names are compared as SQLite does, without regard to case."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._definitions: dict[str, Definition] = {}

    def definition(self, table: str) -> Definition:
        """What the text of the table's CREATE TABLE says."""
        if table not in self._definitions:
            query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = :table"
            found = self._rows(query, table=table)
            self._definitions[table] = definition_of(str(found[0][0] or "")) if found else Definition()
        return self._definitions[table]

    def virtual_tables(self) -> dict[str, tuple[str, ...]]:
        """The virtual tables, with the names of the tables that they keep their rows in, where their modules are there to tell."""
        kinds = {row[1]: row[2] for row in self._rows("PRAGMA table_list") if row[0] == "main"}
        shadows = [name for name, kind in sorted(kinds.items()) if kind == "shadow"]
        virtual = [name for name, kind in sorted(kinds.items()) if kind == "virtual"]
        return {name: tuple(s for s in shadows if s.casefold().startswith(f"{name}_".casefold())) for name in virtual}

    def module(self, table: str) -> str:
        """The module of a virtual table."""
        return module_of(self._rows("SELECT sql FROM sqlite_master WHERE name = :table", table=table)[0][0])

    def columns(self, table: str) -> list[dict[str, Any]]:
        """The table's columns in the words of SQLAlchemy's inspector, but for their types, which are as they are declared."""
        definition = self.definition(table)
        formulas, collations = _folded(definition.formulas), _folded(definition.collations)
        found = []
        for _, name, declared, is_required, default, _, hidden in self._rows(f"PRAGMA table_xinfo({quoted(table)})"):
            column = {"name": name, "type": declared, "nullable": not is_required, "default": default}
            collation = collations.get(name.casefold(), _USUAL)
            column |= {"collation": collation} if collation.upper() != _USUAL else {}
            if hidden in (_VIRTUAL, _STORED):
                column["computed"] = {"sqltext": formulas.get(name.casefold(), ""), "persisted": hidden == _STORED}
            found += [column] if hidden != _OF_MODULE else []
        return found

    def unique_constraints(self, table: str) -> list[dict[str, Any]]:
        """The table's unique constraints in the words of SQLAlchemy's inspector, which overlooks some."""
        names = {tuple(map(str.casefold, columns)): name for name, columns in reversed(self.definition(table).uniques)}
        found = self._indexes(table, "u")
        return [{**index, "name": names.get(tuple(map(str.casefold, index["column_names"])))} for index in found]

    def indexes(self, table: str) -> list[dict[str, Any]]:
        """The table's indexes in the words of SQLAlchemy's inspector, which overlooks some; a name is None for an expression."""
        return sorted(self._indexes(table, "c"), key=lambda index: str(index["name"]))

    def extras(self, table: str) -> Iterator[tuple[str | None, str]]:
        """What else SQLite keeps with the table, or with one of its columns, in words."""
        for _, _, _, _, is_without_rowid, is_strict in (r for r in self._rows("PRAGMA table_list") if r[:2] == ("main", table)):
            yield from [(None, "STRICT")] if is_strict else []
            yield from [(None, "WITHOUT ROWID")] if is_without_rowid else []
        definition = self.definition(table)
        yield from [(None, "AUTOINCREMENT")] if definition.counts_on else []
        yield from [] if definition.key_name is None else [(None, f"the name of its primary key, {definition.key_name},")]
        yield from definition.conflicts
        for key in self._indexes(table, "pk"):
            yield from ((None, f"{said} of its primary key") for said in [index_details(key)] if said)
        yield from ((None, f"trigger {name}") for name in self.triggers(table))

    def triggers(self, table: str) -> list[str]:
        """The triggers on a table or view."""
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table COLLATE NOCASE"
        return [row[0] for row in self._rows(query, table=table)]

    def foreign_keys(self, table: str) -> list[dict[str, Any]]:
        """The table's references in the words of SQLAlchemy's inspector, which fails where one names only a table that is not there."""
        found: dict[int, dict[str, Any]] = {}
        for number, _, parent, column, target, on_update, on_delete, *_ in self._rows(f"PRAGMA foreign_key_list({quoted(table)})"):
            names = {} if target is None else {target.casefold(): target}
            names |= {name.casefold(): name for name in self._names(parent)}
            key = found.setdefault(number, {"constrained_columns": [], "referred_table": self._named(parent), "referred_columns": []})
            key["constrained_columns"].append(column)
            key["referred_columns"] += [] if target is None else [names[target.casefold()]]
            key["options"] = {"onupdate": on_update, "ondelete": on_delete}
        written = self.definition(table).references
        if len(written) == len(found):  # SQLite numbers them from the last one on
            for number, said in enumerate(reversed(written)):
                found[number] |= {"name": said.name, "options": {**found[number]["options"], **said.options}}
        return [found[number] for number in sorted(found, reverse=True)]

    def _indexes(self, table: str, origin: str) -> list[dict[str, Any]]:
        """Indexes that the table has from a CREATE INDEX ("c"), a unique constraint ("u") or its primary key ("pk")."""
        own = _folded(self.definition(table).collations)
        found = []
        for _, name, is_unique, made_by, is_partial in reversed(self._rows(f"PRAGMA index_list({quoted(table)})")):
            if made_by != origin:
                continue
            parts = [row[2:5] for row in self._rows(f"PRAGMA index_xinfo({quoted(name)})") if row[5]]
            collations = {column: by for column, _, by in parts if column and by.upper() != own.get(column.casefold(), _USUAL).upper()}
            found.append({
                "name": name, "column_names": [column for column, _, _ in parts], "unique": bool(is_unique),
                "column_sorting": {column: ("desc",) for column, is_falling, _ in parts if is_falling and column},
                "dialect_options": {"sqlite_collate": collations, **({"sqlite_where": True} if is_partial else {})},
            })  # fmt: skip
        return found

    def _names(self, table: str) -> list[str]:
        """The names of the table's columns; none where there is no such table."""
        return [row[1] for row in self._rows(f"PRAGMA table_xinfo({quoted(table)})")]

    def key(self, table: str) -> tuple[str, ...]:
        """The columns of the table's primary key, in its order."""
        rows = self._rows(f"PRAGMA table_xinfo({quoted(table)})")
        return tuple(row[1] for row in sorted((r for r in rows if r[5]), key=lambda r: r[5]))

    def _named(self, table: str) -> str:
        """A table's name as it is spelled where the table is made."""
        found = self._rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name = :table COLLATE NOCASE", table=table)
        return str(found[0][0]) if found else table

    def _rows(self, query: str, **values: str) -> list[Any]:
        return list(self._connection.exec_driver_sql(query, values))


def _folded(names: Mapping[str, str]) -> dict[str, str]:
    return {name.casefold(): value for name, value in names.items()}
