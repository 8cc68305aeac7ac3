"""Tables that refer to themselves, in DuckDB: which rows must be there before which.

DuckDB checks a row's reference against earlier statements only, so that rows are added generation by generation: first
those that refer to no row, then those that refer to them, and so on. Rows that refer to themselves or around in a circle,
and chains beyond `LIMIT` generations, cannot be added under a foreign key.
"""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from schemas.ddl_names import listed, quoted
from schemas.model import ForeignKey, Table

LIMIT = 64


class Generations:
    """The rows of one table, staged and numbered by generation; `obstacle` says why that cannot be, or is None."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: Table, rows: str, number: int) -> None:
        self._connection, self._table = connection, table
        self._stage, self._born, self._places = (f"temp.{name}_{number}" for name in ("stage", "born", "places"))
        self._keys = [k for k in table.foreign_keys if k.table == table.name]
        self._count = 0
        connection.execute(f"CREATE TEMP TABLE stage_{number} AS SELECT row_number() OVER () AS position, * FROM ({rows})")
        connection.execute(f"CREATE TEMP TABLE born_{number} (position BIGINT, generation INTEGER)")
        self.obstacle = self._assign()
        if self.obstacle is None:
            connection.execute(
                f"CREATE TEMP TABLE places_{number} AS SELECT position, "
                f"row_number() OVER (ORDER BY generation, position) AS place FROM {self._born}"
            )
        else:
            connection.execute(f"DROP TABLE {self._stage}")

    def queries(self) -> Iterator[str]:
        """The query of each generation's rows."""
        columns = listed(c.name for c in self._table.stored_columns)
        for generation in range(self._count):
            yield (
                f"SELECT {columns} FROM {self._stage} SEMI JOIN "
                f"(SELECT position FROM {self._born} WHERE generation = {generation}) b USING (position) ORDER BY position"
            )

    def in_order(self, filled: str) -> str:
        """Return a relation of the rows of the filled table in the order in which they were staged."""
        numbered = f"(SELECT row_number() OVER () AS place, * FROM {filled})"
        return f"(SELECT t.* FROM {numbered} t JOIN {self._places} USING (place) ORDER BY position)"

    def _assign(self) -> str | None:
        staged = self._number(f"SELECT count(*) FROM {self._stage}")
        born = 0
        while born < staged:
            if self._count == LIMIT:
                return f"DuckDB adds rows before those that refer to them, and chains here are longer than {LIMIT} rows"
            added = self._number(
                f"INSERT INTO {self._born} SELECT position, {self._count} FROM {self._stage} s "
                f"WHERE position NOT IN (SELECT position FROM {self._born}) AND {' AND '.join(map(self._ready, self._keys))}"
            )
            if not added:
                return "DuckDB takes no row that refers to itself, or to one that refers back to it"
            born += added
            self._count += 1
        return None

    def _ready(self, key: ForeignKey) -> str:
        absent = " OR ".join(f"s.{quoted(c)} IS NULL" for c in key.columns)
        if self._count == 0:
            return f"({absent})"
        same = f"({', '.join(f's.{quoted(c)}' for c in key.columns)})"
        parents = f"SELECT ({listed(key.target)}) FROM {self._stage} SEMI JOIN {self._born} USING (position)"
        return f"({absent} OR {same} IN ({parents}))"

    def _number(self, sql: str) -> int:
        row = self._connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])
