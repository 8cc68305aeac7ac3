"""Dates and times."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from dpsql.functions import ranges
from dpsql.functions.registry import Function
from dpsql.tree import Call, Expression, Facts, Literal

# the days that both databases can work with
EARLIEST, LATEST = "0001-01-01", "9999-12-31"
FIELDS = {
    "year": (1, 9999), "quarter": (1, 4), "month": (1, 12), "week": (1, 53), "day": (1, 31), "dow": (0, 6), "isodow": (1, 7),
    "doy": (1, 366), "hour": (0, 23), "minute": (0, 59),
}  # fmt: skip
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")


def _field(arguments: Sequence[Expression]) -> Facts:
    name = constant(arguments[0])
    lo, hi = FIELDS[name]
    moment = arguments[1].facts
    if name == "year" and moment.bounded:
        lo, hi = moment.lo.year, moment.hi.year  # type: ignore[union-attr]
    return ranges.number("integer", moment.nullable, (lo, hi), Fraction(1))


def _truncated(arguments: Sequence[Expression]) -> Facts:
    unit, moment = constant(arguments[0]), arguments[1].facts
    kind = "timestamptz" if moment.kind == "timestamptz" else "timestamp"
    found = Facts(kind, moment.nullable)
    if not moment.bounded:
        return found
    lo, hi = truncate(unit, _moment(moment.lo, kind)), truncate(unit, _moment(moment.hi, kind))
    values: list[datetime.datetime] = []
    at = lo
    while at <= hi and len(values) <= ranges.CLOSED:
        values.append(at)
        at = following(unit, at)
    return replace(found, lo=lo, hi=hi, values=tuple(values) if len(values) <= ranges.CLOSED else None)


def constant(argument: Expression) -> str:
    """The word that a first argument is: a unit or a field."""
    assert isinstance(argument, Literal)
    assert isinstance(argument.value, str)
    return argument.value


def _moment(value: object, kind: str) -> datetime.datetime:
    if not isinstance(value, datetime.datetime):
        assert isinstance(value, datetime.date)
        value = datetime.datetime(value.year, value.month, value.day)
    if kind == "timestamptz" and value.tzinfo is None:
        return value.replace(tzinfo=datetime.UTC)
    return value


def truncate(unit: str, moment: datetime.datetime) -> datetime.datetime:
    """The start of the unit that `moment` is in, weeks from Monday on, in UTC."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "year":
            return day.replace(month=1, day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "month":
            return day.replace(day=1)
        case "week":
            return day - datetime.timedelta(days=day.weekday())
        case "day":
            return day
        case "hour":
            return moment.replace(minute=0, second=0, microsecond=0)
        case "minute":
            return moment.replace(second=0, microsecond=0)
        case _:
            return moment.replace(microsecond=0)


def following(unit: str, start: datetime.datetime) -> datetime.datetime:
    """The start of the next unit."""
    match unit:
        case "year":
            return start.replace(year=start.year + 1)
        case "quarter" | "month":
            months = start.month - 1 + (3 if unit == "quarter" else 1)
            return start.replace(year=start.year + months // 12, month=months % 12 + 1)
        case "week":
            return start + datetime.timedelta(days=7)
        case _:
            return start + datetime.timedelta(**{f"{unit}s": 1})


def _workable(written: str, call: Call, position: int) -> str:
    """A moment that both databases can work with, else null."""
    kind = call.arguments[position].facts.kind.upper()
    edge = "+00" if kind == "TIMESTAMPTZ" else ""
    time = "" if kind == "DATE" else " 00:00:00"
    return f"(CASE WHEN {written} BETWEEN {kind} '{EARLIEST}{time}{edge}' AND {kind} '{LATEST}{time}{edge}' THEN {written} END)"


def _extract(unit: str, moment: str, call: Call) -> str:
    return f"CAST(EXTRACT({constant(call.arguments[0])} FROM {_workable(moment, call, 1)}) AS INTEGER)"


def _trunc_in_duckdb(unit: str, moment: str, call: Call) -> str:
    kind = "TIMESTAMPTZ" if call.facts.kind == "timestamptz" else "TIMESTAMP"
    return f"CAST(DATE_TRUNC({unit}, {_workable(moment, call, 1)}) AS {kind})"


def _trunc_in_postgres(unit: str, moment: str, call: Call) -> str:
    kind = "TIMESTAMPTZ" if call.facts.kind == "timestamptz" else "TIMESTAMP"
    return f"DATE_TRUNC({unit}, CAST({_workable(moment, call, 1)} AS {kind}))"


def _days_between(arguments: Sequence[Expression]) -> Facts:
    a, b = (x.facts for x in arguments)
    lo = (a.lo - b.hi).days if a.lo is not None and b.hi is not None else None  # type: ignore[operator]
    hi = (a.hi - b.lo).days if a.hi is not None and b.lo is not None else None  # type: ignore[operator]
    return ranges.number("integer", ranges.nullable(arguments), (lo, hi), Fraction(1))


def _minus_days(a: str, b: str, call: Call) -> str:
    return f"({_workable(a, call, 0)} - {_workable(b, call, 1)})"


def _moved(arguments: Sequence[Expression]) -> Facts:
    """A date moved by a constant number of days, or a moment by seconds."""
    moment = arguments[0].facts
    by = arguments[1]
    assert isinstance(by, Literal)
    assert isinstance(by.value, int)
    delta = datetime.timedelta(days=by.value) if moment.kind == "date" else datetime.timedelta(seconds=by.value)
    try:
        lo = None if moment.lo is None else moment.lo + delta  # type: ignore[operator]
        hi = None if moment.hi is None else moment.hi + delta  # type: ignore[operator]
    except OverflowError:
        lo = hi = None
    return Facts(moment.kind, True, lo, hi)


def _move(moment: str, by: str, call: Call) -> str:
    unit = "day" if call.facts.kind == "date" else "second"
    made = f"({_workable(moment, call, 0)} + {by} * INTERVAL '1 {unit}')"
    return f"CAST({made} AS DATE)" if call.facts.kind == "date" else made


FUNCTIONS = (
    Function("extract", _field, _extract, _extract, risky=True),
    Function("date_trunc", _truncated, _trunc_in_duckdb, _trunc_in_postgres, risky=True),
    Function("days_between", _days_between, _minus_days, _minus_days, risky=True),
    Function("move", _moved, _move, _move, risky=True),
)
