"""Closed lists of words that tell what stands beside them: titles, particles, legal forms, kinds of streets, phrases (`vocabulary.txt`)."""

from __future__ import annotations

import re
from importlib.resources import files

from masking.text.dictionary import fold

_FILE = "vocabulary.txt"


def _read() -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    words: list[str] = []
    for line in (files("masking.text") / _FILE).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            words = lists.setdefault(name, [])
        elif line and not line.startswith("#"):
            words.extend([line] if name.endswith(" phrases") else line.split())
    return lists


_LISTS = _read()


def _folded(name: str) -> frozenset[str]:
    return frozenset(map(fold, _LISTS[name]))


TITLES = _folded("titles")
AFTER_NAMES = _folded("after_names")
PARTICLES = _folded("particles")
LEGAL_FORMS = _folded("legal_forms")
OF_COMPANIES = _folded("of_companies")
STREET_WORDS = _folded("street_words")
STREET_ENDINGS = tuple(sorted(_folded("street_endings")))
UNIT_WORDS = _folded("unit_words")
IN_PLACE = _folded("in_place")
DETERMINERS = _folded("determiners")


def _alternatives(name: str) -> str:
    """A pattern of the phrases of a list, the longest first."""
    return "|".join(re.escape(phrase) for phrase in sorted(_LISTS[f"{name} phrases"], key=len, reverse=True))


# against what stands before a word, up to it
NAMING = re.compile(rf"(?i)\b(?:{_alternatives('naming')})(?: on [a-z ]{{1,30}}\??)?[\s\"']{{1,4}}$")
GREETING = re.compile(rf"(?i)\b(?:{_alternatives('greeting')})[\s\"']{{1,4}}$")
BEFORE_COMPANIES = re.compile(rf"(?i)\b(?:{_alternatives('before companies')})[ \"']{{1,3}}(?:the )?$")
# against what stands after a word
AFTER_COMPANIES = re.compile(
    rf"(?i)(?:'s)?,?\s(?:{_alternatives('after companies')}|(?:is|was) an? (?:[\w-]{{1,20}} ){{0,3}}(?:{'|'.join(_LISTS['companies'])}))\b"
)
