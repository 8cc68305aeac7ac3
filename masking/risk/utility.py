"""How much of a table is left after its quasi-identifiers were generalised. Each quality is from 0 (all lost) to 1 (nothing lost).

Definitions as in ARX (`org.deidentifier.arx.aggregates.quality`), which scales each measure between what the original and what
a wholly suppressed table has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from masking.risk.coverage import Domain, Hierarchy, coverage
from masking.risk.entropy import entropy_by_level, entropy_loss
from masking.risk.equivalence import SUPPRESSED, EquivalenceClasses, Integers
from masking.risk.reidentification import rounded
from schemas.errors import InputError


@dataclass(frozen=True)
class ColumnUtility:
    """What is left of one quasi-identifier.

    `values` is the size of its domain: the leaves of its hierarchy, else the different values of the original. Granularity is one
    minus the mean of (values that the cell stands for - 1) / (values - 1), the loss metric of V. Iyengar, "Transforming data to
    satisfy privacy constraints", KDD 2002; `entropy` and `entropy_by_level` are in `masking.risk.entropy`. A measure is None where
    it cannot be known: without an original, or with labels that no hierarchy explains. `generalised` is the share of cells that
    stand for more than one value, `suppressed` that of `*`.
    """

    column: str
    values: int | None
    granularity: float | None
    entropy: float | None
    entropy_by_level: float | None
    generalised: float | None
    suppressed: float

    def describe(self) -> dict[str, Any]:
        return {
            "values": self.values,
            "granularity": rounded(self.granularity),
            "non_uniform_entropy": rounded(self.entropy),
            "non_uniform_entropy_by_level": rounded(self.entropy_by_level),
            "generalised_cells": rounded(self.generalised),
            "suppressed_cells": rounded(self.suppressed),
        }


@dataclass(frozen=True)
class Utility:
    """What is left of a table: the means of its columns' measures, and two measures of its classes.

    `discernibility` is the sum of the squared sizes of the classes, a suppressed record counting as many as there are records
    (R. Bayardo and R. Agrawal, "Data privacy through optimal k-anonymization", ICDE 2005), `average_class_size` that of K. LeFevre,
    D. DeWitt and R. Ramakrishnan, "Mondrian multidimensional k-anonymity", ICDE 2006, without the division by k, as ARX has it;
    their qualities are None without an original. `uncovered` counts the records with a cell that does not cover the original's
    value, 0 in a sound generalisation.
    """

    columns: tuple[ColumnUtility, ...]
    discernibility: int
    discernibility_quality: float | None
    average_class_size: float
    class_size_quality: float | None
    suppressed: float
    uncovered: int | None

    @property
    def granularity(self) -> float | None:
        return _mean([c.granularity for c in self.columns])

    @property
    def entropy(self) -> float | None:
        return _mean([c.entropy for c in self.columns])

    @property
    def entropy_by_level(self) -> float | None:
        return _mean([c.entropy_by_level for c in self.columns])

    def describe(self) -> dict[str, Any]:
        return {
            "granularity": rounded(self.granularity),
            "non_uniform_entropy": rounded(self.entropy),
            "non_uniform_entropy_by_level": rounded(self.entropy_by_level),
            "discernibility": self.discernibility,
            "discernibility_quality": rounded(self.discernibility_quality),
            "average_class_size": rounded(self.average_class_size),
            "average_class_size_quality": rounded(self.class_size_quality),
            "suppressed_records": rounded(self.suppressed),
            "uncovered_records": self.uncovered,
            "columns": {c.column: c.describe() for c in self.columns},
        }


def utility(classes: EquivalenceClasses, original: EquivalenceClasses | None, hierarchies: Mapping[str, Hierarchy], file: str) -> Utility:
    """Measure what is left in `classes`, at least one; `original` are the classes of the same records, in the same order, before.

    Raises InputError where a cell is nothing of its column's hierarchy; `file` names the table then, and no value is named.
    """
    columns, wrong = [], np.zeros(classes.records, np.bool_)
    for c in range(len(classes.columns)):
        column, uncovered = _column(classes, original, hierarchies, c, file)
        columns.append(column)
        if uncovered is not None:
            wrong |= uncovered
    known = original is not None and all(c.entropy is not None for c in columns)
    before = None if original is None else (_discernibility(original), original.records / len(original.sizes))
    records, size = classes.records, classes.records / len(classes.sizes)
    return Utility(
        tuple(columns),
        _discernibility(classes),
        None if before is None else _quality(_discernibility(classes), before[0], records**2),
        size,
        None if before is None else _quality(size, before[1], records),
        classes.suppressed_records / records,
        int(wrong.sum()) if known else None,
    )


def _column(
    classes: EquivalenceClasses, original: EquivalenceClasses | None, hierarchies: Mapping[str, Hierarchy], column: int, file: str
) -> tuple[ColumnUtility, np.ndarray | None]:
    name, cells = classes.columns[column], classes.cells[column]
    counts = np.bincount(classes.tuples[:, column], weights=classes.sizes, minlength=len(cells)).astype(np.int64)
    suppressed = int(counts[cells.index(SUPPRESSED)]) / classes.records if SUPPRESSED in cells else 0.0
    hierarchy = hierarchies.get(name)
    domain = _domain(hierarchy, cells, None if original is None else original.cells[column])
    found = None if domain is None else coverage(domain, cells)
    if found is not None and found.unknown and hierarchy is not None:
        _refuse(classes, column, found.unknown, hierarchy, file)
    if domain is None or found is None or found.unknown:
        return ColumnUtility(name, None, None, None, None, None, suppressed), None
    loss = float(np.dot(counts, (found.sizes - 1) / max(len(domain.values) - 1, 1)) / classes.records)
    entropy, by_level, uncovered = None, None, None
    if original is not None:
        positions = _positions(domain, original, column, hierarchy)
        entropy, uncovered = entropy_loss(positions, classes.codes(column), found, len(domain.values))
        if hierarchy is not None and not uncovered.any():
            by_level = entropy_by_level(positions, classes.codes(column), cells, hierarchy, domain.values)
    generalised = int(counts[found.sizes > 1].sum()) / classes.records
    return ColumnUtility(name, len(domain.values), 1 - loss, entropy, by_level, generalised, suppressed), uncovered


def _domain(hierarchy: Hierarchy | None, cells: Sequence[str], original: Sequence[str] | None) -> Domain | None:
    if hierarchy is not None:
        return Domain.of(hierarchy, [*cells, *(original or ())])
    return None if original is None else Domain(original)


def _positions(domain: Domain, original: EquivalenceClasses, column: int, hierarchy: Hierarchy | None) -> Integers:
    """The position of each record's original value in the domain."""
    known = {value: i for i, value in enumerate(domain.values)}
    found = np.array([known.get(value, -1) for value in original.cells[column]], np.int64)
    if (found < 0).any():
        where = "" if hierarchy is None else f" in {hierarchy.file}"
        raise InputError(
            f"column '{original.columns[column]}': {int((found < 0).sum()):,} different values of the original have no row{where}; add them"
        )
    of_records: Integers = found[original.codes(column)]
    return of_records


def _refuse(classes: EquivalenceClasses, column: int, unknown: Sequence[int], hierarchy: Hierarchy, file: str) -> None:
    first = int(np.isin(classes.codes(column), unknown).argmax()) + 1
    raise InputError(
        f"{file}: column '{classes.columns[column]}': {len(unknown):,} different cells, the first in record {first:,}, are no value, "
        f"label, set or range of {hierarchy.file}"
    )


def _discernibility(classes: EquivalenceClasses) -> int:
    kept = classes.kept.astype(object)  # squares may pass 64 bits
    return int((kept * kept).sum()) + classes.suppressed_records * classes.records


def _quality(found: float, best: float, worst: float) -> float:
    return 1.0 if worst <= best else float(min(max(1 - (found - best) / (worst - best), 0.0), 1.0))


def _mean(figures: Sequence[float | None]) -> float | None:
    known = [f for f in figures if f is not None]
    return sum(known) / len(known) if known and len(known) == len(figures) else None
