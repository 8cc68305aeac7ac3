"""Data definition language from a `Schema`: the statements that make its tables in PostgreSQL, DuckDB or SQLite.

Statements come in phases, so that a loader can make tables, stream the data and add the rest afterwards. Where a target
cannot take a constraint (a foreign key in a cycle of tables in DuckDB, a regular expression in SQLite) it is left out of
the statements and named in `Ddl.not_enforced`, with a query that finds the rows which break it where there is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.errors import InputError
from schemas.model import ForeignKey, Schema, Table

DIALECTS = ("postgresql", "duckdb", "sqlite")
PHASES = ("namespaces", "types", "sequences", "tables", "keys", "indexes", "foreign keys", "checks", "counters", "comments")
BEFORE_DATA, AFTER_DATA = PHASES[:4], PHASES[4:]

Probe = Callable[[str], str | None]
SelfReferenceProbe = Callable[[Table, ForeignKey], str | None]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement: its phase, the namespace, type or table that it is about, and its SQL."""

    phase: str
    subject: str
    sql: str


@dataclass(frozen=True, slots=True)
class NotEnforced:
    """What the target does not enforce.

    `query` counts the rows that break it, in the target's own dialect; None where the target cannot even ask.
    """

    table: str
    what: str
    reason: str
    query: str | None = None


@dataclass(frozen=True)
class Ddl:
    """The statements of a schema for one target; `order` is the order in which its tables can be filled."""

    dialect: str
    statements: tuple[Statement, ...]
    order: tuple[str, ...]
    not_enforced: tuple[NotEnforced, ...] = ()

    def phase(self, *names: str) -> list[Statement]:
        """Return the statements of the phases `names`, in the order of `PHASES`."""
        return [s for s in self.statements if s.phase in names]

    def script(self) -> str:
        """Return all statements as one SQL script."""
        return "".join(f"{s.sql};\n" for s in self.statements)


def no_objection(_: str) -> str | None:
    """A probe that takes every statement."""
    return None


def ddl(
    schema: Schema,
    dialect: str,
    *,
    probe: Probe = no_objection,
    next_values: Mapping[tuple[str, str], int] | None = None,
    self_references: SelfReferenceProbe | None = None,
    version: int | None = None,
) -> Ddl:
    """Return the statements that make the tables of `schema` in `dialect`.

    `probe` tries a statement in a scratch database of the target and returns why it was refused, or None; expressions that
    it refuses are left out and reported. `next_values` says where the sequence of an identity column (by table and column)
    begins in DuckDB, which cannot move one later. `self_references` says why DuckDB cannot declare a table's reference to
    itself for the data at hand, or None. `version` is the major version of a PostgreSQL server, None for the newest. Raises
    InputError for a name or expression that the target cannot take.
    """
    from schemas.ddl_duckdb import duckdb_ddl
    from schemas.ddl_postgresql import postgresql_ddl
    from schemas.ddl_sqlite import sqlite_ddl

    if dialect == "postgresql":
        return postgresql_ddl(schema, version)
    if dialect == "duckdb":
        return duckdb_ddl(schema, probe, next_values or {}, self_references)
    if dialect == "sqlite":
        return sqlite_ddl(schema, probe)
    raise InputError(f"no DDL for '{dialect}'; there is DDL for {', '.join(DIALECTS)}")
