"""A text as words: where each stands, how it is written and what the dictionary knows of it."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from masking.text.dictionary import IS_EVERYDAY, IS_FAMILY, IS_GIVEN, IS_LAND, IS_NAME, IS_ORDINARY, IS_PLACE, Dictionary, fold
from masking.text.found import Found

LOWER, CAPITAL, UPPER, MIXED, DIGITS, ALNUM, CASELESS, TAKEN = range(8)
NAMELIKE = frozenset((CAPITAL, UPPER, MIXED))

# letters and digits with the marks that combine with them; an apostrophe or a hyphen inside does not end a word of letters
WORD = re.compile(r"[^\W_][\w\u0300-\u036f]*")
_ENDS_SENTENCE = frozenset('.!?:\n"“”„«»>*•|([{')
_REMEMBERED = 200_000
# `firstName` and `UserId`, and their parts
_LABEL = re.compile(r"[a-z]{2,30}(?:[A-Z][a-z]{1,30}){1,5}(?:IDs?)?|(?:[A-Z][a-z]{1,30}){1,5}(?:I[dD]s?|Name)|[a-z]{2,30}IDs?")
_PART = re.compile(r"[A-Z]*[a-z]*")
_ENDING = frozenset(("Id", "Ids", "ID", "IDs", "Name"))


@dataclass(slots=True)
class Words:
    """The words of `text`, each with its span, shape, and bits of the dictionary; `opening` where a sentence begins."""

    text: str
    starts: list[int]
    ends: list[int]
    words: list[str]
    shapes: list[int]
    bits: list[int]
    folded: list[str]
    shouted: bool

    def gap(self, i: int) -> str:
        """What stands between word i and the word after it."""
        return self.text[self.ends[i] : self.starts[i + 1]] if i + 1 < len(self.starts) else self.text[self.ends[i] :]

    def before(self, i: int) -> tuple[str, ...]:
        """What leads up to word i in lower case: the last word before it, the last two and the last three, each with what follows them."""
        if not i:
            return ()
        gap = self.text[self.ends[i - 1] : self.starts[i]].strip(" \t\r\n\"'“‘(>")
        return tuple(" ".join(self.text[self.starts[k] : self.ends[i - 1]].split()).lower() + gap for k in range(i - 1, max(i - 4, -1), -1))

    def opening(self, i: int) -> bool:
        """Whether a sentence, a line or a quotation begins with word i."""
        if i == 0:
            return True
        before = self.text[self.ends[i - 1] : self.starts[i]]
        return (not before.isspace() and not _ENDS_SENTENCE.isdisjoint(before)) or "\n" in before


def names_nothing(bits: int, capital: bool, opening: bool) -> bool:
    """Whether a word is an ordinary one here: many names are words too, and a capital inside a sentence then speaks for the name."""
    if not bits & IS_ORDINARY:
        return False
    if bits & IS_EVERYDAY or not capital:
        return True
    return not bits & (IS_GIVEN if opening else IS_GIVEN | IS_FAMILY | IS_PLACE | IS_LAND)


class Reader:
    """Makes words of texts; remembers those it has seen."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._dictionary = dictionary
        self._seen: dict[str, tuple[int, int, str]] = {}

    def read(self, text: str, taken: Sequence[Found] = ()) -> Words:
        """Return the words of a text; those within the spans `taken`, which are explained already, have the shape TAKEN."""
        starts, ends, words = [], [], []
        for match in WORD.finditer(text):
            start = match.start()
            for word in parted(match.group()):
                if word:
                    starts.append(start)
                    ends.append(start + len(word))
                    words.append(word)
                start += len(word) + 1
        known = [self._known(word) for word in words]
        shapes = [k[0] for k in known]
        letters = [s for s, w in zip(shapes, words) if s in (LOWER, CAPITAL, MIXED, UPPER) and len(w) > 1]
        shouted = len(letters) >= 3 and letters.count(UPPER) * 4 > len(letters) * 3
        for span in taken:
            first = bisect_right(ends, span.start)
            for i in range(first, bisect_left(starts, span.end, first)):
                shapes[i] = TAKEN
        return Words(text, starts, ends, words, shapes, [k[1] for k in known], [k[2] for k in known], shouted)

    def _known(self, word: str) -> tuple[int, int, str]:
        found = self._seen.get(word)
        if found is None:
            if len(self._seen) >= _REMEMBERED:
                self._seen.clear()
            folded = fold(word)
            found = self._seen[word] = (shape(word), self._dictionary.words.get(folded, 0), folded)
            if found[0] == MIXED and self._is_label(word):
                found = self._seen[word] = (LOWER, IS_ORDINARY | IS_EVERYDAY, folded)
        return found

    def _is_label(self, word: str) -> bool:
        """Whether a word is one of programs, such as `customerId`, made of words not all of which are names, as in `markBrown`."""
        if not _LABEL.fullmatch(word):
            return False
        parts = [part for part in _PART.findall(word) if part]
        bits = [self._dictionary.words.get(fold(part), 0) for part in parts if part not in _ENDING]
        return all(b & IS_ORDINARY for b in bits) and (len(bits) < len(parts) or not all(b & IS_NAME for b in bits))


def parted(word: str) -> list[str]:
    """A word, or its parts where it is one of `contract_Smith_Jo`, as names of files are; `user_id` is one word."""
    parts = word.split("_")
    return parts if len(parts) > 1 and any(len(part) > 1 and shape(part) == CAPITAL for part in parts) else [word]


def shape(word: str) -> int:
    """How a word is written."""
    if word.isdigit():
        return DIGITS
    if any(c.isdigit() for c in word):
        return ALNUM
    if word.islower():
        return LOWER
    if word.isupper():
        return UPPER if len(word) > 1 else CAPITAL
    if word[0].isupper():
        return CAPITAL if word[1:].islower() else MIXED
    return MIXED if word != word.lower() else CASELESS
