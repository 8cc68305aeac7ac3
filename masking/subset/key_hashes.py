"""Keys as keyed 64-bit hashes, and sets of them.

Two keys with one hash are taken for one key wherever a set is asked, so that a collision (of a hundred million keys, one in four
thousand times) keeps a row more, with all that it references, and never leaves one out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.known.canonical import texts_of
from schemas.errors import InputError
from schemas.types import TEXTS, SqlType

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_MERGE_AT = 1 << 20


class KeyHasher:
    """Hashes keys under a secret: equal keys alike, whatever type a column that references them has."""

    def __init__(self, secret: bytes) -> None:
        digest = hashlib.blake2b(b"subset", key=secret[:64], digest_size=16).digest()
        self._seed, rank = int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
        self._rank_seed = np.uint64(rank)

    def hashes(self, columns: Sequence[pa.Array], types: Sequence[SqlType]) -> tuple[U64, Mask]:
        """Return the hash of each row's key and whether it has one: a null in any column leaves none.

        `types` are those of the columns that are (or are referenced as) the key.
        """
        found, valid = self._column(columns[0], types[0])
        for array, type in zip(columns[1:], types[1:], strict=True):
            more, known = self._column(array, type)
            found, valid = _mixed(found) + more, valid & known
        return found, valid

    def ranks(self, keys: tuple[U64, Mask] | None, first: int, rows: int) -> U64:
        """Numbers by which rows are drawn: of their keys (as `hashes` has them), of their places where they have none.

        The smallest make a sample, in which every row is as likely as any other, and which is the same under the same secret.
        """
        places = _mixed(np.arange(first, first + rows, dtype=np.uint64) + np.uint64(self._seed))
        return _mixed((places if keys is None else np.where(keys[1], keys[0], places)) ^ self._rank_seed)

    def _column(self, array: pa.Array, type: SqlType) -> tuple[U64, Mask]:
        try:
            import polars as pl
            import polars_hash
        except ImportError:
            raise InputError("subsets need polars-hash; `pip install 'companyos-data[pii]'` brings it") from None
        texts = _comparable(array, type)
        hashed = pl.DataFrame({"key": pl.from_arrow(texts)}).select(polars_hash.col("key").nchash.xxh3_64(seed=self._seed))["key"]
        valid = hashed.is_not_null().to_numpy()
        return hashed.fill_null(0).to_numpy().astype(np.uint64, copy=False), valid


class HashSet:
    """A growing set of hashes, kept sorted: 8 bytes for each, and as much again while it grows."""

    def __init__(self) -> None:
        self._sorted: U64 = np.zeros(0, np.uint64)
        self._new: list[U64] = []
        self._waiting = 0
        self._seen: Mask = np.zeros(0, np.bool_)

    def add(self, hashes: U64) -> None:
        """Add some."""
        if len(hashes):
            self._new.append(hashes)
            self._waiting += len(hashes)
            if self._waiting > max(_MERGE_AT, len(self._sorted) // 2):
                self._merge()

    def __bool__(self) -> bool:
        return bool(self._waiting or len(self._sorted))

    def has(self, hashes: U64) -> Mask:
        """Which of `hashes` are in the set; they count as seen from then on."""
        at, found = self.places(hashes)
        if len(self._seen) != len(self._sorted):
            self._seen = np.zeros(len(self._sorted), np.bool_)
        self._seen[at[found]] = True
        return found

    def places(self, hashes: U64) -> tuple[I64, Mask]:
        """The place of each of `hashes` among the sorted ones, and whether it is there."""
        return places_in(self.members, hashes)

    @property
    def members(self) -> U64:
        """All hashes, sorted."""
        self._merge()
        return self._sorted

    @property
    def unseen(self) -> int:
        """How many were never asked for since the set last grew."""
        return len(self.members) - int(np.count_nonzero(self._seen)) if len(self._seen) == len(self.members) else len(self.members)

    def _merge(self) -> None:
        if self._new:
            self._sorted = np.unique(np.concatenate([self._sorted, *self._new]))
            self._new, self._waiting = [], 0


def places_in(members: U64, hashes: U64) -> tuple[I64, Mask]:
    """The place of each of `hashes` among the sorted `members`, and whether it is there."""
    if not len(members):
        return np.zeros(len(hashes), np.int64), np.zeros(len(hashes), np.bool_)
    at = np.minimum(np.searchsorted(members, hashes), len(members) - 1)
    return at, members[at] == hashes


def _comparable(array: pa.Array, type: SqlType) -> pa.Array:
    """Texts that are equal where the database takes values for equal; where it is not known, rather too many are."""
    if type.kind == "uuid":
        if isinstance(array, pa.ExtensionArray) or pa.types.is_fixed_size_binary(array.type):
            return _hexadecimal(array.storage if isinstance(array, pa.ExtensionArray) else array)
        return pc.utf8_lower(pc.replace_substring(texts_of(array)[0], "-", ""))
    if pa.types.is_boolean(array.type):
        return array.cast(pa.large_string())
    texts, _ = texts_of(array)
    # collations that are blind to capitals or to spaces at the end
    return pc.utf8_rtrim_whitespace(pc.utf8_lower(texts)) if type.kind in TEXTS else texts


def _hexadecimal(uuids: pa.Array) -> pa.Array:
    raw = np.frombuffer(uuids.buffers()[1], np.uint8, 16 * len(uuids), 16 * uuids.offset)
    digits = np.stack([_HEX[raw >> 4], _HEX[raw & 15]], axis=1)
    ends = np.arange(len(uuids) + 1, dtype=np.int64) * 32
    texts = pa.Array.from_buffers(pa.large_string(), len(uuids), [None, pa.py_buffer(ends), pa.py_buffer(digits)])
    return pc.if_else(uuids.is_valid(), texts, None) if uuids.null_count else texts


def _mixed(numbers: npt.NDArray[Any]) -> U64:
    """The last steps of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014)."""
    mixed = numbers + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))
