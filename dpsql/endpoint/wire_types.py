"""Values on the wire: PostgreSQL's types, their OIDs, and both of their formats, text and binary."""

from __future__ import annotations

import datetime
import json
import math
import struct
import uuid
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa

from dpsql.endpoint.sqlstates import Fault

Y2000 = datetime.datetime(2000, 1, 1)
DAY2000 = datetime.date(2000, 1, 1)
MICROSECOND = datetime.timedelta(microseconds=1)
POSITIVE, NEGATIVE, NAN = 0x0000, 0x4000, 0xC000  # the signs of a binary numeric


@dataclass(frozen=True)
class WireType:
    """A type of PostgreSQL: its `oid`, its `size` in bytes (-1 where it varies), and of an array the type of its items."""

    name: str
    oid: int
    size: int
    array: int = 0
    category: str = "S"
    item: WireType | None = None


BOOL = WireType("bool", 16, 1, 1000, "B")
BYTEA = WireType("bytea", 17, -1, 1001, "U")
NAME = WireType("name", 19, 64, 1003, "S")
INT8 = WireType("int8", 20, 8, 1016, "N")
INT2 = WireType("int2", 21, 2, 1005, "N")
INT4 = WireType("int4", 23, 4, 1007, "N")
TEXT = WireType("text", 25, -1, 1009, "S")
OID = WireType("oid", 26, 4, 1028, "N")
JSON = WireType("json", 114, -1, 199, "U")
FLOAT4 = WireType("float4", 700, 4, 1021, "N")
FLOAT8 = WireType("float8", 701, 8, 1022, "N")
UNKNOWN = WireType("unknown", 705, -2, 0, "X")
BPCHAR = WireType("bpchar", 1042, -1, 1014, "S")
VARCHAR = WireType("varchar", 1043, -1, 1015, "S")
DATE = WireType("date", 1082, 4, 1182, "D")
TIME = WireType("time", 1083, 8, 1183, "D")
TIMESTAMP = WireType("timestamp", 1114, 8, 1115, "D")
TIMESTAMPTZ = WireType("timestamptz", 1184, 8, 1185, "D")
INTERVAL = WireType("interval", 1186, 16, 1187, "T")
NUMERIC = WireType("numeric", 1700, -1, 1231, "N")
UUID = WireType("uuid", 2950, 16, 2951, "U")
JSONB = WireType("jsonb", 3802, -1, 3807, "U")
INT2VECTOR = WireType("int2vector", 22, -1, 0, "A", INT2)
SCALARS = (
    BOOL, BYTEA, NAME, INT8, INT2, INT4, TEXT, OID, JSON, FLOAT4, FLOAT8, UNKNOWN, BPCHAR, VARCHAR, DATE, TIME, TIMESTAMP, TIMESTAMPTZ,
    INTERVAL, NUMERIC, UUID, JSONB,
)  # fmt: skip
ARRAYS = tuple(WireType(f"_{t.name}", t.array, -1, 0, "A", t) for t in SCALARS if t.array)
BY_OID = {t.oid: t for t in (*SCALARS, *ARRAYS)}
TEXTUAL = frozenset(t.oid for t in (TEXT, NAME, VARCHAR, BPCHAR, UNKNOWN))
OF_KIND = {
    "smallint": INT2, "integer": INT4, "bigint": INT8, "numeric": NUMERIC, "real": FLOAT4, "double": FLOAT8, "text": TEXT,
    "varchar": VARCHAR, "char": BPCHAR, "boolean": BOOL, "date": DATE, "time": TIME, "timestamp": TIMESTAMP, "timestamptz": TIMESTAMPTZ,
    "interval": INTERVAL, "uuid": UUID, "json": JSON, "bytes": BYTEA, "enum": TEXT,
}  # fmt: skip
_OF_ARROW: dict[pa.DataType, WireType] = {
    pa.bool_(): BOOL, pa.int8(): INT2, pa.int16(): INT2, pa.int32(): INT4, pa.int64(): INT8, pa.uint8(): INT2, pa.uint16(): INT4,
    pa.uint32(): OID, pa.uint64(): NUMERIC, pa.float16(): FLOAT4, pa.float32(): FLOAT4, pa.float64(): FLOAT8, pa.date32(): DATE,
    pa.date64(): DATE, pa.uuid(): UUID, pa.null(): TEXT,
}  # fmt: skip


def wire_type(arrow: pa.DataType) -> WireType:
    """The type under which Arrow values travel; what PostgreSQL has no type for travels as text."""
    if arrow in _OF_ARROW:
        return _OF_ARROW[arrow]
    if pa.types.is_list(arrow) or pa.types.is_large_list(arrow):
        item = wire_type(arrow.value_type)
        return BY_OID[item.array] if item.array else TEXT
    for holds, found in (
        (pa.types.is_decimal, NUMERIC),
        (pa.types.is_time, TIME),
        (pa.types.is_duration, INTERVAL),
        (pa.types.is_binary, BYTEA),
        (pa.types.is_large_binary, BYTEA),
    ):
        if holds(arrow):
            return found
    if isinstance(arrow, pa.JsonType):
        return JSON
    if pa.types.is_timestamp(arrow):
        return TIMESTAMP if arrow.tz is None else TIMESTAMPTZ
    return TEXT


def encode(value: Any, kind: WireType, binary: bool) -> bytes | None:
    """Return `value` in PostgreSQL's text or binary format, None for NULL."""
    if value is None:
        return None
    return _binary(value, kind) if binary else _text(value, kind).encode()


def decode(data: bytes | None, kind: WireType, binary: bool) -> Any:
    """Return the value that a client sent; Fault 22P02 or 22P03 where it is none of its type."""
    if data is None:
        return None
    try:
        return _from_binary(data, kind) if binary else _from_text(data.decode(), kind)
    except (ValueError, struct.error, InvalidOperation, OverflowError, KeyError, IndexError) as error:
        raise Fault("22P03" if binary else "22P02", f"a parameter's value is no {kind.name} in {'binary' if binary else 'text'}") from error


def _text(value: Any, kind: WireType) -> str:
    match value:
        case bool():
            return "t" if value else "f"
        case float():
            if not math.isfinite(value):
                return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
            return (f"{value:.9g}" if kind is FLOAT4 else repr(value)).removesuffix(".0")
        case Decimal():
            return format(value, "f") if value.is_finite() else str(value)
        case datetime.datetime():
            if value.tzinfo is not None:
                return f"{value.astimezone(datetime.UTC).replace(tzinfo=None)}+00"
            return str(value)
        case datetime.timedelta():
            return _interval(value)
        case bytes():
            return "\\x" + value.hex()
        case list() if kind is INT2VECTOR:
            return " ".join(str(v) for v in value)
        case list():
            item = kind.item or TEXT
            return "{" + ",".join(_array_item(v, item) for v in value) + "}"
        case dict():
            return json.dumps(value, default=str)
        case _:
            return str(value).replace("\x00", "")


def _interval(value: datetime.timedelta) -> str:
    """As PostgreSQL writes an interval: days and the clock, each with its sign, and the clock alone where there are no days."""
    sign = "-" if value < datetime.timedelta(0) else ""
    days, rest = divmod(abs(value) // MICROSECOND, 86_400_000_000)
    hours, rest = divmod(rest, 3_600_000_000)
    minutes, rest = divmod(rest, 60_000_000)
    seconds, parts = divmod(rest, 1_000_000)
    clock = f"{hours:02}:{minutes:02}:{seconds:02}" + (f".{parts:06}".rstrip("0") if parts else "")
    if not days:
        return sign + clock
    counted = f"{sign}{days} day{'' if days == 1 and not sign else 's'}"
    return counted if clock == "00:00:00" else f"{counted} {sign}{clock}"


def _array_item(value: Any, kind: WireType) -> str:
    if value is None:
        return "NULL"
    text = _text(value, kind)
    if isinstance(value, list) or (text and text.upper() != "NULL" and not any(c in '{},"\\' or c.isspace() for c in text)):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_BOOLEANS = dict.fromkeys(("t", "true", "1", "on", "yes", "y"), True) | dict.fromkeys(("f", "false", "0", "off", "no", "n"), False)
_PACKED = {INT2: "!h", INT4: "!i", INT8: "!q", OID: "!I", FLOAT4: "!f", FLOAT8: "!d", BOOL: "!?"}


def _binary(value: Any, kind: WireType) -> bytes:
    if kind in _PACKED:
        return struct.pack(_PACKED[kind], value)
    if kind.item is not None:
        items = [(None if v is None else _binary(v, kind.item)) for v in value]
        packed = b"".join(struct.pack("!i", -1) if i is None else struct.pack("!i", len(i)) + i for i in items)
        if not items:
            return struct.pack("!iii", 0, 0, kind.item.oid)
        return struct.pack("!iiiii", 1, int(None in items), kind.item.oid, len(items), 1) + packed
    match value:
        case datetime.datetime():
            naive = value if value.tzinfo is None else value.astimezone(datetime.UTC).replace(tzinfo=None)
            return struct.pack("!q", (naive - Y2000) // MICROSECOND)
        case datetime.date():
            return struct.pack("!i", (value - DAY2000).days)
        case datetime.time():
            return struct.pack("!q", ((value.hour * 60 + value.minute) * 60 + value.second) * 1_000_000 + value.microsecond)
        case datetime.timedelta():
            return struct.pack("!qii", value // MICROSECOND % 86_400_000_000, value.days, 0)
        case uuid.UUID():
            return value.bytes
        case bytes():
            return value
    if kind is NUMERIC:
        return _numeric(Decimal(value))
    text = _text(value, kind).encode()
    return b"\x01" + text if kind is JSONB else text


def _numeric(value: Decimal) -> bytes:
    if not value.is_finite():
        sign = NAN if value.is_nan() else 0xD000 if value > 0 else 0xF000
        return struct.pack("!hhHh", 0, 0, sign, 0)
    scale = max(0, -int(value.as_tuple().exponent))
    whole, _, after = format(value.copy_abs(), "f").partition(".")  # abs() rounds to 28 digits
    whole = whole.zfill(-(-len(whole) // 4) * 4)
    after = after.ljust(-(-len(after) // 4) * 4, "0")
    groups = [int((whole + after)[n : n + 4]) for n in range(0, len(whole + after), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups.pop(0)
        weight -= 1
    while groups and groups[-1] == 0:
        groups.pop()
    sign = NEGATIVE if value < 0 else POSITIVE
    return struct.pack(f"!hhHh{len(groups)}h", len(groups), weight if groups else 0, sign, scale, *groups)


def _from_binary(data: bytes, kind: WireType) -> Any:
    if kind in _PACKED:
        return struct.unpack(_PACKED[kind], data)[0]
    if kind is DATE:
        return DAY2000 + datetime.timedelta(days=struct.unpack("!i", data)[0])
    if kind in (TIMESTAMP, TIMESTAMPTZ):
        moment = Y2000 + struct.unpack("!q", data)[0] * MICROSECOND
        return moment if kind is TIMESTAMP else moment.replace(tzinfo=datetime.UTC)
    if kind is UUID:
        return str(uuid.UUID(bytes=data))
    if kind is NUMERIC:
        count, weight, sign, _ = struct.unpack_from("!hhHh", data)
        if sign not in (POSITIVE, NEGATIVE):
            return Decimal("NaN") if sign == NAN else Decimal("Infinity" if sign == 0xD000 else "-Infinity")
        digits = "".join(f"{group:04}" for group in struct.unpack_from(f"!{count}h", data, 8)) or "0"
        # made of digits, not reckoned: sums of decimals are rounded to 28 of them
        return Decimal((int(sign == NEGATIVE), tuple(int(d) for d in digits), 4 * (weight - count + 1)))
    if kind.oid in TEXTUAL or kind is JSON:
        return data.decode()
    raise Fault("0A000", f"parameters of type {kind.name} are read in the text format only")


def _from_text(text: str, kind: WireType) -> Any:
    if "\x00" in text:
        raise ValueError("a text holds no zero byte")
    if kind in (INT2, INT4, INT8, OID):
        return int(text)
    if kind in (FLOAT4, FLOAT8):
        return float(text)
    if kind is NUMERIC:
        return Decimal(text.strip())
    if kind is BOOL:
        return _BOOLEANS[text.strip().lower()]
    if kind is DATE:
        return datetime.date.fromisoformat(text)
    if kind in (TIMESTAMP, TIMESTAMPTZ):
        moment = datetime.datetime.fromisoformat(text)
        if kind is TIMESTAMP:
            return moment.replace(tzinfo=None)
        return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)
    return text
