"""Which rows exist at a moment.

A row exists where its own span (`lives` of its table) holds the moment, and every row that it must reference exists too, so
that what exists is closed under references. All of it is told from the whole history: a row's beginning and end never change.
Tables whose rows must reference each other in a circle are settled together, in one byte a row.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np

from datagen.arrays import Mask, moments
from datagen.blocks import blocks_of
from datagen.rows import Rows
from schemas.ddl_order import components
from schemas.lives import lives_of
from schemas.model import ForeignKey, Schema, Table

if TYPE_CHECKING:
    from datagen.plan import Plan


def required_keys(table: Table) -> tuple[ForeignKey, ...]:
    """The foreign keys of `table` that are never null."""
    return tuple(f for f in table.foreign_keys if not any(table.column(c).nullable for c in f.columns))


class Lifetimes:
    """The rows of a plan's tables that exist at `moment` (microseconds since 1970).

    At the anchor a row that has not ended exists, whenever it begins: the last state is the whole.
    """

    def __init__(self, history: Plan, moment: int) -> None:
        self._plan, self._moment = history, moment
        self.last = moment >= history.schema.anchor
        self._circles = _circles(history.schema)
        self._settled: dict[str, Mask] = {}
        self._lock = threading.RLock()
        self._ending = _with_dependents(history.schema, {t.name for t in history.schema.tables if lives_of(t).ends})
        beginning = set() if self.last else {t.name for t in history.schema.tables if lives_of(t).begins}
        self._changing = _with_dependents(history.schema, self._ending | beginning)

    def always(self, table: str) -> bool:
        """Whether all rows of `table` exist, whatever they hold."""
        return table not in self._changing

    def may_end(self, table: str) -> bool:
        """Whether rows of `table` may be deleted, or go with a row that they must reference."""
        return table in self._ending

    def exist(self, rows: Rows) -> Mask:
        """Which of `rows` (of the whole history) exist; all `True` in tables whose rows are always there."""
        if self.always(rows.table):
            return np.ones(len(rows), np.bool_)
        if rows.table in self._circles:
            return self._settle(rows.table)[rows.numbers()]
        return rows.memo(("exist", self._moment), lambda: self._found(rows))

    def note(self, rows: Rows) -> None:
        """Note that all of `rows` exist, so that it is not asked again."""
        rows.memo(("exist", self._moment), lambda: np.ones(len(rows), np.bool_))

    def _found(self, rows: Rows) -> Mask:
        found = self._own(rows)
        for key in required_keys(self._plan.schema.table(rows.table)):
            if not self.always(key.table):
                found &= self._referenced(rows, key)
        return found

    def _referenced(self, rows: Rows, key: ForeignKey) -> Mask:
        picked = rows.parent(key.columns)
        found: Mask = picked.pick(self.exist(picked.rows).astype(np.int64)) != 0
        return found

    def _own(self, rows: Rows) -> Mask:
        table = self._plan.schema.table(rows.table)
        lives = lives_of(table)
        found = np.ones(len(rows), np.bool_)
        if lives.begins is not None and not self.last:
            begins, absent = moments(table.column(lives.begins).type, rows.column(lives.begins))
            found &= begins <= self._moment if absent is None else (begins <= self._moment) | absent
        if lives.ends is not None:
            ends, absent = moments(table.column(lives.ends).type, rows.column(lives.ends))
            found &= ends > self._moment if absent is None else (ends > self._moment) | absent
        return found

    # Circles

    def _settle(self, table: str) -> Mask:
        """Which rows of a table of a circle exist: from all that are in their own span, take those away that miss another."""
        with self._lock:
            if table not in self._settled:
                members = self._circles[table]
                for name in members:
                    found = [self._outside(rows, members) for rows in self._blocks(name)]
                    self._settled[name] = np.concatenate([np.empty(0, np.bool_), *found])
                while sum(self._strike(name, members) for name in members):
                    pass
            return self._settled[table]

    def _outside(self, rows: Rows, members: tuple[str, ...]) -> Mask:
        found = self._own(rows)
        for key in required_keys(self._plan.schema.table(rows.table)):
            if key.table not in members and not self.always(key.table):
                found &= self._referenced(rows, key)
        return found

    def _strike(self, table: str, members: tuple[str, ...]) -> bool:
        """Take the rows away that must reference one that is gone; says whether there was any."""
        settled, struck = self._settled[table], False
        keys = [f for f in required_keys(self._plan.schema.table(table)) if f.table in members]
        for rows in self._blocks(table):
            here = slice(rows.index.start, rows.index.stop)  # type: ignore[union-attr]
            for key in keys:
                links = rows.links(key.columns)
                missing = settled[here] & (links >= 0) & ~self._settled[key.table][np.maximum(links, 0)]
                struck |= bool(missing.any())
                settled[here] &= ~missing
        return struck

    def _blocks(self, table: str) -> list[Rows]:
        return [Rows(self._plan.tables, table, block) for block in blocks_of(self._plan.row_count(table))]


def _circles(schema: Schema) -> dict[str, tuple[str, ...]]:
    """The tables that must reference themselves or each other in a circle, and the circle of each."""
    return {name: members for members in components(schema) for name in members if _runs(schema, name, members)}


def _runs(schema: Schema, name: str, members: tuple[str, ...]) -> bool:
    return len(members) > 1 or any(f.table == name for f in required_keys(schema.table(name)))


def _with_dependents(schema: Schema, tables: set[str]) -> set[str]:
    """`tables` and all whose rows must reference a row of them, directly or not."""
    found = set(tables)
    while more := {t.name for t in schema.tables if t.name not in found and any(f.table in found for f in required_keys(t))}:
        found |= more
    return found
