"""What a profile says of a bundle: frozen figures of its columns, relations and state machines.

`describe()` of each is JSON data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bundles.measures import Value


@dataclass(frozen=True, slots=True)
class Bin:
    """A bar of a histogram: `rows` values from `start` to below `end`; `tail` is `low` or `high` for an open bar.

    The `high` tail ends with its `end`, the highest value.
    """

    start: Value
    end: Value
    label: str
    rows: int
    tail: str = ""

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = {"from": self.start.plain, "to": self.end.plain, "rows": self.rows}
        return {**found, "tail": self.tail} if self.tail else found


@dataclass(frozen=True, slots=True)
class Spread:
    """How numbers, times or lengths are spread; `median` and `mean` are None where they are not known."""

    low: Value
    high: Value
    median: Value | None
    mean: Value | None
    bins: tuple[Bin, ...]

    def describe(self) -> dict[str, Any]:
        return {
            "min": self.low.plain,
            "median": None if self.median is None else self.median.plain,
            "mean": None if self.mean is None else self.mean.plain,
            "max": self.high.plain,
            "histogram": [b.describe() for b in self.bins],
        }


@dataclass(frozen=True, slots=True)
class Top:
    """One of the most frequent values; long texts are cut."""

    text: str
    rows: int


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """The figures of one column.

    `hidden` is the data class for whose sake values are not shown; then only nulls and distinct values are known. `distinct`
    is exact, or within some percent where `exact` is false. `values` spreads numbers and times, `lengths` texts (code points),
    bytes (octets) and arrays (items). `top` are the most frequent values, for arrays the most frequent items, and `counted` is
    how many values or items there are; `not_finite` counts NaN and infinity.
    """

    name: str
    type: str
    kind: str
    data_class: str
    comment: str | None
    nullable: bool
    key: bool
    unique: bool
    references: str | None
    hidden: str | None
    rows: int
    nulls: int
    distinct: int
    exact: bool
    values: Spread | None = None
    lengths: Spread | None = None
    top: tuple[Top, ...] = ()
    counted: int = 0
    not_finite: int = 0
    samples: tuple[str, ...] = ()

    def describe(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "type": self.type,
            "class": self.data_class,
            "nulls": self.nulls,
            "distinct": self.distinct,
            "distinct_exact": self.exact,
        }
        if self.hidden is not None:
            return {**found, "hidden": self.hidden}
        if self.values is not None:
            found["values"] = self.values.describe()
        if self.not_finite:
            found["not_finite"] = self.not_finite
        if self.lengths is not None:
            found["lengths"] = self.lengths.describe()
        if self.top:
            found["top"] = [{"value": t.text, "rows": t.rows} for t in self.top]
        return {**found, "samples": list(self.samples)}


@dataclass(frozen=True, slots=True)
class RelationProfile:
    """How many rows of a table (`children`) refer to each row of another (`parents`), by the foreign key over `columns`.

    `nulls` are the rows that refer to nothing, `orphans` those that refer to a row that is not there.
    `per_parent` is None where there are no parents.
    """

    columns: tuple[str, ...]
    table: str
    target: tuple[str, ...]
    children: int
    parents: int
    nulls: int
    nullable: bool
    orphans: int
    childless: int
    per_parent: Spread | None

    def describe(self) -> dict[str, Any]:
        return {
            "columns": list(self.columns),
            "references": {"table": self.table, "columns": list(self.target)},
            "children": self.children,
            "parents": self.parents,
            "nulls": self.nulls,
            "orphans": self.orphans,
            "parents_without_children": self.childless,
            "children_per_parent": None if self.per_parent is None else self.per_parent.describe(),
        }


@dataclass(frozen=True, slots=True)
class StateCount:
    """A state: how many rows are in it now, how many have been in it for certain, and how many may have been."""

    name: str
    now: int
    certain: int
    possible: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class Transition:
    """A transition: how many rows have made it for certain, how many may have; `chance` is what the schema says."""

    source: str
    target: str
    chance: float
    certain: int
    possible: int


@dataclass(frozen=True, slots=True)
class MachineProfile:
    """A status column: where its rows are, and what its values and the times at which states were entered tell of the ways there.

    `evidence` names the columns with such times. `unexplained` rows have a state or times that no way through the machine gives.
    """

    column: str
    hidden: str | None
    evidence: tuple[str, ...] = ()
    states: tuple[StateCount, ...] = ()
    transitions: tuple[Transition, ...] = ()
    unexplained: int = 0

    def describe(self) -> dict[str, Any]:
        if self.hidden is not None:
            return {"column": self.column, "hidden": self.hidden}
        return {
            "column": self.column,
            "evidence": list(self.evidence),
            "states": [
                {"state": s.name, "rows": s.now, "reached": s.certain, "reached_at_most": s.possible, "in_machine": s.known}
                for s in self.states
            ],
            "transitions": [
                {"from": t.source, "to": t.target, "chance": t.chance, "rows": t.certain, "rows_at_most": t.possible}
                for t in self.transitions
            ],
            "unexplained": self.unexplained,
        }


@dataclass(frozen=True, slots=True)
class TableProfile:
    """The figures of one table."""

    name: str
    comment: str | None
    rows: int
    bytes: int
    columns: tuple[ColumnProfile, ...]
    relations: tuple[RelationProfile, ...]
    machines: tuple[MachineProfile, ...]

    def describe(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "bytes": self.bytes,
            "columns": {c.name: c.describe() for c in self.columns},
            "relations": [r.describe() for r in self.relations],
            "states": [m.describe() for m in self.machines],
        }


@dataclass(frozen=True, slots=True)
class BundleProfile:
    """The figures of a bundle."""

    reference: str
    manifest_digest: str
    content_digest: str
    kind: str
    data_class: str
    schema: str
    comment: str | None
    provenance: Mapping[str, Any]
    rows: int
    bytes: int
    tables: tuple[TableProfile, ...]

    def describe(self) -> dict[str, Any]:
        """Return what `companyos schema profile --json` prints."""
        return {
            "reference": self.reference,
            "manifest_digest": self.manifest_digest,
            "content_digest": self.content_digest,
            "kind": self.kind,
            "data_class": self.data_class,
            "schema": self.schema,
            "rows": self.rows,
            "bytes": self.bytes,
            "tables": {t.name: t.describe() for t in self.tables},
        }
