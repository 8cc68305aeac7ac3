"""Digests of personal values that were made without a key: whoever tries the addresses and numbers that there are finds them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import md5, sha1, sha256

import pyarrow as pa
import pyarrow.compute as pc

from masking.known.canonical import texts_of

# what is digested, so that it can be compared or looked up, and what there is little enough of to try
DIGESTED = frozenset(("email", "phone", "username", "national_id", "tax_id", "iban", "credit_card", "passport"))


def digests_of(values: pa.Array) -> pa.Array:
    """MD5, SHA-1 and SHA-256 of different values: in hexadecimal digits, in base64, and as `texts_of` has bytes.

    Values are digested as they stand, in small letters, and of their letters and digits alone.
    """
    plain = pc.utf8_trim_whitespace(pc.unique(texts_of(values)[0]).drop_null())
    lower = pc.utf8_lower(plain)
    texts = pa.chunked_array([plain, lower, pc.replace_substring_regex(lower, r"[^\w+]", "")]).unique().to_pylist()
    made = [digest(text.encode(), usedforsecurity=False).digest() for text in texts for digest in (md5, sha1, sha256)]
    written = (text for digest in made for text in (digest.hex(), b64encode(digest).decode()))
    return pa.concat_arrays([pa.array(written, pa.large_string()), texts_of(pa.array(made, pa.binary()))[0]])
