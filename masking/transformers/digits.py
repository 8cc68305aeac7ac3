"""The ASCII digits of texts: taken out, read as numbers, and others put in their places."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.canonical import bitmap, validity
from masking.keyed import UInt64
from masking.octets import Octets, Places, before, octets_of

_ZERO, _TEN = np.uint8(ord("0")), np.uint8(10)


@dataclass(frozen=True)
class Digits:
    """The digits of the texts of a `string` array, which `write` exchanges for others.

    `places` says where each digit stands in `octets`, and `begins` where in `places` those of each text begin (and the last end).
    """

    like: pa.Array
    offsets: npt.NDArray[np.int32]
    octets: Octets
    places: Places
    begins: Places

    @classmethod
    def of(cls, texts: pa.Array) -> Digits:
        offsets, octets = octets_of(texts)
        digit = _are_digits(octets)
        return cls(texts, offsets, octets.copy(), np.flatnonzero(digit), before(digit)[offsets].astype(np.int64))

    @property
    def counts(self) -> Places:
        """How many digits each text has; none where it is null."""
        return np.diff(self.begins)

    def numbers(self, rows: Places, behind: int, length: int) -> UInt64:
        """The number that the digits `behind` to `behind + length` of each of some texts are; `length` is at most 19."""
        numbers = np.zeros(len(rows), np.uint64)
        first = self.begins[rows] + behind
        for place in range(length):
            digits = self.octets.take(self.places.take(first + place)) - _ZERO
            numbers = numbers * np.uint64(10) + digits
        return numbers

    def write(self, rows: Places, behind: int, length: int, numbers: UInt64) -> None:
        """Put `numbers` in the place of these digits."""
        first = self.begins[rows] + behind
        for place in range(length - 1, -1, -1):
            tens = numbers // np.uint64(10)
            self.octets[self.places.take(first + place)] = (numbers - tens * np.uint64(10)).astype(np.uint8) + _ZERO
            numbers = tens

    def texts(self) -> pa.Array:
        """The texts with the digits that they have now; nulls stay null."""
        buffers = (pa.py_buffer(self.offsets), pa.py_buffer(self.octets), _validity(self.like))
        return pa.StringArray.from_buffers(len(self.like), *buffers, self.like.null_count)


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
