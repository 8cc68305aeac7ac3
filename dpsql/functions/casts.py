"""Casts that give null where a value cannot be what it is cast to.

A text is read as a number, a date or a truth value only in the plain form that both databases read alike; other forms are null.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from dpsql.functions import ranges
from dpsql.functions.arithmetic import holdable
from dpsql.functions.dates import as_time, starts_of, workable
from dpsql.functions.mixing import is_small
from dpsql.functions.registry import Function, Writer
from dpsql.tree import NUMBERS, Call, Column, Expression, Facts, Kind, Literal

TYPES: dict[str, tuple[str, str]] = {  # the kinds that one may cast to, in both databases
    "integer": ("BIGINT", "bigint"), "decimal": ("DECIMAL(38, 9)", "numeric"), "double": ("DOUBLE", "numeric"),
    "text": ("VARCHAR", "text"), "boolean": ("BOOLEAN", "boolean"), "date": ("DATE", "date"), "timestamp": ("TIMESTAMP", "timestamp"),
    "timestamptz": ("TIMESTAMPTZ", "timestamptz"),
}  # fmt: skip
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
TIME = "[ T][0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,6})?)?"
FORMS = {
    "integer": "[+-]?[0-9]{1,18}", "decimal": "[+-]?[0-9]{1,18}([.][0-9]{0,18})?",
    "double": "[+-]?[0-9]{1,18}([.][0-9]{0,18})?([eE][+-]?[0-9]{1,2})?", "date": DAY, "timestamp": f"{DAY}({TIME})?",
    "timestamptz": f"{DAY}({TIME}([+-][0-9]{{2}}(:[0-9]{{2}})?)?)?",
}  # fmt: skip
TRUE, FALSE = ("t", "true", "y", "yes", "on", "1"), ("f", "false", "n", "no", "off", "0")
WHOLE = 2**63 - 1024  # the largest whole number below 2 ** 63 that a double holds
MOMENTS = ("date", "timestamp", "timestamptz")


def _facts(kind: Kind) -> Callable[[Sequence[Expression]], Facts]:
    def facts(arguments: Sequence[Expression]) -> Facts:
        value = arguments[0].facts
        if value.kind == kind and len(arguments) == 1:
            return value
        if kind in ("integer", "decimal", "double") and value.is_number:
            return _number(kind, value, arguments[1:])
        if kind == "integer" and value.kind == "boolean":
            return ranges.number("integer", value.nullable, (0, 1), Fraction(1))
        if kind in ("integer", "decimal"):
            digits = _digits(arguments[1:])
            return Facts(kind, True, step=Fraction(1) if kind == "integer" else Fraction(1, 10 ** (9 if digits is None else digits)))
        if kind == "text" and value.values is not None and value.kind in ("integer", "text", "boolean", "date"):
            shown = tuple(_shown(v) for v in value.values if v is not None)
            return Facts("text", value.nullable, values=shown, identifies=value.identifies)
        if kind in MOMENTS and value.kind in MOMENTS:
            return _moment(kind, value)
        return Facts(kind, True, values=(False, True) if kind == "boolean" else None, identifies=value.identifies)

    return facts


def _number(kind: Kind, value: Facts, digits: Sequence[Expression]) -> Facts:
    lo: Any = value.lo
    hi: Any = value.hi
    step = value.step
    found = _digits(digits)
    if kind == "integer" or found is not None:
        step = Fraction(1, 10 ** (found or 0))
        lo = None if lo is None else (Fraction(lo) / step).__floor__() * step
        hi = None if hi is None else (Fraction(hi) / step).__ceil__() * step
    elif kind == "decimal" and value.kind == "double":
        step = Fraction(1, 10**9)
    if kind == "double" and value.kind != "double" and (lo is None or hi is None):
        step = None
    fits = kind == "double" or (value.kind == "integer" and kind == "decimal") or (value.kind == "decimal" and is_small(value))
    made = ranges.number(kind, value.nullable or not fits, (lo, hi), step)
    return replace(made, identifies=value.identifies, values=None if value.identifies else made.values)


def _digits(digits: Sequence[Expression]) -> int | None:
    found = digits[0] if digits else None
    return found.value if isinstance(found, Literal) and isinstance(found.value, int) else None


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _moment(kind: Kind, value: Facts) -> Facts:
    """A day is the start of that day as a time, a time is in its day; times without a zone are in UTC."""

    def converted(bound: Any) -> Any:
        if bound is None:
            return None
        if kind == "date":
            return as_time(bound).date()
        if not isinstance(bound, datetime.datetime):
            bound = datetime.datetime(bound.year, bound.month, bound.day)
        if kind == "timestamptz":
            return bound.replace(tzinfo=datetime.UTC) if bound.tzinfo is None else bound
        return bound.astimezone(datetime.UTC).replace(tzinfo=None) if bound.tzinfo is not None else bound

    listed: Sequence[Any] | None = value.values
    if listed is None and kind == "date" and value.kind != "date" and value.bounded:
        listed = starts_of("day", as_time(value.lo), as_time(value.hi))  # as by DATE_TRUNC
    values = None if listed is None else tuple(dict.fromkeys(converted(v) for v in listed if v is not None))
    return Facts(kind, ranges.uncertain(value), converted(value.lo), converted(value.hi), values=values)


def _in_duckdb(kind: str) -> Writer:
    def write(value: str, *digits: str, call: Call) -> str:
        source = call.arguments[0].facts.kind
        target = TYPES[kind][0] if not digits else f"DECIMAL(38, {digits[0]})"
        if source == kind and not digits:
            return value
        if source == "text" and kind == "boolean":
            return _truth(value)
        if source == "text" and kind in FORMS:
            return f"(CASE WHEN regexp_full_match({value}, '{FORMS[kind]}') THEN TRY_CAST({value} AS {target}) END)"
        if kind == "double" and source in ("integer", "decimal"):
            return f"CAST({value} AS DOUBLE)"
        if source in MOMENTS and kind in MOMENTS:
            return f"CAST({workable(value, source)} AS {target})"
        return f"TRY_CAST({value} AS {target})"

    return write


def _in_postgres(kind: str) -> Writer:
    def write(value: str, *digits: str, call: Call) -> str:
        source = call.arguments[0].facts.kind
        target = TYPES[kind][1] if not digits else f"numeric(1000, {digits[0]})"
        if source == kind and not digits:
            return value if kind != "double" else f"CAST({value} AS numeric)"
        if source == "text" and kind == "boolean":
            return _truth(value)
        if source == "text" and kind in FORMS:
            # a bare constant would be read as the target's type before any row is looked at
            value = value if isinstance(call.arguments[0], Column) else f"CAST({value} AS text)"
            form = f"{value} ~ '^({FORMS[kind]})$'"
            valid = "" if kind in ("integer", "decimal", "double") else f" AND pg_input_is_valid({value}, '{target}')"
            return f"(CASE WHEN {form}{valid} THEN CAST({value} AS {target}) END)"
        if kind == "integer" and source == "double":
            # by way of a double, which is rounded to the even one of two whole numbers as in DuckDB
            whole = f"CAST(CAST({holdable(value)} AS double precision) AS bigint)"
            return f"(CASE WHEN {value} BETWEEN -{WHOLE} AND {WHOLE} THEN {whole} END)"
        if kind == "integer" and source == "decimal":
            return f"(CASE WHEN {value} BETWEEN -{WHOLE} AND {WHOLE} THEN CAST({value} AS bigint) END)"
        if kind == "decimal" and source == "double":
            return f"(CASE WHEN {value} BETWEEN -1e28 AND 1e28 THEN CAST({value} AS {target if digits else 'numeric(1000, 9)'}) END)"
        if kind == "integer" and source == "boolean":
            return f"CAST(CAST({value} AS integer) AS bigint)"
        if kind == "boolean" and source in NUMBERS:  # PostgreSQL casts integers alone
            return f"({value} <> 0)"
        if source in MOMENTS and kind in MOMENTS:
            return f"CAST({workable(value, source)} AS {target})"
        return f"CAST({value} AS {target})"

    return write


def _truth(value: str) -> str:
    listed = [", ".join(f"'{word}'" for word in words) for words in (TRUE, FALSE)]
    return f"(CASE WHEN LOWER({value}) IN ({listed[0]}) THEN TRUE WHEN LOWER({value}) IN ({listed[1]}) THEN FALSE END)"


FUNCTIONS = tuple(Function(f"cast_{kind}", _facts(kind), _in_duckdb(kind), _in_postgres(kind)) for kind in TYPES)  # type: ignore[arg-type]
