"""Suffixes by keyed hash that keep pseudonyms apart in unique columns."""

from __future__ import annotations

from math import ceil

import numpy as np
import pyarrow as pa

from masking.canonical import fixed_texts
from masking.keyed import KeyedHash
from masking.transformers.lengths import bits_needed

# the letters and digits of Crockford's base 32, in which none looks like another
_LETTERS = np.frombuffer(b"0123456789abcdefghjkmnpqrstvwxyz", np.uint8)
_BITS_OF_A_LETTER = 5
_LONGEST = 32


def suffix_length(distinct: int | None) -> int:
    """Return the letters of a suffix at which `distinct` values collide once in a million times (see `bits_needed`)."""
    return min(_LONGEST, ceil(bits_needed(distinct) / _BITS_OF_A_LETTER))


def suffixes(key: KeyedHash, texts: pa.Array, length: int) -> pa.Array:
    """Return the suffix of each text: `length` (at most 32) letters of 5 bits of its hash each."""
    return fixed_texts(_LETTERS.take(key.digests(texts, length) & np.uint8(31)))
