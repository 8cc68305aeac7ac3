"""Dates and times. Whatever lies outside of the years 1 to 9999 is null: beyond, the databases differ, and some functions fail."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Any

from dpsql.functions import ranges
from dpsql.functions.date_formats import finest, shown, to_char
from dpsql.functions.lengths import closed_texts
from dpsql.functions.registry import Function, Writer
from dpsql.tree import Call, Expression, Facts, Literal

EARLIEST, LATEST = "0001-01-01", "9999-12-31"
FIELDS = {
    "year": (1, 9999), "quarter": (1, 4), "month": (1, 12), "week": (1, 53), "day": (1, 31), "dow": (0, 6), "isodow": (1, 7),
    "doy": (1, 366), "hour": (0, 23), "minute": (0, 59), "decade": (0, 999), "century": (1, 100), "isoyear": (0, 9999),
    "epoch": (None, None),
}  # fmt: skip
UNITS = ("year", "quarter", "month", "week", "day", "hour", "minute", "second")
UNIX = datetime.datetime(1970, 1, 1)


def workable(written: str, kind: str) -> str:
    """A moment between the years 1 and 9999, else null, infinities among them."""
    if kind == "date":
        return f"(CASE WHEN {written} BETWEEN DATE '{EARLIEST}' AND DATE '{LATEST}' THEN {written} END)"
    name, zone = kind.upper(), "+00" if kind == "timestamptz" else ""
    return (
        f"(CASE WHEN {written} BETWEEN {name} '{EARLIEST} 00:00:00{zone}' AND {name} '{LATEST} 23:59:59.999999{zone}' THEN {written} END)"
    )


def word_of(argument: Expression) -> str:
    """The word that an argument is: a unit, a field or a format."""
    assert isinstance(argument, Literal)
    assert isinstance(argument.value, str)
    return argument.value


def number_of(argument: Expression) -> int:
    """The whole number that an argument is."""
    assert isinstance(argument, Literal)
    assert isinstance(argument.value, int)
    return argument.value


def _workable(written: str, call: Call, position: int) -> str:
    argument = call.arguments[position]
    return written if isinstance(argument, Literal) else workable(written, argument.facts.kind)


def _field(arguments: Sequence[Expression]) -> Facts:
    name = word_of(arguments[0])
    lo, hi = FIELDS[name]
    moment = arguments[1].facts
    if moment.bounded:
        first, last = as_time(moment.lo), as_time(moment.hi)
        if name == "year":
            lo, hi = first.year, last.year
        elif name == "decade":
            lo, hi = first.year // 10, last.year // 10
        elif name == "century":
            lo, hi = (first.year + 99) // 100, (last.year + 99) // 100
        elif name == "isoyear":
            lo, hi = first.isocalendar().year, last.isocalendar().year
        elif name in ("month", "quarter") and first.year == last.year:
            lo, hi = (first.month, last.month) if name == "month" else ((first.month + 2) // 3, (last.month + 2) // 3)
    return ranges.number("integer", ranges.uncertain(moment), (lo, hi), Fraction(1))


def as_time(value: Any) -> datetime.datetime:
    """A bound as a time in UTC without a zone."""
    if not isinstance(value, datetime.datetime):
        return datetime.datetime(value.year, value.month, value.day)
    return value.astimezone(datetime.UTC).replace(tzinfo=None) if value.tzinfo is not None else value


def _as_kind(value: datetime.datetime, kind: str) -> datetime.datetime:
    return value.replace(tzinfo=datetime.UTC) if kind == "timestamptz" else value


def _truncated(arguments: Sequence[Expression]) -> Facts:
    unit, moment = word_of(arguments[0]), arguments[1].facts
    kind = "timestamptz" if moment.kind == "timestamptz" else "timestamp"
    found = Facts(kind, True)  # type: ignore[arg-type]
    if not moment.bounded:
        return found
    starts = starts_of(unit, as_time(moment.lo), as_time(moment.hi))
    values = None if starts is None else tuple(_as_kind(s, kind) for s in starts)
    lo, hi = (_as_kind(truncate(unit, as_time(bound)), kind) for bound in (moment.lo, moment.hi))
    return replace(found, nullable=moment.nullable, lo=lo, hi=hi, values=values)


def starts_of(unit: str, first: datetime.datetime, last: datetime.datetime) -> list[datetime.datetime] | None:
    """The starts of all units from `first` to `last`, or None where these are too many."""
    found: list[datetime.datetime] = []
    at = truncate(unit, first)
    while at <= last:
        found.append(at)
        if len(found) > ranges.CLOSED:
            return None
        try:
            at = following(unit, at)
        except (OverflowError, ValueError):
            break
    return found


def truncate(unit: str, moment: datetime.datetime) -> datetime.datetime:
    """The start of the unit that `moment` is in, weeks from Monday on."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    match unit:
        case "year":
            return day.replace(month=1, day=1)
        case "quarter":
            return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
        case "month":
            return day.replace(day=1)
        case "week":
            return day - datetime.timedelta(days=min(day.weekday(), (day - datetime.datetime.min).days))
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
            made: datetime.datetime = plus_months(start, 3 if unit == "quarter" else 1)
            return made
        case "week":
            return start + datetime.timedelta(days=7)
        case _:
            return start + datetime.timedelta(**{f"{unit}s": 1})


def plus_months(moment: Any, months: int) -> Any:
    """A date or time some months later, on the last day of the month where that has not so many days."""
    count = moment.year * 12 + moment.month - 1 + months
    year, month = count // 12, count % 12 + 1
    last = (datetime.date(year + month // 12, month % 12 + 1, 1) - datetime.timedelta(days=1)).day if year < 9999 or month < 12 else 31
    return moment.replace(year=year, month=month, day=min(moment.day, last))


def _extract(unit: str, moment: str, call: Call) -> str:
    name, value = word_of(call.arguments[0]), _workable(moment, call, 1)
    if name in ("hour", "minute") and call.arguments[1].facts.kind == "date":
        value = f"CAST({value} AS TIMESTAMP)"  # a date has no hours in PostgreSQL
    return f"CAST(EXTRACT({name} FROM {value}) AS INTEGER)"


def _trunc(moment_first: bool) -> Writer:
    def write(unit: str, moment: str, call: Call) -> str:
        kind = call.facts.kind.upper()
        value = _workable(moment, call, 1)
        return f"CAST(DATE_TRUNC({unit}, {value}) AS {kind})" if moment_first else f"DATE_TRUNC({unit}, CAST({value} AS {kind}))"

    return write


def _binned(arguments: Sequence[Expression]) -> Facts:
    """The stretches of so many seconds, counted from a constant origin, from the one of the first moment to that of the last."""
    width, moment = datetime.timedelta(seconds=number_of(arguments[0])), arguments[1].facts
    origin = as_time(arguments[2].facts.lo)
    if not moment.bounded:
        return Facts("timestamp")
    first, last = ((as_time(bound) - origin) // width for bound in (moment.lo, moment.hi))
    try:
        lo, hi = origin + first * width, origin + last * width
    except OverflowError:
        return Facts("timestamp", moment.nullable)
    values = tuple(lo + n * width for n in range(last - first + 1)) if last - first < ranges.CLOSED else None
    return Facts("timestamp", moment.nullable, lo, hi, values=values)


def _bin(name: str) -> Writer:
    def write(width: str, moment: str, origin: str, call: Call) -> str:
        return f"{name}(INTERVAL '{number_of(call.arguments[0])} seconds', {_workable(moment, call, 1)}, {origin})"

    return write


def _days_between(arguments: Sequence[Expression]) -> Facts:
    a, b = (x.facts for x in arguments)
    lo = (as_time(a.lo) - as_time(b.hi)).days if a.lo is not None and b.hi is not None else None
    hi = (as_time(a.hi) - as_time(b.lo)).days if a.hi is not None and b.lo is not None else None
    return ranges.number("integer", ranges.uncertain(a) or ranges.uncertain(b), (lo, hi), Fraction(1))


def _minus_days(a: str, b: str, call: Call) -> str:
    return f"({_workable(a, call, 0)} - {_workable(b, call, 1)})"


def _seconds(bound: Any) -> Fraction:
    return Fraction((as_time(bound) - UNIX) // datetime.timedelta(microseconds=1), 1_000_000)


def _epoch(arguments: Sequence[Expression]) -> Facts:
    a = arguments[0].facts
    bounds = tuple(None if bound is None else _seconds(bound) for bound in (a.lo, a.hi))
    return ranges.number("double", ranges.uncertain(a), bounds, None)  # type: ignore[arg-type]


def _seconds_between(arguments: Sequence[Expression]) -> Facts:
    a, b = (x.facts for x in arguments)
    lo = None if a.lo is None or b.hi is None else _seconds(a.lo) - _seconds(b.hi)
    hi = None if a.hi is None or b.lo is None else _seconds(a.hi) - _seconds(b.lo)
    return ranges.number("double", ranges.uncertain(a) or ranges.uncertain(b), (lo, hi), None)


def _since(position: int, kind: str) -> Callable[..., str]:
    def write(written: Sequence[str], call: Call) -> str:
        return f"CAST(EXTRACT(EPOCH FROM {_workable(written[position], call, position)}) AS {kind})"

    return write


def _epoch_in(kind: str) -> Writer:
    return lambda *a, call: _since(0, kind)(a, call)


def _between_in(kind: str) -> Writer:
    return lambda *a, call: f"({_since(0, kind)(a, call)} - {_since(1, kind)(a, call)})"


def _moved(arguments: Sequence[Expression]) -> Facts:
    """A date moved by a constant number of days, or a time by seconds."""
    moment, by = arguments[0].facts, number_of(arguments[1])
    delta = datetime.timedelta(days=by) if moment.kind == "date" else datetime.timedelta(seconds=by)
    return _shifted(moment, lambda bound: bound + delta)


def _moved_months(arguments: Sequence[Expression]) -> Facts:
    return _shifted(arguments[0].facts, lambda bound: plus_months(bound, number_of(arguments[1])))


def _shifted(moment: Facts, shift: Callable[[Any], Any]) -> Facts:
    try:
        lo, hi = (None if bound is None else shift(bound) for bound in (moment.lo, moment.hi))
        values = None if moment.values is None else tuple(dict.fromkeys(shift(v) for v in moment.values if v is not None))
    except (OverflowError, ValueError):
        return Facts(moment.kind)
    return Facts(moment.kind, ranges.uncertain(moment), lo, hi, values=values)


def _move(moment: str, by: str, call: Call) -> str:
    unit = "day" if call.facts.kind == "date" else "second"
    made = f"({_workable(moment, call, 0)} + {by} * INTERVAL '1 {unit}')"
    return f"CAST({made} AS DATE)" if call.facts.kind == "date" else made


def _move_months(moment: str, by: str, call: Call) -> str:
    return f"({_workable(moment, call, 0)} + {by} * INTERVAL '1 month')"


def _written(arguments: Sequence[Expression]) -> Facts:
    moment, text = arguments[0].facts, word_of(arguments[1])
    starts = starts_of(finest(text), as_time(moment.lo), as_time(moment.hi)) if moment.bounded else None
    return Facts("text", ranges.uncertain(moment), values=None if starts is None else closed_texts(shown(s, text) for s in starts))


def _strftime(moment: str, text: str, call: Call) -> str:
    return f"STRFTIME({_workable(moment, call, 0)}, '{word_of(call.arguments[1])}')"


def _to_char(moment: str, text: str, call: Call) -> str:
    return f"TO_CHAR({_workable(moment, call, 0)}, '{to_char(word_of(call.arguments[1]))}')"


def _far(call: Call) -> bool:
    """What is moved may leave the calendar of the database."""
    return True


FUNCTIONS = (
    Function("extract", _field, _extract, _extract),
    Function("date_trunc", _truncated, _trunc(True), _trunc(False)),
    Function("date_bin", _binned, _bin("TIME_BUCKET"), _bin("DATE_BIN")),
    Function("days_between", _days_between, _minus_days, _minus_days),
    Function("epoch", _epoch, _epoch_in("DOUBLE"), _epoch_in("NUMERIC")),
    Function("seconds_between", _seconds_between, _between_in("DOUBLE"), _between_in("NUMERIC")),
    Function("move", _moved, _move, _move, risky=_far),
    Function("move_months", _moved_months, _move_months, _move_months, risky=_far),
    Function("format_date", _written, _strftime, _to_char),
)
