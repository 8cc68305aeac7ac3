"""Which names a part of a query sees."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import expressions as exp

from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.tree import Field
from schemas.errors import nearest


@dataclass(frozen=True)
class Visible:
    """A source of FROM under its alias: the fields that its column names stand for."""

    alias: str
    columns: Mapping[str, Field]


class Scope:
    """The sources of one SELECT, and the columns that USING has merged."""

    def __init__(self) -> None:
        self.sources: list[Visible] = []
        self.merged: dict[str, Field] = {}

    def add(self, source: Visible) -> None:
        """Add a source; QueryInvalid where its alias is taken."""
        if any(s.alias == source.alias for s in self.sources):
            raise QueryInvalid(f"the name '{source.alias}' is used for two tables in one FROM; give one an alias")
        self.sources.append(source)

    def resolve(self, column: exp.Column) -> Field:
        """Return the field that a column of the query means."""
        name, table = folded(column.this), folded(column.args.get("table"))
        if column.args.get("db") or column.args.get("catalog"):
            raise QueryInvalid(f"write '{table}.{name}' without its schema")
        if table is None:
            if name in self.merged:
                return self.merged[name]
            found = [(s, s.columns[name]) for s in self.sources if name in s.columns]
            if len(found) > 1:
                raise QueryInvalid(
                    f"the column '{name}' is in several tables; say which: {', '.join(f'{s.alias}.{name}' for s, _ in found)}"
                )
            if found:
                return found[0][1]
            raise QueryInvalid(f"there is no column '{name}'{nearest(str(name), [c for s in self.sources for c in s.columns])}")
        source = next((s for s in self.sources if s.alias == table), None)
        if source is None:
            raise QueryInvalid(f"there is no table '{table}' in this FROM{nearest(table, [s.alias for s in self.sources])}")
        if name not in source.columns:
            raise QueryInvalid(f"there is no column '{name}' in '{table}'{nearest(str(name), source.columns)}")
        return source.columns[str(name)]

    def star(self, table: str | None = None) -> Iterator[tuple[str, Field]]:
        """Yield the columns that * stands for."""
        for source in self.sources:
            if table is None or source.alias == table:
                yield from source.columns.items()


def folded(identifier: object) -> str | None:
    """The name that an identifier means: as it is written in quotes, else in lower case."""
    if identifier is None or identifier == "":
        return None
    if isinstance(identifier, exp.Identifier):
        return str(identifier.this) if identifier.args.get("quoted") else str(identifier.this).lower()
    if isinstance(identifier, str):
        return identifier.lower()
    raise QueryRefused("only plain names of tables and columns are understood here")
