"""Decimals that are written as texts."""

from __future__ import annotations

import decimal
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

_DIGITS = 38  # Arrow's cast shifts numbers to their scale first, and what then has more digits wraps around without a word
_WIDE = decimal.Context(prec=2_000)


def decimals(texts: pa.Array, type: pa.DataType) -> pa.Array:
    """Return texts, without exponents, as decimals of `type`; ArrowInvalid where one is none or does not fit exactly."""
    if (pc.max(pc.binary_length(texts)).as_py() or 0) + type.scale <= _DIGITS:
        return texts.cast(type)
    try:
        return pa.array([None if text is None else exactly(Decimal(text), type) for text in texts.to_pylist()], type)
    except decimal.InvalidOperation:
        raise pa.ArrowInvalid("a text that is no number") from None


def exactly(value: Decimal, type: pa.DataType) -> Decimal:
    """Return `value` with the decimals of `type`; ArrowInvalid where that would alter it, or it has more digits, or is no number."""
    shown = value.quantize(Decimal(1).scaleb(-type.scale), context=_WIDE) if value.adjusted() < _DIGITS else value
    if not shown.is_finite() or shown != value or len(shown.as_tuple().digits) > type.precision or shown.adjusted() >= _DIGITS:
        raise pa.ArrowInvalid("a number that does not fit")
    return shown
