"""Keyed draws: whole numbers that look random, are the same for equal values, and tell nothing without the key."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from masking.canonical import texts_of
from masking.cmac import Cmac
from masking.keyed import UInt64


def draws(values: pa.Array, key: bytes) -> UInt64:
    """Return one number of 64 bits for each of `values` (any scalar type): the first bits of the AES-CMAC of its canonical text.

    `key` is what `MaskingKey.derive` gave for the purpose. Null draws as the empty text, so that the key decides of it too.
    """
    return Cmac(key).words(told(values))[0]  # type: ignore[no-any-return]


def told(values: pa.Array) -> pa.Array:
    """The canonical texts of values, that of null being empty."""
    return pc.fill_null(texts_of(values), "")
