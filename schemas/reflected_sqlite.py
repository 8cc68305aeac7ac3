"""What SQLite itself tells of a table, where SQLAlchemy's inspector guesses or is silent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import Connection

from schemas.ddl_names import quoted
from schemas.sqlite_definitions import Definition, definition_of


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

    def formula(self, table: str, column: str) -> str | None:
        """The expression of a generated column."""
        return _folded(self.definition(table).formulas).get(column.casefold())

    def foreign_keys(self, table: str) -> list[dict[str, Any]]:
        """The table's references in the words of SQLAlchemy's inspector, which fails where one names only a table that is not there."""
        found: dict[int, dict[str, Any]] = {}
        for number, _, parent, column, target, on_update, on_delete, *_ in self._rows(f"PRAGMA foreign_key_list({quoted(table)})"):
            names = {} if target is None else {target.casefold(): target}
            names |= {name.casefold(): name for name in self.columns(parent)}
            key = found.setdefault(number, {"constrained_columns": [], "referred_table": self._named(parent), "referred_columns": []})
            key["constrained_columns"].append(column)
            key["referred_columns"] += [] if target is None else [names[target.casefold()]]
            key["options"] = {"onupdate": on_update, "ondelete": on_delete}
        written = self.definition(table).references
        if len(written) == len(found):  # SQLite numbers them from the last one on
            for number, said in enumerate(reversed(written)):
                found[number] |= {"name": said.name, "options": {**found[number]["options"], **said.options}}
        return [found[number] for number in sorted(found, reverse=True)]

    def columns(self, table: str) -> list[str]:
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
