"""SQLAlchemy's column types as those of the schema language."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from schemas.type_reader import MAX_LABEL, MAX_LENGTH, MAX_PRECISION, is_type
from schemas.types import TIMES, SqlType
from schemas.yaml_nodes import name_fault

# types of MySQL and SQL Server that SQLAlchemy has no general class for, by its name of them
_OWN = {
    "YEAR": SqlType("smallint"),
    "SET": SqlType("text"),
    "MONEY": SqlType("numeric", 19, 4),
    "SMALLMONEY": SqlType("numeric", 10, 4),
    "DATETIMEOFFSET": SqlType("timestamptz"),
    "mysql.TIMESTAMP": SqlType("timestamptz"),
}
_LARGER = {"smallint": "integer", "integer": "bigint"}


def column_type(type: Any, unconstrained: SqlType | None = None) -> tuple[SqlType, str | None]:
    """Return the type that carries a column of SQLAlchemy's `type`, and a note where it says less.

    `unconstrained` carries numerics without a precision, in place of numeric(18,4).
    """
    if isinstance(type, postgresql.DOMAIN):
        inner, note = column_type(type.data_type, unconstrained)
        note = None if inner.kind in TIMES else note  # of those the catalogue tells
        return inner, f"domain {type.name}, written out" + (f"; {note}" if note else "")
    if isinstance(type, sa.ARRAY):
        inner, note = column_type(type.item_type, unconstrained)
        if inner.kind == "array" or (type.dimensions or 1) > 1:
            return SqlType("json"), f"an array of {type.dimensions or 2} dimensions, taken as json"
        return SqlType("array", item=inner), note
    if long_labels(type):
        return SqlType("text"), f"an enum with values of more than {MAX_LABEL} bytes, taken as text"
    if isinstance(type, sa.Enum) and type.enums:
        return SqlType("enum", values=tuple(type.enums), name=type.name or None), None
    if (own := _own(type)) is not None:
        return own, None
    if unconstrained is not None and isinstance(type, sa.Numeric) and type.precision is None:
        return unconstrained, None
    return _scalar(type)


def meaning(type: Any) -> str | None:
    """Return the semantic type of what columns of SQLAlchemy's `type` hold, where the type alone tells."""
    if isinstance(type, (postgresql.INET, postgresql.CIDR)):
        return "internet.ipv4"
    return "internet.mac" if isinstance(type, (postgresql.MACADDR, postgresql.MACADDR8)) else None


def long_labels(type: Any) -> tuple[str, ...]:
    """Return the values of an enum that PostgreSQL has no room for; none where it has."""
    labels = tuple(type.enums) if isinstance(type, sa.Enum) else ()
    return labels if any(len(label.encode()) > MAX_LABEL for label in labels) else ()


def named_enum(type: SqlType, name: str, known: Mapping[str, tuple[str, ...]]) -> SqlType:
    """Return an enum, or an array of one, under the name that tells it apart from those `known`; without one that cannot be kept."""
    if type.kind == "array" and type.item is not None:
        return replace(type, item=named_enum(type.item, name, known))
    if type.kind != "enum":
        return type
    taken = any(other.casefold() == name.casefold() and (other, values) != (name, type.values) for other, values in known.items())
    return replace(type, name=None if taken or is_type(name) or name_fault(name) is not None else name)


def _scalar(type: Any) -> tuple[SqlType, str | None]:
    if isinstance(type, (sa.Uuid, postgresql.UUID)):
        return SqlType("uuid"), None
    if isinstance(type, sa.Boolean):
        return SqlType("boolean"), None
    if isinstance(type, sa.SmallInteger):
        return SqlType("smallint"), None
    if isinstance(type, sa.BigInteger):
        return SqlType("bigint"), None
    if isinstance(type, sa.Integer) and not isinstance(type, sa.Numeric):
        return SqlType("integer"), None
    if isinstance(type, (sa.Double, sa.REAL, sa.Float)):
        return _float(type), None
    if isinstance(type, sa.Numeric):
        return _numeric(type)
    if isinstance(type, postgresql.HSTORE):
        return SqlType("json"), "HSTORE, taken as json"
    if isinstance(type, sa.JSON):
        is_text = isinstance(type, postgresql.JSON) and not isinstance(type, postgresql.JSONB)
        return SqlType("json"), "json, which PostgreSQL is given as jsonb" if is_text else None
    if isinstance(type, sa.Date):
        return SqlType("date"), None
    if isinstance(type, sa.DateTime):
        return SqlType("timestamptz" if type.timezone else "timestamp"), _details_of_time(type)
    if isinstance(type, sa.Time):
        return SqlType("time"), _details_of_time(type, zoned=bool(type.timezone))
    if isinstance(type, (sa.Interval, postgresql.INTERVAL)):
        return SqlType("interval"), _details_of_time(type)
    if _is_binary(type):
        return SqlType("bytes"), None
    if isinstance(type, postgresql.MONEY):
        return SqlType("numeric", 19, 2), "money, taken as numeric(19,2)"
    if isinstance(type, sa.String):
        return _text(type)
    name = "an unknown type" if isinstance(type, sa.types.NullType) else str(type)
    return SqlType("text"), f"{name}, taken as text"


def _details_of_time(type: Any, *, zoned: bool = False) -> str | None:
    return time_details(getattr(type, "precision", None), getattr(type, "fields", None), zoned=zoned)


def time_details(precision: int | None, fields: str | None, *, zoned: bool = False) -> str | None:
    """Return a note where a time of day has a zone, or a time other digits than those of microseconds, or an interval few fields."""
    said = ["its time zone is dropped"] if zoned else []
    said += [f"interval {fields}, taken as interval"] if fields else []
    said += [f"its precision of {precision} digits is left out"] if precision not in (None, 6) else []
    return "; ".join(said) or None


def _own(type: Any) -> SqlType | None:
    """The type that carries one of a single database's own."""
    dialect = type.__class__.__module__.removeprefix("sqlalchemy.dialects.").partition(".")[0]
    if dialect == "postgresql":
        return None
    if type.__visit_name__ == "BIT" and isinstance(getattr(type, "length", None), int):  # MySQL's, of 1 to 64 bits
        return SqlType("boolean") if type.length == 1 else SqlType("bigint")
    if isinstance(type, sa.Numeric) and isinstance(type, sa.Integer) and type.scale == 0 and type.precision is not None:
        return SqlType("bigint") if type.precision <= 18 else SqlType("numeric", min(type.precision, MAX_PRECISION), 0)  # Oracle's NUMBER
    if getattr(type, "unsigned", False) and isinstance(type, sa.Integer):
        found = _scalar(type)[0]
        return SqlType(_LARGER.get(found.kind, found.kind))
    return _OWN.get(f"{dialect}.{type.__visit_name__}", _OWN.get(type.__visit_name__))


def _is_binary(type: Any) -> bool:
    with suppress(NotImplementedError):
        return bool(type.python_type is bytes)
    return False


def _float(type: Any) -> SqlType:
    precision = getattr(type, "precision", None)
    single = isinstance(type, sa.REAL) or (precision is not None and precision <= 24)
    return SqlType("real" if single else "double")


def _numeric(type: Any) -> tuple[SqlType, str | None]:
    if type.precision is None:
        return SqlType("numeric", 18, 4), "numeric without precision, taken as numeric(18,4)"
    scale = type.scale or 0
    if not 1 <= type.precision <= MAX_PRECISION or not 0 <= scale <= type.precision:
        return SqlType("numeric", MAX_PRECISION, min(max(scale, 0), MAX_PRECISION)), f"{type}, taken as numeric with {MAX_PRECISION} digits"
    return SqlType("numeric", type.precision, scale), None


def _text(type: Any) -> tuple[SqlType, str | None]:
    if type.length == 0 and not isinstance(type, sa.Text):  # MySQL's, which hold the empty text alone
        return SqlType("text"), f"{type.__visit_name__}(0), taken as text"
    if type.length is None or type.length > MAX_LENGTH or isinstance(type, sa.Text):
        return SqlType("text"), None
    fixed = isinstance(type, (sa.CHAR, sa.NCHAR))
    return SqlType("char" if fixed else "varchar", length=type.length), None
