"""Groups: the rows of a table that share a parent, wherever they lie in it.

They lie together where every table between is generated per parent, which numbers alone say; others are sorted once.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

import numpy as np

from datagen.families import Family
from datagen.inputs import link_of, rows_of
from datagen.randomness import Int64
from datagen.rows import Rows
from schemas.model import ForeignKey, Table

if TYPE_CHECKING:
    from datagen.plan import Plan


class Groups(Protocol):
    """The rows of a table grouped by a parent, each group at consecutive positions, its rows in rising order.

    `ranges` gives for each parent where its rows begin and how many they are; `members` the rows at positions, and
    `positions` the reverse.
    """

    def ranges(self, groups: Int64) -> tuple[Int64, Int64]: ...

    def members(self, positions: Int64) -> Int64: ...

    def positions(self, members: Int64) -> Int64: ...


@dataclass(frozen=True)
class FamilyGroups:
    """Groups that lie together because every table between is generated per parent; `chain` leads down from the group."""

    chain: tuple[Family, ...]

    def ranges(self, groups: Int64) -> tuple[Int64, Int64]:
        start, stop = groups, groups + 1
        for family in self.chain:
            start, stop = family.starts(start), family.starts(stop)
        return start, stop - start

    def members(self, positions: Int64) -> Int64:
        return positions

    def positions(self, members: Int64) -> Int64:
        return members


class SortedGroups:
    """Groups found by sorting the links of all rows of a table, when first asked for in a finished plan; 24 bytes a row."""

    def __init__(self, plan: Plan, table: str, key: ForeignKey) -> None:
        self._plan, self._table, self._key = plan, table, key

    @cached_property
    def _sorted(self) -> tuple[Int64, Int64, Int64]:
        """The row at each position, the position at which each group begins, and that of each row."""
        plan = self._plan
        links = Rows(plan.tables, self._table, range(plan.row_count(self._table))).links(self._key.columns)
        order = np.argsort(links, kind="stable")
        positions = np.empty_like(order)
        positions[order] = np.arange(len(order))
        return order, np.searchsorted(links[order], np.arange(plan.row_count(self._key.table) + 1)), positions

    def ranges(self, groups: Int64) -> tuple[Int64, Int64]:
        starts = self._sorted[1]
        start = starts[groups]
        return start, starts[groups + 1] - start

    def members(self, positions: Int64) -> Int64:
        order = self._sorted[0]
        return order[np.clip(positions, 0, len(order) - 1)] if len(order) else np.full(len(positions), -1, np.int64)

    def positions(self, members: Int64) -> Int64:
        return self._sorted[2][members]


def groups_of(plan: Plan, table: str, key: ForeignKey) -> Groups:
    """Return the rows of `table` grouped by the rows that its `key` references."""
    chain = _chain(plan, table, key)
    if chain is not None:
        return FamilyGroups(chain)
    plan.inputs.reads(link_of(table, key.columns), rows_of(key.table))
    return SortedGroups(plan, table, key)


def _chain(plan: Plan, name: str, key: ForeignKey) -> tuple[Family, ...] | None:
    """The families that lead from the rows `key` references down to the table `name`, if `key` follows them."""
    table = plan.schema.table(name)
    family = plan.family(name)
    if family is None:
        return None
    if family_key_of(table) == key:
        return (family,)
    column = table.column(key.columns[0])
    if len(key.columns) > 1 or column.generate is None or column.generate.name != "from":
        return None
    hops, end = plan.hops(str(column.generate.args["path"]), table, column.at)
    if len(hops) != 1 or hops[0] != family_key_of(table):
        return None
    middle = plan.schema.table(hops[0].table)
    onward = next((f for f in middle.foreign_keys if f.columns == (end,) and f.table == key.table), None)
    above = None if onward is None else _chain(plan, middle.name, onward)
    return None if above is None else (*above, family)


def family_key_of(table: Table) -> ForeignKey | None:
    """The foreign key by which a table with rows per parent names that parent."""
    able = [
        f for f in table.foreign_keys
        if f.table == table.rows.per and not any(table.column(c).generate is not None for c in f.columns)
    ]  # fmt: skip
    return min(able, key=lambda f: f.within is not None, default=None)
