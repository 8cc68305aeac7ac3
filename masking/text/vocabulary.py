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

# of Chinese, Japanese and Korean, which nothing is folded of
CHINESE_FAMILIES, JAPANESE_FAMILIES, KOREAN_FAMILIES, NO_NAMES = (
    frozenset(_LISTS[name]) for name in ("chinese families", "japanese families", "korean families", "no names")
)
CHINESE_FORMS, CHINESE_JOBS, JAPANESE_TITLES, KOREAN_TITLES, LABELS_OF_PERSONS = (
    tuple(_LISTS[name])
    for name in ("chinese forms of address", "chinese job titles", "japanese titles", "korean titles", "labels of persons")
)


# what stands before a word, as `Words.before` has it
NAMING = frozenset(_LISTS["naming phrases"])
GREETING = frozenset(_LISTS["greeting phrases"])
BEFORE_COMPANIES = frozenset(_LISTS["before companies phrases"])
# against what stands after a word
AFTER_COMPANIES = re.compile(
    rf"(?i)(?:'s)?,?\s(?:{'|'.join(map(re.escape, _LISTS['after companies phrases']))}"
    rf"|(?:is|was) an? (?:[\w-]{{1,20}} ){{0,3}}(?:{'|'.join(_LISTS['companies'])}))\b"
)
