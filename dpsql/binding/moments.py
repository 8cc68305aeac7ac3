"""Binding functions of dates and times."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlglot import expressions as exp

from dpsql.binding.constants import MOMENTS, NULL, as_kind, as_number, case, constant, folded_sign, hold_repeated, matched, moment, word
from dpsql.binding.made_moments import made_moment
from dpsql.binding.mending import Mendable
from dpsql.binding.understood import excerpt
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions import call
from dpsql.functions.date_formats import NAMES, NOT_WRITTEN, format_parts
from dpsql.functions.dates import FIELDS, UNITS, plus_months
from dpsql.tree import Expression, Literal

if TYPE_CHECKING:
    from dpsql.binding.expressions import Expressions

FIELD_OF: dict[type[exp.Expr], str] = {
    exp.Year: "year", exp.Quarter: "quarter", exp.Month: "month", exp.Week: "week", exp.WeekOfYear: "week", exp.Day: "day",
    exp.DayOfMonth: "day", exp.DayOfWeek: "dow", exp.DayOfWeekIso: "isodow", exp.DayOfYear: "doy", exp.Hour: "hour", exp.Minute: "minute",
}  # fmt: skip
OTHER_NAMES = {
    "dayofweek": "dow", "dayofyear": "doy", "weekday": "dow", "dayofmonth": "day", "weekofyear": "week", "years": "year", "months": "month",
    "days": "day", "hours": "hour", "minutes": "minute", "day_of_week": "dow", "day_of_year": "doy",
}  # fmt: skip
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
MONTHS = {"month": 1, "mon": 1, "quarter": 3, "year": 12, "decade": 120}
SHORT = {"sec": "second", "min": "minute", "hr": "hour", "h": "hour", "d": "day", "w": "week", "y": "year", "yr": "year", "s": "second"}
MONTH_NAMES = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip
DAY_NAMES = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
MOST_MONTHS = 48_000
REPEATED_BY_AGE = 20  # times, at most
AGES = "AGE is understood in EXTRACT(YEAR FROM AGE(a, b)); subtract dates from each other for days"
BUCKETS = {1: "month", 3: "quarter", 12: "year"}  # the months of a width that TIME_BUCKET counts as DATE_TRUNC does
FIRST_MONDAY = "2000-01-03"  # from which DuckDB counts
TOO_LONG = "an interval can have 4,000 years at most"
LONGEST = 4_000 * 366 * 86400  # seconds: from the year 1 so far back both databases can go


def bound(binder: Expressions, node: exp.Expr) -> Expression | None:
    """Return a function of dates and times bound, or None where `node` is none."""
    if type(node) in FIELD_OF:
        inner = node.this.this if isinstance(node.this, exp.TsOrDsToDate | exp.TsOrDsToTimestamp) else node.this
        return _field(FIELD_OF[type(node)], _moment(binder, inner))
    match node:
        case exp.Extract():
            return _extracted(binder, node.this.name, node.expression)
        case exp.Monthname() | exp.Dayname():
            names, field, first = (MONTH_NAMES, "month", 1) if isinstance(node, exp.Monthname) else (DAY_NAMES, "dow", 0)
            return _named(_field(field, _moment(binder, node.this)), names, first)
        case exp.Date() if isinstance(node.this, exp.Expr):
            return _day(_moment(binder, node.this))
        case exp.LastDay():
            month = call("date_trunc", word("month"), _moment(binder, node.this))
            return call("cast_date", _by("move", _by("move_months", month, 1), -SECONDS["day"]))
        case exp.AtTimeZone():
            return _in_zone(binder, node)
        case exp.TimeToUnix():
            return _extracted(binder, "epoch", node.this)
        case exp.Anonymous() if str(node.this).lower() in ("date_part", "datepart") and len(node.expressions) == 2:
            field = node.expressions[0]
            return _extracted(binder, field.name, node.expressions[1]) if isinstance(field, exp.Literal) else None
        case exp.TimestampTrunc() | exp.DateTrunc():
            unit = str(getattr(node.args["unit"], "name", node.args["unit"])).lower()
            if unit not in UNITS:
                raise QueryRefused(f"DATE_TRUNC to '{unit[:40]}' is not understood; units are {', '.join(UNITS)}")
            return call("date_trunc", word(unit), _moment(binder, node.this))
        case exp.DateBin():
            return _binned(binder, node)
        case exp.TimeToStr() | exp.ToChar():
            return _formatted(binder, node)
        case exp.DateDiff():
            return _difference(binder, node)
        case exp.DateAdd() if isinstance(node.expression, exp.Interval):
            return _moved(binder, exp.Add(this=node.this.copy(), expression=node.expression.copy()))
        case exp.Add() | exp.Sub():
            return _moved(binder, node)
    return made_moment(binder, node)


def _moment(binder: Expressions, node: exp.Expr) -> Expression:
    found = binder.bind(node)
    if isinstance(found, Literal) and isinstance(found.value, str):
        return moment(found.value, "timestamp")
    if found.facts.kind not in MOMENTS:
        raise QueryInvalid(f"a date or time is needed, not a value of type {found.facts.kind}: {excerpt(node)}")
    return found


def _extracted(binder: Expressions, name: str, node: exp.Expr) -> Expression:
    name = OTHER_NAMES.get(name.lower(), name.lower())
    inner = node.unnest() if isinstance(node, exp.Paren) else node
    if isinstance(inner, exp.Anonymous) and str(inner.this).lower() == "age":
        return _age(binder, name, inner)
    if name in ("epoch", "day") and isinstance(inner, exp.Sub) and _is_moment(binder, inner.expression):
        a, b = _moment(binder, inner.this), _moment(binder, inner.expression)
        seconds = call("seconds_between", a, b)
        if name == "epoch":
            return seconds
        if not a.facts.kind == b.facts.kind == "date":  # whose difference is a number and no interval
            return call("cast_integer", call("trunc", call("divide", seconds, constant(SECONDS["day"]))))
    return _field(name, _moment(binder, node))


def _is_moment(binder: Expressions, node: exp.Expr) -> bool:
    """Whether what is subtracted is a moment, and not a number of days or an interval, by which another moment is found."""
    if isinstance(_multiplied(node)[1], exp.Interval):
        return False
    found = binder.bind(node)
    return found.facts.kind in MOMENTS or (isinstance(found, Literal) and isinstance(found.value, str))


def _field(name: str, value: Expression) -> Expression:
    if name not in FIELDS:
        raise QueryRefused(f"the field '{name[:40]}' is not understood; fields are {', '.join(FIELDS)}")
    return call("epoch", value) if name == "epoch" else call("extract", word(name), value)


def _named(number: Expression, names: Sequence[str], first: int) -> Expression:
    """The name of a month or day by its number."""
    hold_repeated(len(names), number)
    named = [(call("=", number, constant(n)), word(name)) for n, name in enumerate(names, first)]
    return case(named, NULL) if number.facts.nullable else case(named[:-1], named[-1][1])


def _in_zone(binder: Expressions, node: exp.AtTimeZone) -> Expression:
    """AT TIME ZONE 'UTC': a time with a zone loses it, one without is one of UTC."""
    zone = binder.bind(node.args["zone"])
    if not isinstance(zone, Literal) or str(zone.value).upper() not in ("UTC", "ETC/UTC", "GMT"):
        raise QueryRefused("AT TIME ZONE is understood with 'UTC', in which times are read")
    value = _moment(binder, node.this)
    return call("cast_timestamp" if value.facts.kind == "timestamptz" else "cast_timestamptz", value)


def _age(binder: Expressions, name: str, node: exp.Anonymous) -> Expression:
    """The whole years between two moments, which EXTRACT(YEAR FROM AGE(a, b)) counts down from zero where the first is the earlier one."""
    if name != "year" or len(node.expressions) != 2:
        raise QueryRefused(AGES)
    a, b = (_moment(binder, one) for one in node.expressions)
    if {a.facts.kind, b.facts.kind} - {"date", "timestamp"}:
        raise QueryRefused("AGE is understood of dates and times without a zone")
    hold_repeated(REPEATED_BY_AGE, a, b)

    def full(later: Expression, earlier: Expression) -> Expression:
        begun = call("subtract", _field("year", later), _field("year", earlier))
        return call("subtract", begun, case([(call("<", _in_year(later), _in_year(earlier)), constant(1))], constant(0)))

    return case([(call("<", *matched(a, b)), call("negate", full(b, a)))], full(a, b))


def _in_year(value: Expression) -> Expression:
    """A number by which moments of any years are in the order of their months, days and hours."""
    days = call("add", call("multiply", _field("month", value), constant(31)), _field("day", value))
    if value.facts.kind == "date":
        return call("multiply", days, constant(SECONDS["day"]))
    of_day = call("seconds_between", value, call("date_trunc", word("day"), value))
    return call("add", call("multiply", days, constant(SECONDS["day"])), of_day)


def compared_with_interval(binder: Expressions, node: exp.Expr) -> tuple[Expression, Expression] | None:
    """Return both sides of a comparison of two times subtracted with an interval, in seconds; None where it is another comparison."""
    sides = [side.unnest() if isinstance(side, exp.Paren) else side for side in (node.this, node.expression)]
    if {type(side) for side in sides} != {exp.Sub, exp.Interval}:
        return None
    found: list[Expression] = []
    for side in sides:
        if isinstance(side, exp.Interval):
            months, seconds = _interval(side)
            if months:
                raise QueryRefused("the time between two moments is compared with days or shorter units; months differ in length")
            found.append(constant(seconds))
        else:
            a, b = _moment(binder, side.this), _moment(binder, side.expression)
            if a.facts.kind == b.facts.kind == "date":
                raise QueryInvalid("two dates subtracted are a number of days; compare it with a number")
            found.append(call("seconds_between", a, b))
    return found[0], found[1]


def _formatted(binder: Expressions, node: exp.TimeToStr | exp.ToChar) -> Expression:
    value = binder.bind(node.this)
    if value.facts.kind not in MOMENTS:
        raise QueryRefused("TO_CHAR and STRFTIME are understood of dates and times; cast numbers to text")
    written = binder.bind(node.args["format"])
    text = written.value if isinstance(written, Literal) and isinstance(written.value, str) else None
    if text in NAMES and binder.dialect == "postgres":
        letter, width = NAMES[text]
        names, field, first = (DAY_NAMES, "dow", 0) if letter in ("%A", "%a") else (MONTH_NAMES, "month", 1)
        return _named(_field(field, value), [name.ljust(width) if letter.isupper() else name[:3] for name in names], first)
    if text is None or format_parts(text) is None:
        raise QueryRefused(NOT_WRITTEN)
    return call("format_date", value, word(text))


def _binned(binder: Expressions, node: exp.DateBin) -> Expression:
    """DATE_BIN of PostgreSQL and TIME_BUCKET of DuckDB: the start of the stretch of time that a moment is in, all of one width."""
    of_duckdb = binder.dialect == "duckdb"
    width = exp.Interval(this=node.this) if node.this.is_string and not of_duckdb else node.this
    months, seconds = _interval(width) if isinstance(width, exp.Interval) else (0, 0)
    value, origin = _moment(binder, node.expression), node.args.get("unit")
    kind = value.facts.kind
    if of_duckdb and origin is None and not seconds and months in BUCKETS:
        return as_kind(call("date_trunc", word(BUCKETS[months]), value), kind)
    if months or seconds <= 0:
        raise QueryRefused("DATE_BIN and TIME_BUCKET are understood with a constant width above zero, of weeks, days and shorter units")
    start = moment(FIRST_MONDAY, kind) if of_duckdb and origin is None else None if isinstance(origin, exp.Var) else binder.bind(origin)
    if not isinstance(start, Literal) or start.facts.kind != kind or (kind == "date" and not of_duckdb):
        raise QueryRefused(
            "DATE_BIN and TIME_BUCKET are understood of a time and a constant origin of the same type, which is written like "
            "TIMESTAMP '2000-01-01'"
        )
    return as_kind(call("date_bin", constant(seconds), as_kind(value, "timestamp"), as_kind(start, "timestamp")), kind)


def _difference(binder: Expressions, node: exp.DateDiff) -> Expression:
    """DATE_DIFF of DuckDB, which counts the boundaries between two moments."""
    if binder.dialect != "duckdb":
        raise QueryRefused("'date_diff' is not a function of PostgreSQL; subtract dates from each other")
    unit = str(getattr(node.args["unit"], "name", "")).lower()
    later, earlier = _moment(binder, node.this), _moment(binder, node.expression)
    hold_repeated(2, later, earlier)
    if unit == "day":
        return call("days_between", _day(later), _day(earlier))
    if unit in ("year", "month", "quarter"):
        each = {"year": 1, "quarter": 4, "month": 12}[unit]
        years = call("subtract", _field("year", later), _field("year", earlier))
        if unit == "year":
            return years
        return call("add", call("multiply", years, constant(each)), call("subtract", _field(unit, later), _field(unit, earlier)))
    if unit in ("hour", "minute", "second"):
        whole = [call("floor", call("divide", _field("epoch", one), constant(SECONDS[unit]))) for one in (later, earlier)]
        return call("cast_integer", call("subtract", *whole))
    raise QueryRefused(f"DATE_DIFF by '{unit[:20]}' is not understood; by second, minute, hour, day, month, quarter and year it is")


def _day(value: Expression) -> Expression:
    return value if value.facts.kind == "date" else call("cast_date", value)


def _moved(binder: Expressions, node: exp.Add | exp.Sub) -> Expression | None:
    """A date or time plus or minus an interval."""
    sign = 1 if isinstance(node, exp.Add) else -1
    left, right = node.this, node.expression
    if isinstance(left, exp.Interval) and sign == 1:
        left, right = right, left
    times, right = _multiplied(right)
    if not isinstance(right, exp.Interval):
        return None
    value = _moment(binder, left)
    months, seconds = (sign * times * part for part in _interval(right))
    if abs(seconds) > LONGEST or abs(months) > MOST_MONTHS:
        raise QueryRefused(TOO_LONG)
    value = as_kind(value, "timestamp") if value.facts.kind == "date" else value
    if months:
        value = _by("move_months", value, months)
    return _by("move", value, seconds) if seconds else value


def _multiplied(node: exp.Expr) -> tuple[int, exp.Expr]:
    """How often an interval is taken, and the interval: 3 * INTERVAL '1 day'."""
    inner = node.unnest() if isinstance(node, exp.Paren) else node
    if isinstance(inner, exp.Mul):
        for number, other in ((inner.this, inner.expression), (inner.expression, inner.this)):
            if isinstance(number, exp.Literal) and number.is_int and len(number.name) < 9 and isinstance(other, exp.Interval):
                return int(number.name), other
    return 1, inner


def _by(name: str, value: Expression, count: int) -> Expression:
    """A date or time moved by months, or by days and seconds; a constant stays one."""
    if isinstance(value, Literal):
        found: Any = value.value
        days = value.facts.kind == "date"
        try:
            moved = plus_months(found, count) if name == "move_months" else found + timedelta(**{"days" if days else "seconds": count})
        except (OverflowError, ValueError):
            raise QueryInvalid("a date of the query is moved out of the years 1 to 9999") from None
        return constant(moved)
    return call(name, value, constant(count))


def combined(node: exp.Expr, a: Expression, b: Expression) -> Expression | None:
    """Return a date plus or minus days, or a date minus a date, where `a` and `b` are; None for numbers."""
    sign = 1 if isinstance(node, exp.Add) else -1
    if not isinstance(node, exp.Add | exp.Sub) or not {a.facts.kind, b.facts.kind} & set(MOMENTS):
        return None
    if sign == 1 and b.facts.kind == "date":
        a, b = b, a
    b = folded_sign(as_number(b))
    if isinstance(a, Literal) and isinstance(a.value, str) and sign == -1:
        a = moment(a.value, b.facts.kind)
    if isinstance(b, Literal) and isinstance(b.value, str):
        b = moment(b.value, a.facts.kind)
    if b.facts.kind in MOMENTS and sign == -1:
        if a.facts.kind == b.facts.kind == "date":
            return call("days_between", a, b)
        raise Mendable(
            "two times subtracted are an interval: compare it with one, subtract dates, or use EXTRACT(EPOCH FROM a - b)",
            node,
            lambda place: place.replace(exp.Extract(this=exp.var("EPOCH"), expression=exp.paren(place.copy()))),
        )
    if a.facts.kind == "date" and isinstance(b, Literal) and isinstance(b.value, int) and not isinstance(b.value, bool):
        if abs(b.value) * 86400 > LONGEST:
            raise QueryRefused("a date can be moved by 4,000 years at most")
        return _by("move", a, sign * b.value)
    if a.facts.kind == "date" and b.facts.kind == "integer":
        raise QueryRefused("a date can be moved by a constant number of days")
    raise QueryInvalid(f"a value of type {b.facts.kind} cannot be added to or taken from one of type {a.facts.kind}: {excerpt(node)}")


def _interval(interval: exp.Interval) -> tuple[int, int]:
    """The months and seconds of a constant interval: '1 month', '2 days 3 hours', INTERVAL 5 DAY."""
    value, unit = interval.this, interval.args.get("unit")
    while isinstance(value, exp.Paren):
        value = value.this
    negative = isinstance(value, exp.Neg)
    value = value.this if isinstance(value, exp.Neg) else value
    text = str(value.this).lower() if isinstance(value, exp.Literal) else ""
    if unit is not None:
        text += " " + unit.name.lower()
    found = re.findall(r"\s*([+-]?\d{1,9})\s*([a-z]+)\s*", text)
    if not found or "".join(f"{n}{u}" for n, u in found) != re.sub(r"\s", "", text):
        raise QueryRefused("an interval needs a constant whole number of units, like INTERVAL '3 months'")
    months = seconds = 0
    for number, name in found:
        plain = SHORT.get(name, name)
        plain = plain if plain in SECONDS or plain in MONTHS else plain.removesuffix("s")
        if plain in SECONDS:
            seconds += int(number) * SECONDS[plain]
        elif plain in MONTHS:
            months += int(number) * MONTHS[plain]
        else:
            raise QueryRefused(
                f"an interval of '{name[:20]}' is not understood; units are {', '.join([*SECONDS, 'month', 'quarter', 'year'])}"
            )
    if abs(seconds) > LONGEST or abs(months) > MOST_MONTHS:
        raise QueryRefused(TOO_LONG)
    return (-months, -seconds) if negative else (months, seconds)
