"""Classes of persons that meet the models, and the columns that are written for them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from masking.anonymity import QuasiIdentifier, Specification, classes_apart
from masking.anonymity.hierarchy import ALL, Hierarchy
from masking.anonymity.hierarchy_functions import hierarchy_function
from masking.anonymity.hierarchy_reader import read_hierarchy
from masking.errors import MaskingFailed, ModelInfeasible
from masking.fitting import breaches
from masking.people.cells import cells_of
from masking.people.grouping import Groups, group
from masking.people.records import Index, Ints, Records, Values, hashed
from masking.people.specification import PeopleSpec, QuasiColumn
from schemas.model import Column, Table

_EVERYBODY = "everybody"


@dataclass(frozen=True)
class RecodedColumn:
    """The cells of one quasi-identifier: `cells[place[i]]` for owner i; the last is for rows of nobody and of suppressed persons."""

    quasi: QuasiColumn
    hierarchy: Hierarchy | None
    index: Index
    place: Ints
    cells: pa.Array
    key: str

    @property
    def link(self) -> str:
        """The column of the rows' own table that names whose they are."""
        return self.quasi.target or self.quasi.link or self.key

    def apply(self, link: pa.Array, secret: bytes) -> pa.Array:
        """The cells of rows that belong to the persons (or are the parents' rows) that `link` names."""
        owners = self.index.find(hashed(link, secret))
        known = (owners >= 0) & link.is_valid().to_numpy(zero_copy_only=False)
        places = np.full(len(link), len(self.cells) - 1, np.int64)
        places[known] = self.place[owners[known]]
        return self.cells.take(pa.array(places))


def require_room(written: RecodedColumn, column: Column, table: Table) -> None:
    """Raise MaskingFailed where a cell does not fit the column that it is to be written to, before anything is."""
    wrong = breaches(written.cells, column.type)
    if wrong:
        said = "; ".join(f"{count:,} times it {what}" for what, count in wrong.items())
        raise MaskingFailed(
            f"{table.name}.{column.name}: a class's cell does not fit its column: {said}; give it shorter labels by a hierarchy, such as "
            "`prefix:1`"
        )


@dataclass(frozen=True)
class Recoded:
    """The class of each person (-1 where suppressed), the recoded columns by table, and the persons' records before and after.

    `children` are the rows of each person in the tables that reference the persons.
    """

    spec: PeopleSpec
    classes: Ints
    columns: Mapping[str, tuple[RecodedColumn, ...]]
    before: pa.Table
    after: pa.Table
    children: Mapping[str, Ints]

    @property
    def suppressed(self) -> int:
        return int(np.count_nonzero(self.classes < 0))


def recode(records: Records) -> Recoded:
    """Part persons into classes that meet the models, and find the cells of each class.

    The models depend on the classes alone, so that `classes_apart` finds them over one value of each person, and the cells cover all
    values of all persons of a class. Raises ModelInfeasible where the models cannot be met, InputError where a value is no leaf of
    its hierarchy.
    """
    spec = records.spec
    hierarchies = {q.name: _hierarchy(spec, q, records.values[q.name]) for q in spec.quasi}
    groups = group(records)
    first = _first_values(records)
    classes = _classes(records, first, groups, hierarchies)
    columns: dict[str, list[RecodedColumn]] = {}
    after: dict[str, pa.Array] = {}
    for quasi in spec.quasi:
        index, place_of, of_person = records.people, classes, classes
        if quasi.kind == "parent":
            place = (quasi.table, quasi.link)
            index, place_of, of_person = records.parents[place], groups.cell_of_parent[place], groups.cell_of_person[place]
        cells = cells_of(records.values[quasi.name], place_of, hierarchies[quasi.name], spec)
        last = len(cells) - 1
        written = RecodedColumn(quasi, hierarchies[quasi.name], index, np.where(place_of < 0, last, place_of), cells, spec.key)
        columns.setdefault(quasi.table, []).append(written)
        there = records.present.get(quasi.table, np.ones(records.count, bool)) & (of_person >= 0) & (of_person < last)
        texts = pa.array([None if cell is None else str(cell) for cell in cells.to_pylist()], pa.string())
        shown = texts.take(pa.array(np.where(there, of_person, last), mask=~there))
        after[quasi.name] = pc.if_else(pa.array(classes < 0), ALL, shown)
    written_to = {name: tuple(found) for name, found in columns.items()}
    return Recoded(spec, classes, written_to, first, pa.table({**after, **records.sensitive}), records.children)


def _first_values(records: Records) -> pa.Table:
    """One value of each quasi-identifier for each person, as texts, and the sensitive columns."""
    columns = {}
    for q in records.spec.quasi:
        values = records.values[q.name]
        texts = pa.array([*values.texts, None], pa.string())
        if q.kind == "parent":
            parent = records.parent_of[q.table, q.link]
            codes = np.full(records.count, len(values.texts), np.int64)
            codes[parent >= 0] = values.first(len(records.parents[q.table, q.link].rows))[parent[parent >= 0]]
        else:
            codes = values.first(records.count)
        columns[q.name] = texts.take(pa.array(codes))
    return pa.table({**columns, **records.sensitive})


def _hierarchy(spec: PeopleSpec, quasi: QuasiColumn, values: Values) -> Hierarchy | None:
    if quasi.hierarchy is None:
        return None
    if quasi.hierarchy.endswith(".csv"):
        found = read_hierarchy(spec.folder / quasi.hierarchy, nulls=True)
    else:
        found = hierarchy_function(quasi.hierarchy, quasi.name, [*values.texts, None])
    found.codes(values.texts, quasi.name)
    return found


def _classes(records: Records, first: pa.Table, groups: Groups, hierarchies: Mapping[str, Hierarchy | None]) -> Ints:
    """The class of each person, -1 where suppressed; those of a group who are, are as many as a class must have."""
    if not records.count:
        return np.zeros(0, np.int64)
    asked = _asked(records.spec, hierarchies)
    try:
        return classes_apart(_measurable(records, first, asked), asked, groups.of_person)
    except ModelInfeasible as error:
        raise ModelInfeasible(f"{records.spec.title}: {error}") from None


def _asked(spec: PeopleSpec, hierarchies: Mapping[str, Hierarchy | None]) -> Specification:
    quasi = tuple(QuasiIdentifier(q.name, hierarchies[q.name], q.weight) for q in spec.quasi if q.kind != "parent")
    notation = "sets" if spec.notation == "sets" else "labels"
    return Specification(quasi or (QuasiIdentifier(_EVERYBODY),), spec.models, spec.recoding, notation, spec.suppression, spec.sensitive)  # type: ignore[arg-type]


def _measurable(records: Records, first: pa.Table, asked: Specification) -> pa.Table:
    """The table that classes are found over: dates and times as numbers, which have an order, where no hierarchy says another."""
    columns: dict[str, pa.Array] = {_EVERYBODY: pa.array(["one"] * records.count, pa.string()), **records.sensitive}
    for quasi in asked.quasi_identifiers:
        if quasi.name == _EVERYBODY:
            continue
        column, kind = first.column(quasi.name), records.values[quasi.name].type
        if quasi.hierarchy is None and pa.types.is_temporal(kind):
            column = column.cast(kind).cast(pa.int32() if pa.types.is_date32(kind) else pa.int64()).cast(pa.string())
        columns[quasi.name] = column
    return pa.table(columns)
