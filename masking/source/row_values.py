"""Values as drivers give them to Python, a row at a time, as Arrow arrays; spellings that mean the same are understood.

SQLite does not hold columns to their types, so that a column may have dates in several spellings, numbers that are texts, and the
like. What has one clear meaning in the column's type is taken as that; anything else is an error.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from types import NoneType
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from masking.source.losses import NotCarried
from schemas.decimal_texts import exactly
from schemas.model import Column
from schemas.types import FLOATS, INTEGERS, TEXTS, SqlType

Decoder = Callable[[SqlType, Sequence[Any]], pa.Array]
_TRUTH = {"t": True, "true": True, "y": True, "yes": True, "1": True, "f": False, "false": False, "n": False, "no": False, "0": False}
_EXACT_INTEGERS = 2**53
_OF_DAYS: dict[str, type] = {"date": date, "time": time}
_PLAIN: dict[str, frozenset[type]] = {
    **dict.fromkeys(INTEGERS, frozenset({int})),
    **dict.fromkeys(FLOATS, frozenset({float, int})),
    **dict.fromkeys((*TEXTS, "enum", "json"), frozenset({str})),
    "numeric": frozenset({float, int, str, Decimal}),
    "bytes": frozenset({bytes}),
    "interval": frozenset({int, timedelta}),
}
_REFUSALS = (pa.ArrowException, ValueError, TypeError, OverflowError, InvalidOperation, UnicodeError, KeyError, AttributeError)


def array_of(column: Column, values: Sequence[Any], decode: Decoder) -> pa.Array:
    """Return one column of a batch as Arrow carries it: by `decode`, which is fast, else value by value; raises NotCarried.

    Texts with NUL characters are refused, since PostgreSQL takes none, and so are the nulls that SQLite allows in some keys.
    """
    array = None
    if _are_plain(column.type, values):
        with suppress(*_REFUSALS):
            array = decode(column.type, values)
    return checked(column, _one_by_one(column.type, values) if array is None else array)


def checked(column: Column, array: pa.Array) -> pa.Array:
    """Return `array`; NotCarried where it holds nulls, or texts, that no target takes."""
    if array.null_count and not column.nullable:
        raise NotCarried("nulls where there may be none")
    if pa.types.is_string(array.type) and pc.any(pc.match_substring(array, "\0")).as_py():
        raise NotCarried("a text with a NUL character")
    return array


def _are_plain(type: SqlType, values: Sequence[Any]) -> bool:
    """Whether all values are of Python's type for the column's: Arrow would cut 1.5 to 1, and take bytes for a text."""
    kinds = {value.__class__ for value in values} - {NoneType}
    if type.kind == "boolean":
        return kinds <= {int, bool} and set(values) <= {0, 1, None}
    return kinds <= _PLAIN.get(type.kind, kinds)


def plain(type: SqlType, values: Sequence[Any]) -> pa.Array:
    """The `decode` for drivers that give values of Python's types for the column's."""
    if type.kind in ("timestamp", "timestamptz"):  # Arrow drops or takes for granted what a datetime says of its zone
        raise ValueError("zones")
    if type.kind in _OF_DAYS and not {value.__class__ for value in values} <= {NoneType, _OF_DAYS[type.kind]}:
        raise ValueError("hours of a date, and days of a time, which Arrow drops")
    if type.kind in (*INTEGERS, "boolean", "bytes", *TEXTS, "date", "time"):
        return pa.array(values, type.arrow)
    raise ValueError("spellings")


def _one_by_one(type: SqlType, values: Sequence[Any]) -> pa.Array:
    meaning = _meaning_of(type)
    meant = []
    for value in values:
        try:
            meant.append(None if value is None else meaning(value))
        except NotCarried:
            raise
        except _REFUSALS:
            raise NotCarried(f"a value ({_kind(value)}) that is no {type}") from None
    try:
        if type.kind == "uuid":
            return pa.ExtensionArray.from_storage(type.arrow, pa.array(meant, pa.binary(16)))
        return pa.array(meant, type.arrow)
    except _REFUSALS:
        raise NotCarried(f"a value that {type} has no room for") from None


def _kind(value: Any) -> str:
    names = {int: "a whole number", float: "a floating point number", str: "a text", bytes: "bytes"}
    return next((said for kind, said in names.items() if isinstance(value, kind)), "of another kind")


def _meaning_of(type: SqlType) -> Callable[[Any], Any]:
    if type.kind == "numeric":
        return lambda value: _numeric(type, value)
    if type.kind == "array" and type.item is not None:
        item = _meaning_of(type.item)
        return lambda value: [None if i is None else item(i) for i in (json.loads(value) if isinstance(value, str) else value)]
    return _integer if type.kind in INTEGERS else _MEANINGS.get(type.kind, _text)


def _integer(value: Any) -> int:
    if isinstance(value, str) or value != int(value):
        raise ValueError("not whole")
    return int(value)


def _float(value: Any) -> float:
    if isinstance(value, str) or (isinstance(value, int) and abs(value) > _EXACT_INTEGERS):
        raise ValueError("no floating point number")
    return float(value)


def _numeric(type: SqlType, value: Any) -> Decimal:
    # of a decimal that was kept in binary floating point, 15 digits are as they were, and noise may come after them
    spellings = [repr(value), format(value, ".15g")] if isinstance(value, float) else [value]
    for spelling in spellings:
        found = Decimal(spelling)
        if not found.is_finite():
            raise NotCarried("a numeric that is no number (NaN or infinite)")
        with suppress(pa.ArrowInvalid):
            return exactly(found, type.arrow)
    whole = type.arrow.precision - type.decimals
    raise NotCarried(f"a numeric with more digits than the {whole} before and {type.decimals} after the point that there is room for")


def _text(value: Any) -> str:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode()
    if isinstance(value, (dict, list, bool)):
        raise ValueError("no text")
    return str(value)


def _boolean(value: Any) -> bool:
    if isinstance(value, str):
        return _TRUTH[value.strip().lower()]
    if isinstance(value, bytes):  # MySQL's bit(1)
        return {b"\0": False, b"\1": True}[value]
    return {0: False, 1: True}[value]


def _date(value: Any) -> date:
    if isinstance(value, str):
        value = datetime.fromisoformat(value.strip())
    if isinstance(value, datetime):
        if value.time() != time() or value.tzinfo:
            raise NotCarried("a date with a time of day")
        return value.date()
    if not isinstance(value, date):
        raise ValueError("no date")
    return value


def _timestamp(value: Any) -> datetime:
    """Without a zone; one that is given is converted to UTC."""
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time())
    found = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    if not isinstance(found, datetime):
        raise ValueError("no moment")
    return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found


def _timestamptz(value: Any) -> datetime:
    return _timestamp(value).replace(tzinfo=UTC)


def _time(value: Any) -> time:
    if isinstance(value, timedelta):  # MySQL's time
        return (datetime.min + value).time() if timedelta() <= value < timedelta(days=1) else _refuse()
    found = time.fromisoformat(value.strip()) if isinstance(value, str) else value
    return found.replace(tzinfo=None)


def _refuse() -> time:
    raise NotCarried("a time that is none of a day")


def _interval(value: Any) -> Any:
    return value if isinstance(value, timedelta) else timedelta(microseconds=_integer(value))


def _uuid(value: Any) -> bytes:
    if isinstance(value, bytes) and len(value) == 16:
        return value
    return (value if isinstance(value, UUID) else UUID(str(value))).bytes


def _json(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, (bytes, bytearray)):
        raise NotCarried("a JSON document in a binary form")
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _bytes(value: Any) -> bytes:
    if isinstance(value, (int, float)):
        raise ValueError("no bytes")
    return value.encode() if isinstance(value, str) else bytes(value)


_MEANINGS: dict[str, Callable[[Any], Any]] = {
    "real": _float, "double": _float, "boolean": _boolean, "date": _date, "time": _time, "timestamp": _timestamp,
    "timestamptz": _timestamptz, "interval": _interval, "uuid": _uuid, "json": _json, "bytes": _bytes,
}  # fmt: skip
