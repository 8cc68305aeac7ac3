"""The table of distinct tuples of quasi-identifiers, with how many rows have each: what all of the work is done on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from masking.anonymity.class_statistics import Observations
from masking.anonymity.domain import Domain, Notation, make_domain
from masking.anonymity.hierarchy import Hierarchy

Ints = NDArray[np.int64]
_WIDEST = 1 << 62


@dataclass(frozen=True)
class QuasiIdentifier:
    """A column by which people may be found, with its hierarchy if it has one.

    `weight` is how much a loss in this column counts beside the others, above 0.
    """

    name: str
    hierarchy: Hierarchy | None = None
    weight: float = 1.0


@dataclass(frozen=True)
class DistinctTable:
    """The different tuples of quasi-identifiers of a table, and what stands beside them.

    `codes` has shape (columns, tuples) and holds places in `domains`; `counts` the rows of each tuple; `observations` the sensitive
    values beside each tuple, by column. `parts` is the part of the table that each tuple is of, from 0 on and ascending: tuples of
    two parts are never in one class.
    """

    domains: tuple[Domain, ...]
    codes: NDArray[np.int32]
    counts: Ints
    observations: Mapping[str, Observations]
    parts: Ints

    @property
    def rows(self) -> int:
        """The rows of the table."""
        return int(self.counts.sum())

    def only(self, tuples: Ints) -> DistinctTable:
        """Some tuples alone, ascending, with what stands beside them."""
        place = np.full(len(self.counts), -1, np.int64)
        place[tuples] = np.arange(len(tuples))
        beside = {}
        for name, seen in self.observations.items():
            held = place[seen.tuples] >= 0
            beside[name] = replace(seen, tuples=place[seen.tuples[held]], values=seen.values[held], counts=seen.counts[held])
        return DistinctTable(self.domains, self.codes[:, tuples], self.counts[tuples], beside, self.parts[tuples])


def distinct_table(
    table: pa.Table,
    quasi_identifiers: Sequence[QuasiIdentifier],
    sensitive: Sequence[str],
    notation: Notation,
    parts: Ints | None = None,
) -> tuple[DistinctTable, Ints]:
    """Count the different tuples of `quasi_identifiers`; returns them, and the tuple of each row.

    `table` holds texts and nulls; null is a value of its own. `parts` is the part of each row, where there are several.
    Raises InputError where a value is no leaf of its hierarchy.
    """
    domains, columns = [], []
    for quasi in quasi_identifiers:
        places, present = encoded(table.column(quasi.name))
        domain, codes = make_domain(quasi.name, present, quasi.hierarchy, notation, quasi.weight)
        domains.append(domain)
        columns.append(codes[places])
    parts = np.zeros(table.num_rows, np.int64) if parts is None else parts
    packed = packed_keys([parts, *columns], [int(parts.max(initial=0)) + 1, *(len(domain.values) for domain in domains)])
    _, first, inverse, counts = np.unique(packed, return_index=True, return_inverse=True, return_counts=True)
    found = np.stack([column[first] for column in columns]).astype(np.int32)
    observations = {name: _observations(table.column(name), inverse) for name in sensitive}
    return DistinctTable(tuple(domains), found, counts.astype(np.int64), observations, parts[first]), inverse


def packed_keys(columns: Sequence[Ints], sizes: Sequence[int]) -> Ints:
    """One number for each row by which rows are equal just where all `columns` are, in the same order."""
    packed, size = np.zeros(len(columns[0]), np.int64), 1
    for column, width in zip(columns, sizes, strict=True):
        if size * width >= _WIDEST:
            found, packed = np.unique(packed, return_inverse=True)
            size = len(found)
        packed = packed * width + column
        size *= width
    return packed


def encoded(values: pa.Array | pa.ChunkedArray) -> tuple[Ints, list[str | None]]:
    """The place of each value among the different ones, and these."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    found = values.dictionary_encode(null_encoding="encode")
    return found.indices.to_numpy(zero_copy_only=False).astype(np.int64), found.dictionary.to_pylist()


def _observations(values: pa.ChunkedArray, tuples: Ints) -> Observations:
    places, present = encoded(values)
    order = np.empty(len(present), np.int64)
    order[sorted(range(len(present)), key=lambda i: _by_order(present[i]))] = np.arange(len(present))
    keys, counts = np.unique(tuples * len(present) + order[places], return_counts=True)
    return Observations(keys // len(present), keys % len(present), counts.astype(np.int64), len(present))


def _by_order(value: str | None) -> tuple[int, Decimal, str]:
    """Numbers by size, then texts, then null; it is the order that ordered t-closeness measures by."""
    if value is None:
        return 2, Decimal(0), ""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return 1, Decimal(0), value
    return (0, number, value) if math.isfinite(number) else (1, Decimal(0), value)
