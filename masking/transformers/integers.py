"""A keyed permutation of integers within bounds that fit every column in which a value may stand."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import bitmap, validity
from masking.errors import MaskingFailed
from masking.keyed import KeyedHash
from masking.permutation import Permutation

UInt64 = npt.NDArray[np.uint64]

_BYTES = (2**15, 2**31, 2**63)
_WIDTHS = tuple(10**i for i in range(1, 19))
_INTEGER = r"^(0|-?[1-9][0-9]{0,18})$"


class IntegerPermutation:
    """Maps integers one to one under a key, among those of their sign that need as many bytes (2, 4 or 8); 0 stays 0.

    So a value fits every column that it fitted before, and a smallint and a bigint of one value agree; ids stay above 0. With
    `widths` the number of decimal digits stays too.
    """

    def __init__(self, key: KeyedHash, widths: bool = False) -> None:
        self._key = key
        edges = {1, *(_WIDTHS if widths else ())}
        self._positive = sorted({*edges, *_BYTES})
        self._negative = sorted({*edges, *(size + 1 for size in _BYTES)})
        self._cells: dict[tuple[str, int], Permutation] = {}

    def apply(self, values: pa.Array) -> pa.Array:
        """Map an array of integers or of integral decimals, and return its type; raises MaskingFailed where it cannot hold the result."""
        if pa.types.is_decimal(values.type):
            return self._decimals(values)
        numbers = values.cast(pa.int64())
        mapped = self._map(numbers.fill_null(0).to_numpy())
        return pa.Array.from_buffers(pa.int64(), len(mapped), [bitmap(validity(numbers)), pa.py_buffer(mapped)]).cast(values.type)

    def _map(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        sizes = np.abs(numbers).view(np.uint64)  # of -2^63 it is 2^63, read without a sign
        result = np.zeros(len(numbers), np.uint64)
        for name, edges, side in (("from", self._positive, numbers > 0), ("below", self._negative, numbers < 0)):
            rows = np.flatnonzero(side)
            cells = np.searchsorted(np.array(edges, np.uint64), sizes[rows], side="right") - 1
            for cell in np.unique(cells):
                here = rows[cells == cell]
                low = np.uint64(edges[cell])
                result[here] = self._cell(name, edges[cell], edges[cell + 1]).numbers(sizes[here] - low) + low
        signed = result.view(np.int64)
        return np.where(numbers < 0, -signed, signed)

    def _cell(self, side: str, low: int, high: int) -> Permutation:
        if (side, low) not in self._cells:
            self._cells[side, low] = Permutation(self._key, f"integers {side} {low}", high - low)
        return self._cells[side, low]

    def _decimals(self, values: pa.Array) -> pa.Array:
        try:
            return self.apply(values.cast(pa.int64())).cast(pa.decimal128(19, 0)).cast(values.type)
        except pa.ArrowInvalid:
            raise MaskingFailed(
                f"a {values.type} holds values that are no integers of eight bytes, or cannot hold all as large; mask them by `noise`"
            ) from None


def integers_of(texts: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Return the integers (int64, null elsewhere) that texts are the canonical form of, and which texts are (boolean)."""
    candidates = pc.match_substring_regex(texts, _INTEGER).fill_null(False)
    numbers = pc.if_else(candidates, texts, None).cast(pa.decimal128(19, 0))
    low, high = (pa.scalar(edge, pa.decimal128(19, 0)) for edge in (-(2**63), 2**63))
    inside = pc.and_(pc.greater_equal(numbers, low), pc.less(numbers, high)).fill_null(False)
    return pc.if_else(inside, numbers, None).cast(pa.int64()), inside
