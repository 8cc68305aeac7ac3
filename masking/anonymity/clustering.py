"""Local recoding from single items up: the pair is joined that brings the whole nearest to a good end, again and again.

Agglomerative k-anonymisation (Gionis, Mazza & Tassa 2008: "k-Anonymization Revisited") with a measure of its own. A cluster of
fewer than k rows will have k rows in the end, each of which loses at least what one of its rows loses now; its potential is
therefore its loss times the greater of k and its rows. Joined is the pair with the least growth of the potential, which leads to
classes of hardly more than k rows. Items are sorted and cut into blocks, which are worked on side by side.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.distinct import DistinctTable
from masking.anonymity.joins import Joins, State, joins_of

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]
Floats = NDArray[np.float32]
Enough = NDArray[np.float64]

_BLOCK_SIZES = ((1 << 14, 256), (1 << 16, 128), (1 << 18, 64))
_SMALLEST_BLOCK = 32
_PAIRS = 1 << 22
_FEWEST_CLUSTERS = 6
_NEAR = 24


def cluster(table: DistinctTable, classes: Ints, met: Callable[[Ints, int], Flags], need: int) -> Ints:
    """Join the items of a table until all meet the models; returns the class of each tuple, from 0 on.

    `classes` gives the item of each tuple, from 0 on; items that meet the models are joined only with such as do not. See `peel`
    for `met` and `need`. Where all items of a part of the table do not meet the models together, one item is left of it.
    """
    joins = joins_of(table.domains)
    order = np.argsort([-join.step() for join in joins], kind="stable")
    while True:
        number = int(classes.max()) + 1
        parts = np.zeros(number, np.int64)
        parts[classes] = table.parts
        lacking = ~met(classes, number) & (np.bincount(parts)[parts] > 1)
        if not lacking.any():
            return classes
        joined = _pass(table, joins, order, classes, parts, lacking, need)
        _, classes = np.unique(joined[classes], return_inverse=True)


def _pass(table: DistinctTable, joins: Sequence[Joins], order: Ints, classes: Ints, parts: Ints, lacking: Flags, need: int) -> Ints:
    """Join every lacking item at least once, with one of its part; returns what each item became."""
    number = len(lacking)
    sizes = np.bincount(classes, table.counts, number)
    firsts = np.full((len(joins), number), np.iinfo(np.int32).max, np.int32)
    for first, codes in zip(firsts, table.codes, strict=True):
        np.minimum.at(first, classes, codes)
    ordered = np.lexsort([*(firsts[column] for column in order[::-1]), parts])
    candidates = ordered if lacking.mean() > 1 / 16 else _near(ordered, lacking)
    width = next((size for most, size in _BLOCK_SIZES if len(candidates) <= most), _SMALLEST_BLOCK)
    block_of, width = _blocks(parts[candidates], width)
    blocks = int(block_of[-1]) + 1
    starts = np.searchsorted(block_of, np.arange(blocks))
    slot_of = np.arange(len(candidates)) - starts[block_of]
    # with a large k a block may not hold a few classes: then clusters grow over several passes
    held = np.bincount(block_of, sizes[candidates], blocks)
    enough = np.minimum(need, np.maximum(2, held // _FEWEST_CLUSTERS))

    block = np.full(number, -1, np.int64)
    slot = np.zeros(number, np.int64)
    block[candidates], slot[candidates] = block_of, slot_of
    members = np.flatnonzero(block[classes] >= 0)
    members = members[np.argsort(block[classes[members]], kind="stable")]
    member_block = block[classes[members]]
    active = np.bincount(block_of, lacking[candidates], blocks) > 0
    chunk = max(1, min(_PAIRS // width**2, -(-blocks // 2)))

    def work(first: int) -> tuple[Ints, Ints]:
        last = min(first + chunk, blocks)
        inside = slice(*np.searchsorted(member_block, [first, last]))
        items = slice(int(starts[first]), int(starts[last]) if last < blocks else len(candidates))
        shape = (last - first, width)
        who = classes[members[inside]]
        at = (block_of[items] - first, slot_of[items])
        states = [
            join.start(member_block[inside] - first, slot[who], codes[members[inside]].astype(np.int64), shape)
            for join, codes in zip(joins, table.codes, strict=True)
        ]
        counts, must = np.zeros(shape, np.float32), np.zeros(shape, np.bool_)
        counts[at], must[at] = sizes[candidates[items]], lacking[candidates[items]]
        into = _agglomerate(joins, states, counts, must, need, enough[first:last, None])
        item_at = np.full(shape, -1, np.int64)
        item_at[at] = candidates[items]
        return candidates[items], item_at[at[0], into[at]]

    became = np.arange(number)
    wanted = [first for first in range(0, blocks, chunk) if active[first : first + chunk].any()]
    with ThreadPoolExecutor(2) as pool:
        for items, into in pool.map(work, wanted):
            became[items] = into
    return became


def _blocks(parts: Ints, width: int) -> tuple[Ints, int]:
    """Cut the items of each part, which stand together, into blocks of about one size; returns the block of each, and the width."""
    _, starts, sizes = np.unique(parts, return_index=True, return_counts=True)
    blocks = -(-sizes // width)
    rank = np.arange(len(parts)) - np.repeat(starts, sizes)
    block_of = np.repeat(np.cumsum(blocks) - blocks, sizes) + rank * np.repeat(blocks, sizes) // np.repeat(sizes, sizes)
    return block_of, int(np.bincount(block_of).max())


def _near(ordered: Ints, lacking: Flags) -> Ints:
    """The lacking items and those that stand near them."""
    near = np.zeros(len(ordered) + 2 * _NEAR + 1, np.int64)
    places = np.flatnonzero(lacking[ordered])
    np.add.at(near, places, 1)
    np.add.at(near, places + 2 * _NEAR + 1, -1)
    return ordered[np.cumsum(near)[_NEAR : _NEAR + len(ordered)] > 0]


def _agglomerate(joins: Sequence[Joins], states: list[State], counts: Floats, must: Flags, need: int, enough: Enough) -> Ints:
    """Join the items of each block until each has `enough` rows and none that `must` is alone; returns the slot each ends in."""
    blocks, width = counts.shape
    k = np.float32(need)
    alive = counts > 0
    must = must & alive
    losses = _losses(joins, states)
    growth = _growth(_pair_losses(joins, states), losses[:, :, None], losses[:, None, :], counts[:, :, None], counts[:, None, :], k)
    growth[~(alive[:, :, None] & alive[:, None, :])] = np.inf
    growth[:, np.arange(width), np.arange(width)] = np.inf
    best = growth.argmin(axis=2)
    least = np.take_along_axis(growth, best[:, :, None], axis=2)[:, :, 0]
    into = np.tile(np.arange(width), (blocks, 1))
    for b, i, j in _steps(counts, must, least, best, enough):
        rows = np.arange(len(b))
        joined = [join.join(state[:, b, i], state[:, b, j]) for join, state in zip(joins, states, strict=True)]
        for state, new in zip(states, joined, strict=True):
            state[:, b, i] = new
        counts[b, i] += counts[b, j]
        counts[b, j] = 0
        must[b, i] = must[b, j] = False
        alive[b, j] = False
        moved = into[b]
        into[b] = np.where(moved == j[:, None], i[:, None], moved)
        losses[b, i] = _losses(joins, joined)
        united = _losses(joins, [join.join(new[:, :, None], state[:, b]) for join, new, state in zip(joins, joined, states, strict=True)])
        fresh = _growth(united, losses[b, i][:, None], losses[b], counts[b, i][:, None], counts[b], k)
        fresh[~alive[b]] = np.inf
        fresh[rows, i] = np.inf
        growth[b, j, :] = np.inf
        growth[b, :, j] = np.inf
        growth[b, i, :] = fresh
        growth[b, :, i] = fresh
        nearest, lowest = best[b], least[b]
        lowest[rows, j] = np.inf
        nearer = fresh < lowest
        stale = ((nearest == i[:, None]) | (nearest == j[:, None])) & ~nearer & alive[b]
        stale[rows, i] = True
        best[b] = np.where(nearer, i[:, None], nearest)
        least[b] = np.where(nearer, fresh, lowest)
        at, who = np.nonzero(stale)
        again = growth[b[at], who]
        found = again.argmin(axis=1)
        best[b[at], who] = found
        least[b[at], who] = again[np.arange(len(found)), found]
    return into


def _steps(counts: Floats, must: Flags, least: Floats, best: Ints, enough: Enough) -> Iterator[tuple[Ints, Ints, Ints]]:
    """The best pair of each block that has one to join; ends when no block has."""
    while True:
        lacking = (counts > 0) & ((counts < enough) | must)
        offered = np.where(lacking, least, np.float32(np.inf))
        first = offered.argmin(axis=1)
        b = np.flatnonzero(np.isfinite(offered[np.arange(len(first)), first]))
        if not len(b):
            return
        yield b, first[b], best[b, first[b]]


def _growth(united: Floats, left: Floats, right: Floats, rows_left: Floats, rows_right: Floats, k: np.float32) -> Floats:
    """How much the potential grows where two clusters are joined."""
    found: Floats = united * np.maximum(rows_left + rows_right, k)
    found -= left * np.maximum(rows_left, k)
    found -= right * np.maximum(rows_right, k)
    return found


def _losses(joins: Sequence[Joins], states: Sequence[State]) -> Floats:
    total = joins[0].loss(states[0])
    for join, state in zip(joins[1:], states[1:], strict=True):
        total = total + join.loss(state)
    return total


def _pair_losses(joins: Sequence[Joins], states: Sequence[State]) -> Floats:
    pairs = (join.loss(join.join(state[:, :, :, None], state[:, :, None, :])) for join, state in zip(joins, states, strict=True))
    total = next(pairs)
    for more in pairs:
        total += more
    return total
