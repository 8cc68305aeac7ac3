"""Whole columns of small tables, kept in memory once rows of them have been asked for so often that this pays.

Which are kept changes no value, only the time: a cell is the same wherever it is made.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeVar

import numpy as np
import pyarrow as pa

from datagen.blocks import blocks_of
from datagen.randomness import Int64

Whole = TypeVar("Whole", pa.Array, Int64)

MOST_ROWS = 1 << 20
_SCATTERED = 8
_ONCE = 2048  # rows that could be made while their making begins
_MOST_BYTES = 96 << 20


class Budget:
    """How many bytes all tables of a plan may keep."""

    def __init__(self, most: int = _MOST_BYTES) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self, wanted: int) -> bool:
        """Whether there are `wanted` bytes left; they are then taken."""
        with self._lock:
            if wanted > self._left:
                return False
            self._left -= wanted
            return True


class Kept:
    """The whole columns (and links) of a table with `count` rows that pay.

    A whole pays once more rows were made for others than the table has. Rows that lie scattered cost more, and count more; a few rows
    cost as much as many, and count as many.
    """

    def __init__(self, count: int, budget: Budget) -> None:
        self._count, self._budget = count, budget
        self._wholes: dict[Hashable, object] = {}
        self._made: dict[Hashable, int] = {}
        self._lock = threading.Lock()

    def find(self, key: Hashable) -> object | None:
        """The whole under `key`, where it is kept."""
        return self._wholes.get(key)

    def keep(self, key: Hashable, whole: pa.Array) -> None:
        """Keep a whole that was made anyhow, where there is room."""
        if key not in self._wholes and self._budget.take(int(whole.nbytes)):
            self._wholes[key] = whole

    def note(self, key: Hashable, rows: int, scattered: bool, make: Callable[[range], Whole]) -> None:
        """Note that `rows` rows were made one by one; makes the whole, by ranges of rows, where it pays from now on."""
        with self._lock:
            before = self._made.get(key, 0)
            self._made[key] = before + max(rows * (_SCATTERED if scattered else 1), _ONCE)
            if not self._count or not before <= self._count < self._made[key]:
                return
        whole = _joined([make(block) for block in blocks_of(self._count)])
        if self._budget.take(int(whole.nbytes)):
            self._wholes[key] = whole


def _joined(parts: list[Whole]) -> Whole:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if isinstance(parts[0], np.ndarray) else pa.concat_arrays(parts)
