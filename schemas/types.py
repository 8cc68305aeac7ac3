"""SQL types of the schema language and the Arrow types that carry them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa

INTEGERS = ("smallint", "integer", "bigint")
FLOATS = ("real", "double")
TEXTS = ("text", "varchar", "char")
TIMES = ("date", "time", "timestamp", "timestamptz")
MOMENTS = ("date", "timestamp", "timestamptz")
KINDS = (*INTEGERS, "numeric", *FLOATS, *TEXTS, "boolean", *TIMES, "interval", "uuid", "json", "bytes", "enum", "array")
ALIASES = {
    "int": "integer", "int2": "smallint", "int4": "integer", "int8": "bigint", "decimal": "numeric", "float": "double",
    "float4": "real", "float8": "double", "double precision": "double", "string": "text", "character varying": "varchar",
    "character": "char", "bool": "boolean", "datetime": "timestamp", "timestamp with time zone": "timestamptz",
    "timestamp without time zone": "timestamp", "jsonb": "json", "bytea": "bytes", "blob": "bytes", "binary": "bytes",
}  # fmt: skip

INTEGER_RANGE = {"smallint": 2**15 - 1, "integer": 2**31 - 1, "bigint": 2**63 - 1}
DEFAULT_NUMERIC = (38, 9)

_ARROW = {
    "smallint": pa.int16(), "integer": pa.int32(), "bigint": pa.int64(), "real": pa.float32(), "double": pa.float64(),
    "text": pa.string(), "varchar": pa.string(), "char": pa.string(), "boolean": pa.bool_(), "date": pa.date32(),
    "time": pa.time64("us"), "timestamp": pa.timestamp("us"), "timestamptz": pa.timestamp("us", "UTC"),
    "interval": pa.duration("us"), "json": pa.string(), "bytes": pa.binary(), "enum": pa.string(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class SqlType:
    """A column type: its kind and what the kind needs.

    `precision` and `scale` belong to numeric (None, None means unconstrained, carried as numeric(38,9)), `length` to
    varchar and char, `values` and `name` to enum (`name` is the type's own name where it has one), `item` to array.
    Intervals are exact durations (no months); uuid is carried as Arrow's uuid extension type, json as compact UTF-8 text.
    """

    kind: str
    precision: int | None = None
    scale: int | None = None
    length: int | None = None
    values: tuple[str, ...] = ()
    name: str | None = None
    item: SqlType | None = None

    def __str__(self) -> str:
        if self.kind == "numeric" and self.precision is not None:
            return f"numeric({self.precision},{self.scale or 0})"
        if self.kind in ("varchar", "char") and self.length is not None:
            return f"{self.kind}({self.length})"
        if self.kind == "array" and self.item is not None:
            return f"{self.item}[]"
        if self.kind == "enum":
            return self.name or f"enum({', '.join(self.values)})"
        return self.kind

    @property
    def arrow(self) -> pa.DataType:
        """The Arrow type that carries this column in record batches and Parquet."""
        if self.kind == "numeric":
            return pa.decimal128(*self.digits)
        if self.kind == "array":
            assert self.item is not None
            return pa.list_(self.item.arrow)
        if self.kind == "uuid":
            return pa.uuid()
        return _ARROW[self.kind]

    @property
    def digits(self) -> tuple[int, int]:
        """How many digits a numeric has, and how many of them after the point."""
        return DEFAULT_NUMERIC if self.precision is None else (self.precision, self.scale or 0)

    @property
    def decimals(self) -> int:
        """Digits after the point of a numeric; 0 for every other kind."""
        return self.digits[1] if self.kind == "numeric" else 0
