"""The bytes of text arrays.

In UTF-8 those of ASCII characters are part of no other character, so that texts of all scripts can be cut and searched by them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Octets = npt.NDArray[np.uint8]
Places = npt.NDArray[np.int64]
Offsets = npt.NDArray[np.int32]

_ASCII = 0x80


def octets_of(texts: pa.Array) -> tuple[Offsets, Octets]:
    """Return where each text of a `string` array begins (and the end of the last), and the bytes of all, one text behind the other."""
    if texts.null_count:
        texts = texts.fill_null("")
    data = texts.buffers()[2]
    if data is None or not len(texts):
        return np.zeros(len(texts) + 1, np.int32), np.zeros(0, np.uint8)
    offsets = np.frombuffer(texts.buffers()[1], np.int32)[texts.offset : texts.offset + len(texts) + 1]
    return offsets - offsets[0], np.frombuffer(data, np.uint8)[offsets[0] : offsets[-1]]


def are_ascii(octets: Octets) -> bool:
    """Whether bytes are those of ASCII characters alone."""
    return not len(octets) or int(octets.max()) < _ASCII


def before(flags: npt.NDArray[np.bool_]) -> Offsets:
    """How many of some flags are set before each place, and before the end."""
    counted = np.zeros(len(flags) + 1, np.int32)
    np.cumsum(flags, dtype=np.int32, out=counted[1:])
    return counted


def first_within(places: Places, offsets: Offsets) -> Places:
    """Which of some places, in order, is the first within each text (or behind it, where there is none); how many they are at the end.

    As `numpy.searchsorted` tells, but without a search where all texts have as many.
    """
    texts = max(len(offsets) - 1, 1)
    each, others = divmod(len(places), texts)
    if each and not others:
        first, last = places[::each], places[each - 1 :: each]
        if (first >= offsets[:-1]).all() and (last < offsets[1:]).all():
            return np.arange(0, len(places) + 1, each)
    return np.searchsorted(places, offsets)


def stretches(octets: Octets, starts: Places | Offsets, ends: Places | Offsets) -> pa.Array:
    """Return the texts (`string`) from some bytes to others, which follow one another and do not overlap."""
    count = len(starts)
    offsets = np.empty((count, 2), np.int32)
    offsets[:, 0], offsets[:, 1] = starts, ends
    if not count:
        return pa.array([], pa.string())
    # every other text is what lies between two of them
    both = pa.StringArray.from_buffers(2 * count - 1, pa.py_buffer(offsets), pa.py_buffer(octets))
    return both.take(pa.array(np.arange(0, 2 * count, 2)))
