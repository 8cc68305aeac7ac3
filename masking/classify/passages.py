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
LEAST_SHARE = 0.03
LEAST_SCORE = 0.7
# what texts about things are full of
_OF_ANYBODY = frozenset(
    ("company", "city", "region", "country", "postcode", "address", "url", "date", "age", "job_title", "language", "nationality")
)

_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{0,100}\w")
_PHONE = re.compile(r"(?<![\w.])(?:\+\d|\(0?\d|0)(?:[\s().\-/]{0,2}\d){7,13}(?!\d)")
_ADDRESS = re.compile(r"(?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?!\d)")
_PAIR = re.compile(r"(?=\b([^\W\d_a-z][^\W\d_]+)\s+([^\W\d_a-z][\w'’-]+)\b)")


def persons_in(texts: Sequence[str], find: Find | None) -> int:
    """In how many of `texts` a person, an address or a number is found; the finder is asked for MOST_TEXTS of them.

    A column is judged, not a text: places, companies and unsure finds say nothing, and a single one among many texts is chance.
    """
    found = sum(1 for t in texts if _is_telling(t))
    if found or find is None:
        return found
    step = max(1, -(-len(texts) // MOST_TEXTS))
    asked = list(texts[::step])
    hits = sum(1 for spans in find(asked) if any(_counts(span) for span in spans))
    return hits if hits >= max(2, LEAST_SHARE * len(asked)) else 0


def _counts(span: Any) -> bool:
    return getattr(span, "entity", "person_name") not in _OF_ANYBODY and getattr(span, "score", 1.0) >= LEAST_SCORE


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
