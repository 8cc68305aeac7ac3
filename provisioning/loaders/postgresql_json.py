"""The texts of jsonb values, respelled fast as bundles have them."""

from __future__ import annotations

import json

import pyarrow as pa

_PIECE = 512  # other threads wait while one is read or written
_DECODE = json.JSONDecoder().decode
_ENCODE = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False).encode
# stands between the documents of one text, so that one call reads or writes many; no document is likely to hold it
_BETWEEN = "between documents 5bd5b2cf"
_CUT = f',"{_BETWEEN}"'


def sorted_members(array: pa.Array) -> pa.Array:
    """Return JSON texts with their members sorted by name and without spaces; unchanged where that cannot be done at once.

    jsonb sorts members by the length of their names first. Numbers may come out spelled otherwise than in canonical JSON.
    """
    texts: list[str | None] = array.to_pylist()
    places = [i for i, text in enumerate(texts) if text is not None]
    for start in range(0, len(places), _PIECE):
        some = places[start : start + _PIECE]
        try:
            values = _DECODE(f"[{','.join(texts[i] or '' for i in some)}]")
        except (ValueError, RecursionError):
            return array
        with_cuts: list[object] = [_BETWEEN] * (2 * len(values))
        with_cuts[::2] = values
        written = _ENCODE(with_cuts)[1:].split(_CUT)
        if len(values) != len(some) or len(written) != len(some) + 1:
            return array
        for i, text in zip(some, written, strict=False):
            texts[i] = text.removeprefix(",")
    return pa.array(texts, pa.large_string())
