"""Quantiles by two rounds of report noisy max over bins."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from math import isqrt

from dpsql.noise.selection import choose

FINENESS = 16  # parts of a row in a score


def quantile(histogram: Mapping[int, int], bins: int, place: Fraction, most_rows: int, epsilon: float) -> int:
    """Return a bin about at `place` (0 to 1) among the rows counted in `histogram`, `epsilon`-DP where a unit has `most_rows` rows.

    The first round picks a block of bins, the second a bin of it, each with half of epsilon. The score of a bin is the negated
    difference of the rows below it and above it, weighted so that it is zero at the quantile (Smith 2011); that of a block is the
    distance of the wanted rank from the ranks that lie in it. With noise of nothing the lower of two middle rows is found.
    """
    a, b = place.numerator, place.denominator
    block = max(1, isqrt(bins - 1) + 1)
    count = -(-bins // block)
    in_block = [0] * count
    for position, rows in histogram.items():
        in_block[position // block] += rows
    total = sum(in_block)
    sensitivity = FINENESS * most_rows * max(a, b - a)
    below = 0
    scores = []
    for rows in in_block:
        scores.append(-_miss(below, total - below - rows, rows, a, b))
        below += rows
    chosen = choose(scores, sensitivity, epsilon / 2) if count > 1 else 0
    first = chosen * block
    below = sum(in_block[:chosen])
    scores = []
    for position in range(first, min(first + block, bins)):
        rows = histogram.get(position, 0)
        scores.append(-_miss(below, total - below - rows, rows, a, b))
        below += rows
    return first + choose(scores, sensitivity, epsilon / 2)


def _miss(below: int, above: int, inside: int, a: int, b: int) -> int:
    """How far the wanted rank is from the ranks inside, in parts of a row / b; a hair more where it is just before them.

    The hair is the same for every bin and every database, so that it costs nothing; it makes the lower of two middle rows win.
    """
    low = FINENESS * ((b - a) * below - a * (above + inside)) + 1
    high = FINENESS * (a * above - (b - a) * (below + inside))
    return max(0, low, high)
