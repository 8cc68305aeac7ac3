"""Anonymise a table: what is asked for, and the table that comes of it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from masking.anonymity.cells import Cells, class_cells, class_losses, level_cells, level_losses, midpoint
from masking.anonymity.class_statistics import ClassStatistics, class_statistics, whole_counts
from masking.anonymity.distinct import DistinctTable, QuasiIdentifier, distinct_table
from masking.anonymity.domain import Notation
from masking.anonymity.full_domain import recode_globally
from masking.anonymity.hierarchy import ALL
from masking.anonymity.local_recoding import recode_locally
from masking.anonymity.models import DistinctDiversity, EqualCloseness, KAnonymity, Model, require_feasible
from schemas.errors import InputError, nearest

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Recoding = Literal["local", "global"]

LOW, HIGH = "_low", "_high"


@dataclass(frozen=True)
class Specification:
    """What a table is to become.

    `models` must hold for every class at once. `suppression` is the share of rows, from 0 to below 1, that may be suppressed: all
    their quasi-identifiers become `*`; of them no more is asked than that they are as many as a class must have. `sensitive` are the
    columns that are reported on, those of the models included.
    """

    quasi_identifiers: tuple[QuasiIdentifier, ...]
    models: tuple[Model, ...]
    recoding: Recoding = "local"
    notation: Notation = "labels"
    suppression: float = 0.0
    sensitive: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.quasi_identifiers:
            raise InputError("no quasi-identifiers are named; name the columns by which people may be found")
        if not self.models:
            raise InputError("no privacy model is asked for; ask for one, such as k = 5")
        if not 0 <= self.suppression < 1:
            raise InputError(f"the suppression limit must be a share from 0 to below 1, not {self.suppression:g}")
        for quasi in self.quasi_identifiers:
            if not (math.isfinite(quasi.weight) and quasi.weight > 0):
                raise InputError(f"the weight of '{quasi.name}' must be a number above 0, not {quasi.weight:g}")
        names = [quasi.name for quasi in self.quasi_identifiers]
        if doubled := [name for name, times in Counter(names).items() if times > 1]:
            raise InputError(f"the quasi-identifier '{doubled[0]}' is named more than once")
        if both := [name for name in self.observed if name in names]:
            raise InputError(f"column '{both[0]}' is named as a quasi-identifier and as sensitive; it can only be one of the two")

    @property
    def observed(self) -> tuple[str, ...]:
        """All sensitive columns, in a fixed order."""
        named = [*self.sensitive, *(model.sensitive for model in self.models if model.sensitive is not None)]
        return tuple(dict.fromkeys(named))


@dataclass(frozen=True)
class Anonymized:
    """An anonymised table, and what it came to; see `Summary`. `classes` is the class of each row, -1 where it is suppressed."""

    table: pa.Table
    summary: Summary
    classes: Ints


@dataclass(frozen=True)
class Summary:
    """What anonymising came to.

    `granularity` is 1 less the mean loss of the cells of the quasi-identifiers, 1 where nothing is lost and 0 where all is; `losses`
    the mean loss of each column. `reached` are the models with what the worst class reaches. `levels` are those of global recoding.
    """

    rows: int
    distinct_before: int
    classes: int
    smallest: int
    suppressed: int
    granularity: float
    losses: Mapping[str, float]
    reached: Mapping[str, float]
    levels: Mapping[str, int] | None

    def as_json(self) -> dict[str, Any]:
        """The same as plain values, for machines."""
        average = (self.rows - self.suppressed) / self.classes if self.classes else None
        return {
            "rows": self.rows,
            "distinct_before": self.distinct_before,
            "classes": self.classes,
            "smallest_class": self.smallest,
            "average_class": None if average is None else round(average, 4),
            "suppressed": self.suppressed,
            "granularity": round(self.granularity, 6),
            "loss": {name: round(loss, 6) for name, loss in self.losses.items()},
            "reached": {name: round(value, 6) if math.isfinite(value) else None for name, value in self.reached.items()},
            **({} if self.levels is None else {"levels": dict(self.levels)}),
        }


def anonymize(table: pa.Table, asked: Specification) -> Anonymized:
    """Recode the quasi-identifiers of a table of texts so that every class meets the models; all else stays, row by row.

    Nulls are a value of their own. With the notation `typed`, a column of numbers becomes three: the middle, the least and the
    greatest number of the class. The same table and specification give the same result on any machine. Raises InputError for
    columns that are not there and values that are no leaves of their hierarchy, ModelInfeasible where a model cannot be met.
    """
    names = [quasi.name for quasi in asked.quasi_identifiers]
    require_columns(table, [*names, *asked.observed])
    if not table.num_rows:
        raise InputError("the table has no rows; there is nothing to anonymise")
    tuples, tuple_of = distinct_table(table, asked.quasi_identifiers, asked.observed, asked.notation)
    require_feasible(asked.models, _statistics(tuples, np.zeros(len(tuples.counts), np.int64), 1))
    limit = int(_limits(asked, tuples)[0])
    typed = asked.notation == "typed"
    levels = None
    if asked.recoding == "local":
        classes = recode_locally(tuples, asked.models, np.array([limit]))
        kept, number = _numbered(classes)
        part = _kept(tuples, kept)
        cells = class_cells(part, classes[kept], number, typed=typed)
        losses = class_losses(part, classes[kept], number)
    else:
        found = recode_globally(tuples, asked.models, limit)
        classes = found.classes
        kept, number = _numbered(classes)
        part = _kept(tuples, kept)
        cells = level_cells(part, classes[kept], number, found.levels, typed=typed)
        losses = level_losses(part, classes[kept], number, found.levels)
        levels = dict(zip(names, found.levels, strict=True))
    summary = _summary(asked, tuples, classes, cells, losses, levels)
    return Anonymized(_written(table, cells, classes[tuple_of]), summary, classes[tuple_of])


def classes_apart(table: pa.Table, asked: Specification, parts: Ints) -> Ints:
    """The class of each row, -1 where it is suppressed, where rows of two parts are never in one class.

    `parts` is the part of each row, from 0 on; each part must meet the models. t-closeness compares with the whole table; the limit
    of suppression is that of each part. Raises as `anonymize` does.
    """
    tuples, tuple_of = distinct_table(table, asked.quasi_identifiers, asked.observed, asked.notation, parts)
    number = int(parts.max(initial=-1)) + 1
    require_feasible(asked.models, _statistics(tuples, tuples.parts, number))
    limits = _limits(asked, tuples)
    if asked.recoding == "local":
        return recode_locally(tuples, asked.models, limits)[tuple_of]
    classes, offset = np.full(len(tuples.counts), -1, np.int64), 0
    for part in range(number):
        members = np.flatnonzero(tuples.parts == part)
        found = recode_globally(tuples.only(members), asked.models, int(limits[part])).classes
        classes[members] = np.where(found >= 0, found + offset, -1)
        offset += int(found.max(initial=-1)) + 1
    return classes[tuple_of]


def _limits(asked: Specification, tuples: DistinctTable) -> Ints:
    """How many rows of each part may be suppressed."""
    limits: Ints = np.floor(asked.suppression * np.bincount(tuples.parts, tuples.counts) + 1e-9).astype(np.int64)
    return limits


def require_columns(table: pa.Table, names: Iterable[str]) -> None:
    """Raise InputError, with the nearest name, for columns that the table does not have."""
    for name in names:
        if name not in table.column_names:
            raise InputError(f"the table has no column '{name}'{nearest(name, table.column_names)}")


def _numbered(classes: Ints) -> tuple[Ints, int]:
    return np.flatnonzero(classes >= 0), int(classes.max(initial=-1)) + 1


def _kept(tuples: DistinctTable, kept: Ints) -> DistinctTable:
    return DistinctTable(tuples.domains, tuples.codes[:, kept], tuples.counts[kept], {}, tuples.parts[kept])


def _statistics(tuples: DistinctTable, classes: Ints, number: int) -> ClassStatistics:
    return class_statistics(classes, number, tuples.counts, tuples.observations, whole_counts(tuples.observations))


def _written(table: pa.Table, cells: Sequence[Cells], class_of: Ints) -> pa.Table:
    """The table with the cells of each row's class in the place of its values; those of suppressed rows are `*`."""
    gone = class_of < 0
    columns: dict[str, pa.Array | pa.ChunkedArray] = {}
    found = {column.name: column for column in cells}
    for name in table.column_names:
        if name not in found:
            columns[name] = table.column(name)
            continue
        column = found[name]
        places = np.full(len(class_of), len(column.texts), np.int64)
        places[~gone] = column.places[class_of[~gone]]
        if column.bounds is None:
            columns[name] = pa.array([*column.texts, ALL], pa.string()).take(pa.array(places))
            continue
        bounds = [*column.bounds, (None, None)]
        for suffix, texts in (
            ("", [midpoint(low, high) for low, high in bounds]),
            (LOW, [low for low, _ in bounds]),
            (HIGH, [high for _, high in bounds]),
        ):
            if suffix and name + suffix in table.column_names:
                raise InputError(f"the table has a column '{name + suffix}', which the bounds of '{name}' are written to; rename it")
            columns[name + suffix] = pa.array(texts, pa.string()).take(pa.array(places))
    return pa.table(list(columns.values()), names=list(columns))


def _summary(
    asked: Specification,
    tuples: DistinctTable,
    classes: Ints,
    cells: Sequence[Cells],
    losses: Sequence[Floats],
    levels: Mapping[str, int] | None,
) -> Summary:
    number = int(classes.max(initial=-1)) + 1
    # classes that are written alike are one
    alike, merged = np.unique(np.stack([column.places for column in cells]), axis=1, return_inverse=True)
    groups = alike.shape[1]
    of = np.where(classes >= 0, merged.ravel()[np.maximum(classes, 0)] if number else -1, -1)
    counted = _statistics(tuples, of, groups)
    sizes = np.bincount(classes[classes >= 0], tuples.counts[classes >= 0], number)
    suppressed = int(tuples.counts[classes < 0].sum())
    lost = {
        domain.name: (math.fsum(each * sizes) / domain.weight + suppressed) / tuples.rows
        for domain, each in zip(tuples.domains, losses, strict=True)
    }
    models: list[Model] = [*asked.models]
    if not any(isinstance(model, KAnonymity) for model in models):
        models.append(KAnonymity(1))
    for name in asked.observed:
        models += [DistinctDiversity(1, name), EqualCloseness(1, name)]
    reached = {model.figure: model.worst(model.measure(counted)) for model in models if groups}
    return Summary(
        rows=tuples.rows,
        distinct_before=len(tuples.counts),
        classes=groups,
        smallest=int(counted.sizes.min()) if groups else 0,
        suppressed=suppressed,
        granularity=1 - math.fsum(lost.values()) / len(lost),
        losses=lost,
        reached=reached,
        levels=levels,
    )
