"""The ASCII digits of texts: taken out, read as numbers, and others put in their places."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.canonical import bitmap, validity
from masking.keyed import UInt64
from masking.octets import Octets, Places, before, first_within, octets_of

_ZERO, _TEN = np.uint8(ord("0")), np.uint8(10)
_WORD = 8  # digits that are read at once, from one number of 64 bits
_FOUR = 10**4
_WRITTEN = np.frombuffer("".join(f"{number:04d}" for number in range(_FOUR)).encode(), "<u4")
_EIGHT_ZEROS = np.zeros(_WORD, np.uint8)
# the digits of every byte become numbers of two, of four and of eight: what is kept, 10^n over 2^m + 1, and m
_JOINED = tuple(
    tuple(map(np.uint64, step))
    for step in (
        (0x0F0F0F0F0F0F0F0F, 10 * 2**8 + 1, 8),
        (0x00FF00FF00FF00FF, 100 * 2**16 + 1, 16),
        (0x0000FFFF0000FFFF, 10_000 * 2**32 + 1, 32),
    )
)


@dataclass(frozen=True)
class Digits:
    """The digits of the texts of a `string` array, which `write` exchanges for others.

    `places` says where each digit stands in `octets`, and `begins` where in `places` those of each text begin (and the last end);
    `signs` and `signs_begin` say the same of all other bytes. `padded` are the octets behind eight zeros.
    """

    like: pa.Array
    offsets: npt.NDArray[np.int32]
    octets: Octets
    places: Places
    begins: Places
    signs: Places
    signs_begin: Places
    padded: Octets

    @classmethod
    def of(cls, texts: pa.Array) -> Digits:
        offsets, octets = octets_of(texts)
        digit = _are_digits(octets)
        signs = np.flatnonzero(~digit)
        signs_begin = first_within(signs, offsets)
        padded = np.concatenate([_EIGHT_ZEROS, octets])
        return cls(texts, offsets, padded[_WORD:], np.flatnonzero(digit), offsets - signs_begin, signs, signs_begin, padded)

    @property
    def counts(self) -> Places:
        """How many digits each text has; none where it is null."""
        return np.diff(self.begins)

    def numbers(self, rows: Places, behind: int, length: int) -> UInt64:
        """The number that the digits `behind` to `behind + length` of each of some texts are; `length` is at most 19."""
        numbers = np.zeros(len(rows), np.uint64)
        if not length or not len(rows):
            return numbers
        together, starts, apart = self._together(rows, behind, length)
        read = np.zeros(len(starts), np.uint64)
        for place in range(0, length, _WORD):
            count = min(_WORD, length - place)
            read = read * np.uint64(10**count) + self._read(starts + place, count)
        if not len(apart):
            return read
        numbers[together] = read
        first = self.begins[rows[apart]] + behind
        for place in range(length):
            numbers[apart] = numbers[apart] * np.uint64(10) + (self.octets.take(self.places.take(first + place)) - _ZERO)
        return numbers

    def write(self, rows: Places, behind: int, length: int, numbers: UInt64) -> None:
        """Put `numbers` in the place of these digits."""
        if not length or not len(rows):
            return
        together, starts, apart = self._together(rows, behind, length)
        left = numbers if not len(apart) else numbers[together]
        words = -(-length // 4)
        written = np.empty((len(left), words), "<u4")
        for word in range(words - 1, -1, -1):
            higher = left // np.uint64(_FOUR)
            written[:, word] = _WRITTEN.take((left - higher * np.uint64(_FOUR)).view(np.int64))
            left = higher
        texts = np.ascontiguousarray(written.view(np.uint8)[:, 4 * words - length :])
        _stretches(self.octets, length)[starts] = texts.view(f"V{length}").ravel()
        if len(apart):
            first, left = self.begins[rows[apart]] + behind, numbers[apart]
            for place in range(length - 1, -1, -1):
                tens = left // np.uint64(10)
                self.octets[self.places.take(first + place)] = (left - tens * np.uint64(10)).astype(np.uint8) + _ZERO
                left = tens

    def texts(self) -> pa.Array:
        """The texts with the digits that they have now; nulls stay null."""
        buffers = (pa.py_buffer(self.offsets), pa.py_buffer(self.octets), _validity(self.like))
        return pa.StringArray.from_buffers(len(self.like), *buffers, self.like.null_count)

    def _together(self, rows: Places, behind: int, length: int) -> tuple[Places, Places, Places]:
        """Which of some rows have these digits side by side, where those begin, and which of the rows have others between them."""
        if self._are_all_together:
            return np.arange(len(rows)), self._starts.take(rows) + behind, np.zeros(0, np.int64)
        first = self.begins[rows] + behind
        starts = self.places.take(first)
        side_by_side = self.places.take(first + (length - 1)) - starts == length - 1
        if side_by_side.all():
            return np.arange(len(rows)), starts, np.zeros(0, np.int64)
        together = np.flatnonzero(side_by_side)
        return together, starts[together], np.flatnonzero(~side_by_side)

    @cached_property
    def _are_all_together(self) -> bool:
        """Whether all digits of every text stand side by side."""
        some = np.flatnonzero(self.counts)
        return bool((self.places[self.begins[1:][some] - 1] - self._starts[some] == self.counts[some] - 1).all())

    @cached_property
    def _starts(self) -> Places:
        """Where the first digit of each text stands, if it has one."""
        return np.append(self.places, 0).take(self.begins[:-1])

    def _read(self, starts: Places, count: int) -> UInt64:
        """The numbers that `count` (at most 8) bytes from `starts` on are, all in three multiplications (Lemire 2022)."""
        # the byte that is read last is the highest; those before the digits are shifted out
        words = _stretches(self.padded, _WORD)[starts + count].view("<u8").astype(np.uint64, copy=False)
        if count < _WORD:
            shift = np.uint64(8 * (_WORD - count))
            words = (words >> shift) << shift
        for mask, factor, bits in _JOINED:
            words = ((words & mask) * factor) >> bits
        return words


def _stretches(octets: Octets, length: int) -> npt.NDArray[np.void]:
    """All stretches of so many bytes, without a copy, by where they begin."""
    return np.ndarray((max(len(octets) - length + 1, 0),), f"V{length}", octets, strides=(1,))


def digits_of(texts: pa.Array) -> pa.Array:
    """Return the digits of each text of a `string` array, without what stands between them; nulls stay null."""
    offsets, octets = octets_of(texts)
    digit = _are_digits(octets)
    return pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(before(digit)[offsets]), pa.py_buffer(octets[digit]), _validity(texts), texts.null_count
    )


def _are_digits(octets: Octets) -> npt.NDArray[np.bool_]:
    digits: npt.NDArray[np.bool_] = octets - _ZERO < _TEN  # what is less wraps around
    return digits


def _validity(texts: pa.Array) -> pa.Buffer | None:
    return bitmap(validity(texts))
