"""What a database says of its tables now, in the words of the schema language where it can be said in them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

import pyarrow as pa

from provisioning.errors import TargetFailure
from provisioning.hosts.file_use import unseen
from provisioning.target import Target
from schemas.model import Column, Table
from schemas.types import SqlType

Place = tuple[str | None, str]


@dataclass(frozen=True, slots=True)
class LiveColumn:
    """A column: its type in the database's words, and what is known of the values of an enum."""

    name: str
    type: str
    nullable: bool
    computed: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LiveReference:
    """A foreign key, by the place of the table that it refers to."""

    columns: tuple[str, ...]
    place: Place
    target: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LiveTable:
    """A table: its place (database schema and name), columns, key, and what the database enforces."""

    place: Place
    columns: tuple[LiveColumn, ...]
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    references: tuple[LiveReference, ...] = ()


class Live(Protocol):
    """A database in one consistent state, which changes of others do not reach; our own tables are not among its tables.

    `default` is the database schema of tables whose names say none, `folds` whether names that differ in case alone are the same, `shown`
    how the database is called in messages.
    """

    default: str | None
    folds: bool
    shown: str

    def tables(self) -> Sequence[LiveTable]:
        """Return all tables, in the order of their places."""

    def place(self, table: str) -> Place:
        """Return where a table of a bundle's schema lives."""

    def sql(self, place: Place) -> str:
        """Return a place for SQL."""

    def carries(self, column: Column, found: LiveColumn, table: Table) -> bool:
        """Whether a column still has the type that the bundle's column was made with."""

    def type(self, found: LiveColumn) -> SqlType:
        """Return the type that carries a column; ValueError where there is none."""

    def expression(self, sql: str, table: Table) -> str:
        """Return a check in the database's words; Untranslatable or InputError."""

    def is_kept(self, query: str) -> bool:
        """Whether a query that counts rows which break something counts none; false where it cannot be asked."""

    def strays(self, column: Column, place: Place) -> SqlType | None:
        """Return the wider type that the values of a column need, where the database does not hold them to its own; None elsewhere."""

    def read(self, table: Table, place: Place, *, ordered: bool = True) -> Iterator[pa.RecordBatch]:
        """Read all rows in the order of the key, or of all columns where there is none: by value, texts by their UTF-8 bytes."""


@contextmanager
def opened(target: Target) -> Iterator[Live]:
    """Open the database at `target`, which was made from a bundle; TargetFailure where it cannot be read.

    To look at a file is no use of it that `provisioning.hosts.file_use` would see.
    """
    module = import_module(f"provisioning.snapshots.{target.dialect}")
    if target.path is not None and not target.path.is_file():
        raise TargetFailure(f"there is no database '{target.path}'")
    with nullcontext() if target.path is None else unseen(target.path), module.opened(target) as live:
        yield live


def in_order(table: Table) -> Sequence[Column]:
    """Return the columns by which rows are put in order."""
    return [table.column(c) for c in table.key] if table.key else table.stored_columns
