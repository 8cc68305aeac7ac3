"""Postal addresses: runs of numbers, names and kinds of streets, units, places and codes, with no other words between."""

from __future__ import annotations

import re
from collections.abc import Iterator

from masking.text.dictionary import IS_EVERYDAY, IS_LAND, IS_ORDINARY, IS_PLACE
from masking.text.found import Found
from masking.text.vocabulary import PARTICLES, STREET_ENDINGS, STREET_WORDS, UNIT_WORDS
from masking.text.words import ALNUM, CAPITAL, DIGITS, LOWER, MIXED, TAKEN, UPPER, Words, names_nothing

SCORE = 0.8
_GAPS = frozenset(" ,.\n\t/-'’#>;?()\\")
_LONGEST_GAP = 6
_POINTS = (",", ".", ":")
_ENDS = frozenset('.!?:"“”>*•|')
_ANNOUNCED = re.compile(r"(?i)\baddress(?:es)?(?: is| was|:|\?)?[\s:]{1,4}(?:it is |it's )?$")
_LONGEST_NUMBER = 7
_ACRONYM = 4
_BEFORE = 40
_CORNER = ("corner", "intersection", "junction", "crossing")
_LONGEST_CORNER, _LONGEST_CORNER_STREET = 14, 3
_NUMBER, _STREET, _UNIT, _PROPER, _PLACE, _SMALL, _NOTHING = range(7)


class Addresses:
    """Finds postal addresses by their grammar."""

    def find(self, words: Words) -> Iterator[Found]:
        """Yield the addresses of a text."""
        yield from self._corners(words)
        if not any(s in (DIGITS, ALNUM) for s in words.shapes):
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

    def _corners(self, words: Words) -> Iterator[Found]:
        """The corner of one street and another, in words of any kind: up to three after the `and`."""
        for i, word in enumerate(words.folded):
            if word not in _CORNER or words.folded[i + 1 : i + 2] != ["of"]:
                continue
            end, after = i + 2, -1
            while (
                end < len(words.words)
                and end - i < _LONGEST_CORNER
                and _GAPS.issuperset(words.gap(end - 1))
                and "," not in words.gap(end - 1)
            ):
                if after >= 0:
                    after += 1
                    lower = words.shapes[end] == LOWER and words.folded[end] not in STREET_WORDS
                    if after > _LONGEST_CORNER_STREET or (after > 1 and lower and words.bits[end] & IS_ORDINARY):
                        break
                elif words.folded[end] == "and":
                    after = 0
                end += 1
            if after > 0:
                first = i - 1 if i and words.folded[i - 1] == "the" else i
                yield Found(words.starts[first], words.ends[end - 1], "address", SCORE)

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
        if shape == DIGITS and self._decimal(words, i):
            return _NOTHING
        if shape == DIGITS:
            return _NUMBER if len(folded) <= _LONGEST_NUMBER else _NOTHING
        if shape == ALNUM:
            return _NUMBER if len(folded) <= _LONGEST_NUMBER and sum(c.isdigit() for c in folded) * 2 >= len(folded) - 1 else _NOTHING
        if folded in UNIT_WORDS and (len(folded) > 2 or shape != LOWER):
            follows = i + 1 < len(words.shapes) and words.shapes[i + 1] in (DIGITS, ALNUM)
            if follows:
                return _UNIT
        if folded in STREET_WORDS and shape == LOWER and self._before_a_name(words, i):
            return _STREET
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
        # a new line within an address, or a bracket
        goes_on = i > 0 and not bits & IS_EVERYDAY and not _ENDS.intersection(words.text[words.ends[i - 1] : words.starts[i]])
        return _PROPER if goes_on else _NOTHING

    def _before_a_name(self, words: Words, i: int) -> bool:
        """Whether a number stands before a word and a capital or a particle after it, as in `24 rue de la Paix`."""
        numbered = i > 0 and words.shapes[i - 1] in (DIGITS, ALNUM)
        return numbered and i + 1 < len(words.shapes) and (words.shapes[i + 1] in (CAPITAL, UPPER) or words.folded[i + 1] in PARTICLES)

    def _decimal(self, words: Words, i: int) -> bool:
        """Whether a number is part of one with a point or commas."""
        before = i > 0 and words.shapes[i - 1] == DIGITS and words.gap(i - 1) in _POINTS
        return before or (i + 1 < len(words.shapes) and words.shapes[i + 1] == DIGITS and words.gap(i) in _POINTS)

    def _judged(self, words: Words, kinds: list[int], start: int, end: int) -> Iterator[Found]:
        block = kinds[start:end]
        numbers, named = block.count(_NUMBER), sum(k in (_PROPER, _PLACE, _STREET) for k in block)
        street = _STREET in block
        told = numbers and ((street and named > 1) or (_UNIT in block and (named or numbers > 1)))
        if not told and not self._numbered(words, kinds, start, end):
            before = words.text[max(0, words.starts[start] - _BEFORE) : words.starts[start]]
            if not (numbers and named and _ANNOUNCED.search(before)):
                return
        yield Found(words.starts[start], words.ends[end - 1], "address", SCORE)

    def _numbered(self, words: Words, kinds: list[int], start: int, end: int) -> bool:
        """Whether a number stands beside names as house numbers and postal codes do, though no word says that they are."""
        block = kinds[start:end]
        codes = [i for i in range(start, end) if kinds[i] == _NUMBER and 3 <= len(words.folded[i]) <= 6]
        names = [
            i
            for i in range(start, end)
            if kinds[i] == _PLACE or (kinds[i] == _PROPER and (words.shapes[i] == CAPITAL or len(words.words[i]) > _ACRONYM))
        ]
        if block.count(_NUMBER) >= 2 and codes and (len(names) >= 2 or block == [_NUMBER, _PROPER, _NUMBER]):
            return True
        near = [i for i in codes if (i + 1 < end and kinds[i + 1] == _PLACE) or (i > start and kinds[i - 1] == _PLACE)]
        return bool(near) and any(len(words.folded[i]) >= 4 for i in near)
