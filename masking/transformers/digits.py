"""The ASCII digits of texts: taken out, and others put in their places.

In UTF-8 the bytes of the digits 0 to 9 are part of no other character, so that texts of all scripts can be read as bytes.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.canonical import bitmap, validity

Octets = npt.NDArray[np.uint8]

_ZERO, _TEN = np.uint8(ord("0")), np.uint8(10)


def digits_of(texts: pa.Array) -> pa.Array:
    """Return the digits of each text of a `string` array, without what stands between them; nulls stay null."""
    offsets, octets = _read(texts)
    digit = _are_digits(octets)
    return pa.StringArray.from_buffers(
        len(texts), pa.py_buffer(_before(digit)[offsets]), pa.py_buffer(octets[digit]), _validity(texts), texts.null_count
    )


def with_digits(texts: pa.Array, digits: pa.Array, behind: int) -> pa.Array:
    """Return `texts` with `digits` in the places of their digits behind the first `behind`; as many as stand there, for each."""
    offsets, octets = _read(texts)
    digit = _are_digits(octets)
    before = _before(digit)
    rank = before[:-1] - np.repeat(before[offsets[:-1]], np.diff(offsets))
    changed = octets.copy()
    changed[digit & (rank >= behind)] = _read(digits)[1]
    return pa.StringArray.from_buffers(len(texts), pa.py_buffer(offsets), pa.py_buffer(changed), _validity(texts), texts.null_count)


def _read(texts: pa.Array) -> tuple[npt.NDArray[np.int32], Octets]:
    """Where each text begins (and the end of the last), and the bytes of all; nothing stands between them."""
    if texts.null_count:
        texts = texts.fill_null("")
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    data = texts.buffers()[2]
    octets = np.zeros(0, np.uint8) if data is None else np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]
    return offsets - offsets[0], octets


def _are_digits(octets: Octets) -> npt.NDArray[np.bool_]:
    digits: npt.NDArray[np.bool_] = octets - _ZERO < _TEN  # what is less wraps around
    return digits


def _before(digit: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """How many digits stand before each byte, and before the end."""
    before = np.zeros(len(digit) + 1, np.int32)
    np.cumsum(digit, dtype=np.int32, out=before[1:])
    return before


def _validity(texts: pa.Array) -> pa.Buffer | None:
    return bitmap(validity(texts))
