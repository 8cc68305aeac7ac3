"""Types that columns of SQLite are declared with, as those of the schema language.

SQLite takes any words for a type, holds no column to it, and keeps of it an affinity alone. Words are read as the databases that
they come from mean them; others by their affinity (https://sqlite.org/datatype3.html, section 3.1). An interval is one of whole
microseconds, as `schemas.ddl_sqlite` keeps it; who reads rows looks at what is there (`masking.source.sqlite`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import sqlalchemy as sa

from schemas.reflected_types import column_type
from schemas.type_reader import MAX_LENGTH
from schemas.types import INTEGERS, SqlType

_FORM = re.compile(r"([a-z_][\w ]*?)\s*(?:\(([^()]*)\)?\s*([a-z ]*))?\Z")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTE = re.compile(r"\[(?!\])|(?<!\[)\]|[\"`]")  # SQLite itself makes `nvarchar](50` of `[nvarchar](50)`
_OF_INTEGERS = ("unsigned", "signed", "zerofill")
_LARGER = {"smallint": "integer", "integer": "bigint", "bigint": "bigint"}
_DIGITS_OF_SECONDS = 6

_WORDS = {
    "smallint": ("smallint", "int2", "int16", "tinyint", "smallserial", "year"),
    "integer": ("integer", "int", "int4", "int32", "mediumint", "serial"),
    "bigint": ("bigint", "int8", "int64", "big int", "bigserial"),
    "numeric": ("numeric", "decimal", "dec", "number"),
    "money": ("money", "smallmoney"),
    "double": ("real", "float", "double", "double precision", "float4", "float8", "binary_float", "binary_double"),  # all have 8 bytes
    "varchar": ("varchar", "varchar2", "nvarchar", "nvarchar2", "character varying", "char varying", "varying character",
                "national character varying", "national char varying", "national varying character", "nchar varying", "string"),
    "char": ("char", "character", "nchar", "bpchar", "national character", "national char", "native character"),
    "text": ("text", "clob", "nclob", "ntext", "tinytext", "mediumtext", "longtext"),
    "some text": ("any", "citext", "xml", "inet", "cidr", "macaddr"),
    "boolean": ("boolean", "bool", "bit"),
    "date": ("date", "date_char"),
    "time": ("time", "time_char", "time without time zone"),
    "timetz": ("timetz", "time with time zone"),
    "timestamp": ("timestamp", "datetime", "datetime_char", "datetime2", "smalldatetime", "timestamp without time zone"),
    "timestamptz": ("timestamptz", "datetimeoffset", "timestamp with time zone", "timestamp with local time zone"),
    "interval": ("interval",),
    "uuid": ("uuid", "guid", "uniqueidentifier"),
    "json": ("json", "jsonb"),
    "bytes": ("blob", "bytea", "bytes", "binary", "varbinary", "tinyblob", "mediumblob", "longblob", "image", "raw"),
}  # fmt: skip
_KIND_OF = {word: kind for kind, words in _WORDS.items() for word in words}
_MONEY = {"money": SqlType("numeric", 19, 4), "smallmoney": SqlType("numeric", 10, 4)}


def declared_type(declared: str, unconstrained: SqlType | None = None) -> tuple[SqlType, str | None]:
    """Return the type that carries a column of SQLite that is `declared` so, and a note where it says something else.

    `unconstrained` is given where rows are to be read: it carries numerics without a precision, in place of numeric(18,4), and the
    words of other databases, such as tinyint and varchar2, limit no integers and texts.
    """
    said = " ".join(_QUOTE.sub("", _COMMENT.sub(" ", declared)).split())
    if not said:
        return SqlType("text"), "declared without a type, taken as text"
    found = _FORM.match(said.lower())
    known = None if found is None else _known(f"{found[1]} {found[3] or ''}".split(), found[2], unconstrained)
    type, is_exact = known or (_by_affinity(said.upper(), unconstrained), False)
    return type, None if is_exact else f"declared {said}, taken as {type}"


def _known(words: Sequence[str], bracketed: str | None, unconstrained: SqlType | None) -> tuple[SqlType, bool] | None:
    """The type that words and what stands in brackets name, and whether it says all that they do; None where they are not known."""
    name = " ".join(word for word in words if word not in _OF_INTEGERS)
    kind = _KIND_OF.get(name)
    numbers = [int(number) for number in re.findall(r"[+-]?\d+", bracketed or "")]
    if kind is None:
        return None
    if kind in INTEGERS:  # what stands in brackets is how wide they are shown
        if unconstrained is not None and name != kind:  # which says little of what is there
            return SqlType("bigint"), True
        return SqlType(_LARGER[kind] if "unsigned" in words else kind), True
    if kind == "numeric":
        precision, scale = [*numbers, None, None][:2]
        type, note = column_type(sa.Numeric(precision, scale), unconstrained)
        return type, note is None
    if kind == "money":
        return unconstrained or _MONEY[name], False
    if kind in ("varchar", "char"):
        if unconstrained is not None and name.removeprefix("n") != kind:
            return SqlType("text"), True
        if len(numbers) == 1 and 1 <= numbers[0] <= MAX_LENGTH:
            return SqlType(kind, length=numbers[0]), True
        return SqlType("text"), not numbers
    if name == "bit" and numbers not in ([], [1]):
        return SqlType("bigint"), False
    if kind in ("time", "timetz", "timestamp", "timestamptz"):
        return SqlType("time" if kind == "timetz" else kind), kind != "timetz" and max(numbers, default=0) <= _DIGITS_OF_SECONDS
    if kind == "some text":
        return SqlType("text"), False
    return SqlType(kind), not numbers or name == "bit"


def _by_affinity(said: str, unconstrained: SqlType | None) -> SqlType:
    if said.endswith("[]"):  # which has no array but in a text
        return SqlType("text")
    if "INT" in said:
        return SqlType("integer")
    if any(word in said for word in ("CHAR", "CLOB", "TEXT")):
        return SqlType("text")
    if "BLOB" in said:
        return SqlType("bytes")
    if any(word in said for word in ("REAL", "FLOA", "DOUB")):
        return SqlType("double")
    return column_type(sa.Numeric(), unconstrained)[0]
