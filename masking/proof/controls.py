"""Controls: what the output would meet by chance, measured on values that are like its own and stand nowhere.

From each of a sample of different values of an output column, neighbours are made: one character exchanged for another of its
kind, at each of eight places; the first or the last word exchanged for that of another value. Where the neighbours meet as many
values of the source as the values themselves do, nothing leaked: numbers lie dense, names are made of the same parts. The places
are looked at one by one, and the most frequent counts.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from masking.known.index import PROFILE, KnownValues, tag_words
from masking.known.stream import I64, U64, Mask, Stream

SAMPLE = 1 << 15
PLACES = 8
STEPS = (3, 7)  # how far along the digits or the alphabet a character is exchanged
EXCHANGES = 16
FIRST_WORD, LAST_WORD = PLACES, PLACES + 1
_TAG = np.uint64(3)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_DIGITS, _LETTERS = (48, 10), (97, 26)


class Controls:
    """The controls of one output column; memory is bounded by the sample of 32,768 different values.

    The sample holds the values whose hash, mixed, begins with `level` zeros, so each stands for 2**level different ones.
    """

    def __init__(self, known: KnownValues) -> None:
        self._known = known
        self._level = 0
        self._seen: U64 = np.zeros(0, np.uint64)
        self._forms: npt.NDArray[np.int32] = np.zeros(0, np.int32)
        self._met: list[tuple[U64, int, int]] = []

    @property
    def different(self) -> int:
        """How many different values there are, about."""
        return len(self._seen) << self._level

    @property
    def forms(self) -> npt.NDArray[np.float64]:
        """How many different values have d digits and l other letters, at [d, l], about."""
        counted = np.bincount(self._forms, minlength=PROFILE * PROFILE).reshape(PROFILE, PROFILE).astype(np.float64)
        counted *= 1 << self._level
        return counted

    def expected(self, number: int) -> float:
        """How many values of a column of the source the output meets by chance, by its own neighbours."""
        met = np.zeros(PLACES + 2)
        for seen, column, control in self._met:
            if column == number:
                met[control] += len(seen)
        met[:PLACES] /= len(STEPS)
        met[PLACES:] /= EXCHANGES
        return float(met.max()) * (1 << self._level)

    def look(self, stream: Stream, starts: I64, ends: I64, hashes: U64) -> None:
        """Take stretches of a stream, with their tagged hashes, into the sample, and look for their neighbours."""
        mixed = (hashes & ~_TAG) * _MIX
        taken = np.flatnonzero(self._sampled(mixed))
        different, first = np.unique(mixed[taken], return_index=True)
        places = np.asarray(np.searchsorted(self._seen, different))
        fresh = np.ones(len(different), bool)
        inside = places < len(self._seen)
        fresh[inside] = self._seen[places[inside]] != different[inside]
        taken, different = taken[first[fresh]], different[fresh]
        if not len(taken):
            return
        digits = stream.digits[ends[taken]] - stream.digits[starts[taken]]
        others = ends[taken] - starts[taken] - digits
        forms = (np.minimum(digits, PROFILE - 1) * PROFILE + np.minimum(others, PROFILE - 1)).astype(np.int32)
        into = np.searchsorted(self._seen, different)
        self._seen = np.insert(self._seen, into, different)
        self._forms = np.insert(self._forms, into, forms)
        while len(self._seen) > SAMPLE:
            self._halve()
        kept = self._sampled(different)
        taken, different = taken[kept], different[kept]
        self._exchange_characters(stream, starts[taken], ends[taken], hashes[taken], different)
        self._exchange_words(stream, starts[taken], ends[taken], different)

    def _sampled(self, mixed: U64) -> Mask:
        if not self._level:
            return np.ones(len(mixed), bool)
        sampled: Mask = mixed >> np.uint64(64 - self._level) == 0
        return sampled

    def _halve(self) -> None:
        self._level += 1
        kept = self._sampled(self._seen)
        self._seen, self._forms = self._seen[kept], self._forms[kept]
        self._met = [(left, column, control) for seen, column, control in self._met if len(left := seen[self._sampled(seen)])]

    def _meet(self, control: int, hashes: U64, mixed: U64) -> None:
        for number, hit in self._known.columns_of(hashes):
            self._met.append((mixed[hit], number, control))

    def _exchange_characters(self, stream: Stream, starts: I64, ends: I64, hashes: U64, mixed: U64) -> None:
        hasher, characters = stream.hasher, stream.characters
        exact = stream.hashes(starts, ends)
        for place in range(PLACES):
            long = np.flatnonzero(ends - starts > place)
            at = ends[long] - 1 - place
            old = characters[at]
            for first, count in (_DIGITS, _LETTERS):
                some = np.flatnonzero((old >= first) & (old < first + count))
                chosen, before = long[some], old[some]
                for step in STEPS:
                    after = (before - first + step) % count + first
                    change = (hasher.values(after) - hasher.values(before)) * hasher.powers[at[some] - starts[chosen]]
                    neighbours = ((exact[chosen] + change) & ~_TAG) | (hashes[chosen] & _TAG)
                    self._meet(place, neighbours, mixed[chosen])

    def _exchange_words(self, stream: Stream, starts: I64, ends: I64, mixed: U64) -> None:
        bounds = np.flatnonzero(stream.bounds)
        head = bounds[np.searchsorted(bounds, starts, "right")]
        tail = bounds[np.searchsorted(bounds, ends, "left") - 1]
        several = np.flatnonzero(head < ends)
        if len(several) < 2:
            return
        starts, ends, head, tail, mixed = starts[several], ends[several], head[several], tail[several], mixed[several]
        hasher, whole = stream.hasher, stream.hashes(starts, ends)
        heads, tails = stream.hashes(starts, head), stream.hashes(tail, ends)
        for exchange in range(1, min(EXCHANGES, len(several) - 1) + 1):
            other = np.roll(np.arange(len(several)), exchange)
            longer = (head - starts)[other] - (head - starts)
            shift = np.where(longer >= 0, hasher.powers[np.abs(longer)], hasher.inverses[np.abs(longer)])
            led = heads[other] + (whole - heads) * shift
            self._meet_other(FIRST_WORD, led, ends - starts + longer, heads != heads[other], mixed)
            ended = whole + (tails[other] - tails) * hasher.powers[tail - starts]
            lengths = tail - starts + (ends - tail)[other]
            self._meet_other(LAST_WORD, ended, lengths, tails != tails[other], mixed)

    def _meet_other(self, control: int, hashes: U64, lengths: I64, changed: Mask, mixed: U64) -> None:
        self._meet(control, tag_words(hashes, lengths)[changed], mixed[changed])
