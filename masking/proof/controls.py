"""Controls: what the output would meet by chance, measured on values that are like its own and stand nowhere.

From each of a sample of different values of an output column, neighbours are made: one character exchanged for another of its
kind, at each of the last eight places; the first or the last word exchanged for that of another value. Where the neighbours meet as
many values of the source as the values themselves do, nothing leaked: numbers lie dense, names are made of the same parts. The
kinds of neighbours are looked at one by one, and the one that meets most counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from masking.known.index import SHORT, KnownValues, tag_words
from masking.known.stream import U64, Hasher
from masking.proof.sampling import ENDING, SIGMAS, Sample

EXCHANGES = 32
_TAG = np.uint64(3)
# the first of the characters, how many there are, and how far along each is exchanged
_ALPHABETS = ((48, 10, range(1, 10)), (97, 26, (1, 5, 8, 12, 17, 21, 24)))
_Records = npt.NDArray[np.void]


def expected_by_neighbours(known: KnownValues, sample: Sample, same_kind: Callable[[int], bool]) -> npt.NDArray[np.float64]:
    """How many values of each column of `known` a column of the output meets by chance, going by neighbours of its values.

    Too short values are met in columns for which `same_kind` holds alone. What is estimated from a sample is told with its error, so
    that the true number is above it less than once in a million times.
    """
    records = np.sort(sample.records, order="mixed")
    met = np.zeros(len(known.columns))
    for neighbours in (*_characters(known.hasher, records), _first_words(known.hasher, records), _last_words(known.hasher, records)):
        mean = np.zeros(len(known.columns))
        for hashes, weight in neighbours:
            for number, hit in known.columns_of(hashes):
                mean[number] += weight * (len(hit) if same_kind(number) else np.count_nonzero(hashes[hit] & _TAG != SHORT))
        met = np.maximum(met, mean)
    error = np.sqrt(met) if sample.level else np.sqrt(met / len(_ALPHABETS[0][2]))
    return (met + SIGMAS * error) * (1 << sample.level)


_Neighbours = Iterator[tuple[U64, float]]


def _characters(hasher: Hasher, records: _Records) -> list[_Neighbours]:
    return [_at_place(hasher, records, place) for place in range(ENDING)]


def _at_place(hasher: Hasher, records: _Records, place: int) -> _Neighbours:
    endings = records["ending"][:, place]
    for first, count, steps in _ALPHABETS:
        some = np.flatnonzero((endings >= first) & (endings < first + count))
        before = endings[some].astype(np.uint32)
        powers = hasher.powers[records["length"][some] - 1 - place]
        for step in steps if len(some) else ():
            change = (hasher.values((before - first + step) % count + first) - hasher.values(before)) * powers
            yield ((records["hash"][some] + change) & ~_TAG) | records["tag"][some].astype(np.uint64), 1 / len(steps)


def _first_words(hasher: Hasher, records: _Records) -> _Neighbours:
    for mine, other, weight in _exchanged(records):
        longer = other["head_length"] - mine["head_length"]
        shift = np.where(longer >= 0, hasher.powers[np.abs(longer)], hasher.inverses[np.abs(longer)])
        changed = mine["head"] != other["head"]
        hashes = other["head"] + (mine["hash"] - mine["head"]) * shift
        yield tag_words(hashes, mine["length"] + longer)[changed], weight


def _last_words(hasher: Hasher, records: _Records) -> _Neighbours:
    for mine, other, weight in _exchanged(records):
        before = mine["length"] - mine["tail_length"]
        changed = mine["tail"] != other["tail"]
        hashes = mine["hash"] + (other["tail"] - mine["tail"]) * hasher.powers[before]
        yield tag_words(hashes, before + other["tail_length"])[changed], weight


def _exchanged(records: _Records) -> Iterator[tuple[_Records, _Records, float]]:
    """Each value of several words beside another, in a random order that the hashes give."""
    several = records[records["head_length"] < records["length"]]
    exchanges = min(EXCHANGES, len(several) - 1)
    for exchange in range(1, exchanges + 1):
        yield several, np.roll(several, exchange), 1 / exchanges
