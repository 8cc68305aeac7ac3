"""Sizes as files of ours write them: `500MB`, `10GB` (powers of ten), `10GiB` (powers of two)."""

from __future__ import annotations

import re

_UNITS = {
    "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40,
}  # fmt: skip
_SIZE = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,3}))?\s?([KMGT]i?B|B)\Z")


def parse_size(text: str) -> int:
    """Return the bytes of a size such as `500MB`, `1.5GB` or `10GiB`; raises ValueError."""
    found = _SIZE.match(text.strip())
    if not found:
        raise ValueError(f"'{text[:60]}' is no size; write it like 500MB, 10GB or 10GiB")
    unit = _UNITS[found[3]]
    return int(found[1]) * unit + int((found[2] or "0").ljust(3, "0")) * unit // 1000
