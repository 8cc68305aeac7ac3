"""Picking texts from a pool by keyed hash."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.keyed import UInt64, pick
from masking.pools import Pool, pool
from masking.transformers.lengths import UNLIMITED

Int64 = npt.NDArray[np.int64]

# up to so many characters a name is short, middling, long: about a third of the names of most languages each
_CLASSES = (5, 7, UNLIMITED)
_TRIES = 4


class Choices:
    """The texts of a pool by length, so that the short ones, and those of one length class, stand together."""

    def __init__(self, source: Pool) -> None:
        order = sorted(range(len(source)), key=lambda i: (len(source.texts[i]), source.texts[i]))
        self.pool = source
        self.texts = pa.array([source.texts[i] for i in order], pa.string())
        self.slugs = pa.array([source.slugs[i] for i in order], pa.string())
        self.folded = pa.array([source.texts[i].casefold() for i in order], pa.string())
        self.lengths = np.array([len(source.texts[i]) for i in order], np.int64)

    def __len__(self) -> int:
        return len(self.texts)

    def fitting(self, longest: int) -> int:
        """How many of the texts have at most so many characters."""
        return int(np.searchsorted(self.lengths, longest, side="right"))

    def choose(self, words: UInt64, avoid: pa.Array | None = None, longest: int = UNLIMITED, like: Int64 | None = None) -> Int64:
        """Return which text each word picks, for `take`.

        Never one that is, in folded case, that of `avoid` (the next is taken); of at most `longest` characters, where there are
        any; with `like`, of the same length class as texts of those lengths.
        """
        start, count = np.zeros(len(words), np.int64), np.full(len(words), len(self), np.int64)
        if like is not None:
            start, count = self._class(like)
        chosen = start + pick(words, count)
        short = self.fitting(longest)
        if short and (long := self.lengths[chosen] > longest).any():
            start, count = np.where(long, 0, start), np.where(long, short, count)
            chosen = np.where(long, pick(words, np.full(len(words), short)), chosen)
        for _ in range(_TRIES if avoid is not None else 0):
            same = pc.equal(self.folded.take(pa.array(chosen)), avoid).fill_null(False).to_numpy(zero_copy_only=False)
            if not same.any():
                break
            chosen = np.where(same, start + (chosen - start + 1) % count, chosen)
        return chosen

    def _class(self, lengths: Int64) -> tuple[Int64, Int64]:
        """Where the texts of the same length class begin and how many they are; the whole pool where there are none."""
        ends = np.array([self.fitting(longest) for longest in _CLASSES])
        starts = np.concatenate([[0], ends[:-1]])
        empty = ends - starts < _TRIES
        starts[empty], ends[empty] = 0, len(self)
        classes = np.searchsorted(np.array(_CLASSES), lengths)
        return starts[classes], (ends - starts)[classes]


@cache
def choices(kind: str, locale: str) -> Choices:
    """Return the choices of a kind of pool in a locale (see `masking.pools.pool`)."""
    return Choices(pool(kind, locale))


def tidy(texts: pa.Array) -> pa.Array:
    """Texts composed (NFC), with single spaces and none around."""
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.utf8_normalize(texts, "NFC")
    if pc.any(pc.match_substring_regex(texts, r"^\s|\s$|\s\s|[\t\n\r]")).as_py():
        texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"\s+", " "))
    return texts


def fold(texts: pa.Array) -> pa.Array:
    """Tidied texts in lower case: what tells one value from another in names and places."""
    return pc.utf8_lower(tidy(texts))
