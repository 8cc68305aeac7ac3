"""The words in the names of columns and tables: `custFirstNm2`, `E-MAIL_ADR`, `geburtsdatum`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from functools import lru_cache

# between words of camel case, before and after digits, and at anything that is no letter
_SPLIT = re.compile(r"[^A-Za-z0-9]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
_ACRONYM = re.compile(r"\b(IPv?[46]|[Ii]cd10|[Ii]cd9|[Ll]ast4|[Zz]ip4|[Ee]164|[Ss]ha256|[Mm]d5|[Hh]ba1c|[Cc]vv2)(?![A-Za-z0-9])")
# letters that German, Dutch and Polish put between the parts of a word
_LINKS = ("", "s", "es", "n", "en")
MIN_PART = 3
SHORT_PARTS = frozenset(("nr", "no", "id", "ip", "dt", "nm"))


def split(name: str) -> tuple[str, ...]:
    """The words of a name in lower case: parted by case, digits and punctuation."""
    ascii_name = name if name.isascii() else _written_out(name)
    kept = _ACRONYM.sub(lambda m: m.group().lower(), ascii_name)
    parts: list[str] = []
    for chunk in re.split(r"[^A-Za-z0-9]+", kept):
        if not chunk:
            continue
        if _ACRONYM.fullmatch(chunk):
            parts.append(chunk.lower())
        else:
            parts += [w.lower() for w in _SPLIT.split(chunk) if w]
    return tuple(parts)


def _written_out(name: str) -> str:
    from anyascii import anyascii

    umlauts = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
    return str(anyascii(name.translate(umlauts)))


class Segmenter:
    """Takes words that are written together apart: `kundennummer`, `firstname`, `jahreseinkommen`."""

    def __init__(self, vocabulary: Iterable[str]) -> None:
        self._vocabulary: Set[str] = frozenset(vocabulary)
        self._parts = lru_cache(maxsize=4096)(self._segment)

    def segment(self, word: str) -> tuple[str, ...]:
        """The known words that `word` is made of; itself, where it is known or is not made of known words alone.

        A known word of five letters or more at its end or its beginning is taken off in any case.
        """
        return self._parts(word)

    def _segment(self, word: str) -> tuple[str, ...]:
        if word in self._vocabulary or len(word) < 5:
            return (word,)
        whole = self._cover(word)
        if whole:
            return whole
        for cut in range(1, len(word) - 4):
            if word[cut:] in self._vocabulary:
                return (word[:cut], word[cut:])
        for cut in range(len(word) - 1, 5, -1):
            if word[:cut] in self._vocabulary:
                return (word[:cut], word[cut:])
        return (word,)

    def _cover(self, word: str) -> tuple[str, ...]:
        """The fewest known words that cover `word`; () where none do."""
        best: list[tuple[str, ...] | None] = [()] + [None] * len(word)
        for end in range(2, len(word) + 1):
            for start in range(end - 1):
                before = best[start]
                if before is None:
                    continue
                part = self._part(word[start:end], last=end == len(word))
                if part and (best[end] is None or len(before) + 1 < len(best[end] or ())):
                    best[end] = (*before, part)
        return best[-1] or ()

    def _part(self, piece: str, *, last: bool) -> str | None:
        for link in _LINKS if not last else ("",):
            stem = piece.removesuffix(link)
            if stem + link == piece and (len(stem) >= MIN_PART or stem in SHORT_PARTS) and stem in self._vocabulary:
                return stem
        return None
