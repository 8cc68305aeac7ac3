"""Finds personal values in texts: patterns and rules on every text, the model where it is asked for.

Texts are read once each, however often they occur. In the fast mode the model reads only those that the rules are unsure of, which
is decided text by text, so what is found in a text never depends on the others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Container, Iterator, Sequence
from typing import TYPE_CHECKING

from masking.stopping import unless_stopped
from masking.text import dictionary, model
from masking.text.addresses import Addresses
from masking.text.dictionary import IS_EVERYDAY, IS_NAME, IS_ORDINARY
from masking.text.east_asian import EastAsianNames
from masking.text.found import Found, settled
from masking.text.patterns import scan, without_extensions, without_server
from masking.text.proper import ProperNouns
from masking.text.words import ALNUM, CAPITAL, CASELESS, DIGITS, LOWER, MIXED, TAKEN, UPPER, Reader, Words

if TYPE_CHECKING:
    from masking.text.model import Tokens
    from masking.transformers.base import KnownTexts

# the least probability of being personal at which a token counts: of capitalised words and numbers, and of words in lower case
THRESHOLD, THRESHOLD_LOWER = 0.05, 0.25
# what has a form of its own is neither a name nor part of an address
_EXPLAINED = 0.85
# what rules find with less is asked of the model too, unless it has to be fast
_SETTLED, _OPEN_IN_FAST = 0.6, 2
_SHORT_NUMBER = 4
# what has such characters in it, and
_PUNCTUATED, _PUNCTUATION = frozenset(("email", "url")), frozenset("@./:_-")
# what has digits in it, whatever the model says
_NUMBERED = frozenset(("phone", "tax_id", "bank_account", "national_id", "passport", "driving_licence"))
_HALVES = re.compile("[\ud800-\udfff]")
_BATCH = 2_048
_BATCH_CHARACTERS = 2_000_000
_KNOWN_SCORE = 0.995


class Finder:
    """Finds personal values; keeps its dictionaries, and the model once it is loaded.

    `fast` leaves the model out wherever the rules are sure; `known` is searched for in every text; `threads` are those of the model
    (None for one a core). Raises InputError where the libraries of the extra `pii` are not installed.
    """

    def __init__(self, *, fast: bool = False, known: KnownTexts | None = None, threads: int | None = None) -> None:
        model.require_installed()
        words = dictionary.load()
        self._reader = Reader(words)
        self._recognizers: tuple[Callable[[Words], Iterator[Found]], ...] = (
            ProperNouns(words).find,
            EastAsianNames(words).find,
            Addresses().find,
        )
        self._fast, self._known = fast, known
        self._threads = threads or os.cpu_count() or 1

    def find(self, texts: Sequence[str | None]) -> list[list[Found]]:
        """Return what is personal in each text, in order and without overlap; nothing in a null."""
        found: dict[str | None, list[Found]] = {}
        find = unless_stopped(self._batch)
        for batch in _batches(list(dict.fromkeys(t for t in texts if t))):
            # half a character, which JSON allows, is read as a whole one that means nothing
            found.update(zip(batch, find([_HALVES.sub("\ufffd", text) for text in batch])))
        return [found.get(text, []) for text in texts]

    def _asks(self, words: Words, found: Sequence[Found]) -> bool:
        """Whether the model is to read a text: where a word is left open, in the fast mode where several are."""
        if self._fast:
            return open_words(words, found)[0] >= _OPEN_IN_FAST
        return any(open_words(words, found, _SETTLED))

    def _batch(self, texts: Sequence[str]) -> list[list[Found]]:
        found = [scan(text) for text in texts]
        read = [self._reader.read(text, [f for f in spans if f.score >= _EXPLAINED]) for text, spans in zip(texts, found)]
        for words, candidates in zip(read, found):
            for recognize in self._recognizers:
                candidates.extend(recognize(words))
        asked = [i for i, words in enumerate(read) if self._asks(words, found[i])]
        if asked:
            loaded = model.load()
            for i, tokens in zip(asked, loaded.read([texts[i] for i in asked], self._threads)):
                found[i].extend(by_model(read[i], tokens, loaded.entities))
        found = [without_extensions(text, without_server(text, candidates)) for text, candidates in zip(texts, found)]
        if self._known is not None:
            for candidates, spans in zip(found, self._known.find(texts)):
                candidates.extend(Found(start, end, entity, _KNOWN_SCORE) for start, end, entity in spans)
        return [settled(text, candidates) for text, candidates in zip(texts, found)]


def open_words(words: Words, found: Sequence[Found], least: float = 0.0) -> tuple[int, int]:
    """How many words of a text no find of at least a score explains: those that no dictionary explains either, and capitalised ones.

    Numbers of two digits and more count with the first.
    """
    covered = bytearray(len(words.text))
    for span in found:
        if span.score >= least:
            covered[span.start : span.end] = b"\1" * (span.end - span.start)
    unknown = capitals = 0
    for start, shape, bits, word in zip(words.starts, words.shapes, words.bits, words.words):
        if shape == TAKEN or len(word) < 2 or all(covered[start : start + len(word)] if shape == CASELESS else covered[start : start + 1]):
            continue
        if shape in (DIGITS, ALNUM) or (not bits & IS_ORDINARY and len(word) > 2):
            unknown += 1
        elif shape in (CAPITAL, MIXED) and (not bits & IS_EVERYDAY or bits & IS_NAME):
            capitals += 1
    return unknown, capitals


def by_model(words: Words, tokens: Tokens, entities: Sequence[str]) -> Iterator[Found]:
    """Yield the words of a text that the model takes for personal; a word counts with its likeliest token."""
    starts, ends, shapes = words.starts, words.ends, words.shapes
    at, count = 0, len(starts)
    best: dict[int, tuple[float, int]] = {}
    for i in (tokens.scores >= THRESHOLD).nonzero()[0].tolist():
        start, end, score = int(tokens.starts[i]), int(tokens.ends[i]), float(tokens.scores[i])
        while at < count and ends[at] <= start:
            at += 1
        word = at
        while word < count and starts[word] < end:
            if score > best.get(word, (0.0, 0))[0]:
                best[word] = (score, int(tokens.labels[i]))
            word += 1
    for word, (score, label) in best.items():
        shape, entity = shapes[word], entities[label]
        if score < THRESHOLD_LOWER and shape in (LOWER, CASELESS):
            continue
        if shape == DIGITS and len(words.words[word]) <= _SHORT_NUMBER and not _in_company(words, word, best):
            continue
        if entity in _PUNCTUATED and not _PUNCTUATION.intersection(words.text[max(0, starts[word] - 1) : ends[word] + 1]):
            continue
        if entity in _NUMBERED and shape not in (DIGITS, ALNUM, LOWER):
            continue
        yield Found(starts[word], ends[word], entity, 0.4 + score / 2)


def _in_company(words: Words, i: int, found: Container[int]) -> bool:
    """Whether a word beside word i is personal too, or a name by its capital: a short number alone is none."""
    beside = [k for k in (i - 1, i + 1) if 0 <= k < len(words.words)]
    return any(k in found or words.shapes[k] in (CAPITAL, UPPER, MIXED) for k in beside)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) >= _BATCH or size + len(text) > _BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def find(texts: Sequence[str | None], *, fast: bool = False, known: KnownTexts | None = None) -> list[list[Found]]:
    """Return what is personal in each text; see `Finder`."""
    return Finder(fast=fast, known=known).find(texts)
