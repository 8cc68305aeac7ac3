"""What is written in the place of the values of a class: labels, sets and ranges, and what is lost with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, Context, Decimal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from masking.anonymity.distinct import DistinctTable, encoded
from masking.anonymity.domain import Domain
from masking.anonymity.hierarchy import ALL
from masking.anonymity.joins import LabelJoins

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_QUOTED = re.compile(r'[,{}"]|^\s|\s$|^$')
_WHOLE = re.compile(r"-?\d{1,18}")
_SHORTEST_RUN = 3
# numbers have as many digits as their texts, and their middle one more
_EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)
_HALF = Decimal("0.5")


@dataclass(frozen=True)
class Cells:
    """The cells of one column: `texts` holds the different ones, `places` which of them each class has.

    `bounds` are the least and the greatest value of each of `texts` where the column is written as typed numbers.
    """

    name: str
    texts: Sequence[str | None]
    places: Ints
    bounds: Sequence[tuple[str | None, str | None]] | None = None


def class_cells(table: DistinctTable, classes: Ints, number: int, *, typed: bool = False) -> list[Cells]:
    """The least general cells that cover all tuples of each of `number` classes."""
    return [_cells(domain, codes, classes, number, typed) for domain, codes in zip(table.domains, table.codes, strict=True)]


def class_losses(table: DistinctTable, classes: Ints, number: int) -> list[Floats]:
    """What each class loses in each column by these cells, from 0 to the column's weight."""
    return [_losses(domain, codes, classes, number) for domain, codes in zip(table.domains, table.codes, strict=True)]


def level_cells(table: DistinctTable, classes: Ints, number: int, levels: Sequence[int], *, typed: bool = False) -> list[Cells]:
    """The cells of full-domain recoding: in each column all values become what stands above them at one level."""
    found = []
    for domain, codes, level in zip(table.domains, table.codes, levels, strict=True):
        nodes = _nodes(domain, codes, classes, number, level)
        different, places = np.unique(nodes, return_inverse=True)
        groups = [np.flatnonzero(domain.ancestors[level] == node) for node in different.tolist()]
        if domain.hierarchy is not None and domain.form == "labels":
            texts: list[str | None] = [domain.hierarchy.labels[node] for node in different.tolist()]
        elif domain.form == "range":
            texts = [_range(domain, int(group[0]), int(group[-1])) for group in groups]
        else:
            ends = np.cumsum([0, *map(len, groups)])
            texts = _sets(domain, np.concatenate(groups) if groups else np.zeros(0, np.int64), ends).to_pylist()
        bounds = None
        if typed and domain.form == "range":
            bounds = [_bounds(domain, int(group[0]), int(group[-1])) for group in groups]
        found.append(Cells(domain.name, texts, places, bounds))
    return found


def level_losses(table: DistinctTable, classes: Ints, number: int, levels: Sequence[int]) -> list[Floats]:
    """What each class loses in each column by the cells of full-domain recoding."""
    columns = zip(table.domains, table.codes, levels, strict=True)
    return [domain.losses[_nodes(domain, codes, classes, number, level)] for domain, codes, level in columns]


def midpoint(low: str | None, high: str | None) -> str | None:
    """The number in the middle of two, exactly; null where there is none."""
    if low is None or high is None or low == high:
        return low
    middle = f"{_EXACT.multiply(_EXACT.add(Decimal(low), Decimal(high)), _HALF):f}".rstrip("0").rstrip(".")
    return "0" if middle == "-0" else middle


def _nodes(domain: Domain, codes: NDArray[np.int32], classes: Ints, number: int, level: int) -> Ints:
    nodes = np.zeros(number, np.int64)
    nodes[classes] = domain.ancestors[level, codes]
    return nodes


def _cells(domain: Domain, codes: NDArray[np.int32], classes: Ints, number: int, typed: bool) -> Cells:
    if domain.form == "set":
        members, starts = _members(domain, codes, classes, number)
        places, texts = encoded(_sets(domain, members, starts))
        return Cells(domain.name, texts, places)
    first, last = _span(domain, codes, classes, number)
    if domain.form == "labels":
        assert domain.hierarchy is not None
        nodes, places = np.unique(LabelJoins(domain).node(first, last), return_inverse=True)
        return Cells(domain.name, [domain.hierarchy.labels[node] for node in nodes.tolist()], places)
    spans, places = np.unique(first * len(domain.values) + last, return_inverse=True)
    pairs = [divmod(span, len(domain.values)) for span in spans.tolist()]
    bounds = [_bounds(domain, low, high) for low, high in pairs] if typed else None
    return Cells(domain.name, [_range(domain, low, high) for low, high in pairs], places, bounds)


def _losses(domain: Domain, codes: NDArray[np.int32], classes: Ints, number: int) -> Floats:
    if domain.form == "set":
        lost = np.diff(_members(domain, codes, classes, number)[1]) - 1
        return lost / domain.most * domain.weight
    first, last = _span(domain, codes, classes, number)
    if domain.form == "labels":
        return domain.losses[LabelJoins(domain).node(first, last)]
    beside_null = domain.has_null & (first != last) & (last == len(domain.values) - 1)
    return np.where(beside_null, domain.most, last - first) / domain.most * domain.weight


def _span(domain: Domain, codes: NDArray[np.int32], classes: Ints, number: int) -> tuple[Ints, Ints]:
    """The first and the last value of each class."""
    first = np.full(number, len(domain.values) - 1, np.int64)
    last = np.zeros(number, np.int64)
    np.minimum.at(first, classes, codes.astype(np.int64))
    np.maximum.at(last, classes, codes.astype(np.int64))
    return first, last


def _members(domain: Domain, codes: NDArray[np.int32], classes: Ints, number: int) -> tuple[Ints, Ints]:
    """The different values of each class: those of class i from `starts[i]` up to `starts[i + 1]`."""
    keys = np.unique(classes * len(domain.values) + codes)
    return keys % len(domain.values), np.searchsorted(keys, np.arange(number + 1) * len(domain.values))


def _range(domain: Domain, first: int, last: int) -> str | None:
    if first == last:
        return domain.values[first]
    return ALL if _beside_null(domain, first, last) else f"[{domain.values[first]},{domain.values[last]}]"


def _beside_null(domain: Domain, first: int, last: int) -> bool:
    return first != last and domain.has_null and last == len(domain.values) - 1


def _bounds(domain: Domain, first: int, last: int) -> tuple[str | None, str | None]:
    return (None, None) if _beside_null(domain, first, last) else (domain.values[first], domain.values[last])


def _sets(domain: Domain, members: Ints, starts: Ints) -> pa.Array:
    """`{a,b}`; `[3,7]` for whole numbers without a gap; the value itself where it is one; null is an element without a character."""
    elements = pa.array([element(value) for value in domain.values], pa.string())
    lists = pa.ListArray.from_arrays(pa.array(starts.astype(np.int32)), elements.take(pa.array(members)))
    texts = pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")
    sizes = np.diff(starts)
    alone = pa.array(domain.values, pa.string()).take(pa.array(members[starts[:-1]]))
    texts = pc.if_else(pa.array(sizes == 1), alone, texts)

    whole = np.array([value is not None and bool(_WHOLE.fullmatch(value)) for value in domain.values])
    if not whole.any() or not len(sizes):
        return texts
    numbers = np.array([int(value) if is_whole and value else 0 for value, is_whole in zip(domain.values, whole, strict=True)], np.int64)
    if len(np.unique(numbers[whole])) < whole.sum():
        return texts  # 7 and 07
    low, high = (kind.reduceat(numbers[members], starts[:-1]) for kind in (np.minimum, np.maximum))
    run = np.logical_and.reduceat(whole[members], starts[:-1]) & (high - low == sizes - 1) & (sizes >= _SHORTEST_RUN)
    ends = [pa.array(end).cast(pa.string()) for end in (low, high)]
    return pc.if_else(pa.array(run), pc.binary_join_element_wise("[", ends[0], ",", ends[1], "]", ""), texts)


def element(value: str | None) -> str:
    """A value as an element of a set: nothing for null, in double quotes where it has a comma, a brace, a quote or space at its ends."""
    if value is None:
        return ""
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value
