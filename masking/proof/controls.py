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
from masking.known.stream import I64, U64, Hasher
from masking.proof.sampling import ENDING, SIGMAS, Sample

EXCHANGES = 1 << 19  # of words, over all values of a sample, so that small samples are exchanged with all others
_FEW = 0.1
_TAG = np.uint64(3)
# the first of the characters, how many there are, and how far along each is exchanged
_ALPHABETS = ((48, 10, range(1, 10)), (97, 26, (1, 5, 8, 12, 17, 21, 24)))
_Records = npt.NDArray[np.void]


def expected_by_neighbours(known: KnownValues, sample: Sample, same_kind: Callable[[int], bool]) -> npt.NDArray[np.float64]:
    """How many values of each sought column of `known` a column of the output meets by chance, going by neighbours of its values.

    Too short values are met in columns for which `same_kind` holds alone. What is estimated from a sample is told with its error, so
    that the true number is above it less than once in a million times.
    """
    records = np.sort(sample.records, order="mixed")
    own = dict(known.columns_of((records["hash"] & ~_TAG) | records["tag"].astype(np.uint64), sought=True))
    strangers = {number: _strangers(len(records), hit) for number, hit in own.items()}
    met = np.zeros(len(known.columns))
    for neighbours in (*_characters(known.hasher, records), _first_words(known.hasher, records), _last_words(known.hasher, records)):
        mean = np.zeros(len(known.columns))
        for places, donors, hashes, weight in neighbours:
            for number, hit in known.columns_of(hashes, sought=True):
                if not same_kind(number):
                    hit = hit[hashes[hit] & _TAG != SHORT]
                if number not in strangers:
                    mean[number] += weight * len(hit)
                elif donors is None:
                    mean[number] += weight * strangers[number][places[hit]].sum()
                else:
                    mean[number] += weight * (strangers[number][places[hit]] * strangers[number][donors[hit]]).sum()
        met = np.maximum(met, mean)
    error = np.sqrt(met) if sample.level else np.sqrt(met / len(_ALPHABETS[0][2]))
    return (met + SIGMAS * error) * (1 << sample.level)


def _strangers(values: int, known: I64) -> npt.NDArray[np.float64]:
    """The weight of each value and each word of it: those that the source has count nothing, for neighbours of what leaked are no
    chance; the others count for all. Where nine in ten values are the source's, all count alike, as chance must be what brings them.
    """
    others = values - len(known)
    if others < _FEW * values:
        return np.ones(values)
    weights = np.full(values, values / others)
    weights[known] = 0
    return weights


# of each neighbour: the value that it was made of, the one that it has a word from, its hash, and the weight of them all
_Neighbours = Iterator[tuple[I64, I64 | None, U64, float]]


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
            yield some, None, ((records["hash"][some] + change) & ~_TAG) | records["tag"][some].astype(np.uint64), 1 / len(steps)


def _first_words(hasher: Hasher, records: _Records) -> _Neighbours:
    for places, donors, mine, other, weight in _exchanged(records):
        longer = other["head_length"] - mine["head_length"]
        shift = np.where(longer >= 0, hasher.powers[np.abs(longer)], hasher.inverses[np.abs(longer)])
        changed = np.flatnonzero(mine["head"] != other["head"])
        hashes = other["head"] + (mine["hash"] - mine["head"]) * shift
        yield places[changed], donors[changed], tag_words(hashes, mine["length"] + longer)[changed], weight


def _last_words(hasher: Hasher, records: _Records) -> _Neighbours:
    for places, donors, mine, other, weight in _exchanged(records):
        before = mine["length"] - mine["tail_length"]
        changed = np.flatnonzero(mine["tail"] != other["tail"])
        hashes = mine["hash"] + (other["tail"] - mine["tail"]) * hasher.powers[before]
        yield places[changed], donors[changed], tag_words(hashes, before + other["tail_length"])[changed], weight


def _exchanged(records: _Records) -> Iterator[tuple[I64, I64, _Records, _Records, float]]:
    """Each value of several words beside another, in a random order that the hashes give."""
    places = np.flatnonzero(records["head_length"] < records["length"])
    several = records[places]
    exchanges = min(max(EXCHANGES // max(len(several), 1), 1), len(several) - 1)
    for exchange in range(1, exchanges + 1):
        yield places, np.roll(places, exchange), several, np.roll(several, exchange), 1 / exchanges
