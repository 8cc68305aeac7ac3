"""Keys, unique constraints and references of a bundle, held by DuckDB in bounded memory.

As in a database, values with a null in them repeat nothing, and refer to nothing (MATCH SIMPLE).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from bundles.report import Findings
from bundles.scanning import Session, numbered, positional_names, reason, scan
from schemas.model import ForeignKey, Table


class Constraints:
    """The constraints of tables whose Parquet files are known."""

    def __init__(self, session: Session, paths: dict[str, Sequence[Path]], found: Findings) -> None:
        self._session, self._paths, self._found = session, paths, found

    def check_unique(self, table: Table) -> None:
        """Note every key and unique constraint of `table` that rows break."""
        for columns in table.unique_sets():
            rule = "key" if columns == table.key else "unique"
            positions = positional_names(table, columns)
            if positions is None:
                self._found.skipped(rule, f"{rule} ({', '.join(columns)}): the database computes one of its columns", table.name)
                continue
            try:
                self._check_set(table, columns, positions, rule)
            except duckdb.Error as error:
                self._found.skipped(rule, f"{rule} ({', '.join(columns)}): {reason(error)}", table.name)

    def check_references(self, table: Table, other: Table, key: ForeignKey) -> None:
        """Note where rows of `table` refer to rows that `other` does not have."""
        name = f"reference ({', '.join(key.columns)}) to {key.table} ({', '.join(key.target)})"
        mine, theirs = positional_names(table, key.columns), positional_names(other, key.target)
        if mine is None or theirs is None:
            self._found.skipped("reference", f"{name}: the database computes one of its columns", table.name)
            return
        try:
            self._check_reference(table, other, key, mine, theirs)
        except duckdb.Error as error:
            self._found.skipped("reference", f"{name}: {reason(error)}", table.name)

    def _check_set(self, table: Table, columns: tuple[str, ...], positions: list[str], rule: str) -> None:
        rows = scan(table, self._paths[table.name], positional=True)
        present = " AND ".join(f"{p} IS NOT NULL" for p in positions)
        group = ", ".join(positions)
        (repeated,) = self._session.row(
            f"SELECT count(*) FROM (SELECT 1 FROM ({rows}) WHERE {present} GROUP BY {group} HAVING count(*) > 1)"
        )
        self._found.count("keys")
        if not repeated:
            return
        lines, number = numbered(rows, ())
        again = f"SELECT {number}, row_number() OVER (PARTITION BY {group} ORDER BY {number}) AS nth FROM ({lines}) WHERE {present}"
        first, count = self._session.row(f"SELECT min({number}), count(*) FROM ({again}) WHERE nth > 1")
        what = "the key" if rule == "key" else "what must be unique"
        self._wrong(rule, f"repeats {what} ({', '.join(columns)}) of an earlier row", table, columns, first, count)

    def _check_reference(self, table: Table, other: Table, key: ForeignKey, mine: list[str], theirs: list[str]) -> None:
        child, parent = (
            scan(table, self._paths[table.name], positional=True),
            scan(other, self._paths[other.name], positional=True),
        )
        same = " AND ".join(f"child.{m} = parent.{t}" for m, t in zip(mine, theirs, strict=True))
        present = " AND ".join(f"child.{m} IS NOT NULL" for m in mine)
        lost = f"AS child ANTI JOIN ({parent}) AS parent ON {same} WHERE {present}"
        (count,) = self._session.row(f"SELECT count(*) FROM ({child}) {lost}")
        self._found.count("references")
        if not count:
            return
        lines, number = numbered(child, ())
        (first,) = self._session.row(f"SELECT min(child.{number}) FROM ({lines}) {lost}")
        what = f"({', '.join(key.columns)}) refers to a row of '{key.table}' ({', '.join(key.target)}) that does not exist"
        self._wrong("reference", what, table, key.columns, first, count)

    def _wrong(self, rule: str, what: str, table: Table, columns: tuple[str, ...], row: int, rows: int) -> None:
        column = columns[0] if len(columns) == 1 else None
        self._found.wrong(rule, what, table.name, column, row, rows)
