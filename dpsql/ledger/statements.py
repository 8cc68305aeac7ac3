"""The statements of every question, compiled once and run by the driver: what SQLAlchemy does each time takes longer than they do."""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from dpsql.ledger.base import Kind
from dpsql.ledger.tables import entries, parts
from schemas.transactions import driven


class EntryRow(NamedTuple):
    """An entry as it is stored: the columns of its table, in their order."""

    number: int
    at: str
    kind: Kind
    release: str | None
    analyst: str | None
    epsilon: float
    delta: float
    rho: float
    delta_rho: float
    sql: str | None
    digest: str | None
    document: str
    previous: str
    hash: str


class Statement:
    """A statement whose parameters are all named by `sa.bindparam` or, of an insertion, by the columns."""

    def __init__(self, clause: sa.ClauseElement) -> None:
        self._clause = clause
        self._compiled: dict[str, tuple[str, list[str] | None, dict[str, Any]]] = {}

    def run(self, connection: sa.Connection, **values: Any) -> list[tuple[Any, ...]]:
        """Run the statement with these parameters, which the driver takes as they are, and return its rows."""
        dialect = connection.dialect
        if dialect.name not in self._compiled:
            compiled: Any = self._clause.compile(dialect=dialect)
            self._compiled[dialect.name] = compiled.string, compiled.positiontup, compiled.params
        text, order, constants = self._compiled[dialect.name]
        values = {**constants, **values}
        return driven(connection, text, values if order is None else [values[name] for name in order])


def _latest(*columns: str) -> Statement:
    asked = sa.select(entries).where(*(entries.c[name] == sa.bindparam(name) for name in columns))
    return Statement(asked.order_by(entries.c.number.desc()).limit(1))


LATEST: dict[tuple[str, ...], Statement] = {
    columns: _latest(*columns) for columns in (("kind", "release"), ("kind", "analyst"), ("kind", "release", "analyst"))
}
LAST = Statement(sa.select(entries.c.number, entries.c.hash).order_by(entries.c.number.desc()).limit(1))
HASH_OF = Statement(sa.select(entries.c.hash).where(entries.c.number == sa.bindparam("number")))
ADD_ENTRY = Statement(entries.insert())
ADD_PART = Statement(parts.insert())


@lru_cache(maxsize=256)
def parts_among(count: int) -> Statement:
    """The statement that finds the kept parts of `release` among the digests `d0`, `d1`, ..."""
    wanted: list[sa.BindParameter[str]] = [sa.bindparam(f"d{n}") for n in range(count)]
    return Statement(sa.select(parts.c.digest, parts.c.data).where(parts.c.release == sa.bindparam("release"), parts.c.digest.in_(wanted)))
