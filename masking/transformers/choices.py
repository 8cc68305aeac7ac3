"""Picking texts from a pool by keyed draws."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from masking.keyed import UInt64, pick
from masking.octets import are_ascii, octets_of
from masking.pools import Pool, pool
from masking.transformers.lengths import UNLIMITED

Int64 = npt.NDArray[np.int64]

TRIES = 4  # names that are passed over because they are the original

# up to so many characters a name is short, middling, long: about a third of the names of most languages each
_CLASSES = (5, 7, UNLIMITED)
_SPACE = 0x20


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
        start, chosen, count = self.among(words, longest, like)
        for _ in range(TRIES if avoid is not None else 0):
            same = pc.equal(self.folded.take(pa.array(chosen)), avoid).fill_null(False).to_numpy(zero_copy_only=False)
            if not same.any():
                break
            chosen = np.where(same, start + (chosen - start + 1) % count, chosen)
        return chosen

    def among(self, words: UInt64, longest: int = UNLIMITED, like: Int64 | None = None) -> tuple[Int64, Int64, Int64]:
        """Where the texts that each word may pick begin, which one it picks, and how many they are."""
        start, count = np.zeros(len(words), np.int64), np.full(len(words), len(self), np.int64)
        if like is not None:
            start, count = self._class(like)
        chosen = start + pick(words, count)
        short = self.fitting(longest)
        if short and (long := self.lengths[chosen] > longest).any():
            start, count = np.where(long, 0, start), np.where(long, short, count)
            chosen = np.where(long, pick(words, np.full(len(words), short)), chosen)
        return start, chosen, count

    def _class(self, lengths: Int64) -> tuple[Int64, Int64]:
        """Where the texts of the same length class begin and how many they are; the whole pool where there are none."""
        ends = np.array([self.fitting(longest) for longest in _CLASSES])
        starts = np.concatenate([[0], ends[:-1]])
        empty = ends - starts < TRIES
        starts[empty], ends[empty] = 0, len(self)
        classes = np.searchsorted(np.array(_CLASSES), lengths)
        return starts[classes], (ends - starts)[classes]


@cache
def choices(kind: str, locale: str) -> Choices:
    """Return the choices of a kind of pool in a locale (see `masking.pools.pool`)."""
    return Choices(pool(kind, locale))


def tidy(texts: pa.Array) -> pa.Array:
    """Texts composed (NFC), with single spaces and none around."""
    if _is_tidy(texts):
        return texts
    if not pc.all(pc.string_is_ascii(texts)).as_py():
        texts = pc.utf8_normalize(texts, "NFC")
    if pc.any(pc.match_substring_regex(texts, r"^\s|\s$|\s\s|[\t\n\r]")).as_py():
        texts = pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"\s+", " "))
    return texts


def fold(texts: pa.Array) -> pa.Array:
    """Tidied texts in lower case: what tells one value from another in names and places."""
    return lowered(tidy(texts))


def lowered(texts: pa.Array) -> pa.Array:
    """Texts in lower case."""
    return pc.ascii_lower(texts) if are_ascii(octets_of(texts)[1]) else pc.utf8_lower(texts)


def left_empty(values: pa.Array, folded: pa.Array, masked: pa.Array) -> pa.Array:
    """The masked texts, but for values that are null, or in `folded` case empty, which stay."""
    offsets = octets_of(folded)[0]
    if values.null_count == 0 and (offsets[1:] > offsets[:-1]).all():
        return masked
    return pc.if_else(pc.or_(pc.equal(folded, ""), pc.is_null(values)), values, masked)


def _is_tidy(texts: pa.Array) -> bool:
    """Whether texts are surely tidy: of ASCII, without control characters and spaces at the edges or beside one another."""
    offsets, octets = octets_of(texts)
    if not len(octets):
        return True
    if not are_ascii(octets) or int(octets.min()) < _SPACE:
        return False
    spaces = octets == _SPACE
    if (spaces[1:] & spaces[:-1]).any() or spaces[-1]:  # of one text or of two
        return False
    starts = offsets[:-1]
    return not (spaces[starts[starts < len(octets)]].any() or spaces[starts[starts > 0] - 1].any())
