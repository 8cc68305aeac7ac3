"""How many people of a population each equivalence class may stand for."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from masking.risk.coverage import Coverage, Domain, Hierarchy, coverage
from masking.risk.equivalence import EquivalenceClasses, Integers
from schemas.errors import InputError


def sizes_in_population(
    classes: EquivalenceClasses, population: EquivalenceClasses, hierarchies: Mapping[str, Hierarchy], file: str
) -> Integers:
    """Count for each class the people of `population` whose values all its cells cover; nought for suppressed classes.

    Both are classes over the same columns; `file` names the population in errors. Works on the different tuples of both: the
    column of a class that the fewest tuples fit says where the others are looked at. Raises InputError where a class is larger
    than its people, for a population holds everybody that the table holds.
    """
    covers = [_covers(classes, population, hierarchies, c) for c in range(len(classes.columns))]
    fits = [_Tuples(population.tuples[:, c], len(population.cells[c])) for c in range(len(classes.columns))]
    sizes = np.zeros(len(classes.sizes), np.int64)
    for i in np.flatnonzero(~classes.suppressed):
        values = [cover.values[cover.starts[cell] : cover.starts[cell + 1]] for cover, cell in zip(covers, classes.tuples[i], strict=True)]
        chances = [fit.count(found) for fit, found in zip(fits, values, strict=True)]
        order = sorted(range(len(values)), key=chances.__getitem__)
        left = fits[order[0]].holding(values[order[0]])
        for c in order[1:]:
            left = left[_isin(population.tuples[left, c], values[c], len(population.cells[c]))]
        sizes[i] = population.sizes[left].sum()
    missing = int((classes.sizes - sizes)[~classes.suppressed & (sizes < classes.sizes)].sum())
    if missing:
        raise InputError(f"{file} lacks {missing:,} of the people that the table has; a population holds everybody from whom it was taken")
    return sizes


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


def _covers(classes: EquivalenceClasses, population: EquivalenceClasses, hierarchies: Mapping[str, Hierarchy], column: int) -> Coverage:
    """What the cells of a column stand for among the population's values, in their codes."""
    values = population.cells[column]
    hierarchy = hierarchies.get(population.columns[column])
    domain = Domain(values) if hierarchy is None else Domain.of(hierarchy)
    found = coverage(domain, classes.cells[column])
    if hierarchy is None:
        return found
    code = {value: i for i, value in enumerate(values)}
    codes = np.array([code.get(value, -1) for value in domain.values], np.int64)[found.values]
    of_cell = np.repeat(np.arange(len(found.sizes)), found.sizes)[codes >= 0]
    starts = np.concatenate(([0], np.cumsum(np.bincount(of_cell, minlength=len(found.sizes)))))
    return Coverage(starts, codes[codes >= 0], found.unknown)
