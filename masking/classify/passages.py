"""Persons in running text: by the text finder where there is one, and by patterns and dictionaries in any case."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from typing import Any

from masking.classify import likeness
from masking.classify.dictionaries import dictionaries

# spans of persons, addresses and numbers in each text
Find = Callable[[Sequence[str]], Sequence[Sequence[Any]]]
MOST_TEXTS = 120

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w")
_PHONE = re.compile(r"(?<![\w.])(?:\+\d|\(0?\d|0)(?:[\s().\-/]{0,2}\d){7,13}(?!\d)")
_ADDRESS = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
_PAIR = re.compile(r"(?=\b([^\W\d_a-z][^\W\d_]+)\s+([^\W\d_a-z][\w'’-]+)\b)")


def persons_in(texts: Sequence[str], find: Find | None) -> int:
    """In how many of `texts` a person, an address or a number is found; the finder is asked for MOST_TEXTS of them."""
    found = [_is_telling(t) for t in texts]
    if sum(found) == 0 and find is not None:
        step = max(1, -(-len(texts) // MOST_TEXTS))
        return sum(1 for spans in find(list(texts[::step])) if spans)
    return sum(found)


def contacts_in(texts: Sequence[str]) -> int:
    """In how many of `texts` an e-mail address, a telephone number or an IP address stands."""
    return sum(1 for t in texts if _EMAIL.search(t) or _PHONE.search(t) or _ADDRESS.search(t))


def _is_telling(text: str) -> bool:
    if contacts_in((text,)):
        return True
    common = dictionaries().common
    pairs = ((a, b) for a, b in _PAIR.findall(text) if a.lower() not in common and b.lower() not in common)
    return any(likeness.is_person(f"{a} {b}") for a, b in pairs)


@cache
def default_find() -> Find | None:
    """The finder of masking.text, where it and the libraries that it needs are there."""
    try:
        found: Find = import_module("masking.text").find
    except (ImportError, AttributeError):
        return None
    return found
