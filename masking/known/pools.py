"""The pools of pseudonyms together: their texts are few and in several pools each, so that one look tells all of these."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from masking.known.stream import U64, Mask
from masking.known.values import HashedValues

_BLOCK = 64  # pools that have a bit each


class Pools:
    """Which columns, by their numbers, know a hash; memory is 16 bytes for each different value, besides what the columns have."""

    def __init__(self, columns: Sequence[tuple[int, HashedValues]]) -> None:
        self.numbers = frozenset(number for number, _ in columns)
        self._blocks = [_block(columns[first : first + _BLOCK]) for first in range(0, len(columns), _BLOCK)]

    def columns_with(self, different: U64) -> Iterator[tuple[int, Mask]]:
        """The columns that know some of `different` hashes, and which of them each knows."""
        for numbers, hashes, owners in self._blocks:
            if not len(hashes):
                continue
            places = np.searchsorted(hashes, different)
            met = np.where(hashes.take(places, mode="clip") == different, owners.take(places, mode="clip"), np.uint64(0))
            some = int(np.bitwise_or.reduce(met))
            for bit, number in enumerate(numbers):
                if some >> bit & 1:
                    yield number, (met >> np.uint64(bit) & np.uint64(1)).astype(np.bool_)


def _block(columns: Sequence[tuple[int, HashedValues]]) -> tuple[Sequence[int], U64, U64]:
    """The numbers of some columns, the hashes that any knows, sorted, and for each of these a bit for every column that does."""
    hashes = np.concatenate([values.hashes for _, values in columns])
    bits = np.repeat(np.uint64(1) << np.arange(len(columns), dtype=np.uint64), [len(values) for _, values in columns])
    order = np.argsort(hashes)
    hashes = hashes[order]
    first = np.flatnonzero(np.concatenate([np.ones(min(len(hashes), 1), np.bool_), hashes[1:] != hashes[:-1]]))
    owners = np.bitwise_or.reduceat(bits[order], first) if len(first) else np.zeros(0, np.uint64)
    return [number for number, _ in columns], hashes[first], owners
