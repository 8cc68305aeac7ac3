"""Whole numbers that lie dense, as keys do: another column of such numbers meets them by chance wherever the two ranges overlap."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.known.different import different
from masking.known.stream import I64

GAP = 16  # numbers further apart than that are in different runs
BLOCK = 64  # numbers whose density is told together; shorter runs are not dense
_Numbers = npt.NDArray[np.float64]


class DenseNumbers:
    """The different whole numbers of a column, until `settle` makes blocks of them; memory is 8 bytes for each until then."""

    def __init__(self) -> None:
        self._pieces: list[I64] = []
        self._held = 0
        self._settled = 0
        self.starts: I64 = np.zeros(0, np.int64)
        self.ends: I64 = np.zeros(0, np.int64)
        self.densities: _Numbers = np.zeros(0)

    def add(self, values: pa.Array) -> None:
        """Take the numbers of an integer array in; arrays of any other type are passed over."""
        if not pa.types.is_integer(values.type) or pa.types.is_uint64(values.type):
            return
        self._pieces.append(different(values.drop_null().cast(pa.int64()).to_numpy()))
        self._held += len(self._pieces[-1])
        if self._held > 2 * self._settled + (1 << 20):
            self._unite()

    def settle(self) -> None:
        """Make blocks of 64 numbers each, of those that lie no further than 16 apart; numbers may be added afterwards."""
        self._unite()
        numbers = self._pieces[0] if self._pieces else np.zeros(0, np.int64)
        bounds = [0, *(np.flatnonzero(np.diff(numbers) > GAP) + 1).tolist(), len(numbers)]
        firsts, lasts = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
        for first, end in pairwise(bounds):
            if end - first >= BLOCK:
                blocks = np.arange(first, end - BLOCK + 1, BLOCK)
                firsts.append(blocks)
                lasts.append(np.append(blocks[1:], end) - 1)
        low, high = np.concatenate(firsts), np.concatenate(lasts)
        self.starts, self.ends = numbers[low], numbers[high]
        self.densities = (high - low + 1) / (self.ends - self.starts + 1)

    @property
    def bounds(self) -> tuple[int, int] | None:
        """The least and the greatest number that is in a block; None where nothing lies dense."""
        return (int(self.starts[0]), int(self.ends[-1])) if len(self.starts) else None

    def met_by(self, numbers: I64) -> float:
        """How many of some different numbers are in the column by chance, each block meeting as many as it is dense."""
        places = np.searchsorted(self.starts, numbers, "right") - 1
        inside = places >= 0
        inside[inside] = numbers[inside] <= self.ends[places[inside]]
        return float(self.densities[places[inside]].sum())

    def _unite(self) -> None:
        if len(self._pieces) > 1:
            self._pieces = [different(np.concatenate(self._pieces))]
        self._held = self._settled = len(self._pieces[0]) if self._pieces else 0
