"""The range of a column, from its checks and its generator."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction
from typing import Any

from dpsql.suggesting.expressions import range_of_expression
from dpsql.suggesting.ranges import Range, Scalar, Unit, Unranged, between, closed, times, union
from schemas.check_facts import ColumnFacts, TableFacts, facts_of
from schemas.model import Column, Recipe, Rows, Schema, Table
from schemas.paths import NoSuchPath, follow
from schemas.privacy import ColumnPrivacy
from schemas.privacy_values import declared_bounds, declared_values
from schemas.recipes import argument
from schemas.times import DAY, EPOCH, MICROSECOND, parse_moment, resolve_moment
from schemas.types import FLOATS, INTEGERS, TEXTS, SqlType

NUMBERS = (*INTEGERS, "numeric", *FLOATS)
MOMENTS = ("date", "timestamp", "timestamptz")
YEAR = 366 * DAY

_FOLLOWS = "it follows "
_IDS = ("sequence", "uuid4", "uuid7")
_COORDINATES = {"geo.latitude": 90, "geo.longitude": 180}


class Ranges:
    """Tells the ranges of a schema's columns, each worked out once."""

    def __init__(self, schema: Schema, declared: Mapping[str, ColumnPrivacy]) -> None:
        self._schema = schema
        self._declared = declared
        self._known: dict[tuple[str, str], Range | Unranged] = {}
        self._open: list[tuple[str, str]] = []
        self._checks: Mapping[str, TableFacts] = {
            t.name: facts_of([c.sql for c in t.checks], [c.name for c in t.columns]) for t in schema.tables
        }
        self._by_name: dict[str, Callable[[Recipe, Table, SqlType], Range]] = {
            **dict.fromkeys(("normal", "lognormal", "exponential", "poisson", "zipf", "beta", "finance.price"), self._least_and_most),
            "uniform": self._uniform, "histogram": self._histogram, "boolean": self._boolean, "choice": self._choice, "list": self._list,
            "constant": self._constant, "ordinal": self._ordinal, "between": self._between, "after": self._after, "before": self._before,
            "states": self._states, "entered": self._entered, "cases": self._cases, "from": self._from, "expression": self._expression,
            "sum": self._sum, "count": self._count, "earliest": self._child, "latest": self._child, "person.birth_date": self._birth_date,
        }  # fmt: skip

    def of(self, table: Table, column: Column) -> Range:
        """Return the range of a column; Unranged says why there is none."""
        place = (table.name, column.name)
        if place in self._open:
            raise Unranged("it follows from itself")
        found = self._known.get(place)
        if found is None:
            self._open.append(place)
            try:
                found = self._worked_out(table, column)
            except Unranged as why:
                found = why
            finally:
                self._open.pop()
            self._known[place] = found
        if isinstance(found, Unranged):
            raise found
        return found

    def most_children(self, child: Table, parent: str) -> int:
        """Return the most rows of `child` that a row of `parent` has; Unranged where its `rows` do not say."""
        rows: Rows = child.rows
        if rows.per != parent or sum(key.table == parent for key in child.foreign_keys) != 1:
            raise Unranged(f"how many rows of '{child.name}' a row of '{parent}' has is not declared")
        if rows.total is not None or rows.mean is not None:
            raise Unranged(f"the rows of '{child.name}' are fixed in all, not for each row of '{parent}'")
        if isinstance(rows.each, Recipe):
            made = self._made(rows.each, self._schema.table(parent), SqlType("bigint"))
            if made.high is None:
                raise Unranged(f"the rows of '{child.name}' for each row of '{parent}' have no `max`")
            return int(made.high)
        return int(rows.each or 0)

    def path(self, table: Table, path: str) -> Range:
        """Return the range of the column to which a path leads."""
        try:
            found = follow(self._schema, table, path)
        except NoSuchPath:
            raise Unranged(f"'{path}' is not known") from None
        try:
            return self.of(found.table, found.column)
        except Unranged as why:
            if str(why).startswith(_FOLLOWS):
                raise
            raise Unranged(f"{_FOLLOWS}'{found.table.name}.{found.column.name}', and there {why}") from None

    def _worked_out(self, table: Table, column: Column) -> Range:
        checked = self._checks[table.name].columns.get(column.name, ColumnFacts())
        kind = column.type
        said = self._declared.get(f"{table.name}.{column.name}")
        if said is not None:
            return _declared_range(said, kind)
        if checked.values:
            return _listed(checked.values, kind)
        if kind.kind == "boolean":
            return closed([False, True])
        if kind.kind == "enum":
            return closed(kind.values)
        low, high = _checked_bounds(checked, kind)
        try:
            if column.generate is None:
                raise Unranged("no generator says what it holds")
            found = self._made(column.generate, table, kind).within(low, high)
        except Unranged:
            if low is None or high is None:
                raise
            return between(low, high, _unit(kind))
        if found.values is None and (found.low is None or found.high is None):
            name = column.generate.name
            raise Unranged(f"its generator '{name}' has no `{'min' if found.low is None else 'max'}`, and no check bounds it")
        return found

    def _made(self, recipe: Recipe, table: Table, kind: SqlType) -> Range:
        """The range of what a generator makes."""
        if recipe.name in _COORDINATES:
            most = Fraction(_COORDINATES[recipe.name])
            return Range(-most, most)
        if recipe.name in _IDS:
            raise Unranged("it tells rows apart")
        made = self._by_name.get(recipe.name)
        if made is None:
            raise Unranged(f"its generator '{recipe.name}' declares neither bounds nor a list")
        return made(recipe, table, kind)

    def _uniform(self, recipe: Recipe, _table: Table, _kind: SqlType) -> Range:
        low, high = recipe.args["range"]
        return between(number(low), number(high))

    def _least_and_most(self, recipe: Recipe, _table: Table, kind: SqlType) -> Range:
        low, high = argument(recipe, "min"), argument(recipe, "max")
        if low is None and recipe.name in ("lognormal", "exponential", "poisson"):
            low = 0
        return Range(None if low is None else number(low), None if high is None else number(high))

    def _histogram(self, recipe: Recipe, _table: Table, _kind: SqlType) -> Range:
        edges = recipe.args["edges"]
        return between(number(edges[0]), number(edges[-1]))

    def _boolean(self, _recipe: Recipe, _table: Table, _kind: SqlType) -> Range:
        return closed([Fraction(0), Fraction(1)])

    def _choice(self, recipe: Recipe, _table: Table, kind: SqlType) -> Range:
        return _listed([value for value, _ in recipe.args["values"]], kind)

    def _list(self, recipe: Recipe, _table: Table, kind: SqlType) -> Range:
        return _listed(recipe.args["values"], kind)

    def _constant(self, recipe: Recipe, _table: Table, kind: SqlType) -> Range:
        return _listed([recipe.args["value"]], kind)

    def _ordinal(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        start = argument(recipe, "start")
        if table.rows.per is None:
            raise Unranged("how far it counts is not declared")
        return between(Fraction(start), Fraction(start + max(self.most_children(table, table.rows.per), 1) - 1))

    def _moment(self, text: str) -> Fraction:
        return Fraction(resolve_moment(text, self._schema.anchor))

    def _between(self, recipe: Recipe, _table: Table, kind: SqlType) -> Range:
        if kind.kind == "time":
            raise Unranged("times of day have no bounds")
        low, high = recipe.args["period"]
        return between(self._moment(low), self._moment(high), "moment")

    def _after(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        low, high = self.path(table, recipe.args["path"]).bounds
        last = high + argument(recipe, "within")
        return between(low + argument(recipe, "at_least"), max(low, min(last, self._moment(argument(recipe, "until")))), "moment")

    def _before(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        low, high = self.path(table, recipe.args["path"]).bounds
        return between(low - argument(recipe, "within"), high - argument(recipe, "at_least"), "moment")

    def _states(self, recipe: Recipe, _table: Table, _kind: SqlType) -> Range:
        machine = recipe.args["machine"]
        return closed([*machine, *(state for following in machine.values() for state in following)])

    def _entered(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        try:
            found = follow(self._schema, table, recipe.args["of"])
        except NoSuchPath:
            raise Unranged("the status that it follows is not known") from None
        status = found.column.generate
        if status is None or status.name != "states":
            raise Unranged("the status that it follows is not made by states")
        start = argument(status, "start") or "created_at"
        low, _ = self.path(found.table, start).bounds
        return between(low, max(low, self._moment(argument(status, "until"))), "moment")

    def _cases(self, recipe: Recipe, table: Table, kind: SqlType) -> Range:
        options = list(recipe.args["cases"].values())
        if recipe.args.get("else") is not None:
            options.append(recipe.args["else"])
        return union([self._made(o, table, kind) if isinstance(o, Recipe) else closed([number(o)]) for o in options])

    def _from(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        return self.path(table, recipe.args["path"])

    def _expression(self, recipe: Recipe, table: Table, kind: SqlType) -> Range:
        return range_of_expression(recipe.args["sql"], lambda path: self.path(table, path), whole=kind.kind in INTEGERS)

    def _below(self, path: str, table: Table) -> tuple[Table, Column]:
        found = self._schema.at(path)
        if found is None or not any(key.table == table.name for key in found[0].foreign_keys):
            raise Unranged(f"'{path}' is not known")
        return found

    def _sum(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        child, column = self._below(recipe.args["child"], table)
        each = self.of(child, column)
        if each.values and isinstance(each.values[0], bool):
            each = closed([Fraction(0), Fraction(1)])
        return times(union([each, closed([Fraction(0)])]), Range(Fraction(0), Fraction(self.most_children(child, table.name))))

    def _count(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        return Range(Fraction(0), Fraction(self.most_children(self._schema.table(recipe.args["table"]), table.name)))

    def _child(self, recipe: Recipe, table: Table, _kind: SqlType) -> Range:
        child, column = self._below(recipe.args["child"], table)
        return self.of(child, column)

    def _birth_date(self, recipe: Recipe, _table: Table, _kind: SqlType) -> Range:
        youngest, oldest = argument(recipe, "min_age"), argument(recipe, "max_age")
        now = Fraction(self._schema.anchor)
        return between(now - (oldest + 1) * YEAR, now - youngest * 365 * DAY, "moment")


def number(value: Any) -> Fraction:
    """A number of a schema file, exactly as it is written."""
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        raise Unranged("it has values that are no numbers")
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def _unit(kind: SqlType) -> Unit:
    return "moment" if kind.kind in MOMENTS else "plain"


def _listed(values: Sequence[Any], kind: SqlType) -> Range:
    return closed((_scalar(value, kind) for value in values), _unit(kind))


def _declared_range(said: ColumnPrivacy, kind: SqlType) -> Range:
    """The range that a schema's `privacy:` declares."""
    try:
        if said.values is not None:
            return _listed(declared_values(said.values, kind), kind)
        low, high = declared_bounds(said.bounds or (), kind)
    except ValueError as error:
        raise Unranged(f"its bounds are not of its type: {error}") from None
    if isinstance(low, datetime.date):
        return between(_since_1970(low), _since_1970(high), "moment")
    return between(number(low), number(high))


def _since_1970(moment: Any) -> Fraction:
    if not isinstance(moment, datetime.datetime):
        moment = datetime.datetime.combine(moment, datetime.time())
    return Fraction((moment.replace(tzinfo=moment.tzinfo or datetime.UTC) - EPOCH) // MICROSECOND)


def _scalar(value: Any, kind: SqlType) -> Scalar:
    """A value of a list, as a column of a type has it."""
    if kind.kind in (*TEXTS, "enum"):
        return str(value).lower() if isinstance(value, bool) else str(value)
    if kind.kind == "boolean":
        return value if isinstance(value, bool) else str(value) == "true"
    if kind.kind in NUMBERS and not isinstance(value, bool):
        with suppress(ValueError):
            return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)
    if kind.kind in MOMENTS:
        with suppress(ValueError):
            return Fraction(parse_moment(str(value)))
    raise Unranged("its list has values that are neither texts, numbers nor moments")


def _checked_bounds(checked: ColumnFacts, kind: SqlType) -> tuple[Fraction | None, Fraction | None]:
    if kind.kind in MOMENTS:
        found: list[Fraction | None] = []
        for said in (checked.low_text, checked.high_text):
            try:
                found.append(None if said is None else Fraction(parse_moment(said)))
            except ValueError:
                found.append(None)
        return found[0], found[1]
    return (None if checked.low is None else Fraction(checked.low)), (None if checked.high is None else Fraction(checked.high))
