"""Dates and times that functions make of constants, worked out before the query is bound: no row can make them fail."""

from __future__ import annotations

import datetime
from fractions import Fraction
from typing import TYPE_CHECKING

from sqlglot import expressions as exp

from dpsql.binding.constants import constant
from dpsql.binding.understood import called, excerpt
from dpsql.errors import QueryInvalid, QueryRefused
from dpsql.functions.date_formats import format_parts, shown
from dpsql.tree import Literal

if TYPE_CHECKING:
    from dpsql.binding.expressions import Expressions

MADE = (exp.DateFromParts, exp.TimestampFromParts, exp.UnixToTime, exp.StrToTime, exp.StrToDate)
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECONDS = 1_000_000


def made_moment(binder: Expressions, node: exp.Expr) -> Literal | None:
    """Return the date or time that a function makes of constants, or None where `node` is no such function.

    Raises QueryInvalid where there is no such day, QueryRefused where the function is of anything but constants.
    """
    try:
        match node:
            case exp.DateFromParts():
                return constant(datetime.date(*(_whole(binder, node.args.get(part)) for part in ("year", "month", "day"))))
            case exp.Anonymous() if str(node.this).lower() == "make_date" and len(node.expressions) == 3:
                return constant(datetime.date(*(_whole(binder, part) for part in node.expressions)))
            case exp.TimestampFromParts():
                parts = [_whole(binder, node.args.get(part)) for part in ("year", "month", "day", "hour", "min")]
                microseconds = _number(binder, node.args.get("sec"), node) * MICROSECONDS
                if microseconds.denominator != 1 or not 0 <= microseconds < 60 * MICROSECONDS:
                    raise QueryInvalid(f"seconds are from 0 to below 60, by microseconds: {excerpt(node, binder.dialect)}")
                return constant(datetime.datetime(*parts) + datetime.timedelta(microseconds=int(microseconds)))  # type: ignore[arg-type]
            case exp.UnixToTime():
                microseconds = _number(binder, node.this, node) * MICROSECONDS
                if microseconds.denominator != 1:
                    raise QueryRefused("TO_TIMESTAMP is understood of whole microseconds")
                return constant(EPOCH + datetime.timedelta(microseconds=int(microseconds)))
            case exp.StrToTime() | exp.StrToDate():
                return _read(binder, node)
    except (ValueError, OverflowError):
        raise QueryInvalid(f"there is no such day and time: {excerpt(node, binder.dialect)}") from None
    return None


def _whole(binder: Expressions, node: exp.Expr | None) -> int:
    return int(str(binder.whole(node).value))


def _number(binder: Expressions, node: exp.Expr | None, whole: exp.Expr) -> Fraction:
    bound = binder.constant(node)
    if not isinstance(bound, Literal) or not isinstance(bound.value, int | Fraction) or isinstance(bound.value, bool):
        raise QueryRefused(f"'{called(whole, binder.dialect)}' is understood of constants alone")
    return Fraction(bound.value)


def _read(binder: Expressions, node: exp.StrToTime | exp.StrToDate) -> Literal:
    """The date or time of a text, which is written just as its format writes it: what is not, databases read each in their own way."""
    name = called(node, binder.dialect)
    text, form = (binder.bind(node.args[part]) for part in ("this", "format"))
    if not isinstance(text, Literal) or not isinstance(text.value, str) or not isinstance(form, Literal) or not isinstance(form.value, str):
        raise QueryRefused(f"'{name}' is understood of constants alone; CAST(... AS DATE) reads the dates of a column")
    letters = [part for part in format_parts(form.value) or [] if part.startswith("%")]
    if "%Y" not in letters or len(set(letters)) < len(letters):
        raise QueryRefused(f"'{name}' is understood with year, month, day, hour, minute, second, each once, and what stands between")
    found = datetime.datetime.strptime(text.value, form.value)
    if shown(found, form.value) != text.value:
        raise QueryInvalid(f"'{text.value[:40]}' is not written as its format says; write it like {shown(found, form.value)}")
    if isinstance(node, exp.StrToDate):
        return constant(found.date())
    return constant(found.replace(tzinfo=datetime.UTC) if binder.dialect == "postgres" else found)
