"""Where known values stand inside texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from masking.known.escapes import unescaped
from masking.known.index import ANCHOR, ANCHORED, HEAD, KnownValues, Names, named, tag
from masking.known.stream import I64, U64, Mask, Stream

_SINGLE_WORD = 16  # letters from which on one word is a value even within a longer word
_SHORT = np.uint64(0)
_WIDTH = 32  # bits that a place in a stream has room in
_TAG = np.uint64(3)
_Found = tuple[I64, I64, U64]  # where stretches begin and end, and their tagged hashes


@dataclass(frozen=True)
class Matches:
    """Known values inside the texts of a stream: where each stands (in folded characters), its hash, and the columns that know it.

    They stand in the order of their starts, of those that start together the longest first. `names` tells equal ones. `columns`
    pairs the number of a column with the places of its matches in the arrays.
    """

    stream: Stream
    starts: I64
    ends: I64
    hashes: U64
    names: Names
    columns: Sequence[tuple[int, I64]]

    @cached_property
    def rows(self) -> I64:
        """The text of each match, counted over the whole array."""
        return self.stream.rows_of(self.starts) + self.stream.row


def search(known: KnownValues, stream: Stream) -> Matches:
    """Find every known value inside the texts of `stream`.

    Values of fewer than ten letters and digits are found where a word, a number or an ideograph begins and ends, longer ones
    anywhere, but for single words and numbers that are part of a longer word or number. Overlapping matches are all told.
    """
    starts, ends, hashes = _joined([*_words(known, stream), *(_fit(stream, *found) for found in _anchored(known, stream))])
    order = np.argsort((starts << _WIDTH) - ends, kind="stable")  # which merges what is in order piece by piece
    starts, ends, hashes = starts[order], ends[order], hashes[order]
    columns = []
    names = named(hashes)
    for number, met in known.columns_with(names.different):
        column = known.columns[number]
        if column.inside:
            if not column.place.identifies:
                met = met & ~column.values.shared(names.different)
            kept = np.flatnonzero(met.take(names.which))
            if len(kept):
                columns.append((number, kept))
    return Matches(stream, starts, ends, hashes, names, columns)


def find(known: KnownValues, texts: Sequence[str], *, identifying: bool = False) -> list[list[tuple[int, int, str]]]:
    """Return for each text the spans of known values, in characters, end exclusive, with the kind of entity; none overlap.

    With `identifying` only values by which one person is known are told, not quasi-identifiers and what is sensitive.

    Of overlapping ones the leftmost counts, of those the longest. Values behind escapes (`%40`, `\\u00e9`, `&amp;`) are found in the
    text as it is meant and told as the span that is written. Values that `KnownValues.pass_over` names are not told.
    """
    found: list[list[tuple[int, int, str]]] = [[] for _ in texts]
    for row, start, end, entity in _spans(known, pa.array(texts, pa.large_string()), identifying):
        found[row].append((start, end, entity))
    meant = {row: text for row, text in enumerate(map(unescaped, texts)) if text is not None}
    rows = list(meant)
    for i, start, end, entity in _spans(known, pa.array([meant[row].text for row in rows], pa.large_string()), identifying):
        found[rows[i]].append((*meant[rows[i]].written(start, end), entity))
    return [_apart(spans) for spans in found]


def _spans(known: KnownValues, texts: pa.Array, identifying: bool) -> Iterator[tuple[int, int, int, str]]:
    for stream in known.hasher.streams(texts):
        matches = search(known, stream)
        if not len(matches.starts):
            continue
        entities: list[str | None] = [None] * len(matches.starts)
        for number, hit in reversed(matches.columns):
            place = known.columns[number].place
            for i in hit if place.sought and (place.identifies or not identifying) else ():
                entities[i] = place.entity or "text"
        told = ~known.passed_over.lookup(matches.hashes)
        first, last = stream.spans(matches.starts, matches.ends)
        for i in np.flatnonzero(told):
            entity = entities[i]
            if entity is not None:
                yield int(matches.rows[i]), int(first[i]), int(last[i]), entity


def _apart(spans: list[tuple[int, int, str]]) -> list[tuple[int, int, str]]:
    kept: list[tuple[int, int, str]] = []
    for span in sorted(spans, key=lambda s: (s[0], -s[1])):
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _joined(found: Sequence[_Found]) -> _Found:
    nothing = np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0, np.uint64)
    starts, ends, hashes = zip(nothing, *found, strict=True)
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(hashes)


def _words(known: KnownValues, stream: Stream) -> Iterator[_Found]:
    if known.words.empty:
        return
    bounds = np.flatnonzero(stream.bounds)
    begins = np.zeros(len(stream.sums), bool)
    begins[stream.begins] = True
    wanted = np.zeros(ANCHOR, bool)
    wanted[[n for n in known.lengths if n < ANCHOR]] = True
    first = np.arange(len(bounds) - 1)
    for last in range(1, ANCHOR):  # a stretch of so many words and numbers
        if last > 1:
            first = first[~begins[bounds[first + last - 1]]]  # which goes on in the same text
        lengths = bounds[first + last] - bounds[first]
        short = lengths < ANCHOR
        first, lengths = first[short], lengths[short]
        if not len(first):
            break
        some = wanted[lengths]
        starts = bounds[first[some]]
        ends = starts + lengths[some]
        hashes = tag(stream, starts, ends, stream.hashes(starts, ends))
        hit = known.words.passing(hashes)
        hit = hit[hashes[hit] & _TAG != _SHORT]
        yield starts[hit], ends[hit], hashes[hit]


def _anchored(known: KnownValues, stream: Stream) -> Iterator[_Found]:
    places = known.anchors.passing(stream.windows(ANCHOR))
    if not len(places):
        return
    ends_of_texts = stream.begins[stream.rows_of(places) + 1]
    lengths = sorted(n for n in known.lengths if n >= ANCHOR)
    longest = np.zeros(0, np.int64)
    for length in lengths:
        if length > HEAD:
            break
        room = places + length <= ends_of_texts
        places, ends_of_texts = places[room], ends_of_texts[room]
        hashes = (stream.hashes(places, places + length) & ~_TAG) | np.uint64(ANCHORED)
        hit = known.known.passing(hashes)
        yield places[hit], places[hit] + length, hashes[hit]
    if lengths[-1] > HEAD:
        longest = places[places + HEAD <= ends_of_texts]
        longest = longest[known.heads.lookup(stream.hashes(longest, longest + HEAD))]
    for start in longest:
        end = stream.begins[stream.rows_of(np.array([start]))[0] + 1]
        ends = start + np.array([n for n in lengths if n > HEAD and start + n <= end], np.int64)
        starts = np.full(len(ends), start)
        yield starts, ends, tag(stream, starts, ends, stream.hashes(starts, ends))


def _fit(stream: Stream, starts: I64, ends: I64, hashes: U64) -> _Found:
    fit = _bounded(stream, starts, ends)
    return starts[fit], ends[fit], hashes[fit]


def _bounded(stream: Stream, starts: I64, ends: I64) -> Mask:
    """Whether each stretch is no mere part of a longer number or word, and cuts no number at its ends: `smith4` is not in `smith42`.

    Nor a syllable of Hangul.
    """
    if not len(starts):
        return np.zeros(0, bool)
    apart = stream.bounds[starts] & stream.bounds[ends]
    lengths = ends - starts
    digits = stream.digits[ends] - stream.digits[starts]
    inner = stream.tokens[ends] - stream.tokens[starts + 1]
    word = (inner == 0) & (digits == 0) & (lengths < _SINGLE_WORD)
    number = stream.digits[1:] > stream.digits[:-1]
    cut_before = ~stream.bounds[starts] & number.take(starts)
    cut_behind = ~stream.bounds[ends] & number.take(ends - 1)
    fit: Mask = apart | ~((digits == lengths) | word | cut_before | cut_behind | stream.cut_syllables(ends))
    return fit
