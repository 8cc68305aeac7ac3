"""The whole report on a table: its risks, what it tells of sensitive columns, and what is left of the original."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from masking.risk.coverage import Hierarchy
from masking.risk.diversity import Diversity, diversity
from masking.risk.equivalence import EquivalenceClasses, equivalence_classes
from masking.risk.population import sizes_in_population
from masking.risk.reidentification import AttackerRisk, journalist_risk, marketer_risk, prosecutor_risk, rounded
from masking.risk.uniqueness import PopulationUniqueness, population_uniqueness
from masking.risk.utility import Utility, utility
from schemas.errors import InputError

THRESHOLD = 0.2


@dataclass(frozen=True)
class Question:
    """What is asked of a table.

    `threshold` is the highest chance of re-identification, from 0 to 1, that is accepted for a record. `population` holds the
    people from whom the table was taken, over the same columns, and `population_file` names it; without it the table is taken for
    the whole population in the journalist and marketer risks. `population_size` is the number of people, for the estimates of
    uniqueness.
    """

    quasi_identifiers: tuple[str, ...]
    sensitive: tuple[str, ...] = ()
    hierarchies: Mapping[str, Hierarchy] = field(default_factory=dict, repr=False)
    threshold: float = THRESHOLD
    population: pa.Table | None = field(default=None, repr=False)
    population_file: str = ""
    population_size: int | None = None


@dataclass(frozen=True)
class ColumnRisk:
    """What one quasi-identifier alone tells apart (R. Motwani and Y. Xu, "Efficient algorithms for masking and finding
    quasi-identifiers", 2007, as ARX has it): `distinct` different cells, `distinction` their share of the records, `separation`
    the share of pairs of records that differ in it, `unique` the share of records that have their cell alone.
    """

    column: str
    distinct: int
    distinction: float
    separation: float
    unique: float

    def describe(self) -> dict[str, Any]:
        figures = {"distinction": rounded(self.distinction), "separation": rounded(self.separation), "unique": rounded(self.unique)}
        return {"distinct": self.distinct, **figures}


@dataclass(frozen=True)
class TableRisk:
    """The risks of one table; none of its values, only counts.

    `class_sizes` are the sizes of the classes that are not suppressed, rising, each with how many classes have it; `smallest` is
    the k of k-anonymity, None where all records are suppressed. `in_sample` says that the table was taken for the population.
    """

    records: int
    suppressed: int
    class_sizes: tuple[tuple[int, int], ...]
    prosecutor: AttackerRisk
    journalist: AttackerRisk
    marketer: float | None
    in_sample: bool
    population: PopulationUniqueness | None
    columns: tuple[ColumnRisk, ...]
    sensitive: tuple[Diversity, ...]

    @property
    def classes(self) -> int:
        return sum(classes for _, classes in self.class_sizes)

    @property
    def smallest(self) -> int | None:
        return self.class_sizes[0][0] if self.class_sizes else None

    @property
    def unique(self) -> int:
        """How many records are alone in their class."""
        return dict(self.class_sizes).get(1, 0)

    def describe(self) -> dict[str, Any]:
        return {
            "records": self.records,
            "suppressed_records": self.suppressed,
            "classes": self.classes,
            "k": self.smallest,
            "prosecutor": self.prosecutor.describe(),
            "journalist": self.journalist.describe(),
            "marketer": {"average": rounded(self.marketer)},
            "population": "the table itself" if self.in_sample else "a population table",
            "unique_records": self.unique,
            "unique_share": rounded(self.unique / self.records),
            "population_uniqueness": None if self.population is None else self.population.describe(),
            "class_sizes": [{"size": size, "classes": classes} for size, classes in self.class_sizes],
            "columns": {c.column: c.describe() for c in self.columns},
            "sensitive": {d.column: d.describe() for d in self.sensitive},
        }


@dataclass(frozen=True)
class Assessment:
    """The risks of a table and its utility, and those of the original where it is known."""

    question: Question
    after: TableRisk
    utility: Utility
    before: TableRisk | None = None
    original: Utility | None = None

    def describe(self) -> dict[str, Any]:
        """Return what `companyos mask risk --json` prints."""
        return {
            "quasi_identifiers": list(self.question.quasi_identifiers),
            "threshold": self.question.threshold,
            "risk": self.after.describe(),
            "utility": self.utility.describe(),
            "before": None if self.before is None else self.before.describe(),
            "utility_before": None if self.original is None else self.original.describe(),
        }


def assess(table: pa.Table, question: Question, original: pa.Table | None = None, file: str = "the table") -> Assessment:
    """Measure the risks and the utility of a table of texts; `original` has the same records in the same order, before they changed.

    All columns of the question stand in all tables. Raises InputError where a table has no records, the original another number of
    them, the population fewer, or a cell is nothing of its column's hierarchy; `file` names the table in these errors.
    """
    if not table.num_rows:
        raise InputError(f"{file} has no records; there is no risk to measure")
    if original is not None and original.num_rows != table.num_rows:
        raise InputError(
            f"{file} has {table.num_rows:,} records and the original {original.num_rows:,}; they must be the same records in the same order"
        )
    _check_population(table, question)
    classes = equivalence_classes(table, question.quasi_identifiers)
    people = None if question.population is None else equivalence_classes(question.population, question.quasi_identifiers)
    first = None if original is None else equivalence_classes(original, question.quasi_identifiers)
    kept = utility(classes, first, question.hierarchies, file)
    after = _risk(classes, table, question, people)
    if original is None or first is None:
        return Assessment(question, after, kept)
    before = _risk(first, original, question, people)
    return Assessment(question, after, kept, before, utility(first, first, question.hierarchies, "the original"))


def _risk(classes: EquivalenceClasses, table: pa.Table, question: Question, people: EquivalenceClasses | None) -> TableRisk:
    kept = classes.kept
    in_population = kept
    if people is not None:
        found = sizes_in_population(classes, people, question.hierarchies, question.population_file)
        in_population = found[~classes.suppressed]
    size = question.population_size or (None if people is None else people.records)
    sizes, counts = np.unique(kept, return_counts=True)
    return TableRisk(
        classes.records,
        classes.suppressed_records,
        tuple(zip(sizes.tolist(), counts.tolist(), strict=True)),
        prosecutor_risk(kept, question.threshold),
        journalist_risk(kept, in_population, question.threshold),
        marketer_risk(kept, in_population),
        people is None,
        None if size is None else population_uniqueness(kept, size),
        tuple(_column_risk(classes, c) for c in range(len(classes.columns))),
        tuple(diversity(classes, name, table.column(name)) for name in question.sensitive),
    )


def _column_risk(classes: EquivalenceClasses, column: int) -> ColumnRisk:
    cells = np.zeros(len(classes.cells[column]), np.int64)
    np.add.at(cells, classes.tuples[:, column], classes.sizes)
    records = classes.records
    alike = sum(count * (count - 1) for count in cells.tolist())
    separation = 1 - alike / (records * (records - 1)) if records > 1 else 1.0
    return ColumnRisk(classes.columns[column], len(cells), len(cells) / records, separation, int((cells == 1).sum()) / records)


def _check_population(table: pa.Table, question: Question) -> None:
    people = question.population_size if question.population is None else question.population.num_rows
    if people is not None and people < table.num_rows:
        raise InputError(f"a population of {people:,} is smaller than the table, which has {table.num_rows:,} records")


def binned(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int, int, int]]:
    """Return (from, to, classes, records) of the classes by size: 1, 2, 3, 4, 5-9, 10-19, 20-49, 50-99, 100-199 and so on.

    `sizes` are (size, classes); the last bin is the one with the largest class.
    """
    edges = [1, 2, 3, 4, 5]
    largest = max((size for size, _ in sizes), default=0)
    while edges[-1] <= largest:
        edges.append(edges[-1] * 5 // 2 if str(edges[-1])[0] == "2" else edges[-1] * 2)
    bins = []
    for low, high in pairwise(edges):
        within = [(size, classes) for size, classes in sizes if low <= size < high]
        bins.append((low, high - 1, sum(c for _, c in within), sum(s * c for s, c in within)))
    return bins
