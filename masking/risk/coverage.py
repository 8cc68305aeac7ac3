"""What a generalised cell stands for: which of a column's values it may have been.

A cell is a value, a label of the column's hierarchy, a set `{a,b}`, a range `[20,29]` of numbers or ISO dates, both ends within, or
`*` for all values. Members of sets that hold commas or quotes are quoted as in CSV. The empty text (and null) is a value of its own,
in sets a member without a character.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Generic, TypeVar

import numpy as np

from masking.hierarchy_files import NAMED, find_hierarchies, read_rows
from masking.risk.equivalence import SUPPRESSED, Integers
from schemas.errors import InputError

_MEMBER = re.compile(r'(\s*"((?:[^"]|"")*)"\s*|[^,]*),')
_RANGE = re.compile(r"\[([^,\[\]]+),([^,\[\]]+)\]")
_DATE = re.compile(r"\d{4}-\d\d(-\d\d([T ].*)?)?")

_End = TypeVar("_End", Decimal, str)


@dataclass(frozen=True)
class _Sorted(Generic[_End]):
    """Those values of a domain that a range may hold, in their order, and their positions in the domain."""

    ends: Sequence[_End]
    positions: Integers

    @classmethod
    def of(cls, found: Iterable[tuple[_End, int]]) -> _Sorted[_End]:
        ordered = sorted(found)
        return cls([end for end, _ in ordered], np.array([i for _, i in ordered], np.int64))

    def between(self, low: _End, high: _End) -> Integers:
        return np.sort(self.positions[bisect_left(self.ends, low) : bisect_right(self.ends, high)])


@dataclass(frozen=True)
class Hierarchy:
    """The generalisation hierarchy of a column: `rows` are its values, each with its labels from fine to coarse."""

    file: str
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Domain:
    """The values that a column may have, and the labels that stand for several of them.

    `values` are different; `labels` maps each label of the hierarchy to the positions of its values, rising.
    """

    values: Sequence[str]
    labels: Mapping[str, Integers] = field(default_factory=dict)

    @classmethod
    def of(cls, hierarchy: Hierarchy, others: Iterable[str] = ()) -> Domain:
        """The domain of a hierarchy; of `others` only the empty text joins it, where the hierarchy lacks it."""
        values = [row[0] for row in hierarchy.rows]
        under: dict[str, set[int]] = {}
        for i, row in enumerate(hierarchy.rows):
            for label in row:
                under.setdefault(label, set()).add(i)
        if "" in others and "" not in under:
            values.append("")
        return cls(values, {label: np.array(sorted(found), np.int64) for label, found in under.items()})


@dataclass(frozen=True)
class Coverage:
    """Which values each of several cells may have been: cell i stands for `values[starts[i]:starts[i + 1]]`, rising positions.

    `unknown` are the positions of the cells that are nothing of the domain; they stand for no value here.
    """

    starts: Integers
    values: Integers
    unknown: tuple[int, ...]

    @property
    def sizes(self) -> Integers:
        """How many values each cell stands for."""
        return np.diff(self.starts)


def coverage(domain: Domain, cells: Sequence[str]) -> Coverage:
    """Find what each of `cells` stands for in `domain`."""
    positions = {value: i for i, value in enumerate(domain.values)}
    everything = np.arange(len(domain.values))
    numbers = _Sorted.of((number, i) for i, value in enumerate(domain.values) if (number := _number(value)) is not None)
    dates = _Sorted.of((value, i) for i, value in enumerate(domain.values) if _DATE.fullmatch(value))
    found: list[Integers] = []
    unknown = []
    for i, cell in enumerate(cells):
        covered: Integers | None
        if cell == SUPPRESSED:
            covered = everything
        elif cell in domain.labels:
            covered = domain.labels[cell]
        elif cell in positions:
            covered = np.array([positions[cell]])
        elif cell.startswith("{") and cell.endswith("}"):
            covered = _set(cell[1:-1], positions)
        elif (ends := _RANGE.fullmatch(cell)) is not None:
            covered = _range(ends[1].strip(), ends[2].strip(), numbers, dates)
        else:
            covered = None
        if covered is None:
            unknown.append(i)
            covered = np.array([], np.int64)
        found.append(covered)
    starts = np.concatenate(([0], np.cumsum([len(c) for c in found], dtype=np.int64)))
    return Coverage(starts, np.concatenate(found) if found else np.array([], np.int64), tuple(unknown))


def read_hierarchies(folder: str, columns: Sequence[str]) -> dict[str, Hierarchy]:
    """Read the hierarchies of those of `columns` that have one in `folder`; `masking.hierarchy_files` says what these look like.

    Raises InputError as that does, and where there is none of them.
    """
    files = find_hierarchies(Path(folder), columns)
    if not files:
        raise InputError(
            f"{folder} has no hierarchy of the quasi-identifiers; a file is named '{columns[0]}.csv' or 'data{NAMED}{columns[0]}.csv'"
        )
    return {column: Hierarchy(str(path), read_rows(str(path))) for column, path in files.items()}


def _set(members: str, positions: Mapping[str, int]) -> Integers | None:
    found = set()
    for member in _MEMBER.finditer(members + ","):
        text = member[1] if member[2] is None else member[2].replace('""', '"')
        found.add(positions.get(text, positions.get(text.strip(), -1)))
    return None if -1 in found else np.array(sorted(found), np.int64)


def _range(low: str, high: str, numbers: _Sorted[Decimal], dates: _Sorted[str]) -> Integers | None:
    if (lowest := _number(low)) is not None and (highest := _number(high)) is not None:
        return numbers.between(lowest, highest)
    if _DATE.fullmatch(low) and _DATE.fullmatch(high):
        return dates.between(low, high)
    return None


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None
