"""A chain of entries by hashes: each holds the hash of the one before, so that none can be altered, moved or taken out unseen.

An entry is flat: names in ASCII, and texts, whole numbers and nulls. It has a `number`, counted from 1 without gaps, the hash of the entry
before as `previous`, and its own `hash` over all the rest.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Literal

Fault = Literal["missing", "altered", "unlinked"]

_EXACT = 2**53 - 1  # the greatest whole number that JSON carries between all programs (RFC 7493)
_HELD = frozenset((str, int, type(None)))
_canonical = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode


@dataclass(frozen=True, slots=True)
class Mark:
    """The number and hash of an entry that was written."""

    number: int
    hash: str


START = Mark(0, "0" * 64)  # what the first entry follows


def entry_hash(entry: Mapping[str, Any]) -> str:
    """The SHA-256, in hexadecimal, of the canonical JSON (RFC 8785) of all of an entry but its `hash`.

    Raises ValueError for what an entry cannot hold: fractions, bytes, numbers beyond 53 bits, half pairs of UTF-16.
    """
    hashed = {name: value for name, value in entry.items() if name != "hash"}
    for value in hashed.values():
        if type(value) not in _HELD or (type(value) is int and not -_EXACT <= value <= _EXACT):
            raise ValueError("an entry holds texts, whole numbers of 53 bits and nulls")
    # of such mappings Python's own encoder makes canonical JSON, in a fifth of the time of one for all that JSON can be
    return sha256(_canonical(hashed).encode()).hexdigest()


def is_whole(entry: Mapping[str, Any]) -> bool:
    """Whether an entry is what its `hash` says."""
    try:
        return bool(entry_hash(entry) == entry["hash"])
    except ValueError:
        return False


def fault(entry: Mapping[str, Any], after: Mark) -> Fault | None:
    """What is wrong with an entry where `after` is the one before it, None where it continues the chain.

    `missing`: there are others between the two by their numbers; `altered`: it is not what its hash says; `unlinked`: it holds another
    hash for the one before, so that one of the two was altered together with its hash, or put here from elsewhere.
    """
    if entry["number"] != after.number + 1:
        return "missing"
    if not is_whole(entry):
        return "altered"
    return None if entry["previous"] == after.hash else "unlinked"


def storable(text: str) -> str:
    """Text that a database and JSON can hold: no zero bytes, no half pairs."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode("utf-8")
