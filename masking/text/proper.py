"""Proper nouns: runs of capitalised words, told apart into people, places and organisations by the dictionary and their neighbours."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from masking.text.dictionary import IS_EVERYDAY, IS_FAMILY, IS_GIVEN, IS_LAND, IS_NAME, IS_ORDINARY, IS_PLACE, STARTS_PHRASE, Dictionary
from masking.text.found import Found
from masking.text.vocabulary import (
    AFTER_COMPANIES,
    AFTER_NAMES,
    BEFORE_COMPANIES,
    DETERMINERS,
    GREETING,
    IN_PLACE,
    LEGAL_FORMS,
    NAMING,
    OF_COMPANIES,
    PARTICLES,
    TITLES,
)
from masking.text.words import ALNUM, CAPITAL, CASELESS, DIGITS, LOWER, MIXED, NAMELIKE, TAKEN, UPPER, Words, names_nothing

SURE, LIKELY, POSSIBLE, DOUBTFUL = 0.9, 0.75, 0.55, 0.45
_INSIDE = frozenset((" ", "-", "_", "'", "’", "‐", "."))
_LONGEST_PHRASE = 5
_LONGEST_RUN = 12
_ACRONYM = 5
_AHEAD = 60
_LINES_OF_CARD, _WORDS_OF_LINE = 3, 5


class ProperNouns:
    """Finds names of people, places and organisations by rules alone."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._phrases = dictionary.phrases

    def find(self, words: Words) -> Iterator[Found]:
        """Yield what proper nouns stand in a text; spans may overlap."""
        yield from self._places(words)
        yield from self._cards(words)
        at = 0
        shapes, count = words.shapes, len(words.words)
        while at < count:
            if self._capital(words, at):
                end = self._run(words, at)
                yield from self._classified(words, at, end)
                at = end
            else:
                if shapes[at] in (LOWER, UPPER, CASELESS):
                    yield from self._uncapitalised(words, at)
                at += 1

    def _capital(self, words: Words, i: int) -> bool:
        shape = words.shapes[i]
        return shape in (CAPITAL, MIXED) or (shape == UPPER and not words.shouted)

    def _run(self, words: Words, start: int) -> int:
        """The end of the run of capitalised words that begins at `start`; particles and initials belong to it where more follows."""
        end = start + 1
        count = len(words.words)
        while end < count and end - start < _LONGEST_RUN:
            gap = words.text[words.ends[end - 1] : words.starts[end]]
            last = words.words[end - 1]
            if gap not in _INSIDE and not (gap == ". " and len(last) <= 3 and words.folded[end - 1] not in PARTICLES):
                break
            if self._capital(words, end):
                end += 1
                continue
            ahead = end
            while ahead < count - 1 and words.folded[ahead] in PARTICLES and words.gap(ahead) in (" ", "'", "’", "-") and ahead - end < 3:
                ahead += 1
            if ahead == end or not self._capital(words, ahead) or words.folded[end] in ("in", "on", "of", "the", "e", "i", "a", "o", "an"):
                break
            end = ahead + 1
        return end

    def _classified(self, words: Words, start: int, end: int) -> Iterator[Found]:
        bits, folded, shapes = words.bits, words.folded, words.shapes
        before = folded[start - 1] if start else ""
        lead = words.before(start)
        # a company by its last words, whatever the first ones are
        last = folded[end - 1]
        if (
            end - start > 1
            and (last in LEGAL_FORMS or last in OF_COMPANIES)
            and not (words.opening(start) and end - start == 2 and last not in LEGAL_FORMS)
        ):
            yield self._span(words, start, end, "company", SURE if last in LEGAL_FORMS else LIKELY)
            return
        first = start
        while first < end and folded[first] in TITLES:
            first += 1
        titled = first > start or (before in TITLES and start > 0 and words.gap(start - 1) in (" ", ". "))
        named = not NAMING.isdisjoint(lead)
        if not named and not GREETING.isdisjoint(lead):
            named = not names_nothing(bits[first], True, False) if first < end else False
        if first == end:
            return
        if not titled and not named and AFTER_COMPANIES.match(words.text[words.ends[end - 1] : words.ends[end - 1] + _AHEAD]):
            if folded[first] in DETERMINERS and first + 1 < end:
                first += 1
            if folded[first] not in DETERMINERS:
                yield self._span(words, first, end, "company", LIKELY)
            return
        start = first
        # words that are no names stand at the beginning of a sentence, or of a heading
        if not titled and not named:
            while start < end and names_nothing(bits[start], True, words.opening(start)):
                # a name that is a word too, before a name that is none
                if bits[start] & IS_NAME and start + 1 < end and bits[start + 1] & IS_NAME and not bits[start + 1] & IS_ORDINARY:
                    break
                start += 1
        if not named:
            while end > start and names_nothing(bits[end - 1], True, False) and not bits[end - 1] & IS_FAMILY:
                if end - start > 2 and folded[end - 2] in PARTICLES:  # a surname, whatever word it is
                    break
                end -= 1
        if not BEFORE_COMPANIES.isdisjoint(words.before(start - 1) if before == "the" and start == first else lead) and first < end:
            yield self._span(words, first, max(end, first + 1), "company", LIKELY)
            return
        if start >= end:
            return
        known = [b & IS_NAME and not names_nothing(b, True, False) for b in bits[start:end]]
        if titled or named:
            if not (end - start == 1 and shapes[start] == UPPER and len(words.words[start]) < 3):
                yield self._span(words, start, end, "person_name", SURE if titled else LIKELY)
        elif end - start == 1:
            yield from self._single(words, start, before)
        elif any(known):
            yield self._span(words, start, end, "person_name", LIKELY)
        elif any(not b & IS_ORDINARY for b in bits[start:end]) or any(b & IS_NAME for b in bits[start:end]):
            yield self._span(words, start, end, "city" if before in IN_PLACE else "company", POSSIBLE)

    def _single(self, words: Words, i: int, before: str) -> Iterator[Found]:
        bits, word, shape = words.bits[i], words.words[i], words.shapes[i]
        opening = words.opening(i)
        if names_nothing(bits, True, opening and words.gap(i)[:1] not in (":", ",") and before != "and"):
            return
        if shape == UPPER and len(word) <= _ACRONYM and not bits & (IS_NAME | IS_LAND | IS_PLACE):
            return
        if len(word) < 3 and not bits & IS_NAME:
            return
        if bits & (IS_PLACE | IS_LAND) and before in IN_PLACE:
            yield self._span(words, i, i + 1, "country" if bits & IS_LAND else "city", LIKELY)
        elif bits & IS_NAME:
            yield self._span(words, i, i + 1, "person_name", LIKELY if bits & IS_GIVEN else POSSIBLE + 0.1)
        elif bits & (IS_PLACE | IS_LAND):
            yield self._span(words, i, i + 1, "city", POSSIBLE)
        else:
            yield self._span(words, i, i + 1, "city" if before in IN_PLACE else "company", DOUBTFUL)

    def _uncapitalised(self, words: Words, i: int) -> Iterator[Found]:
        bits, shape = words.bits[i], words.shapes[i]
        if bits & IS_ORDINARY or len(words.words[i]) < 3:
            return
        before = words.folded[i - 1] if i else ""
        if shape == CASELESS:
            if bits & (IS_NAME | IS_PLACE | IS_LAND):
                yield self._span(words, i, i + 1, "person_name" if bits & IS_NAME else "city", POSSIBLE)
            return
        if bits & IS_NAME:
            yield self._span(words, i, i + 1, "person_name", POSSIBLE if bits & IS_GIVEN else DOUBTFUL)
        elif bits & (IS_PLACE | IS_LAND) and (before in IN_PLACE or bits & IS_LAND):
            yield self._span(words, i, i + 1, "city", POSSIBLE)
        elif words.folded[i] in LEGAL_FORMS and i and words.gap(i - 1) == " " and words.folded[i] in ("inc", "ltd", "llc", "gmbh", "plc"):
            yield self._span(words, i - 1, i + 1, "company", LIKELY)
        elif not bits and len(words.words[i]) > 3 and (before in IN_PLACE or shape == UPPER):
            yield self._span(words, i, i + 1, "city", DOUBTFUL)

    def _places(self, words: Words) -> Iterator[Found]:
        """Names of places of two words and more."""
        count, at = len(words.words), 0
        while at < count - 1:
            if not words.bits[at] & STARTS_PHRASE:
                at += 1
                continue
            phrase, longest, land = words.folded[at], 0, False
            for end in range(at + 1, min(at + _LONGEST_PHRASE, count)):
                gap = words.text[words.ends[end - 1] : words.starts[end]]
                if gap not in (" ", "-", ". ", "'", "’"):
                    break
                phrase += ("-" if gap == "-" else "'" if gap in "'’" else gap) + words.folded[end]
                if phrase in self._phrases and (words.shapes[at] != LOWER or self._phrases[phrase] & IS_LAND or len(phrase) > 8):
                    # of ordinary words alone where each begins with a capital
                    plain = all(b & IS_ORDINARY for b in words.bits[at : end + 1])
                    if not plain or all(
                        s != LOWER or f in PARTICLES for s, f in zip(words.shapes[at : end + 1], words.folded[at : end + 1])
                    ):
                        longest, land = end, bool(self._phrases[phrase] & IS_LAND)
            if longest:
                yield self._span(words, at, longest + 1, "country" if land else "city", LIKELY + 0.02)
                at = longest
            at += 1

    def _cards(self, words: Words) -> Iterator[Found]:
        """Lines of capitalised words alone in a text of several lines with numbers, as on visiting cards and letter heads."""
        text = words.text
        if text.count("\n") < _LINES_OF_CARD - 1 or not any(s in (DIGITS, ALNUM, TAKEN) for s in words.shapes):
            return
        first = 0
        while first < len(words.words):
            stop = text.find("\n", words.starts[first])
            last = bisect_left(words.starts, stop if stop >= 0 else len(text), first)
            line = range(first, last)
            named = all(words.shapes[i] in NAMELIKE or words.folded[i] in PARTICLES for i in line)
            unusual = any(not words.bits[i] & IS_EVERYDAY for i in line)
            if named and unusual and len(line) <= _WORDS_OF_LINE and not words.shouted and not text[words.ends[last - 1] :].startswith(":"):
                yield self._span(words, first, last, "company", POSSIBLE)
            first = last

    def _span(self, words: Words, start: int, end: int, entity: str, score: float) -> Found:
        # the letters after a name belong to it
        while (
            end < len(words.words) and words.folded[end] in AFTER_NAMES and words.shapes[end] == UPPER and words.gap(end - 1) in (" ", ", ")
        ):
            end += 1
        return Found(words.starts[start], words.ends[end - 1], entity, score)
