"""Whether the name of a member of a document is the name of a person: a value that stands where a programmer's word does."""

from __future__ import annotations

import re
from functools import lru_cache

from masking.classify.names import lexicon
from masking.text.dictionary import IS_EVERYDAY, IS_NAME, IS_ORDINARY, load

# words of any script, parted by case, digits and punctuation
_WORDS = re.compile(r"[^\W\d_a-z]?[^\W\d_A-Z]+|[A-Z]+(?![a-z])")
_FEWEST = 3  # letters of a word that names somebody
_FEWEST_INSIDE = 4  # of one beside words that name nobody
_FEWEST_GLUED = 7  # of a given and a family name without anything between
# as which some people are called, too
_OF_THINGS = frozenset((
    "alpha", "beta", "meta", "min", "max", "lat", "lon", "geo", "lang", "alt", "ram", "main", "dev", "int", "char", "iso", "regex", "visa",
    "safari", "swift", "kafka", "jenkins", "monday", "tuesday", "thursday", "saturday", "january", "april", "june",
    "august", "november", "fields",
))  # fmt: skip


@lru_cache(maxsize=65_536)
def names_a_person(key: str) -> bool:
    """Whether `siobhan`, `meyer_anna`, `AnnaMeyer`, `annameyer`, `bvance7` or `votes_of_siobhan` is asked, and not `theme` or `page`.

    Words that are said every day, and those that the lexicon of columns knows, name nobody by themselves.
    """
    words = [word for word in _WORDS.findall(key) if len(word) > 1]
    if not words:
        return False
    if any(_is_said_of_nobody_else(word) for word in words):
        return True
    if all(_is_name(word) for word in words) and any(_is_seldom(word) for word in words):
        return True
    return len(words) == 1 and _is_glued(words[0].lower())


def _is_said_of_nobody_else(word: str) -> bool:
    return len(word) >= _FEWEST_INSIDE and _is_seldom(word) and not load().bits(word) & IS_ORDINARY


def _is_name(word: str) -> bool:
    return len(word) >= _FEWEST and bool(load().bits(word) & IS_NAME)


def _is_seldom(word: str) -> bool:
    """Whether a name is none that is said of things all the time."""
    plain = word.lower()
    seldom = _is_name(plain) and not load().bits(plain) & IS_EVERYDAY
    return seldom and plain not in _OF_THINGS and not lexicon().read(plain).telling


def _is_glued(word: str) -> bool:
    """Whether a word that is none is two names, or an initial and a name: `annameyer`, `bvance`."""
    if load().bits(word) or word in _OF_THINGS or lexicon().read(word).telling:
        return False
    if len(word) > _FEWEST_INSIDE and (_is_said_of_nobody_else(word[1:]) or _is_said_of_nobody_else(word[:-1])):
        return True
    ends = range(_FEWEST, len(word) - _FEWEST + 1) if len(word) >= _FEWEST_GLUED else ()
    return any(_is_seldom(word[:end]) and _is_seldom(word[end:]) for end in ends)
