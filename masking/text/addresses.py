"""Postal addresses: runs of numbers, names and kinds of streets, units, places and codes, with no other words between."""

from __future__ import annotations

from collections.abc import Iterator

from masking.text.dictionary import IS_LAND, IS_ORDINARY, IS_PLACE
from masking.text.found import Found
from masking.text.vocabulary import PARTICLES, STREET_ENDINGS, STREET_WORDS, UNIT_WORDS
from masking.text.words import ALNUM, DIGITS, LOWER, MIXED, TAKEN, UPPER, Words, names_nothing

SCORE = 0.8
_GAPS = frozenset(" ,.\n\t/-'’#>;?()\\")
_LONGEST_GAP = 6
_LONGEST_NUMBER = 7
_CORNER = ("corner", "intersection", "crossing")
_NUMBER, _STREET, _UNIT, _PROPER, _PLACE, _SMALL, _NOTHING = range(7)


class Addresses:
    """Finds postal addresses by their grammar."""

    def find(self, words: Words) -> Iterator[Found]:
        """Yield the addresses of a text."""
        if not any(s in (DIGITS, ALNUM) for s in words.shapes) and "corner" not in words.folded:
            return
        kinds = [self._kind(words, i) for i in range(len(words.words))]
        at = 0
        while at < len(kinds):
            if kinds[at] in (_NOTHING, _SMALL):
                at += 1
                continue
            end = at + 1
            while end < len(kinds) and self._goes_on(words, kinds, end):
                end += 1
            while kinds[end - 1] == _SMALL:
                end -= 1
            yield from self._judged(words, kinds, at, end)
            at = end

    def _goes_on(self, words: Words, kinds: list[int], i: int) -> bool:
        gap = words.text[words.ends[i - 1] : words.starts[i]]
        if len(gap) > _LONGEST_GAP or not _GAPS.issuperset(gap):
            return False
        if kinds[i] == _NOTHING:
            return False
        # a full stop ends a sentence unless a short word, a number or a street was shortened by it
        if ". " in gap and kinds[i - 1] == _PROPER and len(words.words[i - 1]) > 4:
            return False
        return not (kinds[i] == _SMALL and kinds[i - 1] == _NUMBER and gap != " ")

    def _kind(self, words: Words, i: int) -> int:
        shape, folded, bits = words.shapes[i], words.folded[i], words.bits[i]
        if shape == TAKEN:
            return _NOTHING
        if shape == DIGITS:
            return _NUMBER if len(folded) <= _LONGEST_NUMBER else _NOTHING
        if shape == ALNUM:
            return _NUMBER if len(folded) <= _LONGEST_NUMBER and sum(c.isdigit() for c in folded) * 2 >= len(folded) - 1 else _NOTHING
        if folded in UNIT_WORDS and (len(folded) > 2 or shape != LOWER):
            follows = i + 1 < len(words.shapes) and words.shapes[i + 1] in (DIGITS, ALNUM)
            if follows:
                return _UNIT
        if folded in STREET_WORDS and (shape != LOWER or not bits & IS_ORDINARY or folded in ("street", "road", "avenue", "lane")):
            return _STREET
        if len(folded) > 5 and folded.endswith(STREET_ENDINGS) and (shape != LOWER or not bits & IS_ORDINARY):
            return _STREET
        if folded in PARTICLES or folded in ("and", "nan", "corner"):
            return _SMALL
        if bits & (IS_PLACE | IS_LAND) and not names_nothing(bits, shape != LOWER, False):
            return _PLACE
        if shape == LOWER:
            return _PROPER if not bits & IS_ORDINARY and len(folded) > 2 else _NOTHING
        if shape in (UPPER, MIXED) or not bits & IS_ORDINARY or not words.opening(i):
            return _PROPER
        return _NOTHING

    def _judged(self, words: Words, kinds: list[int], start: int, end: int) -> Iterator[Found]:
        block = kinds[start:end]
        corner = any(w in _CORNER for w in words.folded[max(0, start - 3) : end])
        numbers, named = block.count(_NUMBER), sum(k in (_PROPER, _PLACE, _STREET) for k in block)
        street = _STREET in block
        if corner and street or numbers and (street and named > 1 or _UNIT in block and (named or numbers > 1)):
            pass
        elif not self._numbered(words, kinds, start, end):
            return
        first = start
        if corner:
            while first > 0 and words.folded[first - 1] in ("the", "of", "corner", "and"):
                first -= 1
        yield Found(words.starts[first], words.ends[end - 1], "address", SCORE)

    def _numbered(self, words: Words, kinds: list[int], start: int, end: int) -> bool:
        """Whether a number stands beside names as house numbers and postal codes do, though no word says that they are."""
        block = kinds[start:end]
        codes = [i for i in range(start, end) if kinds[i] == _NUMBER and 3 <= len(words.folded[i]) <= 6]
        places = block.count(_PLACE)
        if block.count(_NUMBER) >= 2 and places + block.count(_PROPER) >= 2 and codes:
            return True
        near = [i for i in codes if (i + 1 < end and kinds[i + 1] == _PLACE) or (i > start and kinds[i - 1] == _PLACE)]
        return bool(near) and any(len(words.folded[i]) >= 4 for i in near)
