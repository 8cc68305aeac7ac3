"""Whether a transformer fits a column, said in one way by all of them."""

from __future__ import annotations

from collections.abc import Iterable

from masking.errors import TransformerUnfit
from masking.transformers.base import Context
from schemas.types import FLOATS, INTEGERS, TEXTS

NUMBERS = (*INTEGERS, "numeric", *FLOATS)
MOMENTS = ("date", "timestamp", "timestamptz")
WORDS = TEXTS


def place_of(context: Context) -> str:
    """The column as messages call it."""
    return f"{context.table.name}.{context.column.name}"


def unfit(context: Context, transformer: str, why: str) -> TransformerUnfit:
    """The error that says why a transformer does not fit a column."""
    return TransformerUnfit(f"{place_of(context)}: '{transformer}' does not fit: {why}")


def require_kind(context: Context, transformer: str, kinds: Iterable[str]) -> None:
    """Refuse a column whose type is none of `kinds`; raises TransformerUnfit with those that are."""
    kinds = tuple(kinds)
    if context.column.type.kind not in kinds:
        raise unfit(context, transformer, f"the column is {context.column.type}, and it masks {', '.join(kinds)}")


def require_repeats(context: Context, transformer: str, instead: str) -> None:
    """Refuse a column in which different values must stay different, since the transformer makes some of them alike."""
    if context.unique:
        raise unfit(context, transformer, f"the column is unique, and different values may become alike; use {instead}")
