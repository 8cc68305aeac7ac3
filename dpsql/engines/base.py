"""What measuring needs of a database."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any, Protocol

import pyarrow as pa

from dpsql.compiling.dialects import Name


class DataFault(Exception):
    """A statement failed over what the data holds; the answer then keeps its shape, as if no row had been found."""


class Reading(Protocol):
    """One snapshot of the data."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return all rows of `sql`; DataFault where the data makes it fail, EngineFailure where the database does."""
        ...

    def hold(self, sql: str) -> str | None:
        """Keep the rows of `sql` for the rest of the reading and return the name of their table, or None where there is no place."""
        ...


class Engine(Protocol):
    """A database with the tables of a schema."""

    dialect: Name

    def read(self) -> AbstractContextManager[Reading]:
        """Open a snapshot; EngineFailure where the database cannot be reached."""
        ...

    def public_table(self, name: str, columns: tuple[str, ...], most: int) -> pa.Table:
        """Return the columns of a public table, QueryRefused where it has more than `most` rows."""
        ...

    def unique(self, reading: Reading, table: str, columns: tuple[str, ...]) -> bool:
        """Whether no two rows that `reading` sees have the same values in `columns`, nulls among them; false where that is not known."""
        ...

    def cancel(self, thread: int) -> None:
        """Stop what the thread of that identity runs, from another thread."""
        ...

    def close(self) -> None:
        """Let go of the database; nothing can be read any more."""
        ...
