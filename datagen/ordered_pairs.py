"""Two references to one key of which the second names the greater (`greater_than`): who meets in a round of a tournament.

A round-robin tournament has each pair of `size` players meet once (the circle method, Kirkman 1847). Its rounds and the places in
a round are independent, so pairs are equally likely where both are drawn, and none repeats where no round and place do.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from datagen.randomness import Int64
from datagen.rows import Rows


def rounds(size: int) -> int:
    """Return how many rounds there are, in each of which `places` of `size` players meet."""
    return max(size - 1 + size % 2, 1)


def places(size: int) -> int:
    """Return how many pairs meet in a round."""
    return max(size // 2, 1)


def pair_of(size: int, turn: Int64, place: Int64) -> tuple[Int64, Int64]:
    """Return who meets in the rounds `turn` at the places `place`: two different numbers below `size`."""
    count = rounds(size)
    step = place + size % 2
    one, other = (turn + step) % count, (turn - step) % count
    if size % 2 == 0:  # the last player stays and meets one in each round
        one = np.where(step == 0, np.int64(size - 1), one)
    return one, other


@dataclass(frozen=True)
class OrderedLink:
    """The row of a pair that has the smaller key, or with `larger` the other; `columns` are those of the two references, and `keys`
    gives the keys of rows."""

    parent: str
    size: int
    columns: tuple[str, ...]
    larger: bool
    turn: Callable[[Rows], Int64]
    place: Callable[[Rows], Int64]
    keys: Callable[[Int64], Int64]

    def __call__(self, rows: Rows) -> Int64:
        if self.size < 2:
            return np.full(len(rows), -1, np.int64)
        one, other = pair_of(self.size, self.turn(rows), self.place(rows))
        return np.where((self.keys(one) < self.keys(other)) ^ self.larger, one, other)
