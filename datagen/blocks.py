"""Blocks: in what pieces all rows of a table are gone through."""

from __future__ import annotations

BLOCK_ROWS = 1 << 16


def blocks_of(count: int) -> list[range]:
    """Cut the row numbers 0 to `count` - 1 into ranges of `BLOCK_ROWS`, the last of which may be shorter."""
    return [range(first, min(first + BLOCK_ROWS, count)) for first in range(0, count, BLOCK_ROWS)]
