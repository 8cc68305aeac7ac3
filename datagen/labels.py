"""Labels: what is true about the rows that scenarios have touched, in a side table for each scenario.

A label table has one row for each episode, then one for each row that the episode set or added. `role` says whether it is what
it looks like; the other columns name the subject and the row, as foreign keys of the data class of what they reference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from datagen.arrays import from_units
from datagen.errors import Unusable
from datagen.planting import Applied
from datagen.randomness import Int64
from datagen.rows import Kernel, Rows
from schemas.model import Column, ForeignKey, Recipe, Schema, Table
from schemas.model import Rows as RowCount
from schemas.scenario_rules import label_table_name
from schemas.scenarios import ROLES
from schemas.types import SqlType
from schemas.yaml_nodes import MAX_NAME

if TYPE_CHECKING:
    from datagen.plan import Plan

_BIGINT, _INTEGER, _TEXT, _MOMENT = SqlType("bigint"), SqlType("integer"), SqlType("text"), SqlType("timestamptz")
_CHANGES = ("episode", "set", "added")


@dataclass(frozen=True)
class Labels:
    """The label table of an applied scenario, and the arrays from which it is made: one entry for each of its rows.

    `rows` holds, for each labelled table, the number of its row (-1 for none).
    """

    table: Table
    episode: Int64
    change: Int64
    phase: pa.Array
    rows: dict[str, Int64]
    applied: Applied

    @classmethod
    def of(cls, schema: Schema, applied: Applied) -> Labels:
        """Make the labels of a scenario; raises Unusable where a name would be too long."""
        happened = applied.happened()
        count = len(happened)
        episode, change = [happened], [np.zeros(count, np.int64)]
        phase = [pa.nulls(count, pa.string())]
        pointed: list[tuple[str, Int64]] = []
        for one in applied.shown:
            rows = len(one.befallen.rows)
            pointed.append((one.change.table, one.befallen.rows))
            episode.append(one.befallen.episode)
            change.append(np.full(rows, 2 if one.change.adds else 1, np.int64))
            phase.append(one.befallen.phases)
        order = np.argsort(np.concatenate(episode), kind="stable")
        tables = list(dict.fromkeys(one.change.table for one in applied.shown))
        found = {}
        for table in tables:
            pieces = [np.full(count, -1, np.int64)]
            pieces += [rows if name == table else np.full(len(rows), -1, np.int64) for name, rows in pointed]
            found[table] = np.concatenate(pieces)[order]
        return cls(
            _table(schema, applied, tables, len(order)),
            np.concatenate(episode)[order],
            np.concatenate(change)[order],
            pa.concat_arrays(phase).take(pa.array(order)),
            found,
            applied,
        )

    def add_to(self, plan: Plan) -> None:
        """Give the plan the kernels and links of the label table."""
        from datagen.plan import TablePlan

        episodes = self.applied.episodes
        kernels: dict[str, Kernel] = {
            "id": lambda rows: from_units(_BIGINT, rows.numbers() + 1),
            "episode": lambda rows: from_units(_INTEGER, self.episode[rows.numbers()] + 1),
            "role": _words(ROLES, lambda rows: episodes.role[self.episode[rows.numbers()]]),
            "change": _words(_CHANGES, lambda rows: self.change[rows.numbers()]),
            "phase": lambda rows: self.phase.take(pa.array(rows.numbers())),
            "happened_at": lambda rows: from_units(_MOMENT, episodes.moments[self.episode[rows.numbers()]]),
        }
        own = TablePlan(self.table, len(self.episode), kernels=kernels)
        subjects, *labelled = self.table.foreign_keys
        own.links[subjects.columns] = _Pointing(subjects.table, episodes.subjects[self.episode])
        for key in labelled:
            own.links[key.columns] = _Pointing(key.table, self.rows[key.table])
        for key in self.table.foreign_keys:
            for column, target in zip(key.columns, key.target, strict=True):
                kernels[column] = _referenced(key.columns, target)
        plan.tables[self.table.name] = own


def _words(words: Sequence[str], index: Callable[[Rows], Int64]) -> Kernel:
    values = pa.array(words, pa.string())
    return lambda rows: values.take(pa.array(index(rows)))


def _referenced(key: tuple[str, ...], target: str) -> Kernel:
    return lambda rows: rows.parent(key).column(target)


@dataclass(frozen=True)
class _Pointing:
    parent: str
    numbers: Int64

    def __call__(self, rows: Rows) -> Int64:
        return self.numbers[rows.numbers()]


def _table(schema: Schema, applied: Applied, tables: Sequence[str], count: int) -> Table:
    scenario = applied.scenario
    columns = [
        Column("id", _BIGINT, generate=Recipe("sequence")),
        Column("episode", _INTEGER, comment="counts the subjects that were befallen"),
        Column("role", _TEXT, comment="positive, or near_miss for what only looks alike"),
        Column("change", _TEXT, comment="episode, or whether the row was set or added"),
        Column("phase", _TEXT, 0.0),
        Column("happened_at", _MOMENT, comment="the moment of the episode"),
    ]
    keys: list[ForeignKey] = []
    for name, prefix in [(scenario.subjects, "subject"), *((t, t.replace(".", "_")) for t in tables)]:
        target = schema.table(name)
        named = [f"{prefix}_{c}" for c in target.key]
        taken = {c.name.casefold() for c in columns}
        for column, key in zip(named, target.key, strict=True):
            if len(column.encode()) > MAX_NAME or column.casefold() in taken:
                raise Unusable(f"the label table cannot have a column '{column[:80]}': it is too long, or there twice")
            null = None if prefix == "subject" and not keys else 0.0
            columns.append(Column(column, target.column(key).type, null, data_class=target.column(key).data_class))
        keys.append(ForeignKey(tuple(named), name, target.key))
    comment = f"Ground truth of the scenario {scenario.name}" + (f": {scenario.comment}" if scenario.comment else "")
    return Table(
        label_table_name(scenario), tuple(columns), RowCount(count, fixed=True), ("id",), foreign_keys=tuple(keys), comment=comment
    )
