"""Canonical JSON (RFC 8785) of what a ledger holds.

Of texts, whole numbers, lists, and mappings whose names are in ASCII, the standard library writes what the RFC says, in C: names sorted,
nothing between them, and in texts only quotes, backslashes and control characters escaped, in the same way.
"""

from __future__ import annotations

import json
from typing import Any


def canonical(document: Any) -> bytes:
    """Return `document` as canonical JSON.

    It is made of texts, whole numbers within 2^53, nulls, lists, and mappings with names in ASCII; the RFC writes other numbers otherwise.
    Raises UnicodeError for texts with half pairs of UTF-16, TypeError for what JSON does not have.
    """
    return canonical_text(document).encode()


def canonical_text(document: Any) -> str:
    """Return `document` as `canonical` does, before it is encoded in UTF-8, which fails for half pairs of UTF-16."""
    return _ENCODER.encode(document)


_ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)
