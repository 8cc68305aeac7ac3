"""What is written in the place of the values of a class: labels, sets and ranges, and what is lost with them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from masking.anonymity.distinct import DistinctTable
from masking.anonymity.domain import Domain
from masking.anonymity.hierarchy import ALL
from masking.anonymity.joins import LabelJoins

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_QUOTED = re.compile(r'[,{}"]|^\s|\s$|^$')
_WHOLE = re.compile(r"-?\d+")
_SHORTEST_RUN = 3


@dataclass(frozen=True)
class Cells:
    """The cells of one column: `texts` holds the different ones, `places` which of them each class has.

    `losses` is what each class loses in this column, from 0 to its weight. `bounds` are the least and the greatest value of each of
    `texts` where the column is written as typed numbers.
    """

    name: str
    texts: tuple[str | None, ...]
    places: Ints
    losses: Floats
    bounds: tuple[tuple[str | None, str | None], ...] | None = None


def class_cells(table: DistinctTable, classes: Ints, number: int, *, typed: bool = False) -> list[Cells]:
    """The least general cells that cover all tuples of each of `number` classes."""
    return [_cells(domain, codes, classes, number, typed) for domain, codes in zip(table.domains, table.codes, strict=True)]


def level_cells(table: DistinctTable, classes: Ints, number: int, levels: Sequence[int], *, typed: bool = False) -> list[Cells]:
    """The cells of full-domain recoding: in each column all values become what stands above them at one level."""
    found = []
    for domain, codes, level in zip(table.domains, table.codes, levels, strict=True):
        nodes = np.zeros(number, np.int64)
        nodes[classes] = domain.ancestors[level, codes]
        different, places = np.unique(nodes, return_inverse=True)
        groups = [np.flatnonzero(domain.ancestors[level] == node) for node in different.tolist()]
        if domain.hierarchy is not None and domain.form == "labels":
            texts: list[str | None] = [domain.hierarchy.labels[node] for node in different.tolist()]
        elif domain.form == "range":
            texts = [_range(domain, int(group[0]), int(group[-1])) for group in groups]
        else:
            texts = [_set([domain.values[code] for code in group.tolist()]) for group in groups]
        bounds = None
        if typed and domain.form == "range":
            bounds = tuple(_bounds(domain, int(group[0]), int(group[-1])) for group in groups)
        found.append(Cells(domain.name, tuple(texts), places, domain.losses[nodes], bounds))
    return found


def _cells(domain: Domain, codes: NDArray[np.int32], classes: Ints, number: int, typed: bool) -> Cells:
    first = np.full(number, len(domain.values), np.int64)
    last = np.full(number, -1, np.int64)
    np.minimum.at(first, classes, codes.astype(np.int64))
    np.maximum.at(last, classes, codes.astype(np.int64))
    if domain.form == "labels":
        assert domain.hierarchy is not None
        nodes, places = np.unique(LabelJoins(domain).node(first, last), return_inverse=True)
        labels = tuple(domain.hierarchy.labels[node] for node in nodes.tolist())
        return Cells(domain.name, labels, places, domain.losses[nodes][places])
    if domain.form == "range":
        spans, places = np.unique(first * len(domain.values) + last, return_inverse=True)
        pairs = [divmod(span, len(domain.values)) for span in spans.tolist()]
        texts = tuple(_range(domain, low, high) for low, high in pairs)
        lost = np.array([domain.most if _beside_null(domain, low, high) else high - low for low, high in pairs], np.float64)
        bounds = tuple(_bounds(domain, low, high) for low, high in pairs) if typed else None
        return Cells(domain.name, texts, places, lost[places] / domain.most * domain.weight, bounds)
    keys = np.unique(classes * len(domain.values) + codes)
    starts = np.searchsorted(keys, np.arange(number + 1) * len(domain.values))
    members = keys % len(domain.values)
    known: dict[bytes, int] = {}
    places = np.empty(number, np.int64)
    for i, (start, end) in enumerate(zip(starts[:-1].tolist(), starts[1:].tolist(), strict=True)):
        places[i] = known.setdefault(members[start:end].tobytes(), len(known))
    sets = [_set([domain.values[code] for code in np.frombuffer(key, members.dtype).tolist()]) for key in known]
    return Cells(domain.name, tuple(sets), places, (np.diff(starts) - 1) / domain.most * domain.weight)


def _beside_null(domain: Domain, first: int, last: int) -> bool:
    return first != last and domain.has_null and last == len(domain.values) - 1


def _range(domain: Domain, first: int, last: int) -> str | None:
    if first == last:
        return domain.values[first]
    return ALL if _beside_null(domain, first, last) else f"[{domain.values[first]},{domain.values[last]}]"


def _bounds(domain: Domain, first: int, last: int) -> tuple[str | None, str | None]:
    return (None, None) if _beside_null(domain, first, last) else (domain.values[first], domain.values[last])


def midpoint(low: str | None, high: str | None) -> str | None:
    """The number in the middle of two, exactly; null where there is none."""
    if low is None or high is None or low == high:
        return low
    middle = (Decimal(low) + Decimal(high)) / 2
    return f"{middle.quantize(Decimal(1)) if middle == middle.to_integral_value() else middle.normalize():f}"


def _set(values: Sequence[str | None]) -> str | None:
    """`{a,b}`; `[3,7]` for whole numbers without a gap; the value itself where it is one; null is an element without a character."""
    if len(values) == 1:
        return values[0]
    if len(values) >= _SHORTEST_RUN and all(value is not None and _WHOLE.fullmatch(value) for value in values):
        numbers = sorted(int(value) for value in values if value is not None)
        if numbers[-1] - numbers[0] == len(numbers) - 1 and len(set(numbers)) == len(numbers):
            return f"[{numbers[0]},{numbers[-1]}]"
    return "{" + ",".join(_element(value) for value in values) + "}"


def _element(value: str | None) -> str:
    if value is None:
        return ""
    return '"' + value.replace('"', '""') + '"' if _QUOTED.search(value) else value
