"""How long a masked text may be, and how long it must be for different values to stay different."""

from __future__ import annotations

from math import ceil, log2

from masking.errors import TransformerUnfit
from masking.transformers.base import Context
from schemas.types import TEXTS, SqlType

UNLIMITED = 10_000_000
UNCOUNTED = 10_000_000

_SAFETY_BITS = 20


def text_column(context: Context, name: str) -> str:
    """Return how messages call the column; raises TransformerUnfit where it holds no text."""
    where = f"{context.table.name}.{context.column.name}"
    if context.column.type.kind not in TEXTS:
        raise TransformerUnfit(f"{where}: `{name}` makes texts, and the column is {context.column.type}")
    return where


def longest(kind: SqlType) -> int:
    """Return the characters that a column of the type holds; `UNLIMITED` where it says none."""
    return UNLIMITED if kind.length is None else kind.length


def bits_needed(distinct: int | None) -> int:
    """Return the bits of a hash at which `distinct` values (10 million where they were not counted) collide once in a million times.

    By the birthday bound, n^2 / 2^(bits+1).
    """
    return ceil(2 * log2(max(distinct or UNCOUNTED, 2)) - 1 + _SAFETY_BITS)


def check_collisions(where: str, name: str, bits: float, distinct: int | None) -> None:
    """Raise TransformerUnfit where `bits` are too few for the different values of a unique column."""
    need = bits_needed(distinct)
    if bits < need:
        count = f"{distinct} different values" if distinct is not None else f"an uncounted number of values ({UNCOUNTED} are assumed)"
        raise TransformerUnfit(
            f"{where}: the column is unique, and {count} need {need} bits of `{name}` to stay different; there is room for {int(bits)}"
        )


def check_pool(where: str, name: str, size: int, distinct: int | None) -> None:
    """Raise TransformerUnfit where a unique column has more different values than a pool of `size` pseudonyms."""
    if distinct is not None and distinct > size:
        raise TransformerUnfit(
            f"{where}: the column is unique and has {distinct} different values; `{name}` knows {size} pseudonyms for it"
        )
