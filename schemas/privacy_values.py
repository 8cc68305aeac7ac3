"""The bounds and values that a schema declares of a column, as values of the column's type."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from decimal import Context, Decimal

from schemas.types import FLOATS, INTEGER_RANGE, INTEGERS, TEXTS, SqlType

Declared = int | Decimal | bool | str | datetime.date | datetime.datetime

_EXACT = Context(prec=700)  # the usual one rounds to 28 digits
MOST_VALUES = 10_000
BOUNDED = (*INTEGERS, "numeric", *FLOATS, "date", "timestamp", "timestamptz")
CLOSED = (*INTEGERS, "numeric", *TEXTS, "enum", "boolean", "date", "timestamp", "timestamptz")

_NUMBER = re.compile(r"[+-]?(?:[0-9][0-9_]*)?(?:\.[0-9]+)?(?:[eE][+-]?[0-9]{1,2})?")
_LAST = datetime.time(23, 59, 59, 999_999)


def declared_bounds(texts: Sequence[object], kind: SqlType) -> tuple[Declared, Declared]:
    """Return the least and the greatest value that count; ValueError says what is wrong.

    A date as the upper bound of time stamps means the end of that day. Time stamps with a zone are returned in UTC.
    """
    if kind.kind not in BOUNDED:
        raise ValueError(f"a column of type {kind} has no bounds; only numbers, dates and time stamps have")
    if len(texts) != 2:
        raise ValueError("bounds are two values, the lower one first")
    low, high = (declared_value(text, kind) for text in texts)
    if isinstance(high, datetime.datetime) and re.fullmatch(r"[0-9-]+", str(texts[1])):
        high = datetime.datetime.combine(high.date(), _LAST, high.tzinfo)
    if low > high:  # type: ignore[operator]
        raise ValueError(f"the lower bound {texts[0]} is above the upper one {texts[1]}")
    return low, high


def declared_values(texts: Sequence[object], kind: SqlType) -> tuple[Declared, ...]:
    """Return the closed list of a column's values; ValueError says what is wrong."""
    if kind.kind not in CLOSED:
        raise ValueError(f"a column of type {kind} has no closed list of values; texts, whole and exact numbers, dates and truths have")
    if not 1 <= len(texts) <= MOST_VALUES:
        raise ValueError(f"a closed list has 1 to {MOST_VALUES:,} values, not {len(texts):,}")
    values = tuple(declared_value(text, kind) for text in texts)
    seen = set()
    for text, value in zip(texts, values, strict=True):
        if value in seen:
            raise ValueError(f"the value '{str(text)[:60]}' stands twice")
        seen.add(value)
    return values


def declared_value(text: object, kind: SqlType) -> Declared:
    """Return `text` as a value of a type; ValueError where it is none."""
    try:
        return _value(str(text).lower() if isinstance(text, bool) else str(text), kind)
    except ValueError as error:
        raise ValueError(f"'{str(text)[:60]}' is no value of type {kind}{f': {error}' if isinstance(error, _Why) else ''}") from None


class _Why(ValueError):
    """A reason that is worth telling."""


def _value(text: str, kind: SqlType) -> Declared:
    match kind.kind:
        case "smallint" | "integer" | "bigint":
            number = _number(text)
            if number != number.to_integral_value():
                raise _Why("it is not whole")
            most = INTEGER_RANGE[kind.kind]
            if not -most - 1 <= number <= most:
                raise _Why("it is too large")
            return int(number)
        case "numeric":
            return _numeric(_number(text), kind)
        case "real" | "double":
            return _number(text)
        case "boolean":
            if text not in ("true", "false"):
                raise _Why("write true or false")
            return text == "true"
        case "date":
            return datetime.date.fromisoformat(text)
        case "timestamp":
            moment = datetime.datetime.fromisoformat(text)
            if moment.tzinfo is not None:
                raise _Why("it has no time zone")
            return moment
        case "timestamptz":
            moment = datetime.datetime.fromisoformat(text)
            return moment.replace(tzinfo=datetime.UTC) if moment.tzinfo is None else moment.astimezone(datetime.UTC)
        case "enum":
            if text not in kind.values:
                raise _Why(f"its values are {', '.join(kind.values)}")
            return text
        case _:
            if kind.length is not None and len(text) > kind.length:
                raise _Why("it is too long")
            return text


def _number(text: str) -> Decimal:
    if not text or not _NUMBER.fullmatch(text) or not any(c.isdigit() for c in text.lower().partition("e")[0]):
        raise _Why("it is no number")
    return Decimal(text)


def _numeric(number: Decimal, kind: SqlType) -> Decimal:
    precision, scale = kind.digits
    _, digits, exponent = number.normalize(_EXACT).as_tuple()
    assert isinstance(exponent, int)
    if -exponent > scale:
        raise _Why(f"it has more than {scale} decimals")
    if number and len(digits) + exponent > precision - scale:
        raise _Why("it is too large")
    return number
