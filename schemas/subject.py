"""A schema under examination, for the rules that find its problems."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from schemas.model import Schema, Table


@dataclass(frozen=True)
class Subject:
    """A schema under examination, without the parts whose problems are known already."""

    schema: Schema
    broken: Collection[tuple[str, ...]] = ()

    def sound(self, table: str, *columns: str) -> bool:
        """Whether a table, and columns of it, were read without problems."""
        return (table,) not in self.broken and not any((table, column) in self.broken for column in columns)

    @property
    def tables(self) -> Iterator[Table]:
        return (table for table in self.schema.tables if self.sound(table.name))
