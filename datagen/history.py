"""The tables of a history as they were at a moment: a plan beside the plan of the whole history.

Row numbers, links, keys and draws are those of the whole history. A column is made anew where it changes over time: state
machines stop at the moment, aggregates see the rows that exist, and so does all that reads them. Every other column is that of
the whole history, and so are those that say when rows begin and those that are `ever`. A reference that may be null is null
while the row that it points to does not exist, and a time that may be null is null while it lies ahead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from datagen.arrays import Mask, blank, moments
from datagen.compiling import Context
from datagen.errors import Unusable
from datagen.expression import Connections
from datagen.folds import Foldings
from datagen.inputs import Inputs, Node
from datagen.lifetimes import Lifetimes, required_keys
from datagen.links import FactorLink, FamilyLink, FollowedLink, ValueLink
from datagen.plan import Plan, TablePlan, with_nulls
from datagen.randomness import Int64
from datagen.rows import Kernel, Link, Rows, Selection
from schemas.lives import lives_of
from schemas.model import Column, ForeignKey, Recipe, Table
from schemas.types import MOMENTS, SqlType

_MACHINES = ("states", "entered")
_AGGREGATES = ("sum", "count", "earliest", "latest")


class StatePlan(Plan):
    """The plan of the state of `history` at `moment` (microseconds since 1970); raises RecipeError."""

    def __init__(self, history: Plan, moment: int) -> None:
        self.history, self.as_of = history, moment
        self.schema, self.seed, self.scale, self.pools = history.schema, history.seed, history.scale, history.pools
        self.connections, self.draws, self.long_texts = Connections(), history.draws, history.long_texts
        self.inputs, self.foldings = Inputs(self.seed, self.schema.anchor), Foldings()
        self.base, self.further = history.base, history.further
        self._counting = history._counting
        self.canonical_json = set(history.canonical_json)
        self.media = dict(history.media)
        self.lifetimes = Lifetimes(history, moment)
        self.remade, self.masked = changing_columns(history, self.lifetimes)
        self._problems, self.needed = [], {}
        self.tables = {name: TablePlan(plan.table, plan.count, plan.family) for name, plan in history.tables.items()}
        for name, plan in self.tables.items():
            plan.walks.update((column, self._recalled_walk(name, column)) for column in history.tables[name].walks)
            keys = {f.columns: f for f in plan.table.foreign_keys}
            for columns, link in history.tables[name].links.items():
                plan.links[columns] = self._link(plan.table, keys.get(columns), columns, link)
        for name, plan in self.tables.items():
            for column in (plan.table.column(c) for c in history.tables[name].kernels):
                self._collect(partial(self._make, plan.table, column), column.at)
            for key in plan.table.foreign_keys:
                self._check_target(key)
        self._stop_at_problems()

    def _check_target(self, key: ForeignKey) -> None:
        for column in key.target:
            if (key.table, column) in self.remade | self.masked:
                why = f"{key.table}.{column} is referenced and changes over time, so no moment has a state"
                self.report(Unusable(f"{why}; let it be NOT NULL, and `ever: true` what it is made from", key.at))

    def changes(self, table: str) -> tuple[str, ...]:
        """The stored columns of `table` whose values may differ between moments."""
        return tuple(c.name for c in self.schema.table(table).stored_columns if (table, c.name) in self.remade | self.masked)

    def recall(self, rows: Rows) -> Rows:
        """The same rows in the whole history."""
        return rows.memo("history", lambda: Rows(self.history.tables, rows.table, rows.index))

    def exist(self, rows: Rows) -> Mask:
        """Which rows exist."""
        return self.lifetimes.exist(self.recall(rows))

    def take_for_existing(self, rows: Rows) -> Rows:
        """`rows`, of which is known that they exist."""
        self.lifetimes.note(self.recall(rows))
        return rows

    def existing(self, value: Callable[[Rows], Int64], empty: int) -> Callable[[Rows], Int64]:
        """Let `value` see only rows that exist; the others have the value `empty`."""

        def seen(rows: Rows) -> Int64:
            if self.lifetimes.always(rows.table):
                return value(rows)
            found = np.full(len(rows), empty, np.int64)
            here = np.flatnonzero(self.exist(rows))
            found[here] = value(rows if len(here) == len(rows) else Rows(self.tables, rows.table, rows.numbers()[here]))
            return found

        return seen

    def seen_until(self, until: int) -> int:
        return until if self.lifetimes.last else min(until, self.as_of)

    # Links

    def _link(self, table: Table, key: ForeignKey | None, columns: tuple[str, ...], link: Link) -> Link:
        if isinstance(link, FamilyLink):
            return link
        by_value, remade = isinstance(link, ValueLink), any((table.name, c) in self.remade for c in columns)
        required = key is None or key in required_keys(table)
        if by_value and required and remade and not self.lifetimes.always(link.parent):
            why = f"{', '.join(columns)} changes over time and may come to reference a row of {link.parent} that does not exist yet"
            self.report(Unusable(f"{why}; let it be nullable, or `ever: true` what it is made from", key.at if key else None))
        if by_value and remade:
            return link
        followed = remade and isinstance(link, FollowedLink | FactorLink)
        found = link if followed else RecalledLink(self, link.parent, columns)
        return found if required or self.lifetimes.always(link.parent) else PresentLink(self, found)

    def there(self, table: str, links: Int64) -> Mask:
        """Which of `links` lead to rows of `table` that exist."""
        targets = Selection(self.history.tables, table, links)
        return targets.pick(self.lifetimes.exist(targets.rows).astype(np.int64)) > 0

    # Columns

    def _make(self, table: Table, column: Column) -> None:
        own, name = self.tables[table.name], column.name
        kernel = self._remade_kernel(table, column) if (table.name, name) in self.remade else self._recalled_kernel(table.name, name)
        keys = [f for f in table.foreign_keys if name in nulling_columns(table, f) and not self.lifetimes.always(f.table)]
        if keys:
            kernel = self._without_absent(kernel, keys)
        if (table.name, name) in self.masked and column.type.kind in MOMENTS and not self.lifetimes.last:
            kernel = self._without_later(kernel, column.type)
        own.kernels[name] = kernel

    def _remade_kernel(self, table: Table, column: Column) -> Kernel:
        assert column.generate is not None
        references = self.history.references[table.name]
        ctx = Context(
            self, table, column.name, column.type, unique=references.must_be_unique(column.name), at=column.generate.at or column.at
        )
        return self._of_existing(table, column.type, with_nulls(self.compile_recipe(column.generate, ctx), column, ctx))

    def _of_existing(self, table: Table, type: SqlType, kernel: Kernel) -> Kernel:
        """Make values only of rows that exist: others may lack what they are made from. Theirs are null, and nobody sees them."""
        if self.lifetimes.always(table.name):
            return kernel

        def made(rows: Rows) -> pa.Array:
            there = self.exist(rows)
            if there.all():
                return kernel(rows)
            if not there.any():
                return pa.nulls(len(rows), type.arrow)
            values = kernel(Rows(self.tables, table.name, rows.numbers()[there]))
            return values.take(pa.array(np.cumsum(there) - 1, mask=~there))

        return made

    def _recalled_kernel(self, table: str, column: str) -> Kernel:
        return lambda rows: self.recall(rows).column(column)

    def _recalled_walk(self, table: str, column: str) -> Callable[[Rows], object]:
        return lambda rows: self.history.tables[table].walks[column](self.recall(rows))

    def _without_absent(self, kernel: Kernel, keys: list[ForeignKey]) -> Kernel:
        def present(rows: Rows) -> pa.Array:
            values, gone = kernel(rows), np.zeros(len(rows), np.bool_)
            for key in keys:
                link = self.tables[rows.table].links[key.columns]
                if isinstance(link, ValueLink):  # which reads this very column
                    found = link.of(rows.table, values)
                    gone |= (found >= 0) & ~self.there(key.table, found)
                else:
                    gone |= (rows.links(key.columns) < 0) & (self.recall(rows).links(key.columns) >= 0)
            return blank(values, gone)

        return present

    def _without_later(self, kernel: Kernel, type: SqlType) -> Kernel:
        def past(rows: Rows) -> pa.Array:
            values = kernel(rows)
            return blank(values, moments(type, values)[0] > self.as_of)

        return past


@dataclass(frozen=True)
class RecalledLink:
    """The link of the whole history."""

    plan: StatePlan
    parent: str
    columns: tuple[str, ...]

    def __call__(self, rows: Rows) -> Int64:
        return self.plan.recall(rows).links(self.columns)


@dataclass(frozen=True)
class PresentLink:
    """Another link, pointing nowhere where the row that it leads to does not exist."""

    plan: StatePlan
    link: Link

    @property
    def parent(self) -> str:
        return self.link.parent

    def __call__(self, rows: Rows) -> Int64:
        found = self.link(rows)
        return np.where(self.plan.there(self.parent, found), found, np.int64(-1))


def nulling_columns(table: Table, key: ForeignKey) -> tuple[str, ...]:
    """The columns that become null where the row that `key` points to does not exist: none that other keys need, if that can be."""
    able = [c for c in key.columns if table.column(c).nullable]
    shared = {c for other in table.foreign_keys if other is not key for c in other.columns}
    return tuple([c for c in able if c not in shared] or able)


def changing_columns(history: Plan, lifetimes: Lifetimes) -> tuple[set[Node], set[Node]]:
    """The columns, as (table, column), that have to be made anew for a state, and those that may be null there instead.

    What a recipe reads is what the plan of the whole history noted when it was compiled.
    """
    masked: set[Node] = set()
    links: set[Node] = set()
    settled: set[Node] = set()
    referring: set[Node] = set()
    remade: set[Node] = set()
    for table in history.schema.tables:
        settled |= {(table.name, c.name) for c in table.columns if c.ever}
        settled.add((table.name, lives_of(table).begins or ""))
        for key in table.foreign_keys:
            if not lifetimes.always(key.table) and key not in required_keys(table):
                links.add(("link", table.name, *key.columns))
                masked |= {(table.name, c) for c in nulling_columns(table, key)}
        referring |= {(table.name, c.name) for c in table.columns if history.references[table.name].kernel(c.name) is not None}
        for column in table.columns:
            if column.nullable and column.type.kind in MOMENTS and not lifetimes.last:
                masked.add((table.name, column.name))
            if column.generate is not None and _changes(history, table, column, lifetimes):
                remade.add((table.name, column.name))
    masked, remade, settled = masked - settled, remade - settled - referring, settled | referring
    while more := {
        node for node, needed in history.needed.items()
        if node[0] != "link" and node not in settled and node not in remade and needed & (remade | masked | links)
    }:  # fmt: skip
        remade |= more
    return remade, masked


def _changes(history: Plan, table: Table, column: Column, lifetimes: Lifetimes) -> bool:
    """Whether a column changes over time by its own recipe, whatever it reads."""
    names = {r.name for r in _with_inner(column.generate)}
    if names & set(_MACHINES):
        return not lifetimes.last
    read = history.needed.get((table.name, column.name), set())
    return bool(names & set(_AGGREGATES)) and any(n[0] == "link" and not lifetimes.always(n[1]) for n in read)


def _with_inner(value: object) -> Iterator[Recipe]:
    """A recipe and those inside of it."""
    if isinstance(value, Recipe):
        yield value
        for inner in value.args.values():
            yield from _with_inner(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _with_inner(inner)
