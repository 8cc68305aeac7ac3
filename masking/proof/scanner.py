"""The scan: every value of the source looked for in all of the output, batch by batch as it is made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.known.canonical import texts_of
from masking.known.escapes import ESCAPED, SIGNS, unescaped
from masking.known.index import MIN_DIGITS, SHORT, KnownPlace, KnownValues, tag
from masking.known.search import search
from masking.known.stream import I64, U64, Mask, Stream
from masking.known.values import HashedValues
from masking.proof.columns import Examined, kinds_of_output, public_output
from masking.proof.judging import Judge, Picks
from masking.proof.report import CELLS, TEXTS, ScanReport
from masking.proof.sampling import Sample

_TAG = np.uint64(3)
_LONGEST_NUMBER = 24
_LOOKED_AT, _REPEATED = 1 << 12, 2  # of so many cells one in so many may be another, for each different one to be looked at once


@dataclass
class Tally:
    """What one output column has of one known column: hashes of different values, and how many cells (or texts) hold one."""

    values: HashedValues = field(default_factory=HashedValues)
    cells: int = 0


@dataclass
class OutputColumn:
    """What has been seen of an output column."""

    name: str
    kinds: Collection[str]
    public: bool
    is_key: bool = False
    cells: Sample = field(default_factory=Sample)
    stretches: Sample = field(default_factory=Sample)
    tallies: dict[tuple[int, str], Tally] = field(default_factory=dict)

    def is_kind_of(self, place: KnownPlace) -> bool:
        """Whether the column holds the same kind of values as a place of the source."""
        return place.is_pool or place.entity in self.kinds or place.name.partition("$")[0] == self.name

    def meet(self, number: int, where: str, hashes: U64) -> None:
        """Take note of values, without the cells that hold them."""
        self.tallies.setdefault((number, where), Tally()).values.add(hashes)

    def count(self, number: int, where: str, hashes: U64, rows: I64, cells: I64 | None) -> None:
        """Count values found in `rows`, each of which stands for so many `cells`, or for one."""
        tally = self.tallies.setdefault((number, where), Tally())
        tally.values.add(hashes)
        seen = np.zeros(int(rows.max()) + 1, bool)
        seen[rows] = True
        tally.cells += int(np.count_nonzero(seen) if cells is None else cells[: len(seen)][seen].sum())


class Scanner:
    """Looks for the values that `known` holds in the batches that it is shown.

    `columns` say what became of every column, and so which may hold what; columns of the output that they do not name are searched
    all the same. `keys` are those that are keys or references by their schema (`orders.id`). The columns of a batch are searched by
    `jobs` threads. Memory: what `known` has, a sample of each output column, and 9 bytes for each different value that is found.
    """

    def __init__(
        self,
        known: KnownValues,
        columns: Sequence[Examined],
        *,
        allowed: int = 0,
        common_words: bool = True,
        keys: Collection[str] = (),
        jobs: int = 1,
    ) -> None:
        if not known.sealed:
            known.seal()
        self._known = known
        self._examined = columns
        self._allowed, self._common_words = allowed, common_words
        self._kinds: Mapping[str, Collection[str]] = kinds_of_output(columns)
        self._public, self._keys = frozenset(public_output(columns)), frozenset(keys)
        self._pool_words = HashedValues()
        for column in known.columns:
            if column.place.is_pool:
                self._pool_words.add(column.values.hashes)
        self._pool_words.settle()
        self._sought = any(column.place.sought for column in known.columns)
        self._outputs: dict[str, OutputColumn] = {}
        self._cells = self._texts = self._bytes = 0
        self._threads = ThreadPoolExecutor(jobs, thread_name_prefix="scan") if jobs > 1 else None

    def see(self, table: str, batch: pa.RecordBatch) -> None:
        """Search a batch of the output's rows; the order of tables and batches changes no count."""
        outputs = [self._output(f"{table}.{name}") for name in batch.schema.names]
        each: Callable[..., Iterable[tuple[int, int, int]]] = map if self._threads is None else self._threads.map
        for cells, texts, size in each(self._see, outputs, batch.columns):
            self._cells += cells
            self._texts += texts
            self._bytes += size

    def report(self, control: Scanner | None = None, picked: Picks = MappingProxyType({})) -> ScanReport:
        """What has been found until now.

        `control` has seen tables of the output as they are under another key; `picked` says what such a one has told before.
        """
        judge = Judge(self._known, self._examined, self._common_words)
        controls = () if control is None else control._settled()
        sizes = {"allowed": self._allowed, "cells": self._cells, "texts": self._texts, "size": self._bytes}
        return judge.report(self._settled(), **sizes, controls=controls, picked=picked)

    def _settled(self) -> Sequence[OutputColumn]:
        for output in self._outputs.values():
            for tally in output.tallies.values():
                tally.values.settle()
        return list(self._outputs.values())

    def _output(self, name: str) -> OutputColumn:
        if name not in self._outputs:
            kinds, public = self._kinds.get(name, ()), name in self._public
            self._outputs[name] = OutputColumn(name, kinds, public, name in self._keys)
        return self._outputs[name]

    def _see(self, output: OutputColumn, values: pa.Array) -> tuple[int, int, int]:
        """Search a column, and return how many cells and texts it has, and their bytes."""
        filled, textual, cells = len(values) - values.null_count, _holds_texts(values.type), None
        if not textual:
            if not self._sought:
                return filled, 0, 0
            values, cells = _different(values)
        texts, rows = texts_of(values)
        seen = (filled, len(texts) - texts.null_count, texts.nbytes) if textual else (filled, 0, 0)
        if not self._sought:
            return seen
        if textual and rows is None:
            texts, cells = _different(texts)
        for stream in self._known.hasher.streams(texts):
            whole = self._whole(output, stream, rows, cells)
            if textual:
                self._inside(output, stream, rows, cells, whole)
        if textual:
            meant, rows = _meant(texts, rows)
            for stream in self._known.hasher.streams(meant):
                self._inside(output, stream, rows, cells, {})
        return seen

    def _whole(self, output: OutputColumn, stream: Stream, rows: I64 | None, cells: I64 | None) -> dict[int, I64]:
        """Count the cells that are a value, and return them by the column that knows it."""
        whole = {}
        starts, ends = stream.begins[:-1], stream.begins[1:]
        hashes = self._known.tagged(stream)
        filled = np.flatnonzero(ends > starts)
        for number, hit in self._known.columns_of(hashes, ends > starts):
            kept = hit if self._same_kind(output, number) else hit[hashes[hit] & _TAG != SHORT]
            if len(kept):
                output.count(number, CELLS, hashes[kept], _rows(stream.row + kept, rows), cells)
                whole[number] = stream.row + kept
        output.cells.take(stream, starts[filled], ends[filled], hashes[filled])
        return whole

    def _inside(self, output: OutputColumn, stream: Stream, rows: I64 | None, cells: I64 | None, whole: Mapping[int, I64]) -> None:
        """Count the texts that hold a value; those that are one have been counted, as have values within longer ones.

        What stands within a longer value of a pool is part of a pseudonym ("engineer" in "Engineer, site"), which is judged whole.
        """
        found = search(self._known, stream)
        picked = _within(found.ends, [hit for number, hit in found.columns if self._known.columns[number].place.is_pool])
        for number, hit in found.columns:
            kept = _outermost(hit[~picked[hit]], found.ends)
            if number in whole:
                kept = kept[~np.isin(found.rows[kept], whole[number])]
            if not len(kept):
                continue
            if self._known.columns[number].place.is_pool:  # of which it is asked what was met, not where
                met = np.zeros(len(found.names.different), bool)
                met[found.names.which[kept]] = True
                output.meet(number, TEXTS, found.names.different[met])
            else:
                output.count(number, TEXTS, found.hashes[kept], _rows(found.rows[kept], rows), cells)
        starts, ends = self._numbers(stream)
        if len(starts):
            output.stretches.take(stream, starts, ends, tag(stream, starts, ends, stream.hashes(starts, ends)))
        if len(self._pool_words):
            output.stretches.take(stream, *self._pairs(stream, output.stretches))

    def _numbers(self, stream: Stream) -> tuple[I64, I64]:
        """All stretches of digits that are as long as some value, which begin and end where a number does."""
        bounds = np.flatnonzero(stream.bounds)
        starts, found = bounds[:-1], []
        lengths = sorted(n for n in self._known.lengths if MIN_DIGITS <= n <= _LONGEST_NUMBER)
        for length in lengths:  # a stretch of digits that is longer begins with one
            starts = starts[starts + length < len(stream.bounds)]
            starts = starts[stream.digits[starts + length] - stream.digits[starts] == length]
            found.append(starts[stream.bounds[starts + length]])
        begins = np.concatenate(found) if found else np.zeros(0, np.int64)
        ends = begins + np.repeat(np.array(lengths, np.int64), [len(f) for f in found])
        within = ends <= stream.begins[stream.rows_of(begins) + 1]
        return begins[within], ends[within]

    def _pairs(self, stream: Stream, sample: Sample) -> tuple[I64, I64, U64]:
        """Stretches of two words that are both in the pools, as far as they belong into `sample`, and their hashes."""
        bounds = np.flatnonzero(stream.bounds)
        starts, middles, ends = bounds[:-2], bounds[1:-1], bounds[2:]
        hashes = stream.hashes(starts, ends)
        some = np.flatnonzero(sample.wants(hashes))
        for first, last in ((starts, middles), (middles, ends)):
            words = tag(stream, first[some], last[some], stream.hashes(first[some], last[some]))
            maybe = self._known.known.passing(words)
            some = some[maybe[self._pool_words.lookup(words[maybe])]]
        starts, ends = starts[some], ends[some]
        within = ends <= stream.begins[stream.rows_of(starts) + 1]
        starts, ends = starts[within], ends[within]
        return starts, ends, tag(stream, starts, ends, hashes[some][within])

    def _same_kind(self, output: OutputColumn, number: int) -> bool:
        return output.is_kind_of(self._known.columns[number].place)


def _outermost(hit: I64, ends: I64) -> I64:
    """Those stretches that lie within no other; they stand in the order of `Matches`."""
    last = ends[hit]
    outer = np.ones(len(hit), bool)
    outer[1:] = last[1:] > np.maximum.accumulate(last)[:-1]
    return hit[outer]


def _within(ends: I64, longer: Sequence[I64]) -> Mask:
    """Which stretches, in the order of `Matches`, lie within another one that is among the `longer` ones."""
    reached = np.full(len(ends), -1)
    for hit in longer:
        reached[hit] = ends[hit]
    within = np.zeros(len(ends), bool)
    within[1:] = np.maximum.accumulate(reached)[:-1] >= ends[1:]  # of what stands before, nothing is the same stretch
    return within


def _different(values: pa.Array) -> tuple[pa.Array, I64 | None]:
    """The different ones of some values and the cells of each, where most are repeated; else the values, and None."""
    kind = values.type
    if pa.types.is_nested(kind) or isinstance(kind, pa.BaseExtensionType) or pa.types.is_dictionary(kind):
        return values, None
    first = values.slice(0, _LOOKED_AT)
    if len(first.unique()) > len(first) // _REPEATED:
        return values, None
    encoded = values.dictionary_encode()
    return encoded.dictionary, np.bincount(encoded.indices.drop_null(), minlength=len(encoded.dictionary)).astype(np.int64)


def _rows(places: I64, rows: I64 | None) -> I64:
    return places if rows is None else rows[places]


def _holds_texts(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind) or pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return _holds_texts(kind.value_type)
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_binary, pa.types.is_large_binary)
    return any(is_text(kind) for is_text in tests)


def _meant(texts: pa.Array, rows: I64 | None) -> tuple[pa.Array, I64]:
    """The texts behind escapes, of those that have some, and the rows that they stand in."""
    data = texts.buffers()[2]
    signs = np.frombuffer(b"" if data is None else data, np.uint8)
    if not any((signs == sign).any() for sign in SIGNS):
        return texts.slice(0, 0), np.zeros(0, np.int64)
    escaped = np.flatnonzero(pc.fill_null(pc.match_substring_regex(texts, ESCAPED), False).to_numpy(zero_copy_only=False))
    plain = [(row, text.text) for row in escaped if (text := unescaped(texts[row].as_py())) is not None]
    places = np.array([row for row, _ in plain], np.int64)
    return pa.array([text for _, text in plain], pa.large_string()), _rows(places, rows)
