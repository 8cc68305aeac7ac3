"""Slots: intervals of time that the children of a row take up one after the other, so that no two overlap.

The first gap of a parent begins at a common moment; then gaps and lengths alternate, both drawn from the child's row number. The
start of a slot is a sum over its earlier siblings, so siblings are summed in pieces of 65,536, and of parents with more than one
piece the sums before each piece are kept: a row costs one piece, and a parent is summed up once. Gaps are multiplied by the
`factor` of their parent, and moments without a length may follow a rhythm: then their gaps pass by its clock.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from datagen.arrays import SECOND, Mask, either, from_units
from datagen.compiling import Context, generator
from datagen.errors import GenerationFailed
from datagen.families import Family
from datagen.links import FamilyLink
from datagen.numbers import UnitSampler, whole_distribution
from datagen.randomness import Int64, Stream
from datagen.rows import Kernel, Rows
from datagen.times import limit_of, moments_of
from datagen.waits import LONGEST, clock_of, factor_of
from schemas.model import Recipe
from schemas.recipes import argument, is_zone_name
from schemas.times import is_moment, resolve_moment
from schemas.types import SqlType

_PIECE = 65_536
_KEPT = 256
_INTERVAL = SqlType("interval")
_LATEST = 253_402_300_799_999_999


@dataclass(frozen=True)
class Slots:
    """Where the slots of rows begin and end, in microseconds since 1970, and which rows have none."""

    start: Int64
    end: Int64
    absent: Mask | None


@dataclass(frozen=True)
class _Spans:
    """Gaps or lengths in whole seconds, one for each row number."""

    sample: UnitSampler
    stream: Stream

    def __call__(self, index: range | Int64) -> Int64:
        return np.maximum(self.sample(self.stream.draws(index)), 0) // SECOND


class Sums:
    """The sums of gaps and of lengths before pieces of siblings."""

    def __init__(self, family: Family, gaps: _Spans, lengths: _Spans) -> None:
        self.family, self.gaps, self.lengths = family, gaps, lengths
        self._kept: OrderedDict[int, tuple[Int64, Int64]] = OrderedDict()
        self._lock = threading.Lock()

    def before_pieces(self, parent: int, first: int, count: int) -> tuple[Int64, Int64]:
        """For a parent with more than one piece: the sums before each of its pieces, and of all."""
        with self._lock:
            if parent in self._kept:
                self._kept.move_to_end(parent)
                return self._kept[parent]
        starts = range(first, first + count, _PIECE)
        pieces = [range(start, min(start + _PIECE, first + count)) for start in starts]
        made = tuple(np.cumsum([0, *(int(spans(piece).sum()) for piece in pieces)]) for spans in (self.gaps, self.lengths))
        with self._lock:
            self._kept[parent] = made[0], made[1]
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return made[0], made[1]

    def through(self, rows: Rows) -> tuple[Int64, Int64, Int64, Int64, Int64]:
        """For each row the sums of gaps and lengths up to and with its own, its own length, and the sums over all siblings."""
        numbers, parents = rows.numbers(), rows.family_parents()
        first, count = self.family.children_of(parents)
        piece = first + (numbers - first) // _PIECE * _PIECE
        pieces, at, back = np.unique(piece, return_index=True, return_inverse=True)
        sizes = np.minimum(pieces + _PIECE, (first + count)[at]) - pieces
        offsets = np.cumsum(sizes) - sizes
        index: range | Int64 = range(int(pieces[0]), int(pieces[-1] + sizes[-1]))
        if len(index) != int(sizes.sum()):
            index = np.repeat(pieces - offsets, sizes) + np.arange(int(sizes.sum()), dtype=np.int64)
        place = offsets[back] + numbers - piece
        large = count[at] > _PIECE
        sums, totals, lengths = [], [], np.empty(0, np.int64)
        for which, spans in enumerate((self.gaps, self.lengths)):
            lengths = spans(index)
            running = np.cumsum(lengths)
            begun = running[offsets] - lengths[offsets]
            total = np.add.reduceat(lengths, offsets)
            before = np.zeros(len(pieces), np.int64)
            for i in np.flatnonzero(large).tolist():
                kept = self.before_pieces(int(parents[at[i]]), int(first[at[i]]), int(count[at[i]]))[which]
                before[i], total[i] = kept[(int(pieces[i]) - int(first[at[i]])) // _PIECE], kept[-1]
            sums.append(running[place] - begun[back] + before[back])
            totals.append(total[back])
        return sums[0], sums[1], lengths[place], totals[0], totals[1]


@generator("slot")
def slot(recipe: Recipe, ctx: Context) -> Kernel:
    """When the slot of each row begins."""
    family = ctx.plan.family(ctx.table.name)
    if family is None:
        ctx.fail("slot needs rows per parent (`rows: {per: ...}`), whose slots do not overlap", recipe.at)
    gaps, lengths = (
        _Spans(whole_distribution(argument(recipe, name), _INTERVAL, recipe.at).sample, ctx.stream(name)) for name in ("gap", "length")
    )
    sums = Sums(family, gaps, lengths)
    base = _base(recipe, ctx)
    limit = argument(recipe, "until")
    until = None if limit is None else limit_of(ctx, _of_parent(str(limit), recipe, ctx), recipe)
    for path in (argument(recipe, "factor"), argument(recipe, "zone")):
        if path is not None and not is_zone_name(str(path)):
            _of_parent(str(path), recipe, ctx)
    factor, clock = factor_of(recipe, ctx), clock_of(recipe, ctx)
    where = f"{ctx.table.name}.{ctx.column}"

    def slots(rows: Rows) -> Slots:
        begin, absent = base(rows)
        own = rows.numbers() < family.total
        if not own.all():  # rows that scenarios add take up no slot: their times are set
            start, end = begin.copy(), begin.copy()
            here = np.flatnonzero(own)
            found = taken(rows.subset(here), begin[here], None)
            start[here], end[here] = found.start, found.end
            return Slots(start, end, absent)
        return taken(rows, begin, absent)

    def taken(rows: Rows, begin: Int64, absent: Mask | None) -> Slots:
        if not len(rows):
            return Slots(begin, begin, absent)
        gap, past, own, all_gaps, all_lengths = sums.through(rows)
        earlier = past - own
        if factor is not None:
            times = factor(rows)
            gap, all_gaps = (np.floor(np.minimum(sums * times, LONGEST / SECOND)).astype(np.int64) for sums in (gap, all_gaps))
        offsets, end = clock.offsets(rows, begin), None
        if until is not None:
            end = until if isinstance(until, int) else until(rows)
            room = clock.passed(begin, end, offsets)
            gap = _fitted(gap, all_gaps, np.maximum(room - all_lengths, 0))
            earlier, past = _fitted(earlier, all_lengths, room), _fitted(past, all_lengths, room)
        if float(past.max()) + float(gap.max()) > (_LATEST - float(begin.max())) / SECOND:
            raise GenerationFailed(f"{where}: slots go on beyond the year 9999; shorten gaps and lengths, or give `until:`")
        first, last = (clock.later(begin, gap + before, offsets) for before in (earlier, past))
        if clock.rhythm is not None and end is not None:  # which may lie where the rhythm stands still
            first = last = np.maximum(np.minimum(first, end), begin)
        return Slots(first, last, absent)

    remembered, type = ctx.walked(slots), ctx.type
    return lambda rows: from_units(type, remembered(rows).start, remembered(rows).absent)


def _fitted(sums: Int64, total: Int64, room: Int64) -> Int64:
    """Shrink running sums in proportion where all of them do not fit into `room`; their order stays."""
    share = room.astype(np.float64) / np.maximum(total, 1).astype(np.float64)
    return np.where(total <= room, sums, np.minimum(np.floor(sums.astype(np.float64) * share).astype(np.int64), room))


def _base(recipe: Recipe, ctx: Context) -> Callable[[Rows], tuple[Int64, Mask | None]]:
    """The moment from which the first gap of each row's parent counts."""
    path, moment = argument(recipe, "after"), argument(recipe, "from")
    if path is None:
        if moment is None:
            ctx.fail("slot needs `after:` (a time of the parent) or `from:` (a moment)", recipe.at)
        start = resolve_moment(moment, ctx.schema.anchor)
        return lambda rows: (np.full(len(rows), start, np.int64), None)
    return moments_of(ctx, _of_parent(str(path), recipe, ctx), recipe)


def _of_parent(path: str, recipe: Recipe, ctx: Context) -> str:
    """Return `path` if it is a moment or leads by way of the parent; raises Unusable."""
    if not is_moment(path):
        hops, _ = ctx.plan.hops(path, ctx.table, recipe.at)
        if not hops or not isinstance(ctx.plan.tables[ctx.table.name].links.get(hops[0].columns), FamilyLink):
            ctx.fail(f"slots are in order within {ctx.table.rows.per}, so what they go by must be columns of it, not {path}", recipe.at)
    return path


@generator("slot_end")
def slot_end(recipe: Recipe, ctx: Context) -> Kernel:
    """When the slot of each row ends; null where the column of its beginning is."""
    column = str(argument(recipe, "of"))
    made = ctx.recipe_of(column)
    if made is None or made.name != "slot":
        ctx.fail(f"slot_end needs a column made by slot, and {column} is none", recipe.at)
    type, walks, nulls = ctx.type, ctx.walks, ctx.nulls_of(column, recipe.at)

    def kernel(rows: Rows) -> pa.Array:
        found: Slots = walks[column](rows)
        return from_units(type, found.end, either(found.absent, nulls(rows)))

    return kernel
