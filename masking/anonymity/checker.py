"""The check of a finished file: does every class meet the models, does every cell cover what stood there?

It shares nothing with what made the file but the hierarchies and the names of the models: it groups the written texts themselves,
reads labels, sets and ranges back from them, and computes what the models say anew, one class at a time.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache

import pyarrow as pa

from masking.anonymity.anonymize import HIGH, LOW, Specification
from masking.anonymity.hierarchy import ALL, Hierarchy
from masking.anonymity.models import (
    DistinctDiversity,
    EntropyDiversity,
    EqualCloseness,
    KAnonymity,
    Model,
    OrderedCloseness,
    RecursiveDiversity,
)
from masking.errors import ModelViolated
from schemas.plurals import counted

_SLACK = 1e-7
_ELEMENT = re.compile(r'"((?:[^"]|"")*)"|([^,"]*)')
_Class = tuple[str | None, ...]
_Counts = Mapping[str | None, int]


@dataclass(frozen=True)
class _Written:
    """The columns that one quasi-identifier was written to."""

    name: str
    columns: tuple[str, ...]

    @property
    def suppressed(self) -> tuple[str | None, ...]:
        """What a suppressed row has there; null is that of bounds alone, elsewhere it is a value as any other."""
        return (ALL,) if len(self.columns) == 1 else (None,) * len(self.columns)


def check(before: pa.Table, after: pa.Table, asked: Specification) -> None:
    """Raise ModelViolated, which names columns, models and counts and no value, where `after` is not what was asked for.

    `before` is the table that was read, `after` the finished file read back. All rows must be there in their order, other columns
    as they were; every cell of a quasi-identifier must cover the value it stands for; all classes must meet all models, but that
    suppressed rows within the limit must only be k. Rows that already were as suppressed ones are written are not suppressed.
    """
    if before.num_rows != after.num_rows:
        raise ModelViolated(f"the finished file has {counted(after.num_rows, 'row')}, where {before.num_rows:,} were read")
    written = [_written(after, quasi.name) for quasi in asked.quasi_identifiers]
    recoded = {quasi.name for quasi in asked.quasi_identifiers}
    for name in before.column_names:
        if name not in recoded and not _same(before.column(name), after.column(name)):
            raise ModelViolated(f"column '{name}' is no quasi-identifier, but was changed")
    for quasi, place in zip(asked.quasi_identifiers, written, strict=True):
        wrong = _uncovered(before, after, place, quasi.hierarchy)
        if wrong:
            rows = counted(wrong, "row of the finished file does", "rows of the finished file do")
            raise ModelViolated(f"column '{place.name}': {rows} not cover the values that they stand for")
    _check_models(before, after, written, asked)


def _written(after: pa.Table, name: str) -> _Written:
    bounds = (name + LOW, name + HIGH)
    return _Written(name, (name, *bounds) if all(bound in after.column_names for bound in bounds) else (name,))


def _same(left: pa.ChunkedArray, right: pa.ChunkedArray) -> bool:
    return bool(left.cast(pa.string()).equals(right.cast(pa.string())))


def _uncovered(before: pa.Table, after: pa.Table, place: _Written, hierarchy: Hierarchy | None) -> int:
    """Rows whose cell does not cover the value; each pair of value and cell is looked at once."""
    pairs = pa.table([before.column(place.name), *(after.column(column) for column in place.columns)], names=["", *place.columns])
    counted = pairs.group_by(pairs.column_names).aggregate([([], "count_all")])
    if len(place.columns) == 1:
        covers = covering(hierarchy)
    else:
        covers = _covering_bounds
    columns = [column.to_pylist() for column in counted.columns]
    names = counted.column_names
    rows = columns[names.index("count_all")]
    values = columns[names.index("")]
    cells = zip(*(columns[names.index(column)] for column in place.columns), strict=True)
    return sum(times for value, cell, times in zip(values, cells, rows, strict=True) if not covers(value, cell))


def covering(hierarchy: Hierarchy | None) -> Callable[[str | None, Sequence[str | None]], bool]:
    """Whether a cell, read back as a label, a set or a range, covers a value."""
    leaves: dict[str | None, set[str | None]] = defaultdict(set)
    if hierarchy is not None:
        for level in hierarchy.levels:
            for leaf, label in zip(hierarchy.leaves, level, strict=True):
                leaves[label].add(leaf)

    def covers(value: str | None, cells: Sequence[str | None]) -> bool:
        (cell,) = cells
        if cell in (value, ALL) or value in leaves.get(cell, ()):
            return True
        if cell is None:
            return False
        if cell.startswith("{") and cell.endswith("}"):
            if '"' not in cell and value:
                return f",{value}," in f",{cell[1:-1]}," and "," not in value
            return value in _elements(cell)
        return _within(value, *_range(cell))

    return covers


def _covering_bounds(value: str | None, cells: Sequence[str | None]) -> bool:
    middle, low, high = cells
    if low is None and high is None:
        return middle is None
    return _within(value, low, high) and _within(middle, low, high)


@lru_cache(1 << 16)
def _elements(cell: str) -> frozenset[str | None]:
    """What a set holds; an element without a character is null, a quoted one is as it says."""
    text, at = cell[1:-1], 0
    found: set[str | None] = set()
    while element := _ELEMENT.match(text, at):
        quoted, plain = element.groups()
        found.add(plain or None if quoted is None else quoted.replace('""', '"'))
        at = element.end() + 1
        if at > len(text):
            break
    return frozenset(found)


@lru_cache(1 << 16)
def _range(cell: str) -> tuple[str | None, str | None]:
    low, comma, high = cell[1:-1].partition(",")
    return (low, high) if cell.startswith("[") and cell.endswith("]") and comma else (None, None)


def _within(value: str | None, low: str | None, high: str | None) -> bool:
    if value is None or low is None or high is None:
        return False
    try:
        return Decimal(low) <= Decimal(value) <= Decimal(high)
    except InvalidOperation:
        return False


def _check_models(before: pa.Table, after: pa.Table, written: Sequence[_Written], asked: Specification) -> None:
    keys = [column for place in written for column in place.columns]
    classes = _counted(after, keys)
    out = _suppressed(before, after, written, classes) if asked.suppression else set()
    for model in asked.models:
        failing = sorted(_failing(model, after, keys, classes))
        excused = set() if isinstance(model, KAnonymity) else out
        broken = [i for i in failing if i not in excused]
        if broken:
            unclear = asked.suppression and asked.notation == "typed" and any(set(classes[i][0]) == {None} for i in broken)
            hint = "; null numbers are written as suppressed ones are: take another notation than `typed`" if unclear else ""
            raise ModelViolated(f"{model.title} does not hold in {len(broken):,} of {len(classes):,} classes of the finished file{hint}")
        if failing and sum(classes[i][1] for i in failing) > math.floor(asked.suppression * after.num_rows + 1e-9):
            raise ModelViolated(f"more rows of the finished file are suppressed than the limit of {asked.suppression:g} allows")


def _counted(after: pa.Table, keys: Sequence[str]) -> list[tuple[_Class, int]]:
    """The classes and their rows."""
    counted = after.select(keys).group_by(list(keys)).aggregate([([], "count_all")])
    columns = [counted.column(key).to_pylist() for key in keys]
    return list(zip(zip(*columns, strict=True), counted.column("count_all").to_pylist(), strict=True))


def _suppressed(before: pa.Table, after: pa.Table, written: Sequence[_Written], classes: Sequence[tuple[_Class, int]]) -> set[int]:
    """The class of suppressed rows, where there is one, and a row in it had something to lose."""
    gone = tuple(cell for place in written for cell in place.suppressed)
    names = [place.name for place in written]
    had = pa.table(
        [*(before.column(name) for name in names), *(after.column(key) for place in written for key in place.columns)],
        names=[str(i) for i in range(len(names) + len(gone))],
    )
    nothing = tuple(place.suppressed[0] for place in written)
    lost = any(cells[len(names) :] == gone and cells[: len(names)] != nothing for cells, _ in _counted(had, had.column_names))
    return {i for i, (cells, _) in enumerate(classes) if lost and cells == gone}


def _failing(model: Model, after: pa.Table, keys: Sequence[str], classes: Sequence[tuple[_Class, int]]) -> Iterator[int]:
    """The classes that do not meet a model."""
    if isinstance(model, KAnonymity):
        yield from (i for i, (_, rows) in enumerate(classes) if rows < model.k)
        return
    assert model.sensitive is not None
    number = {cells: i for i, (cells, _) in enumerate(classes)}
    counts: list[dict[str | None, int]] = [{} for _ in classes]
    whole: dict[str | None, int] = defaultdict(int)
    for (*cells, value), rows in _counted(after, [*keys, model.sensitive]):
        counts[number[tuple(cells)]][value] = rows
        whole[value] += rows
    for i, found in enumerate(counts):
        if not _meets(model, found, whole):
            yield i


def _meets(model: Model, found: _Counts, whole: _Counts) -> bool:
    rows, total = sum(found.values()), sum(whole.values())
    ranked = sorted(found.values(), reverse=True)
    match model:
        case DistinctDiversity():
            return len(found) >= model.l - _SLACK
        case EntropyDiversity():
            return -math.fsum(n / rows * math.log(n / rows) for n in ranked) >= math.log(model.l) - _SLACK
        case RecursiveDiversity():
            return ranked[0] < model.c * sum(ranked[int(model.l) - 1 :])
        case EqualCloseness():
            return math.fsum(abs(found.get(v, 0) / rows - n / total) for v, n in whole.items()) / 2 <= model.t + _SLACK
        case OrderedCloseness():
            moved, earth = 0.0, []
            for value in sorted(whole, key=_order):
                moved += found.get(value, 0) / rows - whole[value] / total
                earth.append(abs(moved))
            return math.fsum(earth) / max(len(whole) - 1, 1) <= model.t + _SLACK
    raise TypeError(model)


def _order(value: str | None) -> tuple[int, Decimal, str]:
    if value is None:
        return 2, Decimal(0), ""
    try:
        number = Decimal(value)
    except InvalidOperation:
        return 1, Decimal(0), value
    return (0, number, value) if number.is_finite() else (1, Decimal(0), value)
