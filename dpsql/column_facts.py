"""What is known of each column's values, from its type, its checks and what is declared of it; never from the data."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping
from contextlib import suppress
from decimal import Decimal
from fractions import Fraction

from dpsql.tree import Bound, Facts, Kind, Value
from schemas.check_facts import ColumnFacts, TableFacts, facts_of
from schemas.model import Column, ForeignKey, Schema, Table
from schemas.privacy import ColumnPrivacy, Privacy
from schemas.privacy_values import BOUNDED, CLOSED, Declared, declared_bounds, declared_value, declared_values
from schemas.types import INTEGERS, SqlType

FLOAT_STEPS = 2**40  # on how fine a grid floating-point values between their bounds are counted
CLOSED_INTEGERS = 10_000  # up to so many whole numbers between bounds are a closed list

KINDS: Mapping[str, Kind] = {
    "smallint": "integer", "integer": "integer", "bigint": "integer", "numeric": "decimal", "real": "double", "double": "double",
    "text": "text", "varchar": "text", "char": "text", "enum": "text", "boolean": "boolean", "date": "date", "time": "time",
    "timestamp": "timestamp", "timestamptz": "timestamptz", "interval": "interval", "uuid": "uuid",
}  # fmt: skip
_KEYS = ("integer", "decimal", "text", "boolean", "date", "timestamp", "timestamptz", "uuid")  # by which public tables' values are groups


class ColumnKnowledge:
    """Works out the facts of the columns of a schema under a declaration of privacy."""

    def __init__(self, schema: Schema, privacy: Privacy) -> None:
        self._schema = schema
        self._privacy = privacy
        self._checks: dict[str, TableFacts] = {
            t.name: facts_of([c.sql for c in t.checks], [c.name for c in t.columns]) for t in schema.tables
        }

    def problems(self, path: str) -> Iterator[str]:
        """Yield what is wrong with what is declared of a column, which there is."""
        said = self._privacy.columns[path]
        found = self._schema.at(path)
        assert found is not None
        kind = found[1].type
        if said.bounds is not None and said.values is not None:
            yield f"'{path}' has either bounds or a closed list of values, not both"
        for what, texts, read in (("bounds", said.bounds, declared_bounds), ("values", said.values, declared_values)):
            if texts is not None:
                try:
                    read(texts, kind)
                except ValueError as error:
                    yield f"{what} of '{path}': {error}"

    def facts(self, table: Table, column: Column) -> Facts:
        """Return what is known of a column. Its bounds are the declared ones, else those of its checks; a type's range is no bound."""
        said = self._privacy.columns.get(f"{table.name}.{column.name}", ColumnPrivacy())
        checked = self._checks[table.name].columns.get(column.name, ColumnFacts())
        kind = KINDS.get(column.type.kind, "other")
        identifies = self.identifies(table, column.name)
        values = None if identifies else self._values(column, said, checked)
        lo, hi = _bounds(column.type, said, checked, values)
        if values is None and kind == "integer" and not identifies and lo is not None and hi is not None:
            values = tuple(range(int(lo), int(hi) + 1)) if hi - lo < CLOSED_INTEGERS else None  # type: ignore[arg-type, operator]
        home = None if values is not None or identifies else self._public_home(table, column.name)
        return Facts(
            kind,
            nullable=column.nullable,
            lo=lo,
            hi=hi,
            step=_step(column.type, lo, hi),
            values=values,
            table=None if home is None else home[0],
            table_column=None if home is None else home[1],
            identifies=identifies,
        )

    def identifies(self, table: Table, column: str, seen: tuple[ForeignKey, ...] = ()) -> bool:
        """Whether a column holds the unit's key: it is that column, or references it, perhaps by way of other tables' columns."""
        if f"{table.name}.{column}" == self._privacy.unit:
            return True
        return any(
            self.identifies(self._schema.table(key.table), target, (*seen, key))
            for key in table.foreign_keys
            if key not in seen
            for own, target in zip(key.columns, key.target, strict=True)
            if own == column
        )

    def _values(self, column: Column, said: ColumnPrivacy, checked: ColumnFacts) -> tuple[Value, ...] | None:
        """The closed list: the declared one, else that of the checks, else that of the type."""
        if said.values is not None:
            return tuple(_exact(v) for v in declared_values(said.values, column.type))
        if checked.values and column.type.kind in CLOSED:
            with suppress(ValueError):
                return tuple(dict.fromkeys(_exact(declared_value(v, column.type)) for v in checked.values))
        if column.type.kind == "boolean":
            return (False, True)
        if column.type.kind == "enum":
            return column.type.values or self._schema.enums.get(column.type.name or "")
        return None

    def _public_home(self, table: Table, column: str) -> tuple[str, str] | None:
        """The public table and the column of it that hold all values of a column: those it references, or its own."""
        if KINDS.get(table.column(column).type.kind) not in _KEYS:
            return None
        if table.name in self._privacy.public:
            return table.name, column
        keys = [key for key in table.foreign_keys if column in key.columns and key.table in self._privacy.public]
        if not keys:
            return None
        nearest = min(keys, key=lambda key: len(key.columns))
        return nearest.table, nearest.target[nearest.columns.index(column)]


def _bounds(kind: SqlType, said: ColumnPrivacy, checked: ColumnFacts, values: tuple[Value, ...] | None) -> tuple[Bound, Bound]:
    if kind.kind not in BOUNDED:
        return None, None
    if said.bounds is not None:
        low, high = declared_bounds(said.bounds, kind)
        return _exact(low), _exact(high)  # type: ignore[return-value]
    if values:
        return min(values), max(values)  # type: ignore[type-var, return-value]
    if kind.kind in ("date", "timestamp", "timestamptz"):
        with suppress(ValueError):
            first, last = declared_value(checked.low_text or "", kind), declared_value(checked.high_text or "", kind)
            return (_exact(first), _exact(last)) if first <= last else (None, None)  # type: ignore[operator, return-value]
        return None, None
    if checked.low is None or checked.high is None:
        return None, None
    lo, hi = Fraction(checked.low), Fraction(checked.high)
    if kind.kind in (*INTEGERS, "numeric"):
        lo, hi = _on_grid(lo, kind, up=True), _on_grid(hi, kind, up=False)
    return (_whole(lo), _whole(hi)) if lo <= hi else (None, None)


def _on_grid(number: Fraction, kind: SqlType, *, up: bool) -> Fraction:
    """The nearest value of a type with decimals, inside the bound."""
    scaled = number * 10**kind.decimals
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    return Fraction(whole, 10**kind.decimals)


def _step(kind: SqlType, lo: Bound, hi: Bound) -> Fraction | None:
    """The grid of a number: the decimals of its type; for floating point, the power of two that cuts its range into 2^40 steps or fewer.

    A power of two, since dividing by it is exact in floating point: both databases then round to the same steps.
    """
    if kind.kind in INTEGERS:
        return Fraction(1)
    if kind.kind == "numeric":
        return Fraction(1, 10**kind.decimals)
    if kind.kind not in ("real", "double") or lo is None or hi is None:
        return None
    wanted = Fraction(hi - lo) / FLOAT_STEPS or Fraction(1, FLOAT_STEPS)  # type: ignore[operator, arg-type]
    power = wanted.numerator.bit_length() - wanted.denominator.bit_length()
    step = Fraction(2) ** power
    return step if step >= wanted else step * 2


def _exact(value: Declared) -> Value:
    if isinstance(value, Decimal):
        return _whole(Fraction(value))
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        return value.astimezone(datetime.UTC)
    return value


def _whole(number: Fraction) -> int | Fraction:
    return number.numerator if number.denominator == 1 else number
