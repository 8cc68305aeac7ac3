"""Texts as one stream of folded characters whose every stretch can be hashed by one subtraction.

The hash of characters c[0] ... c[n-1] is the sum of value(c[i]) * base**i modulo 2**64, with a random odd base and random values
of the characters (Karp and Rabin, "Efficient randomized pattern-matching algorithms", 1987). With the sums up to every place at
hand, the hash of the stretch from s to e is (sum[e] - sum[s]) * base**-s.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.known.folding import IDEOGRAPH, INNER, MARK, fold_tables

U64 = npt.NDArray[np.uint64]
I64 = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

CHUNK = 1 << 19  # characters hashed at a time: what they need fits the caches
OVERLAP = 1 << 12  # of the pieces of a text that is longer than that
_ALPHABET = 1 << 16
_FEW = 32  # of so many places one, up to which the text of each is looked for, rather than of all


class Hasher:
    """The secret by which values are hashed: drawn anew for every index, held in memory alone."""

    def __init__(self, secret: bytes | None = None) -> None:
        stream = hashlib.shake_256(os.urandom(32) if secret is None else secret).digest(16 + 8 * _ALPHABET)
        numbers = np.frombuffer(stream, np.uint64)
        self.base = int(numbers[0]) | 1
        self._spice = numbers[1] | np.uint64(1)
        self._values = numbers[2:] | np.uint64(1)
        self._grow(CHUNK + 1)

    def _grow(self, size: int) -> None:
        # the powers last, since by their number other threads tell whether there are enough of both
        self.inverses = _powers(pow(self.base, -1, 1 << 64), size)
        self.powers = _powers(self.base, size)

    def require(self, size: int) -> None:
        """Have powers for a stream of `size` characters; some characters fold to many."""
        if size >= len(self.powers):
            self._grow(size + 1)

    def values(self, characters: npt.NDArray[np.uint32]) -> U64:
        """The value of each folded character."""
        values: U64 = self._values[characters & np.uint32(_ALPHABET - 1)]
        if len(characters) and characters.max() >= _ALPHABET:
            values = values + (characters >> np.uint32(16)).astype(np.uint64) * self._spice
        return values

    @cached_property
    def ascii_values(self) -> U64:
        """The value of what each byte folds to, for texts that are ASCII throughout."""
        return self.values(fold_tables().first[:256])

    def streams(self, texts: pa.Array) -> Iterator[Stream]:
        """Hash an array of texts (string, large_string, string_view, dictionary of these), piece by piece, in order."""
        plain = _plain(texts)
        offsets = np.frombuffer(plain.buffers()[1], np.int64)[plain.offset : plain.offset + len(plain) + 1]
        buffer = plain.buffers()[2]
        data = np.frombuffer(buffer, np.uint8) if buffer is not None else np.zeros(0, np.uint8)
        row = 0
        while row < len(plain):
            stop = max(row + 1, int(np.searchsorted(offsets, offsets[row] + CHUNK, "right")) - 1)
            part = data[offsets[row] : offsets[stop]]
            yield from self._pieces(part, offsets[row : stop + 1] - offsets[row], row)
            row = stop

    def _pieces(self, data: npt.NDArray[np.uint8], offsets: I64, row: int) -> Iterator[Stream]:
        if not len(data) or data.max() < 128:
            codes: npt.NDArray[np.uint8] | npt.NDArray[np.uint32] = data
            starts = offsets
        else:
            codes = np.frombuffer(data.tobytes().decode("utf-8", "replace").encode("utf-32-le"), np.uint32)
            begins = np.zeros(len(data) + 1, np.int64)
            np.cumsum((data & 0xC0) != 0x80, out=begins[1:])
            starts = begins[offsets]
        if len(codes) <= CHUNK:
            yield Stream(self, codes, starts, row)
            return
        for first in range(0, len(codes), CHUNK - OVERLAP):  # one huge text
            piece = codes[first : first + CHUNK]
            yield Stream(self, piece, np.array([0, len(piece)]), row, first)
            if first + CHUNK >= len(codes):
                return


@dataclass
class Stream:
    """Texts one after the other; `codes` are their characters and `starts` where each begins (with the end of the last).

    `row` is the first text's place in the array, `first_character` where the piece of a huge text begins in it. Values longer
    than a piece are told by their first piece.
    """

    hasher: Hasher
    codes: npt.NDArray[np.uint8] | npt.NDArray[np.uint32]
    starts: I64
    row: int
    first_character: int = 0

    def __post_init__(self) -> None:
        if self.codes.dtype == np.uint8:
            self._kinds, values, kept = self._read_ascii(self.codes.astype(np.uint8, copy=False))
        else:
            self._kinds, values, kept = self._read_wide(self.codes.astype(np.uint32, copy=False))
        size = len(values)
        self.hasher.require(size)
        self.sums = np.zeros(size + 1, np.uint64)
        np.cumsum(values * self.hasher.powers[:size], out=self.sums[1:])
        self.begins = kept[self.starts].astype(np.int64)

    @cached_property
    def bounds(self) -> Mask:
        """Where words, numbers and ideographs begin and end."""
        bounds = np.ones(len(self.sums), bool)
        if len(bounds) > 2:
            wide = self.codes.dtype != np.uint8
            changes = self._changes(self._kinds) if wide else self._kinds[1:] != self._kinds[:-1]
            if len(changes):
                bounds[1:-1] = changes.take(self.source[1:] - 1)
            if wide:  # what one character folds to is one word
                bounds[1:-1] &= self.source[1:] != self.source[:-1]
                bounds[:-1] &= ~self._are_inner(self._compact)
            bounds[self.begins] = True
        return bounds

    def _read_ascii(self, codes: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], U64, npt.NDArray[np.int32]]:
        kinds = fold_tables().classes[:256].take(codes)
        keep = kinds.astype(bool)
        self.source = np.flatnonzero(keep)
        self._compact: npt.NDArray[np.uint8] | npt.NDArray[np.uint32] = codes.take(self.source)
        kept = np.zeros(len(codes) + 1, np.int32)
        np.cumsum(keep, dtype=np.int32, out=kept[1:])
        return kinds, self.hasher.ascii_values.take(self._compact), kept

    def _read_wide(self, codes: npt.NDArray[np.uint32]) -> tuple[npt.NDArray[np.uint8], U64, npt.NDArray[np.int32]]:
        tables = fold_tables()
        tables.require(codes)
        counts = tables.counts[codes]
        kept = np.zeros(len(codes) + 1, np.int32)
        np.cumsum(counts, dtype=np.int32, out=kept[1:])
        if counts.max(initial=0) > 1:
            self.source = np.repeat(np.arange(len(codes)), counts)
            self._compact = tables.spread(codes, counts)
        else:
            self.source = np.flatnonzero(counts)
            self._compact = tables.first[codes.take(self.source)]
        return tables.classes[codes], self.hasher.values(self._compact), kept

    def _changes(self, kinds: npt.NDArray[np.uint8]) -> Mask:
        """Where a word, number or ideograph begins that is another than the character before, marks left out."""
        marks = kinds == MARK
        if marks.any():  # a mark is of the kind of the character that it stands on
            last = np.maximum.accumulate(np.where(marks, 0, np.arange(len(kinds))))
            kinds = kinds[last]
        changes: Mask = (kinds[1:] != kinds[:-1]) | (kinds[1:] == IDEOGRAPH)
        return changes

    @staticmethod
    def _are_inner(folded: npt.NDArray[np.uint8] | npt.NDArray[np.uint32]) -> Mask:
        """Which folded characters do not begin a syllable of Hangul but go on with one."""
        inner: Mask = (folded >= INNER[0]) & (folded <= INNER[1])
        return inner

    def cut_syllables(self, places: I64) -> Mask:
        """Which of `places` lie within a syllable, so that no value ends there."""
        inside = np.zeros(len(places), bool)
        if self.codes.dtype != np.uint8:
            some = np.flatnonzero((places < len(self._compact)) & ~self.bounds[places])
            inside[some] = self._are_inner(self._compact[places[some]])
        return inside

    def characters_at(self, places: I64) -> npt.NDArray[np.uint32]:
        """The folded characters at `places`."""
        found = self._compact[places].astype(np.uint32)
        return fold_tables().first[found] if self._compact.dtype == np.uint8 else found

    @cached_property
    def classes(self) -> npt.NDArray[np.uint8]:
        """The class of each folded character."""
        return fold_tables().classes[self.codes.take(self.source)]

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def lengths(self) -> I64:
        """The folded characters of each text."""
        return np.diff(self.begins)

    @cached_property
    def cells(self) -> U64:
        """The hash of each whole text."""
        return self.hashes(self.begins[:-1], self.begins[1:])

    def hashes(self, starts: I64, ends: I64) -> U64:
        """The hashes of the stretches from `starts` to `ends`."""
        return (self.sums.take(ends) - self.sums.take(starts)) * self.hasher.inverses.take(starts)

    def windows(self, length: int) -> U64:
        """The hash of the stretch of `length` characters at every place; those at the end of a text reach into the next."""
        places = len(self.sums) - length
        if places <= 0:
            return np.zeros(0, np.uint64)
        return (self.sums[length:] - self.sums[:-length]) * self.hasher.inverses[:places]

    @cached_property
    def digits(self) -> npt.NDArray[np.int32]:
        """How many digits stand before every place."""
        counted = np.zeros(len(self.source) + 1, np.int32)
        np.cumsum((self._compact - 48) < 10, dtype=np.int32, out=counted[1:])  # folded digits are ASCII; what is less wraps around
        return counted

    @cached_property
    def ideographs(self) -> npt.NDArray[np.int32]:
        """How many characters of scripts without spaces stand before every place."""
        counted = np.zeros(len(self.source) + 1, np.int32)
        if self.codes.dtype != np.uint8:
            np.cumsum(self.classes == IDEOGRAPH, out=counted[1:])
        return counted

    @cached_property
    def tokens(self) -> npt.NDArray[np.int32]:
        """How many words, numbers and ideographs begin before every place."""
        counted = np.zeros(len(self.bounds) + 1, np.int32)
        np.cumsum(self.bounds, dtype=np.int32, out=counted[1:])
        return counted

    def rows_of(self, places: I64) -> I64:
        """The text, counted from the first of the stream, in which each place stands."""
        if len(places) < len(self.sums) // _FEW:
            return np.searchsorted(self.begins, places, "right") - 1
        return self._rows.take(places)

    @cached_property
    def _rows(self) -> I64:
        return np.append(np.repeat(np.arange(len(self)), self.lengths), len(self))

    def spans(self, starts: I64, ends: I64) -> tuple[I64, I64]:
        """Where the stretches stand in their texts, in characters; marks that belong to the last character come along."""
        first = self.source[starts]
        last = self.source[ends - 1] + 1
        classes = fold_tables().classes
        for i in np.flatnonzero(last < len(self.codes)):
            while last[i] < len(self.codes) and classes[self.codes[last[i]]] == MARK:
                last[i] += 1
        texts = self.starts[self.rows_of(starts)]
        ends_of_texts = self.starts[self.rows_of(starts) + 1]
        return first - texts + self.first_character, np.minimum(last, ends_of_texts) - texts + self.first_character


def _plain(texts: pa.Array) -> pa.Array:
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    if pa.types.is_dictionary(texts.type):
        texts = texts.dictionary_decode()
    if not pa.types.is_large_string(texts.type):
        texts = texts.cast(pa.large_string())
    return pc.fill_null(texts, "") if texts.null_count else texts


def _powers(base: int, size: int) -> U64:
    factors = np.full(size, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors)
