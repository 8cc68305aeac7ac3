"""References to rows that are there at a time: users who have joined and not left yet, workflows while they are published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import pyarrow as pa

from datagen.arrays import Mask, moments
from datagen.blocks import BLOCK_ROWS
from datagen.errors import GenerationFailed
from datagen.links import GroupLink, UniformLink
from datagen.randomness import Int64, Stream
from datagen.rows import Rows, Selection, Tables
from schemas.model import Table

_FIRST, _LAST = np.int64(-(2**62)), np.int64(2**62)
_BLOCKS = 32  # of 1 MiB
_SEARCHED = 10_000  # rows in turn, until the one that leaves last is taken


class Presence:
    """From when until when each row of a table is there, by its columns `begins` and `ends` (None for ever).

    What is made serves all references that ask for it, as long as they ask for rows near each other: 1 MiB a block, of 32 blocks at most.
    """

    def __init__(self, tables: Tables, table: Table, count: int, begins: str | None, ends: str | None) -> None:
        self.table, self.count = table.name, count
        self._tables = tables
        self._columns = tuple((name, table.column(name).type) if name else None for name in (begins, ends))
        self._lock = threading.Lock()
        self._block = lru_cache(_BLOCKS)(self._made)

    def covers(self, numbers: Int64, at: Int64) -> Mask:
        """Whether each of the rows with these numbers is there at each of these moments."""
        begins, ends = self.spans(numbers)
        there: Mask = (begins <= at) & (at <= ends)
        return there

    def spans(self, numbers: Int64) -> tuple[Int64, Int64]:
        """The first and the last moment of rows, in microseconds since 1970; one that never comes begins after all."""
        if not len(numbers):
            return numbers, numbers
        first, last = int(numbers.min()) // BLOCK_ROWS, int(numbers.max()) // BLOCK_ROWS
        if last - first >= _BLOCKS:
            picked = Selection(self._tables, self.table, numbers)
            return self._of(picked.column, len(numbers))
        with self._lock:
            blocks = [self._block(block) for block in range(first, last + 1)]
        begins, ends = blocks[0] if len(blocks) == 1 else map(np.concatenate, zip(*blocks, strict=True))
        places = numbers - first * BLOCK_ROWS
        return begins[places], ends[places]

    def _made(self, block: int) -> tuple[Int64, Int64]:
        rows = range(block * BLOCK_ROWS, min((block + 1) * BLOCK_ROWS, self.count))
        return self._of(Rows(self._tables, self.table, rows).column, len(rows))

    def _of(self, column: Callable[[str], pa.Array], count: int) -> tuple[Int64, Int64]:
        begins, ends = np.full(count, _FIRST, np.int64), np.full(count, _LAST, np.int64)
        for span, known in zip((begins, ends), self._columns, strict=True):
            if known is not None:
                found, absent = moments(known[1], column(known[0]))
                span[:] = found if absent is None else np.where(absent, _LAST, found)
        return begins, ends


class AttendedLink:
    """Of the rows that `link` chooses from, one that is there at the time of the row, and is not the one that the reference `than`
    names: it is drawn again until one is, by `again`.

    Where none of these draws finds one, the next in turn that is there is taken; where that is far, the one that leaves last. When rows
    ask is read in `tables`, whatever scenarios set there, so that no reference moves.
    """

    def __init__(
        self, tables: Tables, table: Table, count: int, at: str, presence: Presence, link: GroupLink | UniformLink,
        again: tuple[Stream, ...], required: bool, than: tuple[str, ...] | None = None,
    ) -> None:  # fmt: skip
        self.parent, self._tables, self._table, self._own = presence.table, tables, table.name, count
        self._at, self._type, self._presence = at, table.column(at).type, presence
        self._link, self._again, self._required, self._than = link, again, required, than

    def __call__(self, rows: Rows) -> Int64:
        at, absent = self._moments(rows)
        found = self._link(rows)
        asked = found >= 0 if absent is None else (found >= 0) & ~absent
        other = np.full(len(rows), -1, np.int64) if self._than is None else rows.links(self._than)
        missing = np.flatnonzero(asked)
        missing = missing[~self._fit(found[missing], at[missing], other[missing])]
        for stream in self._again:
            if not len(missing):
                break
            some = rows.subset(missing)
            found[missing] = self._link.chosen(some, some.draws(stream))
            missing = missing[~self._fit(found[missing], at[missing], other[missing])]
        if len(missing):
            found[missing] = self._next(rows.subset(missing), found[missing], at[missing], other[missing])
        found[~asked] = -1
        if self._required and (found < 0).any():
            but = "" if self._than is None else f" and is not that of {'.'.join(name for name in self._than if name != '~')}"
            raise GenerationFailed(
                f"{rows.table} must reference a row of {self.parent} that is there at {self._at}{but}, and for some rows none is; "
                "make the reference nullable, or the times fit"
            )
        return found

    def _fit(self, numbers: Int64, at: Int64, other: Int64) -> Mask:
        fit: Mask = self._presence.covers(numbers, at) & (numbers != other)
        return fit

    def _next(self, rows: Rows, found: Int64, at: Int64, other: Int64) -> Int64:
        """The rows behind those found, in turn, that are there; -1 where none of the group is."""
        start, size = np.zeros(len(found), np.int64), np.full(len(found), self._presence.count)
        groups = self._link.groups if isinstance(self._link, GroupLink) else None
        if isinstance(self._link, GroupLink):
            start, size = self._link.groups.ranges(rows.links(self._link.within))
        place = (found if groups is None else groups.positions(found)) - start
        result, large = np.full(len(found), -1, np.int64), np.flatnonzero(size > _SEARCHED)
        result[large] = self._longest(start[large], size[large], at[large], other[large])
        here = np.flatnonzero((size <= _SEARCHED) | (result >= 0))
        for step in range(1, _SEARCHED):
            here = here[size[here] > step]
            if not len(here):
                break
            positions = start[here] + (place[here] + step) % size[here]
            members = positions if groups is None else groups.members(positions)
            there = self._fit(members, at[here], other[here])
            result[here[there]] = members[there]
            here = here[~there]
        return result

    def _longest(self, start: Int64, size: Int64, at: Int64, other: Int64) -> Int64:
        """Of the rows of each group that have come, but for the other, the one that leaves last; -1 where it has left."""
        result = np.full(len(at), -1, np.int64)
        for first in np.unique(start):
            here = np.flatnonzero(start == first)
            positions = np.arange(first, first + size[here[0]])
            members = self._link.groups.members(positions) if isinstance(self._link, GroupLink) else positions
            result[here] = self._leaving_last(members, at[here])
            taken = here[(result[here] == other[here]) & (result[here] >= 0)]
            for one in np.unique(other[taken]):
                again = taken[other[taken] == one]
                result[again] = self._leaving_last(members[members != one], at[again])
        return result

    def _leaving_last(self, members: Int64, at: Int64) -> Int64:
        begins, ends = self._presence.spans(members)
        order = np.argsort(begins, kind="stable")
        members, begins, ends = members[order], begins[order], ends[order]
        last = ends == np.maximum.accumulate(ends)
        leaves_last = np.maximum.accumulate(np.where(last, np.arange(len(members)), 0))
        come = np.searchsorted(begins, at, side="right")
        chosen = members[leaves_last[np.maximum(come - 1, 0)]]
        return np.where((come > 0) & self._presence.covers(chosen, at), chosen, np.int64(-1))

    def _moments(self, rows: Rows) -> tuple[Int64, Mask | None]:
        """When each of `rows` asks for a row that is there."""
        column = self._at
        if rows.tables is self._tables:
            return moments(self._type, rows.column(column))
        own = rows.numbers() < self._own
        values = Rows(self._tables, self._table, rows.numbers()[own]).column(column)
        if own.all():
            return moments(self._type, values)
        values = pa.concat_arrays([values, Rows(rows.tables, self._table, rows.numbers()[~own]).column(column)])
        return moments(self._type, values.take(pa.array(np.argsort(np.argsort(~own, kind="stable"), kind="stable"))))
