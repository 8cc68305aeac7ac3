"""Quantiles, least and greatest values by two rounds of report noisy max over bins."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

from dpsql.noise.ranges import LARGEST
from dpsql.noise.selection import choose

FINENESS = 16  # parts of a row in a score
FINEST_PLACE = 2**20  # denominators of places: with 2^38 rows scores still fit in 62 bits
TAIL = 0.05


def quantile(histogram: Mapping[int, int], bins: int, place: Fraction, most_rows: int, epsilon: float) -> int:
    """Return a bin about at `place` (0 to 1) among the rows counted in `histogram`, `epsilon`-DP where a unit has `most_rows` rows.

    `histogram` maps bins, from 0 to `bins` - 1, to their rows. The first round picks one of about sqrt(bins) blocks of bins, the second
    a bin of it, each with half of epsilon. A bin's score is the negated distance of the wanted rank from the ranks that lie in the
    bin (Smith 2011), and a block's likewise. Between 0 and 1 the wanted rank is ceil(place * rows), as PERCENTILE_DISC has it. At 0 and
    1 it is a few rows from the end, as many as the noise of the choice may miss by: nearer to it the bins beyond the last
    row, which may be most, could not be told from it. That number vanishes as epsilon grows, and then the outcome is exact. The outcome for
    no rows is any bin.
    """
    side = _side(bins)
    target = _target(place, bins, most_rows, epsilon)
    in_blocks: dict[int, int] = {}
    for position, rows in histogram.items():
        in_blocks[position // side] = in_blocks.get(position // side, 0) + rows
    blocks = [in_blocks.get(n, 0) for n in range(-(-bins // side))]
    chosen = choose(target.scores(blocks, 0, sum(blocks)), target.sensitivity(most_rows), epsilon / 2)
    first = chosen * side
    inside = [histogram.get(position, 0) for position in range(first, min(first + side, bins))]
    below = sum(blocks[:chosen])
    return first + choose(target.scores(inside, below, sum(blocks)), target.sensitivity(most_rows), epsilon / 2)


@dataclass(frozen=True)
class _Target:
    """The wanted rank: the bin whose rows lie about it.

    A bin misses by the rows above it too many, `up` each, or by the rows below it too many, `down` each. From the ends, `spared`
    rows are passed over.
    """

    down: int
    up: int
    spared: int = 0

    def sensitivity(self, most_rows: int) -> int:
        """The most that a unit changes a score, which its rows do one by one, and which is never more than a score can be."""
        return min(FINENESS * most_rows * max(self.down, self.up), LARGEST - 1)

    def scores(self, inside: Sequence[int], below: int, total: int) -> list[int]:
        """The scores of neighbouring bins with so many rows `inside`, after `below` rows."""
        return [-self._miss(before, total - before - rows, rows) for before, rows in zip(accumulate(inside, initial=below), inside)]

    def _miss(self, below: int, above: int, inside: int) -> int:
        # A clamped score changes no more than one that is not. Where the rank is just before a bin's first row, the bin misses by a hair,
        # the same for all databases
        if self.down == 0:
            early, late = FINENESS * (above - self.spared), FINENESS * (self.spared + 1 - inside - above)
        elif self.up == 0:
            early, late = FINENESS * (self.spared + 1 - inside - below), FINENESS * (below - self.spared)
        else:
            late = FINENESS * (self.down * below - self.up * (above + inside)) + 1
            early = FINENESS * (self.up * above - self.down * (below + inside))
        return min(max(0, late, early), LARGEST - 1)


def _target(place: Fraction, bins: int, most_rows: int, epsilon: float) -> _Target:
    if 0 < place < 1:
        near = place.limit_denominator(FINEST_PLACE)
        a, b = near.numerator, near.denominator
        if 0 < a < b:
            return _Target(b - a, a)
    spared = math.floor(2 * most_rows * math.log(_side(bins) / TAIL) / (epsilon / 2)) if bins > 1 else 0
    return _Target(0, 1, spared) if place > Fraction(1, 2) else _Target(1, 0, spared)


def _side(bins: int) -> int:
    return math.isqrt(bins - 1) + 1 if bins > 1 else 1
