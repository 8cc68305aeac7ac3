"""The graph of references: tables are its nodes, foreign keys and virtual references its edges."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from masking.errors import PolicyInvalid
from masking.policy.model import VirtualReference
from masking.subset.json_paths import JsonPaths
from schemas.errors import Mark, Problem, nearest
from schemas.model import Schema, Table


@dataclass(frozen=True)
class Reference:
    """An edge: rows of `table`, by their `columns` (or what `path` finds in the one column), reference rows of `target_table`.

    A row references nothing where one of the columns is null (MATCH SIMPLE of the SQL standard), or where `when` does not accept it.
    """

    table: str
    columns: tuple[str, ...]
    target_table: str
    target: tuple[str, ...]
    path: str | None = None
    when: str | None = None

    def __str__(self) -> str:
        return f"{_end(self.table, self.columns)}{self.path or ''} to {_end(self.target_table, self.target)}"


@dataclass(frozen=True)
class Graph:
    """All references between some tables of a schema."""

    schema: Schema
    tables: tuple[str, ...]
    references: tuple[Reference, ...]

    @cached_property
    def _by_table(self) -> dict[str, tuple[Reference, ...]]:
        return {name: tuple(r for r in self.references if r.table == name) for name in self.tables}

    def out_of(self, table: str) -> tuple[Reference, ...]:
        """The references of a table's rows."""
        return self._by_table[table]

    def between(self, table: str, target: str) -> tuple[Reference, ...]:
        """The references of a table's rows to those of another."""
        return tuple(r for r in self._by_table[table] if r.target_table == target)

    def referencing(self, target: str) -> list[str]:
        """The tables with references to `target`."""
        return [name for name in self.tables if self.between(name, target)]


def reference_graph(schema: Schema, virtual: Iterable[VirtualReference] = (), dropped: Collection[str] = (), file: str = "policy") -> Graph:
    """Return the graph of a schema's foreign keys and a policy's virtual references, without the tables that are `dropped`.

    Raises PolicyInvalid where a virtual reference names unknown tables or columns, or references columns that are not unique.
    """
    tables = tuple(t.name for t in schema.tables if t.name not in dropped)
    found: dict[Reference, None] = {}
    for name in tables:
        for key in schema.table(name).foreign_keys:
            found[Reference(name, key.columns, key.table, key.target)] = None
    problems: list[Problem] = []
    for said in virtual:
        before = len(problems)
        problems += _problems(schema, said)
        if len(problems) == before:
            found[Reference(said.table, said.columns, said.target_table, said.target, said.path, said.when)] = None
    if problems:
        raise PolicyInvalid(file, problems)
    return Graph(schema, tables, tuple(r for r in found if r.table in tables and r.target_table in tables))


def unknown_columns(table: Table, columns: Iterable[str], at: Mark | None) -> list[Problem]:
    """A problem for each of `columns` that the table does not have."""
    known = [c.name for c in table.database_columns]
    return [Problem(f"table '{table.name}' has no column '{c}'{nearest(c, known)}", at) for c in columns if c not in known]


def unknown_table(schema: Schema, name: str, at: Mark | None) -> Problem:
    """The problem of a table that the schema does not have."""
    return Problem(f"there is no table '{name}'{nearest(name, [t.name for t in schema.tables])}", at)


def _problems(schema: Schema, said: VirtualReference) -> list[Problem]:
    missing = [unknown_table(schema, name, said.at) for name in (said.table, said.target_table) if not schema.has(name)]
    if missing:
        return missing
    target = schema.table(said.target_table)
    missing = unknown_columns(schema.table(said.table), said.columns, said.at) + unknown_columns(target, said.target, said.at)
    if missing:
        return missing
    end = _end(said.target_table, said.target)
    if frozenset(said.target) not in {frozenset(columns) for columns in target.unique_sets()}:
        return [Problem(f"a reference must go to a key or to unique columns, which {end} is not", said.at)]
    if len(said.columns) != len(said.target) or (said.path and len(said.columns) > 1):
        return [Problem(f"the reference to {end} has {len(said.columns)} columns for {len(said.target)}", said.at)]
    if said.path is not None and (reason := JsonPaths().problem(said.path)) is not None:
        return [Problem(f"the reference to {end}: {reason}", said.at)]
    return []


def _end(table: str, columns: Sequence[str]) -> str:
    return f"{table}.{columns[0]}" if len(columns) == 1 else f"{table}.({', '.join(columns)})"
