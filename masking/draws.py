"""Keyed draws: whole numbers that look random, are the same for equal values, and tell nothing without the key."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from schemas.errors import InputError

Draws = np.ndarray[Any, np.dtype[np.uint64]]


def draws(values: pa.Array, key: bytes) -> Draws:
    """Return one number of 64 bits for each of `values` (any scalar type): the first bits of HMAC-SHA-256 (RFC 2104) of its text.

    `key` is what `MaskingKey.derive` gave for the purpose. Equal values of one type have equal draws; null draws as the empty text.
    """
    return whole_numbers(hexadecimal(values, key), 0)


def hexadecimal(values: pa.Array, key: bytes) -> Any:
    """The same as a Polars series of 64 hexadecimal digits each."""
    pl, plh = _polars(), _polars_hash()
    texts = pl.Series("value", pc.fill_null(written(values), ""))
    return texts.to_frame().select(plh.col("value").chash.hmac_sha256(key=key.hex()))["value"]


def whole_numbers(hashes: Any, quarter: int) -> Draws:
    """The 64 bits of one quarter (0 to 3) of what `hexadecimal` gave, as whole numbers."""
    numbers = hashes.str.slice(16 * quarter, 16).str.to_integer(base=16, dtype=_polars().UInt64)
    return numbers.to_numpy()  # type: ignore[no-any-return]


def written(values: pa.Array) -> pa.Array:
    """The text by which values of any scalar type are told apart; nulls stay."""
    if isinstance(values.type, pa.BaseExtensionType):
        values = values.storage
    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_dictionary(kind):
        return written(values.dictionary_decode())
    if pa.types.is_fixed_size_binary(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return pa.array([None if v is None else v.hex() for v in values.to_pylist()], pa.string())
    if pa.types.is_temporal(kind):
        values = values.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64())
    elif pa.types.is_nested(kind):
        return pa.array([None if v is None else repr(v) for v in values.to_pylist()], pa.string())
    return values.cast(pa.string())


def _polars() -> Any:
    try:
        import polars
    except ModuleNotFoundError:
        raise InputError("masking by a key needs Polars; `pip install 'companyos-data[pii]'` brings it") from None
    return polars


def _polars_hash() -> Any:
    try:
        import polars_hash
    except ModuleNotFoundError:
        raise InputError("masking by a key needs polars-hash; `pip install 'companyos-data[pii]'` brings it") from None
    return polars_hash
