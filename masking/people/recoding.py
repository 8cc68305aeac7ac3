"""Classes of persons, and the cell that stands in the place of a value for all persons of a class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from masking.anonymity import QuasiIdentifier, Specification, anonymize
from masking.anonymity.hierarchy import ALL, Hierarchy
from masking.anonymity.hierarchy_functions import hierarchy_function
from masking.anonymity.hierarchy_reader import read_hierarchy
from masking.people.records import Index, Ints, Records, Values, hashed
from masking.people.specification import PeopleSpec, QuasiColumn


@dataclass(frozen=True)
class RecodedColumn:
    """The cells of one quasi-identifier: `cells[i]` for class i, the last for rows of nobody and of suppressed persons."""

    quasi: QuasiColumn
    index: Index
    place: Ints
    cells: pa.Array
    key: str

    @property
    def link(self) -> str:
        """The column of the rows' own table that names whose they are."""
        return self.quasi.target or self.quasi.link or self.key

    def apply(self, link: pa.Array, secret: bytes) -> pa.Array:
        """The cells of rows that belong to the persons (or parents' rows) that `link` names."""
        owners = self.index.find(hashed(link, secret))
        known = (owners >= 0) & link.is_valid().to_numpy(zero_copy_only=False)
        places = np.full(len(link), len(self.cells) - 1, np.int64)
        places[known] = self.place[owners[known]]
        return self.cells.take(pa.array(places))


@dataclass(frozen=True)
class Recoded:
    """The classes of all persons (-1 where suppressed), the recoded columns by table, and the persons' records before and after."""

    spec: PeopleSpec
    classes: Ints
    columns: Mapping[str, tuple[RecodedColumn, ...]]
    before: pa.Table
    after: pa.Table

    @property
    def suppressed(self) -> int:
        return int(np.count_nonzero(self.classes < 0))


def recode(records: Records) -> Recoded:
    """Part persons into classes that meet the models, and find the cells of each class.

    Columns of tables that the subject references have rows that persons share: persons are parted by these first, in groups of enough
    persons, and every such row gets the cell of its group. Raises ModelInfeasible where the models cannot be met.
    """
    spec, count = records.spec, records.count
    if not count:
        return Recoded(spec, np.zeros(0, np.int64), {}, pa.table({}), pa.table({}))
    hierarchies = {q.name: _hierarchy(spec, q, records.values[q.name]) for q in spec.quasi}
    direct = [q for q in spec.quasi if q.kind != "parent"]
    table = _first_values(records, direct)
    groups = _groups(records)
    classes = _classes(table, groups, direct, hierarchies, records)
    columns: dict[str, list[RecodedColumn]] = {}
    cells: dict[str, pa.Array] = {}
    for quasi in spec.quasi:
        values = records.values[quasi.name]
        if quasi.kind == "parent":
            place = (quasi.table, quasi.link)
            index, owner_places = records.parents[place], _group_of_parents(records, place, groups)
        else:
            index, owner_places = records.people, classes
        made = _cells(values, owner_places, hierarchies[quasi.name], spec)
        places = np.where(owner_places < 0, len(made) - 1, owner_places)
        columns.setdefault(quasi.table, []).append(RecodedColumn(quasi, index, places, made, spec.key))
        person = classes if quasi.kind != "parent" else groups
        cells[quasi.name] = made.take(pa.array(np.where((person < 0) | (classes < 0), len(made) - 1, person)))
    first = _first_values(records, spec.quasi)
    after = pa.table({name: _shown(values, classes) for name, values in cells.items()})
    return Recoded(spec, classes, {name: tuple(found) for name, found in columns.items()}, first, after)


def _first_values(records: Records, quasi: Sequence[QuasiColumn]) -> pa.Table:
    """One value of each quasi-identifier for each person, as texts, and the sensitive columns."""
    columns = {}
    for q in quasi:
        values = records.values[q.name]
        texts = pa.array([*values.texts, None], pa.string())
        if q.kind == "parent":
            place = (q.table, q.link)
            of_parent = values.first(len(records.parents[place].rows))
            parent = records.parent_of[place]
            codes = np.where(parent >= 0, of_parent[np.maximum(parent, 0)] if len(of_parent) else -1, len(values.texts))
        else:
            codes = values.first(records.count)
        columns[q.name] = texts.take(pa.array(codes))
    return pa.table({**columns, **records.sensitive})


def _hierarchy(spec: PeopleSpec, quasi: QuasiColumn, values: Values) -> Hierarchy | None:
    if quasi.hierarchy is None:
        return None
    if quasi.hierarchy.endswith(".csv"):
        return read_hierarchy(spec.folder / quasi.hierarchy, nulls=True)
    return hierarchy_function(quasi.hierarchy, quasi.name, [*values.texts, None])


def _groups(records: Records) -> Ints:
    """The group of each person by the values of the tables that the subject references; one group where there are none."""
    places = list(records.parent_of)
    if not places:
        return np.zeros(records.count, np.int64)
    combined = np.zeros(records.count, np.int64)
    for place in places:
        quasi = [q for q in records.spec.quasi if (q.table, q.link) == place]
        rows = len(records.parents[place].rows)
        codes = np.stack([records.values[q.name].first(rows) for q in quasi]) if rows else np.zeros((len(quasi), 0), np.int64)
        _, alike = np.unique(codes, axis=1, return_inverse=True)
        parent = records.parent_of[place]
        of_person = np.where(parent >= 0, alike.ravel()[np.maximum(parent, 0)] if rows else -1, -1)
        combined = combined * (rows + 2) + of_person + 1
        _, combined = np.unique(combined, return_inverse=True)
    least = max([m.rows for m in records.spec.models], default=1)
    return _merged(records, combined.astype(np.int64), least)


def _merged(records: Records, combined: Ints, least: int) -> Ints:
    """Merge the smallest groups until each has enough persons; parents' rows in several groups join these."""
    group = combined
    while True:
        group = _joined(records, group)
        sizes = np.bincount(group)
        small = int(np.argmin(sizes))
        if len(sizes) == 1 or sizes[small] >= least:
            return group
        other = int(np.argsort(sizes, kind="stable")[1])
        _, group = np.unique(np.where(group == small, other, group), return_inverse=True)


def _joined(records: Records, group: Ints) -> Ints:
    """Groups whose persons share a parent's row become one, since that row has one cell."""
    if len(records.parent_of) < 2:
        return group
    while True:
        least = group.copy()
        for parent in records.parent_of.values():
            known = parent >= 0
            lowest = np.full(int(parent.max(initial=-1)) + 1, len(group), np.int64)
            np.minimum.at(lowest, parent[known], least[known])
            least[known] = np.minimum(least[known], lowest[parent[known]])
        to = np.arange(int(group.max()) + 1)
        np.minimum.at(to, group, least)
        if (to == np.arange(len(to))).all():
            return np.unique(group, return_inverse=True)[1]
        group = to[group]


def _group_of_parents(records: Records, place: tuple[str, str], groups: Ints) -> Ints:
    parent = records.parent_of[place]
    found = np.full(len(records.parents[place].rows), -1, np.int64)
    found[parent[parent >= 0]] = groups[parent >= 0]
    return found


def _classes(
    table: pa.Table, groups: Ints, quasi: Sequence[QuasiColumn], hierarchies: Mapping[str, Hierarchy | None], records: Records
) -> Ints:
    spec = records.spec
    asked = Specification(
        tuple(QuasiIdentifier(q.name, hierarchies[q.name], q.weight) for q in quasi) or (QuasiIdentifier("everybody"),),
        spec.models,
        spec.recoding,
        "labels" if spec.notation == "labels" else "sets",
        spec.suppression,
        spec.sensitive,
    )
    if not quasi:
        table = table.append_column("everybody", pa.repeat(pa.scalar("one"), records.count))
    classes = np.full(records.count, -1, np.int64)
    offset = 0
    for number in range(int(groups.max(initial=-1)) + 1):
        members = np.flatnonzero(groups == number)
        found = anonymize(table.take(pa.array(members)), asked).classes
        classes[members] = np.where(found >= 0, found + offset, -1)
        offset += int(found.max(initial=-1)) + 1
    return classes


def _cells(values: Values, place_of: Ints, hierarchy: Hierarchy | None, spec: PeopleSpec) -> pa.Array:
    """The cell of each class (or group) from all values of its members, then the cell of rows of nobody."""
    place = place_of[values.owners]
    known = place >= 0
    number = int(place_of.max(initial=-1)) + 1
    pairs = np.unique(place[known] * max(len(values.texts), 1) + values.codes[known])
    of_place, codes = pairs // max(len(values.texts), 1), pairs % max(len(values.texts), 1)
    starts = np.searchsorted(of_place, np.arange(number + 1))
    textual = pa.types.is_string(values.type)
    raw = None if textual else pa.array(values.texts, pa.string()).cast(values.type).to_pylist()
    made: list[Any] = []
    for start, end in pairwise(starts.tolist()):
        members = codes[start:end].tolist()
        if textual:
            made.append(_label([values.texts[code] for code in members], hierarchy, spec))
        else:
            assert raw is not None
            made.append(_middle([raw[code] for code in members]))
    made.append(ALL if textual else None)
    return pa.array(made, values.type)


def _label(texts: list[str | None], hierarchy: Hierarchy | None, spec: PeopleSpec) -> str | None:
    """The lowest label that covers all `texts`, or the set of them."""
    if len(texts) == 1:
        return texts[0]
    if hierarchy is not None:
        leaves = np.array(hierarchy.codes(texts, "a quasi-identifier"), np.int64)
        for level in range(hierarchy.height):
            nodes = hierarchy.ancestors[level][leaves]
            if (nodes == nodes[0]).all():
                return hierarchy.labels[int(nodes[0])]
        return ALL
    if spec.notation == "labels" or None in texts:
        return ALL
    return "{" + ",".join(_quoted(text) for text in sorted(t for t in texts if t is not None)) + "}"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in '",{}') else text


def _middle(values: list[Any]) -> Any:
    """The middle of the least and the greatest value in their own type; null where one is null, which is not between them."""
    if any(value is None for value in values):
        return None
    low, high = min(values), max(values)
    if isinstance(low, bool):
        return low if low == high else None
    if isinstance(low, Decimal):
        return ((low + high) / 2).quantize(low, ROUND_FLOOR)
    if isinstance(low, date | datetime):
        return low + (high - low) / 2 if isinstance(low, datetime) else date.fromordinal((low.toordinal() + high.toordinal()) // 2)
    if isinstance(low, int):
        return (low + high) // 2
    return low if low == high else low + (high - low) / 2


def _shown(cells: pa.Array, classes: Ints) -> pa.Array:
    texts = [None if value is None else str(value) for value in cells.to_pylist()]
    return pa.array([ALL if classes[i] < 0 else text for i, text in enumerate(texts)], pa.string())
