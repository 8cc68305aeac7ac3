"""Whether masked values fit their column: type, length, scale, closed list, no null where none may be.

Checked before anything is written. CHECK and unique constraints and references need the finished tables and are checked there.
"""

from __future__ import annotations

import json
from decimal import Context, Decimal

import pyarrow as pa
import pyarrow.compute as pc

from masking.errors import MaskingFailed
from schemas.model import Column, Table
from schemas.types import SqlType


def fitted(values: pa.Array, column: Column, table: Table, raw: pa.Array) -> pa.Array:
    """Return masked `values` as the column's Arrow type; `raw` is what they were, which may break the type too, as SQLite lets it.

    Raises MaskingFailed, which names table and column, counts the values at fault, shows none and says what to do, where one breaks
    the type (a number out of range, digits after the point that the scale has no room for), the length, the enum, JSON's syntax or
    NOT NULL.
    """
    place = f"{table.name}.{column.name}"
    wanted = column.type.arrow
    if values.type != wanted:
        try:
            values = _cast(values, wanted)
        except pa.ArrowException:
            raise MaskingFailed(
                f"{place}: {_misfits(values, wanted):,} of {len(values):,} masked values are not of type {column.type}; "
                "choose a transformer that keeps the type"
            ) from None
    wrong = breaches(values, column.type)
    if not column.nullable and values.null_count:
        wrong["is null, and the column is NOT NULL"] = values.null_count
    if wrong:
        said = "; ".join(f"{count:,} times it {what}" for what, count in wrong.items())
        raise MaskingFailed(
            f"{place}: a masked value does not fit its column: {said} (of {len(values):,} values looked at); {_mending(column, raw)}"
        )
    return values


def _mending(column: Column, raw: pa.Array) -> str:
    """What to do about masked values that do not fit."""
    length = column.type.length
    if length is None:
        other = "mask it by another transformer in the policy, or `drop` it"
    else:
        other = f"mask it in the policy by what is short enough (`hash: {{length: {length}}}`, `truncate: {{to: {length}}}`), or `drop` it"
    if raw.type == column.type.arrow and breaches(raw, column.type):
        return f"values of the source itself do not fit {column.type}, so change the column's type there, or {other}"
    return other


def breaches(values: pa.Array, type: SqlType) -> dict[str, int]:
    """What is wrong with values that have the Arrow type of `type` already, and how many times; empty where nothing is."""
    if type.item is not None:
        items = values.flatten()
        wrong = breaches(items, type.item)
        return {f"has an item that {what}": count for what, count in wrong.items()}
    found: dict[str, int] = {}
    if type.length is not None:
        found[f"is longer than {type.length} characters"] = _count(pc.greater(pc.utf8_length(values), type.length))
    if type.kind == "enum":
        found[f"is not of {type}"] = _count(pc.invert(pc.is_in(values, pa.array(type.values, pa.string()))), values)
    if type.kind == "numeric":
        limit = pa.scalar(Decimal(10**values.type.precision - 1).scaleb(-values.type.scale, Context(prec=76)), values.type)
        found[f"has more than {values.type.precision} digits"] = _count(pc.greater(pc.abs(values), limit))
    if type.kind == "json":
        found["is not JSON"] = sum(not _is_json(text) for text in values.unique().to_pylist() if text is not None)
    return {what: count for what, count in found.items() if count}


def _count(wrong: pa.Array, values: pa.Array | None = None) -> int:
    if values is not None:
        wrong = pc.and_(wrong, pc.is_valid(values))
    return pc.sum(wrong).as_py() or 0


def _is_json(text: str) -> bool:
    try:
        json.loads(text, parse_constant=_refuse, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _cast(values: pa.Array, wanted: pa.DataType) -> pa.Array:
    if pa.types.is_decimal(wanted) and pa.types.is_integer(values.type):
        # Arrow asks for room for the largest integer, not for those that are there
        values = values.cast(pa.decimal128(38, wanted.scale))
    return values.cast(wanted)


def _misfits(values: pa.Array, wanted: pa.DataType) -> int:
    count = 0
    for value in values.unique():
        try:
            _cast(pa.array([value], values.type), wanted)
        except pa.ArrowException:
            count += _count(pc.equal(values, value))
    return count
