"""Hierarchies of a bundle: references of a table to itself that are acyclic, and no deeper than they say, held by DuckDB.

Who stands so many rows above a row is found by doubling, as in powers of a number: a chain of a million rows takes twenty joins. Where the
reference may not be null, a row that refers to itself is a root.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb

from bundles.report import Findings
from bundles.scanning import Session, numbered, reason, scan
from schemas.model import ForeignKey, Table


def check_hierarchies(session: Session, table: Table, paths: Sequence[Path], found: Findings) -> None:
    """Note every row of `table` that is above itself, or has more rows above it than an acyclic reference allows."""
    stored = [c.name for c in table.stored_columns]
    for key in (f for f in table.foreign_keys if f.acyclic):
        name = f"reference ({', '.join(key.columns)}) without cycles"
        if not {*key.columns, *key.target} <= set(stored):
            found.skipped("rule", f"{name}: the database computes one of its columns", table.name)
            continue
        try:
            _check(session, table, key, paths, found)
        except duckdb.Error as error:
            found.skipped("rule", f"{name}: {reason(error)}", table.name)


def _check(session: Session, table: Table, key: ForeignKey, paths: Sequence[Path], found: Findings) -> None:
    column = key.columns[0] if len(key.columns) == 1 else None
    own = f"the reference ({', '.join(key.columns)})"
    with _Ascents(session, table, key, paths) as ascents:
        found.count("rules")
        above = ascents.after(ascents.rows)
        if above is not None:  # whoever stands that far above another stands above itself
            first, rows = session.row(f"SELECT min(up), count(DISTINCT up) FROM {above}")
            found.wrong("rule", f"{own} is acyclic, and by it the row is its own ancestor", table.name, column, first, rows)
        elif key.depth is not None and (deep := ascents.after(key.depth + 1)) is not None:
            first, rows = session.row(f"SELECT min(row), count(*) FROM {deep}")
            found.wrong("rule", f"{own} has a depth of {key.depth}, and the row has more rows above it", table.name, column, first, rows)


class _Ascents:
    """Temporary tables of (row, up): each row by number, and the one that is so many steps above it, where there is one."""

    def __init__(self, session: Session, table: Table, key: ForeignKey, paths: Sequence[Path]) -> None:
        self.session, self.table, self.key, self.paths = session, table, key, paths
        self.rows = self._made = 0
        self._powers: list[str] = []  # 1, 2, 4 ... steps up

    def __enter__(self) -> _Ascents:
        names = [c.name for c in self.table.stored_columns]
        lines, number = numbered(scan(self.table, self.paths, positional=True), ())
        pairs = zip(self.key.columns, self.key.target, strict=True)
        same = " AND ".join(f"child.c{names.index(own)} = parent.c{names.index(other)}" for own, other in pairs)
        if not any(self.table.column(c).nullable for c in self.key.columns):
            same += f" AND child.{number} <> parent.{number}"
        (self.rows,) = self.session.row(f"SELECT count(*) FROM ({lines})")
        once = f"SELECT child.{number} AS row, parent.{number} AS up FROM ({lines}) AS child JOIN ({lines}) AS parent ON {same}"
        self._powers.append(self._kept(once))
        return self

    def __exit__(self, *raised: object) -> None:
        for number in range(self._made):
            self.session.run(f"DROP TABLE IF EXISTS ascent{number}")

    def after(self, steps: int) -> str | None:
        """The table of rows and who stands `steps` above them; None where nobody does."""
        found = ""
        for power in range(steps.bit_length()):
            if power == len(self._powers):
                self._powers.append(self._joined(self._powers[-1], self._powers[-1]))
            if not self._has_rows(self._powers[power]):
                return None
            if steps >> power & 1:
                found = self._joined(found, self._powers[power]) if found else self._powers[power]
        return found if found and self._has_rows(found) else None

    def _joined(self, first: str, then: str) -> str:
        return self._kept(f"SELECT a.row, b.up FROM {first} AS a JOIN {then} AS b ON a.up = b.row")

    def _has_rows(self, name: str) -> bool:
        return bool(self.session.row(f"SELECT count(*) FROM {name}")[0])

    def _kept(self, sql: str) -> str:
        name = f"ascent{self._made}"
        self.session.run(f"CREATE TEMP TABLE {name} AS {sql}")
        self._made += 1
        return name
