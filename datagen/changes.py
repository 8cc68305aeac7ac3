"""What changes in a history between two moments: inserts, updates and deletes that turn the state of the first into that of the second.

They come in an order in which they can be replayed one by one under the foreign keys of the schema: inserts with parents before
children, then updates, then deletes with children before parents. A reference that may be null and leads to the table itself or
to a later one is inserted as null and set by an update, and set to null before a delete, since what it leads to may come later or go
before. Rows keep their numbers in all states, so two states are compared block by block without being kept.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import Mask, blank
from datagen.blocks import blocks_of
from datagen.history import nulling_columns
from datagen.lifetimes import required_keys
from datagen.randomness import Int64
from datagen.rows import Rows
from datagen.state_source import StateSource
from datagen.synthetic import SyntheticSource
from schemas.ddl_order import fill_order
from schemas.errors import InputError
from schemas.model import Schema, Table
from schemas.times import format_moment

Operation = Literal["insert", "update", "delete"]


@dataclass(frozen=True)
class Change:
    """Rows of one table to which the same is done, in order.

    `rows` holds all stored columns for an insert, the `identity` columns for a delete, and for an update those and every column
    that can change; `changed` then says for each of these which rows have a new value.
    """

    operation: Operation
    table: Table
    identity: tuple[str, ...]
    rows: pa.RecordBatch
    changed: dict[str, Mask]


class Changes:
    """The changes of `history` from the moment `first` to `last` (microseconds since 1970, up to the anchor).

    Raises InputError where `first` is later than `last` or a table has changes and no key by which its rows can be told, and
    RecipeError where there is no state.
    """

    def __init__(self, history: SyntheticSource, first: int, last: int) -> None:
        if first > last:
            raise InputError(f"changes go from an earlier moment to a later one, not from {format_moment(first)} to {format_moment(last)}")
        self.schema, self._history = history.schema, history
        self._before, self._after = StateSource(history, first), StateSource(history, last)
        self._order = _parents_first(self.schema)
        self._changing = {t.name: self._changing_columns(t) for t in self._order}
        self._identity = {t.name: self._identity_of(t) for t in self._order}
        self._late = {t.name: self._late_columns(t) for t in self._order}

    def __iter__(self) -> Iterator[Change]:
        """Yield the changes in the order in which they can be replayed, a block of rows at a time."""
        for table in self._order:
            yield from self._blocks(table, self._inserts)
        for table in self._order:
            if self._late[table.name]:
                yield from self._blocks(table, self._late_updates)
            if self._changing[table.name]:
                yield from self._blocks(table, self._updates)
        for table in self._order:
            if self._may_end(table) and self._late[table.name]:
                yield from self._blocks(table, self._releases)
        for table in reversed(self._order):
            if self._may_end(table):
                yield from self._blocks(table, self._deletes, backwards=True)

    def updated_columns(self, table: str) -> tuple[str, ...]:
        """The columns of `table` that an update may set."""
        return tuple(dict.fromkeys((*self._changing[table], *self._late[table])))

    def identity(self, table: str) -> tuple[str, ...]:
        """The columns that tell a row of `table` for ever; none where its rows never change."""
        return self._identity[table]

    # What can change

    def _changing_columns(self, table: Table) -> tuple[str, ...]:
        changing = {*self._before.state.changes(table.name), *self._after.state.changes(table.name)}
        return tuple(c.name for c in table.stored_columns if c.name in changing)

    def _may_end(self, table: Table) -> bool:
        return self._after.state.lifetimes.may_end(table.name)

    def _identity_of(self, table: Table) -> tuple[str, ...]:
        """The columns by which a row is told for ever: the key, or another unique set without nulls."""
        changing = self._changing[table.name]
        for columns in table.unique_sets():
            if not any(table.column(c).nullable or c in changing for c in columns):
                return columns
        if changing or self._may_end(table):
            raise InputError(f"rows of '{table.name}' change, and it has no key that stays by which they could be named; give it a key")
        return ()

    def _late_columns(self, table: Table) -> tuple[str, ...]:
        """The columns of references that may lead to rows that are inserted later."""
        place = {t.name: i for i, t in enumerate(self._order)}
        found = []
        for key in table.foreign_keys:
            if place[key.table] >= place[table.name] and not key.acyclic and any(table.column(c).nullable for c in key.columns):
                found += [c for c in nulling_columns(table, key) if c not in self._identity[table.name]]
        return tuple(dict.fromkeys(found))

    # Blocks

    def _blocks(self, table: Table, find: Callable[[Table, range], Change | None], backwards: bool = False) -> Iterator[Change]:
        """What `find` finds in the blocks of a table, made by several threads, a few ahead."""
        blocks, threads = blocks_of(self._history.row_count(table.name)), os.cpu_count() or 1
        waiting: deque[Future[Change | None]] = deque()
        pool = ThreadPoolExecutor(threads)
        try:
            for block in reversed(blocks) if backwards else blocks:
                if len(waiting) > threads:
                    found = waiting.popleft().result()
                    if found is not None:
                        yield found
                waiting.append(pool.submit(find, table, block))
            while waiting:
                found = waiting.popleft().result()
                if found is not None:
                    yield found
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def _existence(self, table: Table, block: range) -> tuple[Mask, Mask]:
        rows = Rows(self._history.plan.tables, table.name, block)
        return self._before.state.lifetimes.exist(rows), self._after.state.lifetimes.exist(rows)

    def _change(self, operation: Operation, table: Table, rows: pa.RecordBatch, changed: dict[str, Mask] | None = None) -> Change:
        return Change(operation, table, self._identity[table.name], rows, changed or {})

    # Operations

    def _inserts(self, table: Table, block: range) -> Change | None:
        before, after = self._existence(table, block)
        numbers = np.flatnonzero(after & ~before) + block.start
        if not len(numbers):
            return None
        rows = self._after.state_rows(table.name, numbers)
        for name in self._late[table.name]:
            rows = _with(rows, name, blank(rows.column(name), np.ones(len(numbers), np.bool_)))
        return self._change("insert", table, rows)

    def _late_updates(self, table: Table, block: range) -> Change | None:
        """Set the references that rows were inserted without."""
        before, after = self._existence(table, block)
        return self._setting(table, np.flatnonzero(after & ~before) + block.start, self._after, keep=True)

    def _releases(self, table: Table, block: range) -> Change | None:
        """Let go of what rows that are about to be deleted reference."""
        before, after = self._existence(table, block)
        return self._setting(table, np.flatnonzero(before & ~after) + block.start, self._before, keep=False)

    def _setting(self, table: Table, numbers: Int64, state: StateSource, keep: bool) -> Change | None:
        names = (*self._identity[table.name], *self._late[table.name])
        if not len(numbers):
            return None
        values = _columns(table, _rows(state, table, numbers), names)
        changed = {name: np.asarray(values.column(name).is_valid()) for name in self._late[table.name]}
        if not keep:
            for name in changed:
                values = _with(values, name, blank(values.column(name), changed[name]))
        return self._update(table, values, changed)

    def _updates(self, table: Table, block: range) -> Change | None:
        before, after = self._existence(table, block)
        numbers = np.flatnonzero(before & after) + block.start
        if not len(numbers):
            return None
        changing = self._changing[table.name]
        old = _columns(table, _rows(self._before, table, numbers), changing)
        new = _columns(table, _rows(self._after, table, numbers), (*self._identity[table.name], *changing))
        return self._update(table, new, {name: differ(old.column(name), new.column(name)) for name in changing})

    def _update(self, table: Table, rows: pa.RecordBatch, changed: dict[str, Mask]) -> Change | None:
        here = np.flatnonzero(np.logical_or.reduce(list(changed.values())))
        if not len(here):
            return None
        return self._change("update", table, rows.take(pa.array(here)), {name: mask[here] for name, mask in changed.items()})

    def _deletes(self, table: Table, block: range) -> Change | None:
        before, after = self._existence(table, block)
        numbers = np.flatnonzero(before & ~after)[::-1] + block.start
        if not len(numbers):
            return None
        return self._change("delete", table, _columns(table, _rows(self._before, table, numbers), self._identity[table.name]))


def _parents_first(schema: Schema) -> list[Table]:
    """The tables in an order in which none must reference a later one, but for those that must reference each other in a circle."""
    waiting = [schema.table(name) for name in fill_order(schema)]
    order: list[Table] = []
    while waiting:
        names = {t.name for t in waiting}
        free = (t for t in waiting if not any(f.table in names and f.table != t.name for f in required_keys(t)))
        order.append(next(free, waiting[0]))
        waiting.remove(order[-1])
    return order


def _rows(state: StateSource, table: Table, numbers: Int64) -> Rows:
    """Rows that exist in a state."""
    return state.state.take_for_existing(Rows(state.plan.tables, table.name, numbers))


def _columns(table: Table, rows: Rows, names: tuple[str, ...]) -> pa.RecordBatch:
    return pa.RecordBatch.from_arrays([rows.column(n) for n in names], schema=pa.schema([table.arrow.field(n) for n in names]))


def _with(rows: pa.RecordBatch, name: str, values: pa.Array) -> pa.RecordBatch:
    place = rows.schema.get_field_index(name)
    return rows.set_column(place, rows.schema.field(place), values)


def differ(old: pa.Array, new: pa.Array) -> Mask:
    """Which of two columns' values differ; null is like null, and not a number like not a number."""
    if isinstance(old, pa.ExtensionArray):
        return differ(old.storage, new.storage)
    if pa.types.is_nested(old.type) or pa.types.is_floating(old.type):
        pairs = zip(old.to_pylist(), new.to_pylist(), strict=True)
        return np.array([repr(a) != repr(b) for a, b in pairs], np.bool_)
    same = pc.fill_null(pc.equal(old, new), False)
    both_null = pc.and_(old.is_null(), new.is_null())
    found: Mask = ~np.asarray(pc.or_(same, both_null))
    return found
