"""References: which row of the parent table each row points to, computed from row numbers alone.

A link maps rows to row numbers of its parent table (-1 for none). The kinds:

    FamilyLink      the parent of which the row is a child (`rows: {per: ...}`)
    FollowedLink    the row that the referenced row references (`generate: {from: ticket_id.tenant_id}`)
    UniformLink     any row, or any row before this one (`acyclic`), by equal chance or skewed
    GroupLink       the same among the rows that share a parent with this row (`within`)
    DistinctLink    one that no other row has (a unique foreign key)
    ChainLink       the row before this one (a unique foreign key that is `acyclic`)
    FactorLink      one coordinate of a composite unique key (see `datagen.composite`)
    WeightedLink    any row, or any within a group, in proportion to a column (`weight`)
    AttendedLink    as UniformLink or GroupLink, but a row that is there at a time (`present`; see `datagen.attended`)
    OrderedLink     the smaller or the larger of two rows (`greater_than`; see `datagen.ordered_pairs`)
    OtherLink       as UniformLink or GroupLink, but another row than a reference beside it names (`other_than`; see `datagen.other_rows`)
    ValueLink       the row that has the value which the column's own generator makes
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from datagen.arrays import to_units
from datagen.blocks import blocks_of
from datagen.distributions import zipf_rank
from datagen.errors import GenerationFailed
from datagen.families import Family
from datagen.groups import Groups
from datagen.keys import Affine
from datagen.permutation import permute
from datagen.randomness import Int64, Stream, UInt64, below, multiply_high
from datagen.rows import Link, Rows, Tables
from schemas.types import SqlType

_MEMBERS = 2  # rows of a group that stand together, from which on a group is drawn once
_STEPS = 8


@dataclass(frozen=True)
class FamilyLink:
    """The parent of which the row is a child."""

    parent: str
    family: Family

    def __call__(self, rows: Rows) -> Int64:
        return rows.family_parents()


@dataclass(frozen=True)
class FollowedLink:
    """The row found by following `keys` one after the other, the first from this row."""

    parent: str
    keys: tuple[tuple[str, ...], ...]

    def __call__(self, rows: Rows) -> Int64:
        return follow_links(rows, self.keys)


def follow_links(rows: Rows, keys: tuple[tuple[str, ...], ...]) -> Int64:
    """Return the number of the row at the end of references, the first from each of `rows`; -1 where there is none."""
    if len(keys) == 1:
        return rows.links(keys[0])
    found = rows.parent(keys[0])
    if len(keys) == 2:
        return found.links(keys[1])
    return found.pick(follow_links(found.rows, keys[1:]))


@dataclass(frozen=True)
class NullableLink:
    """Another link with a share of the rows pointing nowhere."""

    link: Link
    stream: Stream
    threshold: int

    @property
    def parent(self) -> str:
        return self.link.parent

    def __call__(self, rows: Rows) -> Int64:
        found = self.link(rows)
        return np.where(rows.draws(self.stream) >> np.uint64(1) < np.uint64(self.threshold), np.int64(-1), found)


@dataclass(frozen=True)
class UniformLink:
    """Any of `size` rows; with `acyclic` any row before this one, no more than `depth` deep, and the first points nowhere or at
    itself."""

    parent: str
    size: int
    stream: Stream
    skew: float | None = None
    acyclic: bool = False
    depth: int | None = None
    orphan_is_self: bool = False

    def __call__(self, rows: Rows) -> Int64:
        if self.acyclic:
            found = shallow(lambda numbers, _: self._before(numbers), rows.numbers(), self.depth)
            return np.where(found < 0, rows.numbers(), found) if self.orphan_is_self else found
        return self.chosen(rows, rows.draws(self.stream))

    def chosen(self, rows: Rows, draws: UInt64) -> Int64:
        """The row that each of `rows` chooses by its draw, where any row will do."""
        if self.size == 0:
            return np.full(len(rows), -1, np.int64)
        if self.skew is None:
            return below(draws, self.size)
        ranks = zipf_rank(draws, self.skew, np.full(len(rows), self.size, np.int64))
        return permute(self.stream, ranks, self.size)

    def _before(self, numbers: Int64) -> Int64:
        return np.where(numbers == 0, np.int64(-1), below(self.stream.draws(numbers), numbers))


@dataclass(frozen=True)
class GroupLink:
    """A row of the group that this row belongs to, by equal chance or skewed; with `acyclic` one before this one, no more than
    `depth` deep."""

    parent: str
    groups: Groups
    within: tuple[str, ...]
    stream: Stream
    skew: float | None = None
    acyclic: bool = False
    depth: int | None = None
    orphan_is_self: bool = False

    def __call__(self, rows: Rows) -> Int64:
        group = rows.links(self.within)
        if self.acyclic:
            start, _ = self.groups.ranges(np.maximum(group, 0))
            found = shallow(lambda numbers, here: self._before(numbers, start[here]), rows.numbers(), self.depth)
        else:
            found = self.chosen(rows, rows.draws(self.stream))
        orphan = rows.numbers() if self.orphan_is_self else np.full(len(rows), -1, np.int64)
        return np.where((group < 0) | (found < 0), orphan, found)

    def chosen(self, rows: Rows, draws: UInt64) -> Int64:
        """The row that each of `rows` chooses by its draw, where any of its group will do; -1 where there is none."""
        group = np.maximum(rows.links(self.within), 0)
        start, size = self.groups.ranges(group)
        room = np.maximum(size, 1)
        place = below(draws, room) if self.skew is None else rotate(self.stream, group, zipf_rank(draws, self.skew, room), room)
        return np.where(size <= 0, np.int64(-1), self.groups.members(start + place))

    def _before(self, numbers: Int64, start: Int64) -> Int64:
        earlier = self.groups.positions(numbers) - start
        found = self.groups.members(start + below(self.stream.draws(numbers), np.maximum(earlier, 1)))
        return np.where(earlier <= 0, np.int64(-1), found)


@dataclass(frozen=True)
class DistinctLink:
    """A row that no other row points to: row numbers through a bijection of the parent's rows."""

    parent: str
    size: int
    stream: Stream

    def __call__(self, rows: Rows) -> Int64:
        numbers = rows.numbers()
        found = permute(self.stream, np.minimum(numbers, self.size - 1), self.size)
        return np.where(numbers < self.size, found, np.int64(-1))


@dataclass(frozen=True)
class ChainLink:
    """The row before this one, to which no other row points; each chain has `depth` rows after its first, which points nowhere."""

    parent: str
    depth: int | None

    def __call__(self, rows: Rows) -> Int64:
        numbers = rows.numbers()
        place = numbers if self.depth is None else numbers % (self.depth + 1)
        return np.where(place == 0, np.int64(-1), numbers - 1)


@dataclass(frozen=True)
class FactorLink:
    """The row that `place` says: by a coordinate of a composite unique key, or where another reference points."""

    parent: str
    place: Callable[[Rows], Int64]

    def __call__(self, rows: Rows) -> Int64:
        return self.place(rows)


class WeightedLink:
    """A row of the parent in proportion to its `column`; with `groups` (the shared reference and the parent's groups by it) only
    of the group that this row belongs to. Keeps a running total, 8 bytes for each row of the parent."""

    def __init__(
        self, tables: Tables, parent: str, size: int, column: str, type: SqlType, stream: Stream,
        groups: tuple[tuple[str, ...], Groups] | None, required: bool,
    ) -> None:  # fmt: skip
        self.parent = parent
        self._tables, self._size, self._column, self._type = tables, size, column, type
        self._stream, self._groups, self._required = stream, groups, required
        self._lock = threading.Lock()
        self._known: Int64 | None = None

    def __call__(self, rows: Rows) -> Int64:
        totals = self._totals()
        if self._groups is None:
            start, size = np.zeros(len(rows), np.int64), np.full(len(rows), self._size, np.int64)
        else:
            group = rows.links(self._groups[0])
            start, size = self._groups[1].ranges(np.maximum(group, 0))
            size = np.where(group < 0, 0, size)
        before = totals[start]
        span = totals[start + size] - before
        if self._required and (span == 0).any():
            raise GenerationFailed(
                f"{rows.table} must reference rows of {self.parent} by the weight {self._column}, and where it looks there is none "
                "with a weight above 0; make the reference nullable or the weights positive"
            )
        if not totals[-1]:
            return np.full(len(rows), -1, np.int64)
        # where there is nothing to find, any place will do
        place = self._guide.find(np.minimum(before + below(rows.draws(self._stream), np.maximum(span, 1)), totals[-1] - 1))
        found = place if self._groups is None else self._groups[1].members(place)
        return np.where(span == 0, np.int64(-1), found)

    def _totals(self) -> Int64:
        """The sum of the weights before each position, and of all."""
        with self._lock:
            if self._known is None:
                weights = np.zeros(self._size, np.int64)
                for block in blocks_of(self._size):
                    weights[block.start : block.stop] = to_units(self._type, Rows(self._tables, self.parent, block).column(self._column))[0]
                if (weights < 0).any() or float(weights.astype(np.float64).sum()) >= 2.0**62:
                    raise GenerationFailed(f"the weights {self.parent}.{self._column} must be 0 or above, and sum to less than 2**62")
                if self._groups is not None:
                    weights = weights[self._groups[1].members(np.arange(self._size))]
                self._known = np.concatenate([[0], np.cumsum(weights)])
                self._guide = Guide(self._known)
            return self._known


class Guide:
    """Finds numbers in rising `totals` from a table of first guesses: a few steps where a search needs one for each doubling."""

    def __init__(self, totals: Int64) -> None:
        self._totals = totals
        self._shift = max(int(totals[-1]).bit_length() - len(totals).bit_length(), 0)
        marks = np.arange((int(totals[-1]) >> self._shift) + 1, dtype=np.int64) << self._shift
        self._guess = np.searchsorted(totals, marks, side="right") - 1

    def find(self, targets: Int64) -> Int64:
        """Return the last place whose total is not above each target; targets are 0 or more and below the last total."""
        place: Int64 = self._guess[targets >> self._shift]
        behind = np.flatnonzero(self._totals[place + 1] <= targets)
        for _ in range(_STEPS):
            place[behind] += 1
            behind = behind[self._totals[place[behind] + 1] <= targets[behind]]
            if not len(behind):
                return place
        place[behind] = np.searchsorted(self._totals, targets[behind], side="right") - 1
        return place


class ValueLink:
    """The row of the parent whose `target` column has the value of this row's `column`.

    The target's values are kept in memory and looked up, so this is for small parents such as plans or currencies.
    """

    def __init__(self, tables: Tables, parent: str, size: int, column: str, target: str) -> None:
        self.parent = parent
        self._tables = tables
        self._size = size
        self._column = column
        self._target = target
        self._lock = threading.Lock()
        self._known: pa.Array | None = None

    def __call__(self, rows: Rows) -> Int64:
        return self.of(rows.table, rows.column(self._column))

    def of(self, table: str, values: pa.Array) -> Int64:
        """The rows of the parent that have `values`, which the column of `table` has; -1 where a value is null."""
        found, absent = self._found(values), np.asarray(values.is_null())
        if (found[~absent] < 0).any():
            raise GenerationFailed(
                f"{table}.{self._column} is generated with a value that no row of {self.parent} has as its {self._target}; "
                "let its generator make only values that are there"
            )
        return np.where(absent, np.int64(-1), found)

    def _found(self, values: pa.Array) -> Int64:
        """The row of the parent that has each of `values`; -1 where there is none."""
        kernel = self._tables[self.parent].kernels[self._target]
        if isinstance(kernel, Affine) and pa.types.is_integer(values.type):
            found = kernel.numbers_of(np.asarray(pc.fill_null(values.cast(pa.int64()), 0)))
            if found is not None:
                return np.where(found < self._size, found, np.int64(-1))
        known, values = _alike(self._values(), values)
        return np.asarray(pc.fill_null(pc.index_in(values, value_set=known).cast(pa.int64()), -1))

    def _values(self) -> pa.Array:
        with self._lock:
            if self._known is None:
                self._known = Rows(self._tables, self.parent, range(self._size)).column(self._target)
            return self._known


def _alike(first: pa.Array, second: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Two arrays of types that a reference may join, in one type that holds the values of both."""
    first, second = (a.storage if isinstance(a, pa.ExtensionArray) else a for a in (first, second))
    if first.type == second.type:
        return first, second
    if pa.types.is_decimal(first.type) or pa.types.is_decimal(second.type):
        common = pa.decimal128(38, max(a.type.scale if pa.types.is_decimal(a.type) else 0 for a in (first, second)))
    elif pa.types.is_integer(first.type):
        common = pa.int64()
    else:
        common = pa.float64() if pa.types.is_floating(first.type) else first.type
    return first.cast(common), second.cast(common)


def shallow(above: Callable[[Int64, Int64], Int64], rows: Int64, depth: int | None) -> Int64:
    """Return the row above each of `rows` in a forest in which none has more than `depth` rows above it; -1 for roots.

    `above(numbers, here)` gives the forest without that bound: the row above each of `numbers`, which lie above the rows at the
    positions `here`. A row that lies deeper there is hung on the last of its line that may have children.
    """
    found = above(rows, np.arange(len(rows)))
    if depth is None:
        return found
    levels = (found >= 0).astype(np.int64)
    here = np.flatnonzero(levels)
    at = found[here]
    while len(here):
        at = above(at, here)
        here, at = here[at >= 0], at[at >= 0]
        levels[here] += 1
    here = np.flatnonzero(levels > depth)
    while len(here):
        found[here] = above(found[here], here)
        levels[here] -= 1
        here = here[levels[here] > depth]
    return found


def rotate(stream: Stream, groups: Int64, places: Int64, sizes: Int64) -> Int64:
    """Permute the places 0..size-1 of each group by place -> base + place * stride, stride coprime to the size.

    Base and stride are drawn for each group; distinct places stay distinct. Sizes are at most 2**31.
    """
    begins = np.flatnonzero(np.concatenate([[True], (groups[1:] != groups[:-1]) | (sizes[1:] != sizes[:-1])])[: len(groups)])
    if _MEMBERS * len(begins) > len(groups):
        base, stride = _rotation(stream, groups, sizes)
    else:
        together = np.diff(begins, append=len(groups))
        base, stride = (np.repeat(found, together) for found in _rotation(stream, groups[begins], sizes[begins]))
    return (base + (places % sizes) * stride) % sizes


def _rotation(stream: Stream, groups: Int64, sizes: Int64) -> tuple[Int64, Int64]:
    """The base and the stride of each group, below its size."""
    draws = stream.draws(groups)
    base = below(draws, sizes)
    stride = below(_again(draws), sizes) | 1
    clash = np.flatnonzero(np.gcd(stride, sizes) > 1)
    for _ in range(64):
        if not len(clash):
            break
        stride[clash] += 2
        clash = clash[np.gcd(stride[clash], sizes[clash]) > 1]
    stride[clash] = 1
    return base, stride % sizes


def _again(draws: UInt64) -> UInt64:
    return multiply_high(draws ^ np.uint64(0x9E3779B97F4A7C15), np.uint64(0xFFFFFFFFFFFFFFFF)) ^ (draws << np.uint64(32))
