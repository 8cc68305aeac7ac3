"""Persons who can be in one class at all: those who are alike in what no cell can hide.

Whether a person has a row in a joined table shows in any output, whatever its cells are, so that only persons who are alike in this
(their *pattern*) can be taken for each other. And a row of a table that persons reference is shared by them, so that it has one cell
for all of them: persons are parted by these cells first, as few rows as possible under each.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from masking.anonymity import EqualCloseness, OrderedCloseness, QuasiIdentifier
from masking.anonymity.class_statistics import class_statistics, whole_counts
from masking.anonymity.distinct import distinct_table
from masking.anonymity.models import all_met, smallest_class
from masking.errors import ModelInfeasible
from masking.people.records import Ints, Records

Flags = NDArray[np.bool_]


Place = tuple[str, str]  # a table of parents, and the column that references it


@dataclass(frozen=True)
class Groups:
    """The group of each person; the shared cells of each person, and of each parent's row, by table of parents."""

    of_person: Ints
    cell_of_person: Mapping[Place, Ints]
    cell_of_parent: Mapping[Place, Ints]


def group(records: Records) -> Groups:
    """Part the persons; cells are merged until all groups meet the models as one class, as far as their patterns are the same.

    Raises ModelInfeasible where those of a pattern cannot meet them, as neither cells nor suppression hide it; and where t-closeness is
    asked for and patterns differ: it compares with all persons.
    """
    patterns = _patterns(records)
    cells = _combinations(records)
    while True:
        of_person, met, sizes = _groups(records, cells, patterns)
        merged = _to_merge(cells, patterns, ~met[of_person])
        if merged is None:
            break
        place, pairs = merged
        cells[place] = _united(cells[place], pairs)
    if len(sizes) > 1 and any(isinstance(model, EqualCloseness | OrderedCloseness) for model in records.spec.models):
        raise ModelInfeasible(
            f"{records.spec.title}: t-closeness compares with all persons, and {_without(records)}; leave t out, or that table's columns"
        )
    if not met.all() and len(sizes) > 1:
        raise _infeasible(records, met, sizes)
    parents = {}
    for place, parent in records.parent_of.items():
        parents[place] = np.full(len(records.parents[place].rows), -1, np.int64)
        parents[place][parent[parent >= 0]] = cells[place][parent >= 0]
    return Groups(of_person, cells, parents)


def _infeasible(records: Records, met: Flags, sizes: Ints) -> ModelInfeasible:
    need, least = smallest_class(records.spec.models), int(sizes[~met].min())
    nearest = f"the nearest that can be met are classes of {least}, where {need} are asked for" if least < need else "lower the models"
    return ModelInfeasible(
        f"{records.spec.title}: {int(sizes[~met].sum()):,} of {records.count:,} persons cannot meet the models among those who are like "
        f"them: {_without(records)}, which neither cells nor suppression hide; {nearest}, leave the columns of that table out, or these "
        "persons (`subset:`)"
    )


def _without(records: Records) -> str:
    return ", ".join(
        f"{int(np.count_nonzero(~there)):,} have no row in {table}" for table, there in records.present.items() if not there.all()
    )


def _patterns(records: Records) -> Ints:
    found = np.zeros(records.count, np.int64)
    for there in records.present.values():
        found = found * 2 + there
    return found


def _combinations(records: Records) -> dict[Place, Ints]:
    """The cell of each person in each table of parents, by the values of the row that they reference and in their order."""
    found = {}
    for place, parent in records.parent_of.items():
        rows = len(records.parents[place].rows)
        known = [records.values[q.name] for q in records.spec.quasi if (q.table, q.link) == place]
        ranks = np.stack([values.ranks()[values.first(rows)] for values in known])
        alike = np.unique(ranks, axis=1, return_inverse=True)[1].ravel() if rows else np.zeros(0, np.int64)
        of_person = np.zeros(records.count, np.int64)
        of_person[parent >= 0] = alike[parent[parent >= 0]] + 1
        found[place] = np.unique(of_person, return_inverse=True)[1].astype(np.int64)
    return found


def _united(cells: Ints, pairs: Iterable[tuple[int, int]]) -> Ints:
    """Number cells anew, with those of each pair as one (union-find)."""
    above = list(range(int(cells.max(initial=-1)) + 1))

    def find(cell: int) -> int:
        while above[cell] != cell:
            above[cell] = above[above[cell]]
            cell = above[cell]
        return cell

    for one, other in pairs:
        first, second = sorted((find(one), find(other)))
        above[second] = first
    roots = np.array([find(cell) for cell in range(len(above))], np.int64)
    return np.unique(roots[cells], return_inverse=True)[1].astype(np.int64) if len(cells) else cells


def _groups(records: Records, cells: Mapping[Place, Ints], patterns: Ints) -> tuple[Ints, Flags, Ints]:
    """The group of each person by cells and pattern, whether each group meets the models as one class, and its size."""
    if not records.count:
        return np.zeros(0, np.int64), np.ones(0, bool), np.zeros(0, np.int64)
    number = np.unique(np.stack([patterns, *cells.values()]), axis=1, return_inverse=True)[1].ravel()
    table = pa.table({"group": pa.array(number).cast(pa.string()), **records.sensitive})
    tuples, of_person = distinct_table(table, [QuasiIdentifier("group")], list(records.sensitive), "labels")
    count = len(tuples.counts)
    whole = whole_counts(tuples.observations)
    statistics = class_statistics(np.arange(count, dtype=np.int64), count, tuples.counts, tuples.observations, whole)
    return of_person.astype(np.int64), all_met(records.spec.models, statistics), tuples.counts


def _to_merge(cells: Mapping[Place, Ints], patterns: Ints, failing: Flags) -> tuple[Place, list[tuple[int, int]]] | None:
    """The table of parents with the most cells that can be merged, and pairs of its cells: two and two by their order, of those who fail.

    Only cells of one pattern are paired; the last that is left over goes to its neighbour. None where nothing can be merged.
    """
    for place in sorted(cells, key=lambda place: (-len(np.unique(cells[place])), place)):
        pairs = []
        for pattern in np.unique(patterns[failing]).tolist():
            inside = patterns == pattern
            known, lacking = np.unique(cells[place][inside]).tolist(), np.unique(cells[place][inside & failing]).tolist()
            if len(known) > 1:
                pairs += list(zip(lacking[::2], lacking[1::2], strict=False))
                if len(lacking) % 2:
                    last = known.index(lacking[-1])
                    pairs.append((known[last], known[last - 1] if last else known[1]))
        if pairs:
            return place, pairs
    return None
