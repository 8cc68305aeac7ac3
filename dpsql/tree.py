"""The bound query: an immutable tree of relations and expressions, typed and with what is known of every value.

SQL for a database is generated from this tree alone, so that nothing in an analyst's text reaches a database unless it was
understood. `Facts` say what is known of the values of an expression. Ranges, steps and closed values come from the declaration. They are
enforced where something is measured: an aggregate's argument is clamped to its range and rounded to its step, and a row whose key is
outside its closed values is left out; so a measurement's sensitivity never rests on what the data happens to hold.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Literal as Choice

from dpsql.remembered import Remembered

Kind = Choice["boolean", "integer", "decimal", "double", "text", "date", "timestamp", "timestamptz", "time", "interval", "uuid", "other"]
Value = bool | int | Fraction | Decimal | float | str | datetime.date | datetime.datetime | None
Bound = int | Fraction | datetime.date | datetime.datetime | None

NUMBERS = ("integer", "decimal", "double")


@dataclass(frozen=True)
class Facts:
    """What is known of every value of an expression.

    `lo` and `hi` bound it (numbers exactly, dates and times as such; None: not known). `step` is the grid of a number: every value
    is a whole multiple of it (None for doubles). `values` is the closed list of all values it can have, None for null among them
    where it is `nullable`; None where there is no such list. `table` names the public table whose `table_column` holds all values.
    `identifies` says that it holds ids of the privacy unit, which may be counted and joined and never shown.
    """

    kind: Kind
    nullable: bool = True
    lo: Bound = None
    hi: Bound = None
    step: Fraction | None = None
    values: tuple[Value, ...] | None = None
    table: str | None = None
    table_column: str | None = None
    identifies: bool = False

    @property
    def is_number(self) -> bool:
        return self.kind in NUMBERS

    @property
    def bounded(self) -> bool:
        return self.lo is not None and self.hi is not None


@dataclass(frozen=True)
class Column:
    """A field of the relation below, by its name there."""

    name: str
    facts: Facts


@dataclass(frozen=True)
class Literal:
    """A constant of the query, or a parameter's value."""

    value: Value
    facts: Facts


@dataclass(frozen=True)
class Call:
    """A total function or operator of `dpsql.functions` by its name, over its arguments; it never fails, whatever the data."""

    function: str
    arguments: tuple[Expression, ...]
    facts: Facts


@dataclass(frozen=True)
class Case:
    """The value of the first branch whose condition is true, else `otherwise`."""

    branches: tuple[tuple[Expression, Expression], ...]
    otherwise: Expression
    facts: Facts


Expression = Column | Literal | Call | Case


@dataclass(frozen=True)
class Field:
    """A column of a relation: a name that no other column of the query has inside, and its facts."""

    name: str
    facts: Facts

    @property
    def column(self) -> Column:
        return Column(self.name, self.facts)


@dataclass(frozen=True)
class OneRow:
    """One row without fields: what a SELECT without FROM is made of."""

    fields: tuple[Field, ...] = ()
    unit: None = None
    rows_a_unit: None = None
    most_rows: None = None


@dataclass(frozen=True)
class Scan:
    """The rows of a stored table. `sources` are the table's columns, in the order of `fields`.

    `unit` is the field that holds the unit of each row, None for a public table, or where the unit comes by a join above.
    `rows_a_unit` is the most rows that a unit can have by the keys of the schema, `most_rows` what is declared on top; None: not known.
    """

    table: str
    fields: tuple[Field, ...]
    sources: tuple[str, ...]
    unit: str | None
    rows_a_unit: int | None = None
    most_rows: int | None = None


class _OfInput:
    """A relation whose units have as many rows at most as in its `input`."""

    input: Relation

    @property
    def rows_a_unit(self) -> int | None:
        return self.input.rows_a_unit

    @property
    def most_rows(self) -> int | None:
        return self.input.most_rows


class _LikeInput(_OfInput):
    """A relation with the fields and the unit of its `input`."""

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.input.fields

    @property
    def unit(self) -> str | None:
        return self.input.unit


@dataclass(frozen=True)
class Filter(_LikeInput):
    """The rows of `input` for which `condition` is true."""

    input: Relation
    condition: Expression


@dataclass(frozen=True)
class Project(_OfInput):
    """One value for each of `fields` from each row; `unit` is one of the fields."""

    input: Relation
    fields: tuple[Field, ...]
    expressions: tuple[Expression, ...]
    unit: str | None


@dataclass(frozen=True)
class Join:
    """Rows of `left` beside rows of `right` for which `condition` is true; `left` keeps its rows without a partner in a left join.

    `unit` is a field of either side; binding has shown that both sides' units are equal, or that one side is public.
    `rows_a_unit` is what binding knows of the outcome; `left_once` and `right_once` say that each row of the one side has at most one
    partner on the left, or on the right, by a key.
    """

    left: Relation
    right: Relation
    kind: Choice["inner", "left", "semi", "anti"]
    condition: Expression
    unit: str | None
    rows_a_unit: int | None = None
    most_rows: int | None = None
    left_once: bool = False
    right_once: bool = False

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.left.fields if self.kind in ("semi", "anti") else (*self.left.fields, *self.right.fields)


@dataclass(frozen=True)
class Union:
    """All rows of the inputs, whose fields match by position; `fields` names them anew."""

    inputs: tuple[Relation, ...]
    fields: tuple[Field, ...]
    unit: str | None
    rows_a_unit: int | None = None
    most_rows: int | None = None


AggregateFunction = Choice["count", "sum", "avg", "var_samp", "var_pop", "stddev_samp", "stddev_pop", "min", "max", "quantile"]


@dataclass(frozen=True)
class Aggregate:
    """An aggregate. `argument` is None for COUNT(*); `fraction` is the place of a quantile, from 0 to 1; `continuous` interpolates.

    `facts` are of its outcome. A FILTER (WHERE ...) is folded into the argument by binding.
    """

    function: AggregateFunction
    argument: Expression | None
    facts: Facts
    distinct: bool = False
    fraction: Fraction | None = None
    continuous: bool = False


@dataclass(frozen=True)
class PerUnit:
    """One row for each unit and each combination of `keys` in `input`: exact aggregates, which stay inside.

    `fields` are the unit's, called `unit`, then those of the keys, then those of the aggregates.
    """

    input: Relation
    fields: tuple[Field, ...]
    keys: tuple[Expression, ...]
    aggregates: tuple[Aggregate, ...]
    unit: str
    rows_a_unit: int | None = None
    most_rows: int | None = None


@dataclass(frozen=True)
class PublicGroups:
    """One row for each combination of `keys` in public rows, or one row where there are no keys: exact aggregates of what all may know.

    `fields` are those of the keys, then those of the aggregates. No row of a unit is in it, so that no unit changes it.
    """

    input: Relation
    fields: tuple[Field, ...]
    keys: tuple[Expression, ...]
    aggregates: tuple[Aggregate, ...]
    unit: None = None
    rows_a_unit: None = None
    most_rows: None = None


@dataclass(frozen=True)
class DistinctRows(_LikeInput):
    """The rows of `input`, each combination of fields once: an analyst's SELECT DISTINCT of public rows, or with the unit's id."""

    input: Relation


@dataclass(frozen=True)
class Order:
    """A term of an order."""

    expression: Expression
    descending: bool
    nulls_first: bool


@dataclass(frozen=True)
class FirstRows(_LikeInput):
    """So many public rows of `input` after the first `offset`, in `order` and then in that of all fields: always the same ones."""

    input: Relation
    order: tuple[Order, ...]
    limit: int | None
    offset: int = 0


Relation = OneRow | Scan | Filter | Project | Join | Union | PerUnit | PublicGroups | DistinctRows | FirstRows


@dataclass(frozen=True)
class Key:
    """A group key: public where its facts have `values` or a `table`, else private. `one_a_unit`: all rows of a unit have the same."""

    name: str
    expression: Expression
    one_a_unit: bool = False

    @property
    def public(self) -> bool:
        facts = self.expression.facts
        return facts.values is not None or facts.table is not None


@dataclass(frozen=True)
class Release:
    """What is measured: aggregates by group over rows that belong to one unit each. `name` is its table in the residual query.

    Its table has the keys' names and the `names` of the aggregates as columns. With no aggregates it
    shows which groups there are (SELECT DISTINCT of keys).
    """

    name: str
    rows: Relation
    keys: tuple[Key, ...]
    aggregates: tuple[Aggregate, ...]
    names: tuple[str, ...]


@dataclass(frozen=True)
class Query:
    """A whole query, shown to be answerable: what is measured, and what is then done with the noisy tables.

    `residual` is SQL of DuckDB over the tables of the `releases` and the `public` tables; what runs there sees nothing private.
    `outputs` are the names of its columns. `whole` is the same query where conditions on keys, which this one asks of the rows, are left
    to the residual. `remembered` has what followed from the query.
    """

    releases: tuple[Release, ...]
    public: tuple[str, ...]
    residual: str
    outputs: tuple[str, ...]
    whole: Query | None = None
    remembered: Remembered = field(default_factory=Remembered, init=False, compare=False, repr=False)


def subexpressions(expression: Expression) -> Iterator[Expression]:
    """Yield `expression` and all below it."""
    yield expression
    if isinstance(expression, Call):
        for argument in expression.arguments:
            yield from subexpressions(argument)
    elif isinstance(expression, Case):
        for condition, value in expression.branches:
            yield from subexpressions(condition)
            yield from subexpressions(value)
        yield from subexpressions(expression.otherwise)


def subrelations(relation: Relation) -> Iterator[Relation]:
    """Yield `relation` and all below it."""
    yield relation
    match relation:
        case Filter() | Project() | PerUnit() | PublicGroups() | DistinctRows() | FirstRows():
            yield from subrelations(relation.input)
        case Join():
            yield from subrelations(relation.left)
            yield from subrelations(relation.right)
        case Union():
            for one in relation.inputs:
                yield from subrelations(one)
        case Scan() | OneRow():
            pass


def all_fields(relation: Relation) -> Iterator[Field]:
    """Yield the fields of `relation` and of all below it."""
    for one in subrelations(relation):
        yield from one.fields
