"""Rows: some rows of one table, whose columns are made on demand, each once.

A kernel makes one column for any set of rows: `kernel(rows) -> pa.Array`, one value for each row in order, and the same
value for a row whatever the other rows of the set are.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import cached_property
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from datagen.coded import Coded, plain
from datagen.families import Family
from datagen.kept import Kept
from datagen.randomness import Index, Int64, Stream, UInt64

Kernel = Callable[["Rows"], pa.Array]
T = TypeVar("T")

_DENSE = 2


class Link(Protocol):
    """Says which row of the parent table each row references: int64 row numbers, -1 for none."""

    @property
    def parent(self) -> str: ...

    def __call__(self, rows: Rows) -> Int64: ...


class TableRecipe(Protocol):
    """What Rows need to know of a table that is being generated; rows from `count` on have been added by scenarios."""

    @property
    def count(self) -> int: ...
    @property
    def kernels(self) -> Mapping[str, Kernel]: ...
    @property
    def links(self) -> Mapping[tuple[str, ...], Link]: ...
    @property
    def family(self) -> Family | None: ...
    @property
    def kept(self) -> Kept | None: ...


class Tables(Protocol):
    """What Rows need to know of all tables that are being generated."""

    def __getitem__(self, table: str, /) -> TableRecipe: ...


class RowStream(Stream):
    """A stream whose draws depend on what rows reference, not on their numbers alone."""

    __slots__ = ()

    def of(self, rows: Rows) -> UInt64:
        """Return one uniform 64-bit draw for each of `rows`."""
        raise TypeError(f"{type(self).__name__} does not say what rows draw")


class Rows:
    """The rows of `table` with the row numbers `index` (a range of step 1, or an int64 array in any order)."""

    def __init__(self, tables: Tables, table: str, index: Index) -> None:
        self.tables = tables
        self.table = table
        self.index = index
        self._memo: dict[Hashable, object] = {}

    def __len__(self) -> int:
        return len(self.index)

    def numbers(self) -> Int64:
        """The row numbers as an int64 array."""
        if isinstance(self.index, range):
            return self.memo("numbers", lambda: np.arange(self.index.start, self.index.stop, dtype=np.int64))  # type: ignore[union-attr]
        return self.index

    def draws(self, stream: Stream) -> UInt64:
        """One 64-bit draw a row from `stream`."""
        return stream.of(self) if isinstance(stream, RowStream) else stream.draws(self.index)

    def memo(self, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` returned the first time it was asked for under `key` on these rows."""
        if key not in self._memo:
            self._memo[key] = make()
        return self._memo[key]  # type: ignore[return-value]

    def column(self, name: str) -> pa.Array:
        """The values of one column of these rows, as the bundle holds them."""
        return self.memo(("column", name), lambda: self._made(name))

    def columns_made(self) -> list[tuple[str, pa.Array]]:
        """The columns that have been asked for so far."""
        return [(key[1], values) for key, values in self._memo.items() if isinstance(key, tuple) and key[0] == "column"]

    def _made(self, name: str) -> pa.Array:
        kept = self.tables[self.table].kept
        whole = None if kept is None else kept.find(("column", name))
        return plain(self.encoded(name)) if whole is None else whole.take(pa.array(self.numbers()))  # type: ignore[attr-defined]

    def encoded(self, name: str) -> pa.Array:
        """The same as a dictionary array, where the column's kernel makes one."""
        kernel = self.tables[self.table].kernels[name]
        return self.memo(("encoded", name), lambda: kernel.encode(self) if isinstance(kernel, Coded) else kernel(self))

    def family_parents(self) -> Int64:
        """The parent of each row, in a table that has rows per parent."""
        family = self.tables[self.table].family
        assert family is not None
        return self.memo("family", lambda: family.parent_of(self.index))

    def links(self, foreign_key: tuple[str, ...]) -> Int64:
        """The row numbers that the foreign key with these columns points to; -1 where it is null."""
        return self.memo(("links", foreign_key), lambda: self.tables[self.table].links[foreign_key](self))

    def subset(self, positions: Int64) -> Rows:
        """The rows at some positions of these."""
        return Subset(self, positions)

    def parent(self, foreign_key: tuple[str, ...]) -> Selection:
        """The referenced rows of a foreign key."""
        link = self.tables[self.table].links[foreign_key]
        return self.memo(("parent", foreign_key), lambda: Selection(self.tables, link.parent, self.links(foreign_key)))


def made_by_choice(kernels: Sequence[Kernel], choice: Int64, rows: Rows) -> pa.Array:
    """Make each row by that of `kernels` which `choice` says for it, by its position."""
    order = np.argsort(choice, kind="stable")
    bounds = np.searchsorted(choice[order], np.arange(len(kernels) + 1))
    pieces = [
        make(rows.subset(order[first:last])) for make, first, last in zip(kernels, bounds[:-1], bounds[1:], strict=True) if last > first
    ]
    if len(pieces) < 2:
        return pieces[0] if pieces else kernels[0](rows)
    back = np.empty(len(order), np.int64)
    back[order] = np.arange(len(order))
    return pa.concat_arrays(pieces).take(pa.array(back))


class Subset(Rows):
    """Some rows of others, sharing what has been made for them."""

    def __init__(self, rows: Rows, positions: Int64) -> None:
        super().__init__(rows.tables, rows.table, rows.numbers()[positions])
        self._rows = rows
        self._positions = positions

    def column(self, name: str) -> pa.Array:
        return self._rows.column(name).take(pa.array(self._positions))

    def encoded(self, name: str) -> pa.Array:
        return self._rows.encoded(name).take(pa.array(self._positions))

    def links(self, foreign_key: tuple[str, ...]) -> Int64:
        return self._rows.links(foreign_key)[self._positions]

    def family_parents(self) -> Int64:
        return self._rows.family_parents()[self._positions]

    def parent(self, foreign_key: tuple[str, ...]) -> Selection:
        return self.memo(("parent", foreign_key), lambda: self._rows.parent(foreign_key).among(self._positions))


class Selection:
    """Rows of `table` picked by a list of row numbers that may repeat or be absent (-1)."""

    def __init__(self, tables: Tables, table: str, picks: Int64) -> None:
        self._tables, self._table, self._picks = tables, table, picks

    def among(self, positions: Int64) -> Selection:
        """What some of the picks pick, out of the same rows."""
        rows, places, absent = self._laid_out
        some = Selection(self._tables, self._table, self._picks[positions])
        some._laid_out = rows, positions if places is None else places[positions], None if absent is None else absent[positions]
        return some

    def column(self, name: str) -> pa.Array:
        """The values of a column at each picked row; null where there is no row."""
        whole = self._whole(("column", name), lambda rows: rows.column(name))
        if whole is None:
            return self.spread(self.rows.column(name))
        absent = self._picks < 0
        return whole.take(pa.array(self._picks, mask=absent if absent.any() else None))

    def links(self, foreign_key: tuple[str, ...]) -> Int64:
        """The row numbers that a foreign key of each picked row points to; -1 where it is null, or there is no row."""
        whole = self._whole(("links", foreign_key), lambda rows: rows.links(foreign_key))
        if whole is None:
            return self.pick(self.rows.links(foreign_key))
        absent = self._picks < 0
        if not absent.any():
            return whole[self._picks]
        return np.where(absent, np.int64(-1), whole[np.where(absent, 0, self._picks)])

    def _whole(self, key: Hashable, make: Callable[[Rows], T]) -> T | None:
        """What `make` makes of all rows of the table, where that is kept."""
        kept = self._tables[self._table].kept
        if kept is None:
            return None
        if kept.find(key) is None:
            kept.note(key, *self._wanted, lambda part: make(Rows(self._tables, self._table, part)))
        return kept.find(key)  # type: ignore[return-value]

    @cached_property
    def _wanted(self) -> tuple[int, bool]:
        """How many rows are wanted, counted roughly where they lie scattered, and whether they do."""
        dense = _dense(self._tables, self._table, self._picks[self._picks >= 0])
        return (len(self._picks), True) if dense is None else (len(dense), False)

    @cached_property
    def _laid_out(self) -> tuple[Rows, Int64 | None, npt.NDArray[np.bool_] | None]:
        return laid_out(self._tables, self._table, self._picks)

    @property
    def rows(self) -> Rows:
        """The rows that are picked, each no more often than is cheap."""
        return self._laid_out[0]

    def pick(self, numbers: Int64) -> Int64:
        """Lay row numbers, one for each of `rows`, out over the picks; -1 where there is no row."""
        _, positions, absent = self._laid_out
        if positions is None:
            return numbers
        if not len(numbers):
            return np.full(len(positions), -1, np.int64)
        found = numbers[positions if absent is None else np.where(absent, 0, positions)]
        return found if absent is None else np.where(absent, np.int64(-1), found)

    def spread(self, values: pa.Array) -> pa.Array:
        """Lay `values`, one for each of `rows`, out over the picks."""
        _, positions, absent = self._laid_out
        return values if positions is None else values.take(pa.array(positions, mask=absent))


def laid_out(tables: Tables, table: str, picks: Int64) -> tuple[Rows, Int64, npt.NDArray[np.bool_] | None]:
    """Return the rows of `table` among `picks`, the position in them of each pick, and which picks are absent (None for none)."""
    absent = picks < 0
    if not len(picks) or absent.all():
        return Rows(tables, table, range(0)), np.zeros(len(picks), np.int64), absent
    mask = absent if absent.any() else None
    present = picks if mask is None else picks[~absent]
    dense = _dense(tables, table, present)
    if dense is not None:
        return Rows(tables, table, dense), picks - dense.start, mask
    distinct, positions = np.unique(present, return_inverse=True)
    if mask is None:
        return Rows(tables, table, distinct), positions, None
    spread = np.zeros(len(picks), np.int64)
    spread[~absent] = positions
    return Rows(tables, table, distinct), spread, mask


def _dense(tables: Tables, table: str, present: Int64) -> range | None:
    """The rows from the first that is picked to the last, where they are hardly more; None otherwise."""
    if not len(present):
        return range(0)
    low, high = int(present.min()), int(present.max())
    return range(low, high + 1) if high - low < _DENSE * len(present) and high < tables[table].count else None


class Elements(Subset):
    """The items of a list column seen as rows: item j of row r has the number r * stride + j.

    Draws differ by item; columns and references are those of the row that owns the item. `counts` says how
    many items each owner has.
    """

    def __init__(self, owners: Rows, owner_positions: Int64, places: Int64, stride: int) -> None:
        super().__init__(owners, owner_positions)
        self.index = owners.numbers()[owner_positions] * stride + places
        self.counts: Int64 = np.bincount(owner_positions, minlength=len(owners)).astype(np.int64)
