"""What is declared of a schema's privacy, worked out: how each table reaches the unit, and the facts of each column."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dpsql.errors import DeclarationInvalid
from dpsql.tree import Facts, Kind, Value
from schemas.check_facts import facts_of
from schemas.errors import nearest
from schemas.model import Column, ForeignKey, Schema, Table
from schemas.privacy import Budget, ColumnPrivacy, Privacy

FLOAT_STEPS = 2**40  # on how fine a grid floating-point values between their bounds are counted
CLOSED_INTEGERS = 10_000  # up to so many whole numbers between bounds are a closed list

KINDS: Mapping[str, Kind] = {
    "smallint": "integer", "integer": "integer", "bigint": "integer", "numeric": "decimal", "real": "double", "double": "double",
    "text": "text", "varchar": "text", "char": "text", "enum": "text", "boolean": "boolean", "date": "date", "time": "time",
    "timestamp": "timestamp", "timestamptz": "timestamptz", "interval": "interval", "uuid": "uuid",
}  # fmt: skip


@dataclass(frozen=True)
class Reach:
    """How a table's rows belong to units: `path` is the chain of foreign keys to the unit's table, empty for that table itself.

    `rows` is the most rows that a unit has there, None where it is not known; `structural` says that keys of the schema make sure of
    it, so that it need not be enforced.
    """

    path: tuple[ForeignKey, ...]
    rows: int | None
    structural: bool


@dataclass(frozen=True)
class Declaration:
    """A schema with its privacy: what `dpsql` knows of the data without looking."""

    schema: Schema
    unit_table: str
    unit_column: str
    public: frozenset[str]
    reaches: Mapping[str, Reach]
    facts: Mapping[tuple[str, str], Facts]
    groups: int | None = None
    budget: Budget | None = None

    def reach(self, table: str) -> Reach | None:
        """How the rows of `table` belong to units; None for public tables and for those that belong to no unit."""
        return self.reaches.get(table)


def declare(schema: Schema, privacy: Privacy | None = None) -> Declaration:
    """Return the declaration of `schema`, with its own `privacy` or the one given; DeclarationInvalid with all that is wrong or missing."""
    privacy = privacy or schema.privacy
    if privacy is None:
        raise DeclarationInvalid(
            f"schema '{schema.name}' does not say whose privacy its rows concern: add `privacy: {{unit: table.column}}` to its file"
        )
    declaring = _Declaring(schema, privacy)
    problems = list(declaring.problems())
    if problems:
        raise DeclarationInvalid("\n".join(f"privacy of schema '{schema.name}': {problem}" for problem in problems))
    table, _, column = privacy.unit.rpartition(".")
    facts = {(t.name, c.name): declaring.facts(t, c) for t in schema.tables for c in t.stored_columns}
    return Declaration(schema, table, column, frozenset(privacy.public), declaring.reaches(), facts, privacy.groups, privacy.budget)


class _Declaring:
    def __init__(self, schema: Schema, privacy: Privacy) -> None:
        self._schema = schema
        self._privacy = privacy
        self._table, _, self._column = privacy.unit.rpartition(".")
        self._checks = {t.name: facts_of([c.sql for c in t.checks], [c.name for c in t.columns]) for t in schema.tables}

    def problems(self) -> Iterator[str]:
        names = [t.name for t in self._schema.tables]
        if not self._schema.has(self._table) or not self._schema.table(self._table).is_unique(self._column):
            yield f"the unit '{self._privacy.unit}' must be a column that is a key or unique"
            return
        for name in (*self._privacy.public, *self._privacy.through, *self._privacy.contributions):
            if not self._schema.has(name):
                yield f"there is no table '{name}'{nearest(name, names)}"
        for path in self._privacy.columns:
            table, _, column = path.rpartition(".")
            if not self._schema.has(table) or not self._schema.table(table).has(column):
                yield f"there is no column '{path}'"
        for name in self._privacy.public:
            if self._schema.has(name) and (name == self._table or self._paths(name)):
                yield f"table '{name}' is said to be public and references the unit"
        for table in self._schema.tables:
            ways = self._ways(table.name)
            if len(ways) > 1:
                columns = " or ".join(sorted("'" + ", ".join(w[0].columns) + "'" for w in ways))
                yield f"table '{table.name}' reaches the unit in several ways: say which with `through: {{{table.name}: COLUMN}}`, of {columns}"

    def reaches(self) -> dict[str, Reach]:
        found = {}
        for table in self._schema.tables:
            if table.name == self._table:
                found[table.name] = Reach((), 1, True)
                continue
            ways = self._ways(table.name)
            if table.name in self._privacy.public or not ways:
                continue
            path = ways[0]
            once = all(self._unique_reference(t, key) for t, key in self._steps(table.name, path))
            rows = 1 if once else self._privacy.contributions.get(table.name)
            found[table.name] = Reach(path, rows, once)
        return found

    def facts(self, table: Table, column: Column) -> Facts:
        said = self._privacy.columns.get(f"{table.name}.{column.name}", ColumnPrivacy())
        kind = KINDS.get(column.type.kind, "other")
        step = Fraction(1) if kind == "integer" else Fraction(1, 10**column.type.decimals) if kind == "decimal" else None
        checked = self._checks[table.name].columns.get(column.name)
        lo, hi = (None, None) if said.bounds is None else (_typed(text, kind) for text in said.bounds)
        if said.bounds is None and checked is not None and kind in ("integer", "decimal") and None not in (checked.low, checked.high):
            lo, hi = Fraction(checked.low), Fraction(checked.high)  # type: ignore[arg-type]
        if kind in ("integer", "decimal", "double") and lo is not None and hi is not None:
            lo, hi = _whole(Fraction(lo)), _whole(Fraction(hi))  # type: ignore[arg-type]
            if kind == "double":
                step = Fraction(hi - lo) / FLOAT_STEPS if hi > lo else Fraction(1, FLOAT_STEPS)
        values = self._values(column, said, checked.values if checked is not None else None)
        if values is None and kind == "integer" and isinstance(lo, int) and isinstance(hi, int) and hi - lo < CLOSED_INTEGERS:
            values = tuple(range(lo, hi + 1))
        reference = next((k for k in table.foreign_keys if k.columns == (column.name,) and k.table in self._privacy.public), None)
        identifies = (table.name, column.name) == (self._table, self._column) or any(
            k.table == self._table and column.name in k.columns for k in table.foreign_keys
        )
        public_key = table.name in self._privacy.public and table.is_unique(column.name)
        return Facts(
            kind,
            nullable=column.nullable,
            lo=lo,  # type: ignore[arg-type]
            hi=hi,  # type: ignore[arg-type]
            step=step,
            values=values if not identifies else None,
            table=reference.table if reference and values is None else table.name if public_key and values is None else None,
            table_column=reference.target[0] if reference and values is None else column.name if public_key and values is None else None,
            identifies=identifies,
        )

    def _values(self, column: Column, said: ColumnPrivacy, checked: list[object] | None) -> tuple[Value, ...] | None:
        values: tuple[Value, ...] | None = None if said.values is None else tuple(_typed(v, KINDS[column.type.kind]) for v in said.values)
        if values is None and column.type.kind == "enum":
            values = column.type.values or self._schema.enums.get(column.type.name or "")
        if values is None and column.type.kind == "boolean":
            values = (False, True)
        if values is None and checked and all(isinstance(v, str) for v in checked):
            values = tuple(checked)  # type: ignore[arg-type]
        return values

    def _ways(self, table: str) -> list[tuple[ForeignKey, ...]]:
        """The ways from `table` to the unit that are left when `through` has chosen and the shortest is preferred."""
        if table == self._table:
            return []
        paths = self._paths(table)
        chosen = self._privacy.through.get(table)
        if chosen is not None:
            paths = [p for p in paths if chosen in p[0].columns]
        shortest = min((len(p) for p in paths), default=0)
        return [p for p in paths if len(p) == shortest]

    def _paths(self, table: str, seen: tuple[str, ...] = ()) -> list[tuple[ForeignKey, ...]]:
        if table == self._table:
            return [()]
        found: list[tuple[ForeignKey, ...]] = []
        for key in self._schema.table(table).foreign_keys:
            if key.table in (*seen, table) or (key.table == self._table and key.target != (self._column,)):
                continue
            chosen = self._privacy.through.get(table)
            if chosen is not None and chosen not in key.columns:
                continue
            found += [(key, *rest) for rest in self._paths(key.table, (*seen, table))]
        return found

    def _steps(self, table: str, path: tuple[ForeignKey, ...]) -> Iterator[tuple[Table, ForeignKey]]:
        for key in path:
            yield self._schema.table(table), key
            table = key.table

    def _unique_reference(self, table: Table, key: ForeignKey) -> bool:
        return any(set(unique) <= set(key.columns) for unique in table.unique_sets())


def _whole(number: Fraction) -> int | Fraction:
    return number.numerator if number.denominator == 1 else number


def _typed(said: Any, kind: Kind) -> Value:
    """A declared value, as text of a schema file or as a Python value, as expressions have it."""
    text = str(said).lower() if isinstance(said, bool) else str(said)
    match kind:
        case "integer" | "decimal" | "double":
            return _whole(Fraction(text.replace("_", "")))
        case "boolean":
            return text == "true"
        case "date":
            return datetime.date.fromisoformat(text[:10])
        case "timestamp":
            return datetime.datetime.fromisoformat(text).replace(tzinfo=None)
        case "timestamptz":
            moment = datetime.datetime.fromisoformat(text)
            return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
        case _:
            return text
