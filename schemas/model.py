"""The shared vocabulary: schemas, tables, columns, keys and references, as frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from schemas.errors import Mark
from schemas.plurals import counted
from schemas.privacy import Privacy
from schemas.types import SqlType

if TYPE_CHECKING:
    from schemas.scenarios import Scenario

DATA_CLASSES = ("public", "internal", "personal", "sensitive")
OPEN_CLASSES = DATA_CLASSES[:2]  # whose values may be shown to anybody who has the data


@dataclass(frozen=True)
class Recipe:
    """How values are made: the name of a generator and its parameters, checked against `schemas.recipes`.

    `args` holds plain values (str, int, float, bool, Decimal-free), tuples, dicts with string keys, and nested `Recipe`s.
    `places` says where each argument stands in the file, for messages.
    """

    name: str
    args: Mapping[str, Any] = field(default_factory=dict)
    at: Mark | None = field(default=None, compare=False)
    places: Mapping[str, Mark] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True)
class Present:
    """When a referenced row must be there: at the time in the column `at` of the row that references it.

    It is there from the time in its column `begins` (None: from ever) until that in `ends` (None, or null in a row: for good).
    """

    at: str
    begins: str | None = None
    ends: str | None = None


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key over one or more columns, and how the referenced row is chosen.

    `within` names a column of this table (part of another reference) whose parent the referenced row must share;
    `acyclic` keeps self-references a forest, in which no row has more than `depth` others above it; `skew` is a zipf exponent
    (some rows are referenced far more than others), and `weight` the column of the referenced table that says how often each is;
    `present` says at which time the referenced row must be there, and `other_than` is a path to another reference to the same key, whose
    row it must not be; `greater_than` names a column of this table whose row it must come after, in the order of their keys.
    """

    columns: tuple[str, ...]
    table: str
    target: tuple[str, ...]
    name: str | None = None
    within: str | None = None
    acyclic: bool = False
    skew: float | None = None
    depth: int | None = None
    weight: str | None = None
    present: Present | None = None
    other_than: str | None = None
    greater_than: str | None = None
    at: Mark | None = field(default=None, compare=False)

    @property
    def options(self) -> Sequence[str]:
        """Those that are given of the options that say which row is chosen, by name."""
        given = {
            "within": self.within, "acyclic": self.acyclic, "skew": self.skew, "weight": self.weight, "present": self.present,
            "other_than": self.other_than, "greater_than": self.greater_than,
        }  # fmt: skip
        return [name for name, value in given.items() if value]


@dataclass(frozen=True)
class Unique:
    """A unique constraint over one or more columns."""

    columns: tuple[str, ...]
    name: str | None = None
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Check:
    """A check constraint, or a rule; `sql` is a boolean SQL expression over the columns of the table (of a rule, over paths too)."""

    sql: str
    name: str | None = None
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Index:
    """An index that is not a constraint."""

    columns: tuple[str, ...]
    name: str | None = None
    unique: bool = False
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Correlation:
    """Columns, some perhaps of rows that this row references (paths), and the matrix of their rank correlations (Spearman's)."""

    columns: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Rows:
    """How many rows a table has.

    Either `count` rows (times the scale, unless `fixed`), or for each row of `per` a number drawn from `each` (or just
    `each`, where it is a number); `total` or `mean` then fixes the sum. Paths in `each` begin at the row of `per`.
    """

    count: int | None = None
    fixed: bool = False
    per: str | None = None
    each: Recipe | int | float | None = None
    total: int | None = None
    mean: float | None = None
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Lives:
    """From when until when each row of a table exists: two of its date or time columns.

    Without `begins` a row is there as long as the rows that it must reference, without `ends` for good; so too where the column
    is null.
    """

    begins: str | None = None
    ends: str | None = None
    at: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Column:
    """A column: its type, constraints, class and recipe.

    `null` is None for NOT NULL, else the share of nulls to generate (0 means nullable, none generated). `computed` is the
    SQL of a column that the database computes; such a column is in the DDL and not in the bundle.
    A `hidden` one is made for other columns to use, and is in neither. An `ever` one has the value of the whole history at any
    moment of it, though it may tell of what comes later. `places` says where what is written of it stands in the file, for messages.
    """

    name: str
    type: SqlType
    null: float | None = None
    identity: bool = False
    computed: str | None = None
    default: str | None = None
    generate: Recipe | None = None
    data_class: str = "internal"
    semantic: str | None = None
    comment: str | None = None
    at: Mark | None = field(default=None, compare=False)
    hidden: bool = False
    ever: bool = False
    places: Mapping[str, Mark] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        return f"<Column {self.name} {self.type}, {self.data_class}>"

    def place_of(self, key: str) -> Mark | None:
        """Where the value of `key`, such as `computed`, stands in the file, or else the column."""
        return self.places.get(key, self.at)

    @property
    def nullable(self) -> bool:
        return self.null is not None


@dataclass(frozen=True)
class Table:
    """A table; `name` may be qualified by a database schema (`sales.orders`). `lives` is None where the file does not say.

    `places` says where its parts, such as `unique`, begin in the file, for messages.
    """

    name: str
    columns: tuple[Column, ...]
    rows: Rows
    key: tuple[str, ...] = ()
    unique: tuple[Unique, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    checks: tuple[Check, ...] = ()
    indexes: tuple[Index, ...] = ()
    comment: str | None = None
    locale: Mapping[str, float] | str | None = None
    at: Mark | None = field(default=None, compare=False)
    correlate: tuple[Correlation, ...] = ()
    rules: tuple[Check, ...] = ()
    lives: Lives | None = None
    locale_at: Mark | None = field(default=None, compare=False)
    places: Mapping[str, Mark] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        return f"<Table {self.name}: {', '.join(f'{c.name} {c.type}' for c in self.columns)}>"

    @cached_property
    def _by_name(self) -> dict[str, Column]:
        return {c.name: c for c in self.columns}

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError where there is none."""
        return self._by_name[name]

    def has(self, name: str) -> bool:
        return name in self._by_name

    @cached_property
    def stored_columns(self) -> tuple[Column, ...]:
        """The columns that bundles hold: all but the hidden ones and those that the database computes."""
        return tuple(c for c in self.columns if c.computed is None and not c.hidden)

    @cached_property
    def database_columns(self) -> tuple[Column, ...]:
        """The columns that the database has: all but the hidden ones."""
        return tuple(c for c in self.columns if not c.hidden)

    @cached_property
    def arrow(self) -> pa.Schema:
        """The Arrow schema of the stored columns."""
        return pa.schema([pa.field(c.name, c.type.arrow, nullable=c.nullable) for c in self.stored_columns])

    def is_unique(self, column: str) -> bool:
        """Whether `column` alone is a key or unique."""
        return (column,) in self.unique_sets()

    def foreign_key_of(self, column: str) -> ForeignKey | None:
        """The first foreign key that `column` is part of, shortest first."""
        found = [f for f in self.foreign_keys if column in f.columns]
        return min(found, key=lambda f: len(f.columns)) if found else None

    def other_reference(self, key: ForeignKey) -> ForeignKey | None:
        """The reference to the same key that `key` is to be `greater_than`; None where there is no such one."""
        others = (f for f in self.foreign_keys if f.columns != key.columns and (f.table, f.target) == (key.table, key.target))
        return next((f for f in others if key.greater_than in f.columns), None)

    def ordered_pair(self, key: ForeignKey) -> tuple[ForeignKey, ForeignKey] | None:
        """The references of which `key` is one and the second is `greater_than` the first; None where it is of no such pair."""
        for upper in self.foreign_keys:
            lower = self.other_reference(upper) if upper.greater_than is not None else None
            if lower is not None and key in (lower, upper):
                return lower, upper
        return None

    def unique_sets(self) -> Iterator[tuple[str, ...]]:
        """Every set of columns whose values may not repeat: the key, unique constraints and unique indexes."""
        seen = set()
        candidates = [self.key, *(u.columns for u in self.unique)]
        candidates += [i.columns for i in self.indexes if i.unique]
        for columns in candidates:
            if columns and columns not in seen:
                seen.add(columns)
                yield columns


@dataclass(frozen=True)
class Schema:
    """A whole schema: what a schema file says.

    `scenarios` holds scenarios of its own, and the shares of ready ones that are to be applied.
    `anchor` is the data's 'now' in microseconds since 1970 (UTC). `locale` maps locale names to weights. `file` is where
    it was read from, and `scenario_places`, `locale_at` and `places` where in it scenarios, the locale and its parts stand, for messages
    only.
    """

    name: str
    tables: tuple[Table, ...]
    seed: int = 0
    anchor: int = 1_767_225_600_000_000
    locale: Mapping[str, float] = field(default_factory=lambda: {"en_US": 1.0})
    enums: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    privacy: Privacy | None = None
    scenarios: Mapping[str, float | Scenario] = field(default_factory=dict)
    comment: str | None = None
    file: str = field(default="schema", compare=False)
    scenario_places: Mapping[str, Mark] = field(default_factory=dict, compare=False)
    locale_at: Mark | None = field(default=None, compare=False)
    places: Mapping[str, Mark] = field(default_factory=dict, compare=False)

    def __repr__(self) -> str:
        return f"<Schema {self.name}: {counted(len(self.tables), 'table')}>"

    @property
    def privacy_unit(self) -> str | None:
        """The column whose values are the units of privacy, None where the schema names none."""
        return None if self.privacy is None else self.privacy.unit

    @cached_property
    def _by_name(self) -> dict[str, Table]:
        return {t.name: t for t in self.tables}

    def table(self, name: str) -> Table:
        """Return the table called `name`; KeyError where there is none."""
        return self._by_name[name]

    def has(self, name: str) -> bool:
        return name in self._by_name

    def at(self, path: str) -> tuple[Table, Column] | None:
        """Return the table and column that `table.column` names (either may hold dots itself), None where there is none."""
        for position, letter in enumerate(path):
            if letter == "." and self.has(path[:position]) and self.table(path[:position]).has(path[position + 1 :]):
                table = self.table(path[:position])
                return table, table.column(path[position + 1 :])
        return None
