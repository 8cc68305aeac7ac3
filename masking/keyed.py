"""HMAC-SHA-256 (RFC 2104, FIPS 180-4) of a whole column, by polars-hash (a handful by the standard library), and picks by it.

There is no unkeyed hash in this room: phone numbers and ids can be tried out one by one.
"""

from __future__ import annotations

from binascii import unhexlify
from dataclasses import dataclass, field
from hmac import digest
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.canonical import validity
from schemas.errors import InputError

UInt64 = npt.NDArray[np.uint64]
Bytes = npt.NDArray[np.uint8]

DIGEST_BYTES = 32
_FEW = 40  # so many are hashed one by one in the time that it takes to start an expression
_BYTES = np.zeros(2**16, np.uint8)  # by two hexadecimal digits, read as one little-endian number
_BYTES[np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), "<u2")] = np.arange(256, dtype=np.uint8)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFF_FFFF)


@dataclass(frozen=True)
class KeyedHash:
    """HMAC-SHA-256 under one derived key of 32 bytes, which enters as its 64 hexadecimal digits."""

    key: bytes = field(repr=False)

    def hexadecimal(self, texts: pa.Array) -> pa.Array:
        """Return the 64 hexadecimal digits (`large_string`) of the hash of every text; nulls stay null."""
        if len(texts) <= _FEW:
            key = self.key.hex().encode()
            few = [None if text is None else digest(key, text.encode(), "sha256").hex() for text in texts.to_pylist()]
            return pa.array(few, pa.large_string())
        return self._hashed(texts).to_arrow(compat_level=_polars().CompatLevel.oldest())

    def digests(self, texts: pa.Array, length: int = DIGEST_BYTES) -> Bytes:
        """Return the first `length` bytes (`uint8`, rows by `length`) of every hash; zeros for nulls."""
        digits = self.hexadecimal(texts)
        valid = validity(digits)
        if valid is not None:
            digits = digits.fill_null("0" * DIGEST_BYTES * 2)
        if length == DIGEST_BYTES:
            whole = memoryview(digits.buffers()[2])[: len(digits) * DIGEST_BYTES * 2]
            return np.frombuffer(bytearray(unhexlify(whole)), np.uint8).reshape(-1, DIGEST_BYTES)
        pairs = np.frombuffer(digits.buffers()[2], "<u2")[: len(digits) * DIGEST_BYTES].reshape(-1, DIGEST_BYTES)
        return _BYTES.take(pairs[:, :length])

    def words(self, texts: pa.Array, count: int = 1) -> UInt64:
        """Return the first `count` (1 to 4) 64-bit words of every hash, as rows of the result; zeros for nulls."""
        raw = np.ascontiguousarray(self.digests(texts, 8 * count))
        return np.ascontiguousarray(raw.view(">u8").astype(np.uint64).T)

    def _hashed(self, texts: pa.Array) -> Any:
        polars = _polars()
        column = polars.Series("texts", polars.from_arrow(texts) if len(texts) else [], dtype=polars.String)
        return column.to_frame().select(polars.col("texts").chash.hmac_sha256(key=self.key.hex())).to_series()


def pick(words: UInt64, size: int | npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return a number in 0 .. `size`-1 (at most 2^32; one for all or one for each) for each word, by multiplication (Lemire 2019).

    No number is likelier than another by more than `size` / 2^64.
    """
    factor = np.asarray(size, np.uint64)
    product = (words >> _HALF) * factor + (((words & _LOW) * factor) >> _HALF)
    return (product >> _HALF).astype(np.int64)


def _polars() -> Any:
    try:
        import polars
        import polars_hash  # noqa: F401  # registers the expressions
    except ImportError:
        raise InputError("masking needs polars and polars-hash; they come with `pip install 'companyos-data[pii]'`") from None
    return polars
