"""Single values of a policy as a column has them: constants, edges, limits."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

import pyarrow as pa

from masking.fitting import breaches
from schemas.times import parse_duration, parse_moment, resolve_time_of_day
from schemas.types import FLOATS, INTEGERS, SqlType

_DAY = 86_400_000_000


class Unscalable(ValueError):
    """A value that a column of some type cannot hold; the message says why, without the value."""


def scalar(value: Any, type: SqlType) -> pa.Scalar:
    """Return a plain value of a policy, such as text or a number, as a column of `type` holds it; raises Unscalable."""
    try:
        found = pa.scalar(_plain(value, type), type.arrow)
    except (ValueError, TypeError, ArithmeticError, LookupError, pa.ArrowException, RecursionError):
        raise Unscalable(f"the value in the policy is not one of type {type}") from None
    wrong = breaches(pa.array([found], type.arrow), type)
    if wrong:
        raise Unscalable(f"the value in the policy {next(iter(wrong))}")
    return found


def _plain(value: Any, type: SqlType) -> Any:
    if value is None:
        raise ValueError
    if type.item is not None:
        if not isinstance(value, (list, tuple)):
            raise TypeError
        return [_plain(item, type.item) for item in value]
    if type.kind == "json":
        return json.dumps(
            json.loads(value) if isinstance(value, str) else value, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        )
    if type.kind == "boolean":
        return value if isinstance(value, bool) else {"true": True, "false": False}[str(value)]
    if isinstance(value, (bool, list, tuple, dict)):
        raise TypeError
    return _parsed(value, str(value).strip() if type.kind not in ("text", "varchar", "char", "enum", "bytes") else str(value), type)


def _parsed(value: Any, text: str, type: SqlType) -> Any:
    kind = type.kind
    if kind in INTEGERS:
        number = Decimal(text)
        if number != int(number):
            raise ValueError
        return int(number)
    if kind == "numeric":
        return Decimal(text)
    if kind in FLOATS:
        if not isfinite(float(text)):
            raise ValueError
        return float(text)
    if kind == "interval":
        return parse_duration(text, negative=True)
    if kind == "time":
        return resolve_time_of_day(text)
    if kind in ("date", "timestamp", "timestamptz"):
        moment = parse_moment(value.isoformat() if isinstance(value, (date, datetime)) else text)
        return moment if kind != "date" else moment // _DAY
    if kind == "uuid":
        return UUID(text).bytes
    return text.encode() if kind == "bytes" else text
