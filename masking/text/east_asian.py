"""Names of people in Chinese, Japanese and Korean texts, where neither capitals nor spaces tell them from other words.

A name is a family name that is known and a given one: behind either stands how people are addressed, before it what announces one,
or both are in the dictionary.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from masking.text.dictionary import IS_FAMILY, IS_GIVEN, Dictionary
from masking.text.found import Found
from masking.text.vocabulary import (
    CHINESE_FAMILIES,
    CHINESE_FORMS,
    CHINESE_JOBS,
    JAPANESE_FAMILIES,
    JAPANESE_TITLES,
    KOREAN_FAMILIES,
    KOREAN_TITLES,
    LABELS_OF_PERSONS,
    NO_NAMES,
)
from masking.text.words import Words

LIKELY, POSSIBLE = 0.85, 0.7
_ANY = re.compile(r"[\u3400-\u9fff\uac00-\ud7a3]")
_HAN, _HANGUL, _SPACE = r"\u3400-\u9fff々ヶ", r"\uac00-\ud7a3", r"[ \u3000]"
_RUN = re.compile(rf"[{_HAN}]{{3,}}")
_ADDRESSED = re.compile(
    rf"(?P<run>[{_HAN}]{{1,12}}?)(?:{_SPACE}(?P<given>[{_HAN}\u3040-\u30ff]{{1,3}}))?{_SPACE}?"
    rf"(?P<title>{'|'.join((*CHINESE_FORMS, *CHINESE_JOBS, *JAPANESE_TITLES))})"
)
_LABELLED = re.compile(
    rf"(?:{'|'.join(LABELS_OF_PERSONS)}){_SPACE}?[::{_SPACE[1:-1]}]{_SPACE}?(?P<name>[{_HAN}]{{2,6}}|[{_HANGUL}]{{3,4}})(?![{_HAN}{_HANGUL}])"
)
_SPACED = re.compile(
    rf"(?P<run>[{_HAN}]{{1,12}}){_SPACE}(?P<given>[{_HAN}]{{1,3}}|[\u3040-\u309f]{{2,3}}(?![\u3040-\u309f])|[\u30a0-\u30ff]{{2,4}})(?![{_HAN}])"
)
_KOREAN = re.compile(
    rf"(?<![{_HANGUL}])(?P<name>[{_HANGUL}]{{3,4}}?)"
    rf"(?:{_SPACE}?(?P<title>{'|'.join(KOREAN_TITLES)})|(?:(?:이|가|은|는|을|를|의|와|과|도|께|에게|한테)|(?<![이가은는을를의와과도]))(?![{_HANGUL}]))"
)
_BEFORE_NAMES = frozenset("给給和与與跟由请請找让讓被向对對从從同问問是")
_LONGEST_FAMILY, _LONGEST_GIVEN, _LONGEST_CHINESE_GIVEN = 5, 3, 2


class EastAsianNames:
    """Finds names of people in the three languages."""

    def __init__(self, dictionary: Dictionary) -> None:
        self._bits = dictionary.bits

    def find(self, words: Words) -> Iterator[Found]:
        """Yield the names in a text; spans may overlap."""
        text = words.text
        if text.isascii() or not _ANY.search(text):
            return
        yield from self._addressed(text)
        for match in _LABELLED.finditer(text):
            name = match["name"]
            if any(len(name) - n <= _LONGEST_GIVEN for n in self._families(name)) and name not in NO_NAMES:
                yield Found(match.start("name"), match.end("name"), "person_name", LIKELY)
        for match in _SPACED.finditer(text):
            run = match["run"]
            if (begin := next((i for i in range(len(run) - 1) if self._bits(run[i:]) & IS_FAMILY), None)) is not None:
                yield Found(match.start() + begin, match.end("given"), "person_name", POSSIBLE)
        for match in _RUN.finditer(text):
            yield from self._known(text, match.start(), match.end())
        for match in _KOREAN.finditer(text):
            name = match["name"]
            if name not in NO_NAMES and any(self._bits(name[n:]) & IS_GIVEN for n in self._families(name)):
                yield Found(match.start(), match.end("name"), "person_name", LIKELY if match["title"] else POSSIBLE)

    def _families(self, name: str) -> Iterator[int]:
        """The lengths of the known family names that a name begins with, the longest first."""
        for length in range(min(_LONGEST_FAMILY, len(name)), 1, -1):
            if self._bits(name[:length]) & IS_FAMILY:
                yield length
        if name[0] in CHINESE_FAMILIES or name[0] in KOREAN_FAMILIES:
            yield 1

    def _addressed(self, text: str) -> Iterator[Found]:
        for match in _ADDRESSED.finditer(text):
            run, given = match["run"], match["given"]
            begins = (i for i in range(len(run)) if self._is_addressed(run, i, match["title"], spaced=given is not None))
            if (begin := next(begins, None)) is not None:
                yield Found(match.start() + begin, match.end("given" if given else "run"), "person_name", LIKELY)

    def _is_addressed(self, run: str, begin: int, title: str, *, spaced: bool) -> bool:
        """Whether a name begins at a place of a run of characters, after which comes a title; `spaced` where a given name is between."""
        name = run[begin:]
        if name in NO_NAMES:
            return False
        if any(len(name) - n <= (0 if spaced else _LONGEST_GIVEN) for n in self._families(name) if n > 1):
            return True
        if name[0] not in (JAPANESE_FAMILIES if title in JAPANESE_TITLES else CHINESE_FAMILIES):
            return False
        if len(name) - 1 > (0 if spaced else _LONGEST_CHINESE_GIVEN):
            return False
        # without a space before it, what ends with a name of one character is most often a word
        return not begin or run[begin - 1] in _BEFORE_NAMES or (title in CHINESE_FORMS and len(name) > 1)

    def _known(self, text: str, start: int, end: int) -> Iterator[Found]:
        """Names of which both parts are in the dictionary."""
        at = start
        while at < end - 2:
            stop = self._known_end(text, at, end)
            if stop:
                yield Found(at, stop, "person_name", POSSIBLE)
            at = stop or at + 1

    def _known_end(self, text: str, at: int, end: int) -> int:
        for length in self._families(text[at : min(end, at + _LONGEST_FAMILY)]):
            for given in range(_LONGEST_GIVEN, 1, -1):
                if at + length + given <= end and self._bits(text[at + length : at + length + given]) & IS_GIVEN:
                    return at + length + given
        return 0
