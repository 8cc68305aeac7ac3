"""How many people of a population each equivalence class may stand for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from masking.risk.coverage import Coverage, Domain, Hierarchy, coverage
from masking.risk.equivalence import EquivalenceClasses, Integers, tuple_keys
from schemas.errors import InputError


def sizes_in_population(
    classes: EquivalenceClasses, population: EquivalenceClasses, hierarchies: Mapping[str, Hierarchy], file: str
) -> Integers:
    """Count for each class the people of `population` whose values all its cells cover; nought for suppressed classes.

    Both are classes over the same columns; `file` names the population in errors. Works on the different tuples of both: the
    column of a class that the fewest tuples fit says where the others are looked at. Raises InputError where a class is larger
    than its people, or a cell fits nobody, for a population holds everybody that the table holds.
    """
    columns = range(len(classes.columns))
    covers = [_covers(classes, population, hierarchies, c, file) for c in columns]
    exact = ~classes.suppressed & np.all([cover.sizes[classes.tuples[:, c]] == 1 for c, cover in enumerate(covers)], axis=0)
    sizes = np.zeros(len(classes.sizes), np.int64)
    sizes[exact] = _exact([cover.values[cover.starts[classes.tuples[exact, c]]] for c, cover in enumerate(covers)], population)
    fits = [_Tuples(population.tuples[:, c], len(population.cells[c])) for c in columns]
    for i in np.flatnonzero(~classes.suppressed & ~exact):
        values = [cover.values[cover.starts[cell] : cover.starts[cell + 1]] for cover, cell in zip(covers, classes.tuples[i], strict=True)]
        chances = [fit.count(found) for fit, found in zip(fits, values, strict=True)]
        order = sorted(columns, key=chances.__getitem__)
        left = fits[order[0]].holding(values[order[0]])
        for c in order[1:]:
            left = left[_isin(population.tuples[left, c], values[c], len(population.cells[c]))]
        sizes[i] = population.sizes[left].sum()
    missing = int((classes.sizes - sizes)[~classes.suppressed & (sizes < classes.sizes)].sum())
    if missing:
        raise InputError(f"{file} lacks {missing:,} of the people that the table has; a population holds everybody from whom it was taken")
    return sizes


def _exact(codes: Sequence[Integers], population: EquivalenceClasses) -> Integers:
    """How many people have just these values."""
    both = [np.concatenate([population.tuples[:, c], coded]) for c, coded in enumerate(codes)]
    keys = tuple_keys(both, [len(cells) for cells in population.cells])
    theirs, mine = np.split(keys, [len(population.sizes)])
    order = np.argsort(theirs)
    place = np.minimum(np.searchsorted(theirs[order], mine), len(theirs) - 1)
    return np.where(theirs[order][place] == mine, population.sizes[order][place], 0)


class _Tuples:
    """The tuples of the population by their value in one column."""

    def __init__(self, codes: Integers, values: int) -> None:
        self._order = np.argsort(codes, kind="stable")
        self._starts = np.concatenate(([0], np.cumsum(np.bincount(codes, minlength=values))))

    def count(self, values: Integers) -> int:
        return int((self._starts[values + 1] - self._starts[values]).sum())

    def holding(self, values: Integers) -> Integers:
        found = [self._order[self._starts[v] : self._starts[v + 1]] for v in values]
        return np.concatenate(found) if found else self._order[:0]


def _isin(codes: Integers, values: Integers, many: int) -> npt.NDArray[np.bool_]:
    wanted = np.zeros(many, np.bool_)
    wanted[values] = True
    return np.asarray(wanted[codes])


def _covers(
    classes: EquivalenceClasses, population: EquivalenceClasses, hierarchies: Mapping[str, Hierarchy], column: int, file: str
) -> Coverage:
    """What the cells of a column stand for among the population's values, in their codes."""
    values, cells = population.cells[column], classes.cells[column]
    hierarchy = hierarchies.get(population.columns[column])
    labels = {} if hierarchy is None else Domain.of(hierarchy).labels
    leaves = [] if hierarchy is None else [row[0] for row in hierarchy.rows]
    known = set(leaves)
    domain = Domain([*leaves, *(value for value in values if value not in known)], labels)
    found = coverage(domain, cells)
    if found.unknown:
        raise InputError(
            f"{file}: nobody there fits {len(found.unknown):,} different cells of column '{population.columns[column]}'; a population "
            "holds everybody from whom the table was taken, and labels need --hierarchies"
        )
    code = {value: i for i, value in enumerate(values)}
    codes = np.array([code.get(value, -1) for value in domain.values], np.int64)[found.values]
    of_cell = np.repeat(np.arange(len(cells)), found.sizes)[codes >= 0]
    starts = np.concatenate(([0], np.cumsum(np.bincount(of_cell, minlength=len(cells)))))
    return Coverage(starts, codes[codes >= 0], ())
