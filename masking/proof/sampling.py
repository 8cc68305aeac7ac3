"""A sample of the different values of an output column, with what is needed to make neighbours of them."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from masking.known.looks import PROFILE, endings, forms_of, numbers_of
from masking.known.stream import I64, U64, Mask, Stream

SIZE = 1 << 14
SIGMAS = 4.9  # standard deviations that a normal variable passes less than once in a million times
ENDING = 8  # the characters at the end that are remembered
_TAG = np.uint64(3)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_HALF = np.uint64(32)
_RECORD = np.dtype(
    [
        ("mixed", np.uint64), ("hash", np.uint64), ("tag", np.uint8), ("length", np.int32), ("form", np.int16),
        ("ending", np.uint8, (ENDING,)), ("number", np.int64),
        ("head", np.uint64), ("head_length", np.int32), ("tail", np.uint64), ("tail_length", np.int32),
    ]
)  # fmt: skip


class Sample:
    """Different values of one column: those whose hash, mixed, begins with `level` zeros, so that each stands for 2**level.

    The level rises so that at most 16,384 are held, of 70 bytes each: hashes, lengths, the numbers that they are, and their last eight
    characters, none of which is ever written anywhere.
    """

    def __init__(self) -> None:
        self.level = 0
        self._records = [np.zeros(0, _RECORD)]
        self._seen: U64 = np.zeros(0, np.uint64)

    @property
    def records(self) -> npt.NDArray[np.void]:
        """What is held of each value, in the order in which they came."""
        if len(self._records) > 1:
            self._records = [np.concatenate(self._records)]
        return self._records[0]

    @property
    def different(self) -> int:
        """How many different values there are: exactly at level 0, else so that more are there less than once in a million times."""
        seen = len(self._seen)
        return seen if not self.level else math.ceil(seen + SIGMAS * math.sqrt(seen)) << self.level

    @property
    def forms(self) -> npt.NDArray[np.float64]:
        """How many different values have d digits and l other letters, at [d, l]; as with `different`, more than that hardly ever."""
        counted = np.bincount(self.records["form"], minlength=PROFILE * PROFILE).reshape(PROFILE, PROFILE).astype(np.float64)
        if self.level:
            counted += SIGMAS * np.sqrt(counted)
        return counted * float(1 << self.level)

    @property
    def numbers(self) -> tuple[I64, npt.NDArray[np.void]]:
        """The whole numbers without a needless zero in the sample, each of which stands for 2**level, and their records."""
        records = self.records[self.records["number"] >= 0]
        return records["number"], records

    def wants(self, hashes: U64) -> Mask:
        """Which of some hashes, tagged or not, belong into the sample as it is now."""
        return self._wanted(_mixed(hashes))

    def take(self, stream: Stream, starts: I64, ends: I64, hashes: U64) -> None:
        """Take in stretches of a stream, with their tagged hashes."""
        mixed = _mixed(hashes)
        taken = np.flatnonzero(self._wanted(mixed))
        different, first = np.unique(mixed[taken], return_index=True)
        places = np.asarray(np.searchsorted(self._seen, different))
        fresh = np.ones(len(different), bool)
        inside = places < len(self._seen)
        fresh[inside] = self._seen[places[inside]] != different[inside]
        if not fresh.any():
            return
        seen = np.concatenate([self._seen, different[fresh]])
        taken = taken[first[fresh]]
        if len(seen) > SIZE:
            while np.count_nonzero(self._wanted(seen)) > SIZE:
                self.level += 1
            seen, taken = seen[self._wanted(seen)], taken[self._wanted(mixed[taken])]
            self._records = [self.records[self._wanted(self.records["mixed"])]]
        self._records.append(_records(stream, starts[taken], ends[taken], hashes[taken]))
        self._seen = np.sort(seen, kind="stable")  # which merges the two that are in order

    def _wanted(self, mixed: U64) -> Mask:
        if not self.level:
            return np.ones(len(mixed), bool)
        wanted: Mask = mixed >> np.uint64(64 - self.level) == 0
        return wanted


def _mixed(hashes: U64) -> U64:
    """Hashes without their tags, mixed: those of texts of the same words are sums of the same numbers and would not be spread evenly.

    The mixer is that of Degski, as Wellons lists it ("Prospecting for Hash Functions", 2018).
    """
    mixed = hashes & ~_TAG
    for _ in range(2):
        mixed ^= mixed >> _HALF
        mixed *= _MIX
    mixed ^= mixed >> _HALF
    return mixed


def _records(stream: Stream, starts: I64, ends: I64, hashes: U64) -> npt.NDArray[np.void]:
    records = np.zeros(len(starts), _RECORD)
    records["mixed"] = _mixed(hashes)
    records["hash"] = stream.hashes(starts, ends)
    records["tag"] = hashes & _TAG
    records["length"] = ends - starts
    records["form"] = forms_of(stream, starts, ends)
    records["ending"] = endings(stream, starts, ends, ENDING)
    records["number"] = numbers_of(stream, starts, ends)
    bounds = np.flatnonzero(stream.bounds)
    heads = bounds[np.searchsorted(bounds, starts, "right")]
    tails = bounds[np.searchsorted(bounds, ends, "left") - 1]
    records["head"], records["head_length"] = stream.hashes(starts, heads), heads - starts
    records["tail"], records["tail_length"] = stream.hashes(tails, ends), ends - tails
    return records
