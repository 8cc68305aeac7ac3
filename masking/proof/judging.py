"""Which of the values that were found count: neither allowed nor explained by chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from masking.known.index import SHORT, KnownColumn, KnownValues
from masking.known.looks import PROFILE
from masking.known.stream import U64, Mask
from masking.known.values import HashedValues
from masking.proof.chance import FALSE_ALARM, threshold
from masking.proof.columns import Examined
from masking.proof.controls import expected_by_neighbours
from masking.proof.report import CELLS, ColumnScanned, Found, ScanReport
from masking.proof.sampling import SIGMAS, Sample
from masking.proof.words import common_words

if TYPE_CHECKING:
    from masking.proof.scanner import OutputColumn, Tally

Picks = Mapping[tuple[str, str, str], int]  # by place, output column, and where: values that stand there under one key alone

_MANY = 200  # numbers of which both ends tell something
_SIDES = 14  # minus the logarithm of a millionth
_FEWEST = 20  # different texts: months, ages and statuses are fewer, or are no texts
_NEARLY = 0.9
_LONG = 6  # digits, as days have
_TAG = np.uint64(3)


class Judge:
    """Judges what a scan of an output has found of `known`, of which `examined` says what became."""

    def __init__(self, known: KnownValues, examined: Sequence[Examined], words: bool) -> None:
        self._known = known
        self._examined = {column.name: column for column in examined}
        self._use_words = words
        self._numbers = {column.place.name: number for number, column in enumerate(known.columns)}
        self._pools = [(number, c) for number, c in enumerate(known.columns) if c.place.is_pool]
        self._kept = [c for c in known.columns if not c.place.sought and not c.place.is_pool]
        self._neighbours: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
        self._shares: dict[tuple[str, str], float] = {}
        self._controls: Mapping[str, OutputColumn] = {}
        self._picks: Picks = {}

    def report(
        self,
        outputs: Sequence[OutputColumn],
        *,
        allowed: int,
        cells: int,
        texts: int,
        size: int,
        controls: Sequence[OutputColumn] = (),
        picked: Picks = MappingProxyType({}),
    ) -> ScanReport:
        """The report on `outputs`, by columns of the source in their order, then by columns of the output in theirs.

        `controls` are output columns of the same rows, masked under another key; `picked` says what these have told before.
        """
        self._controls, self._picks = {output.name: output for output in controls}, picked
        found = []
        survivors: dict[str, int] = {}
        for number, column in enumerate(self._known.columns):
            if not column.place.sought:
                continue
            for output in outputs:
                for where in sorted(w for n, w in output.tallies if n == number):
                    judged = self._judge(number, column, output, where, output.tallies[number, where])
                    found.append(judged)
                    survivors[column.place.name] = survivors.get(column.place.name, 0) + judged.survivors
        scanned = [self._scanned(c, survivors.get(c.name, 0)) for c in self._examined.values() if c.kept or c.sought]
        dictionaries: list[dict[str, Any]] = []
        if self._use_words:
            listed = common_words()
            dictionaries.append({"name": listed.name, "words": len(listed.words), "digest": listed.digest})
        return ScanReport(allowed, scanned, found, cells, texts, size, FALSE_ALARM, dictionaries)

    @cached_property
    def _words(self) -> HashedValues:
        words = HashedValues()
        if self._use_words:
            for stream in self._known.hasher.streams(pa.array(common_words().words, pa.large_string())):
                words.add(self._known.tagged(stream))
        words.settle()
        return words

    def _scanned(self, column: Examined, survivors: int) -> ColumnScanned:
        known = self._known.columns[self._numbers[column.name]] if column.name in self._numbers else None
        values = 0 if known is None else len(known.values)
        left_out = {"short": 0, "shared": 0} if known is None else known.left_out
        inside = values - sum(left_out.values()) if known is not None and known.inside else 0
        return ColumnScanned(column.name, column.column_class, column.entity, values, inside, left_out, column.kept, survivors)

    def _judge(self, number: int, column: KnownColumn, output: OutputColumn, where: str, tally: Tally) -> Found:
        hashes = tally.values.hashes
        left = np.ones(len(hashes), bool)

        def allow(mask: npt.NDArray[np.bool_]) -> int:
            taken = left & mask
            left[taken] = False
            return int(np.count_nonzero(taken))

        none = np.zeros(len(hashes), bool)
        weak = not column.place.identifies
        kept = allow(np.logical_or.reduce([c.lookup_sorted(hashes) for c in self._kept]) if self._kept else none)
        shown = weak and output.public and where == CELLS and not _are_copied_days(column, output)
        public = allow(~none if shown else none)
        shared = allow(column.values.shared(hashes) if weak else none)
        words = allow(self._words.lookup_sorted(hashes) if left.any() else none)
        # a column that is a copy was not picked from pools, however much of these the source has
        copied = where == CELLS and _are_copied_texts(column, output)
        pools = [] if copied else [(n, pool, pool.lookup_sorted(hashes) & left) for n, pool in self._pools]
        in_pools = allow(np.logical_or.reduce([met for _, _, met in pools]) if pools else none)
        pool_expected, pool_threshold, pool_survivors = self._picked(column, output, where, pools)
        rest = int(np.count_nonzero(left))
        expected, limit = self._by_chance(number, column, output, where) if rest else (0.0, 0)
        picked = min(rest, self._picks.get((column.place.name, output.name, where), 0))
        rest -= picked
        if rest > limit and output.name in self._controls:
            picked = allow(~_met_again(number, self._controls[output.name], hashes))
            rest -= picked
            expected, limit = _by_chance_again(expected, limit, len(column.values))
        survivors = (rest - min(rest, math.floor(expected)) if rest > limit else 0) + pool_survivors
        return Found(
            column.place.name, output.name, where, len(hashes), tally.cells, words, in_pools, shared, public, kept, picked,
            expected, limit, pool_expected, pool_threshold, survivors,
        )  # fmt: skip

    def _picked(
        self, column: KnownColumn, output: OutputColumn, where: str, pools: list[tuple[int, KnownColumn, npt.NDArray[np.bool_]]]
    ) -> tuple[float, int, int]:
        """Expectation, limit and excess of values that are in pools, had they been picked from these without regard to the source.

        A value that is in several pools is taken for one of the pool that explains most of the values, of such the smallest.
        """
        expected, limit, excess = 0.0, 0, 0
        while pools:
            pools = [(number, pool, met) for number, pool, met in pools if met.any()]
            if not pools:
                break
            number, pool, met = max(pools, key=lambda p: (np.count_nonzero(p[2]), -len(p[1].values)))
            values = int(np.count_nonzero(met))
            tally = output.tallies.get((number, where))
            picked = values if tally is None else len(tally.values)
            mean = picked * self._share(column, pool)
            passed = threshold(picked, mean)
            expected, limit = expected + mean, limit + passed
            excess += values - math.floor(mean) if values > passed else 0
            pools = [(other, more, found & ~met) for other, more, found in pools if other != number]
        return expected, limit, excess

    def _share(self, column: KnownColumn, pool: KnownColumn) -> float:
        """The share of a pool that a column of the source has."""
        key = (column.place.name, pool.place.name)
        if key not in self._shares:
            self._shares[key] = float(np.count_nonzero(column.lookup_sorted(pool.values.hashes))) / max(len(pool.values), 1)
        return self._shares[key]

    def _by_chance(self, number: int, column: KnownColumn, output: OutputColumn, where: str) -> tuple[float, int]:
        sample = output.cells if where == CELLS else output.stretches
        if self._is_copied(column, output, sample) or (
            where == CELLS and (_are_copied_texts(column, output) or _are_copied_days(column, output))
        ):
            return 0.0, 0
        neighbours = self._by_neighbours(output, where)[number]
        if where != CELLS:  # a part of a composed pseudonym is rarer to be a value than the whole: "Smith & Byrd" in "Van Smith & Byrd"
            neighbours = max(neighbours, self._by_neighbours(output, CELLS)[number])
        forms = sample.forms
        if where != CELLS:
            forms[:, 1:] = 0  # stretches of texts are told apart for numbers alone
        expected = max(column.looks.expected(forms, len(column.values)), float(neighbours), _met_by_ranges(column, sample))
        most = min(float(max(sample.different, output.cells.different)), float(len(column.values)))
        return min(expected, most), threshold(most, min(expected, most))

    def _is_copied(self, column: KnownColumn, output: OutputColumn, sample: Sample) -> bool:
        """Whether a public column holds numbers of a dense column of the source alone, from its least to its greatest.

        What lies dense, meets by chance what overlaps it, but both ends are the same in copies and references alone: in a sample of
        many numbers each end is further away than `_SIDES` mean distances once in a million times. Keys of other tables count from
        one as well, and references to these do.
        """
        bounds, (numbers, records) = column.dense.bounds, sample.numbers
        if bounds is None or not output.public or len(numbers) < max(_MANY, len(sample.records)):
            return False
        if output.is_key and output.name.partition(".")[0] != column.place.name.partition(".")[0]:
            return False
        near = _SIDES * (bounds[1] - bounds[0] + 1) / len(numbers)
        ends_meet = 0 <= numbers.min() - bounds[0] <= near and 0 <= bounds[1] - numbers.max() <= near
        return bool(ends_meet and _held(column, records) == len(records))

    def _by_neighbours(self, output: OutputColumn, where: str) -> npt.NDArray[np.float64]:
        key = (output.name, where)
        if key not in self._neighbours:
            sample, columns = output.cells if where == CELLS else output.stretches, self._known.columns
            self._neighbours[key] = expected_by_neighbours(self._known, sample, lambda n: output.is_kind_of(columns[n].place))
        return self._neighbours[key]


def _are_copied_texts(column: KnownColumn, output: OutputColumn) -> bool:
    """Whether more than nine in ten values of a public column are those of one column that identifies, which no chance explains.

    Neighbours tell nothing here: where all of `EMP-0000` to `EMP-0999`, or all pairs of few names, are the source's, theirs are as well.
    What may be alike without being a copy is left to chance: numbers, since all count from one; texts of up to three letters, for these
    are codes of countries and currencies as well as initials; fewer than twenty values, as months, statuses and sizes are; columns that do
    not identify, to which ages, cities and jobs belong. A key of another table may be numbered by the same scheme, and is a copy
    where it has nearly all values of the column too.
    """
    records = output.cells.records
    if not output.public or not column.place.identifies or len(records) < _FEWEST:
        return False
    held = _held(column, records[(records["form"] % PROFILE > 0) & (records["tag"] != SHORT)])
    if held < _FEWEST or held <= _NEARLY * len(records):
        return False
    strange = output.is_key and output.name.partition(".")[0] != column.place.name.partition(".")[0]
    return not strange or (held << output.cells.level) > _NEARLY * len(column.values)


def _are_copied_days(column: KnownColumn, output: OutputColumn) -> bool:
    """Whether a public column of long numbers and a column that does not identify have nearly the same values, as a copy of days of birth.

    Other such values a public column may show: ages, cities, jobs and statuses, which are short or words, are those of a small domain that
    other columns have as well. A calendar has many more days than persons were born on, and a list of postal codes has them for its key.
    """
    records = output.cells.records
    if not output.public or output.is_key or column.place.identifies or len(records) < _FEWEST:
        return False
    digits, others = np.divmod(records["form"], PROFILE)
    held = _held(column, records[(digits >= _LONG) & (others == 0)])
    return held >= _FEWEST and held > _NEARLY * len(records) and (held << output.cells.level) > _NEARLY * len(column.values)


def _met_again(number: int, control: OutputColumn, hashes: U64) -> Mask:
    """Which values an output column has under the other key, too, as what was not masked has; a pick is another one then."""
    again = np.zeros(len(hashes), bool)
    for (known, _), tally in control.tallies.items():
        if known == number:
            again |= tally.values.lookup_sorted(hashes)
    return again


def _by_chance_again(expected: float, limit: int, values: int) -> tuple[float, int]:
    """What chance brings under two keys, where it brings `expected` of so many values under one."""
    twice = expected * expected / max(values, 1)
    return twice, min(limit, threshold(expected, twice))


def _held(column: KnownColumn, records: npt.NDArray[np.void]) -> int:
    """How many of some records of a sample are values of `column`."""
    return int(np.count_nonzero(column.lookup((records["hash"] & ~_TAG) | records["tag"].astype(np.uint64))))


def _met_by_ranges(column: KnownColumn, sample: Sample) -> float:
    """How many numbers of a dense column another one meets where their ranges overlap, told with the error of the sample."""
    met = column.dense.met_by(sample.numbers[0]) if column.dense.bounds is not None else 0.0
    return (met + SIGMAS * math.sqrt(met) if sample.level else met) * (1 << sample.level)
