"""Decimals that are written as texts."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation

import pyarrow as pa
import pyarrow.compute as pc

_SAFE = 38  # texts of more characters may have more digits than Arrow's cast can count: it wraps around without a word


def decimals(texts: pa.Array, type: pa.DataType) -> pa.Array:
    """Return texts, without exponents, as decimals of `type`; ArrowInvalid where one is none or does not fit exactly."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) <= _SAFE:
        return texts.cast(type)
    try:
        return pa.array([None if text is None else Decimal(text.rstrip("0") if "." in text else text) for text in texts.to_pylist()], type)
    except InvalidOperation:
        raise pa.ArrowInvalid("a text that is no number") from None
