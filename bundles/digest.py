"""The content digest: what a bundle means, whichever program wrote its bytes.

A Merkle tree of BLAKE3 hashes over blocks, columns, tables and the bundle. Only the values count: not the Arrow or Parquet
version, not batches, slices, dictionary encoding or 32- or 64-bit offsets, not garbage below nulls, not the order of
columns and tables, not constraints. The order of rows counts. This is the whole definition, version 1:

- H(stage, message) is BLAKE3 in key derivation mode with the context `companyos content digest 1 STAGE`, 32 bytes long.
  u32(n) and u64(n) are little-endian; text(s) is u64(length in bytes) and then the UTF-8 bytes of s.
- A block is the rows k * 65,536 up to (k + 1) * 65,536 of one column, or up to the last row; no rows make no block.
  block = H("block", text(TYPE) + u64(rows of the block) + values(TYPE, block))
- column = H("column", text(TYPE) + u64(rows of the table) + all its blocks in order)
- table = H("table", u64(rows) + u64(columns) + for each column by its name: text(name) + column)
- bundle = H("bundle", u64(tables) + for each table by its name: text(name) + table)
- Where rows have files (logos, documents), the bundle is H("bundle with media", that digest + media) instead, with
  media = H("media", u64(files) + for each file by its path: text(path) + text(table) + text(column) + text(media type) + file)
  and file = H("file", its bytes).
  Names are sorted by their UTF-8 bytes. A digest is written as `blake3:` and 64 hexadecimal digits.
- TYPE is the kind of the column's type (`bigint`, `text`, ...), for numeric `numeric:SCALE` (9 where it is unconstrained),
  for arrays the item's TYPE and `[]`. Length, precision, and an enum's name and values do not enter.
- values(TYPE, rows) is the byte 0 where no row is null, else the byte 1 and a bitmap of ceil(rows / 8) bytes with bit i % 8
  of byte i // 8 set where row i is not null (unused bits 0); and then, for each row, null or not:
    smallint, integer, bigint      8 bytes, two's complement, little-endian; null is 0
    date                           the same, days since 1970-01-01
    time                           the same, microseconds since midnight
    timestamp, timestamptz         the same, microseconds since 1970-01-01 (UTC)
    interval                       the same, microseconds
    real, double                   8 bytes, IEEE 754 binary64, little-endian; -0.0 is 0.0, NaN is 0x7ff8000000000000, null is 0.0
    numeric                        16 bytes, two's complement, little-endian: the value times 10^SCALE; null is 0
    boolean                        1 byte, 1 for true; null is 0
    uuid                           16 bytes, as written from left to right; null is zeros
    text, varchar, char, enum, json, bytes
                                   first u32(length in bytes) for every row (null is 0), then the bytes of every row;
                                   char loses its trailing spaces, json is in the form that `bundles.canonical` defines
    arrays                         first u32(number of items) for every row (null is 0), then u64(number of all items) and
                                   values(item's TYPE, all items of the rows that are not null)

Sources: BLAKE3, O'Connor et al. 2020, section 2.3 (key derivation); Merkle trees as in RFC 6962.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
from blake3 import blake3

from bundles.canonical import NotJson
from bundles.encoding import Bytes, encode, is_coded, storage, u64
from bundles.errors import ContentInvalid, SourceInvalid
from schemas.model import Column, Table
from schemas.types import SqlType

BLOCK_ROWS = 65_536
ALGORITHM = "blake3"
_CONTEXT = "companyos content digest 1 "


@dataclass(frozen=True, slots=True)
class TableDigest:
    """The content digests of one table and of its columns, and how many rows they cover."""

    rows: int
    content_digest: str
    columns: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class FileDigest:
    """The content digest of a file, its media type, and the column whose cells hold its path."""

    table: str
    column: str
    media_type: str
    content_digest: str


class ColumnDigester:
    """Digests one column from arrays of any sizes, given in the order of the rows.

    `json_is_canonical` takes the text of json columns as it comes; any text but the canonical one gives another digest.
    """

    def __init__(self, table: str, column: Column, *, json_is_canonical: bool = False) -> None:
        self._table, self._column = table, column
        self._encoded_as = _as_text(column.type) if json_is_canonical else column.type
        self._waiting: list[pa.Array] = []
        self._waiting_rows = 0
        self._blocks: list[bytes] = []
        self.rows = 0

    def update(self, array: pa.Array) -> None:
        """Add the values of the next rows; ContentInvalid where one is not JSON in a json column."""
        start = 0
        while start < len(array):
            taken = min(BLOCK_ROWS - self._waiting_rows, len(array) - start)
            self._waiting.append(_stored(self._table, self._column, array.slice(start, taken)))
            self._waiting_rows += taken
            self.rows += taken
            start += taken
            if self._waiting_rows == BLOCK_ROWS:
                self._close_block()

    def finish(self) -> str:
        """Return the column's digest."""
        if self._waiting_rows:
            self._close_block()
        return column_digest(self._column, self.rows, self._blocks)

    def _close_block(self) -> None:
        block = _joined(self._waiting)
        first = len(self._blocks) * BLOCK_ROWS
        self._waiting, self._waiting_rows = [], 0
        self._blocks.append(_block(self._table, self._column, block, first, self._encoded_as))


class TableDigester:
    """Digests one table from record batches of any sizes, given in the order of the rows.

    `update` raises SourceInvalid where a column is missing or cannot be read as its type. `json_is_canonical` saves the time to
    make json columns canonical; any text but the canonical one then gives another digest.
    """

    def __init__(self, table: Table, *, json_is_canonical: bool = False) -> None:
        self._columns = {c.name: ColumnDigester(table.name, c, json_is_canonical=json_is_canonical) for c in table.stored_columns}
        self._table = table
        self._rows = 0

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the next rows."""
        for name, column in self._columns.items():
            column.update(_column_of(self._table, batch, name))
        self._rows += batch.num_rows

    def finish(self) -> TableDigest:
        """Return the digests of the table and its columns."""
        return table_digest(self._rows, {name: column.finish() for name, column in self._columns.items()})


def block_digests(table: Table, batch: pa.RecordBatch, first_row: int = 0, canonical: Collection[str] = ()) -> dict[str, list[bytes]]:
    """Return the digests of the blocks of each column in `batch`, which begins at a block's first row.

    The batch must hold whole blocks unless it ends the table; `first_row` is its place in the table, for messages. The json
    columns in `canonical` are taken as they come.
    """
    digests: dict[str, list[bytes]] = {}
    for column in table.stored_columns:
        array = _column_of(table, batch, column.name)
        encoded_as = _as_text(column.type) if column.name in canonical else column.type
        if not is_coded(encoded_as, array):
            array = _stored(table.name, column, array)
        digests[column.name] = [
            _block(table.name, column, array.slice(start, BLOCK_ROWS), first_row + start, encoded_as)
            for start in range(0, len(array), BLOCK_ROWS)
        ]
    return digests


def combine(table: Table, rows: int, blocks: Mapping[str, Sequence[bytes]]) -> TableDigest:
    """Return the digest of a table of `rows` rows from the digests of the blocks of each column, in order."""
    return table_digest(rows, {c.name: column_digest(c, rows, blocks[c.name]) for c in table.stored_columns})


def column_digest(column: Column, rows: int, blocks: Sequence[bytes]) -> str:
    """Return the digest of a column from those of its blocks."""
    return _written(_hash("column", _text(type_name(column.type)), u64(rows), *blocks))


def table_digest(rows: int, columns: Mapping[str, str]) -> TableDigest:
    """Return the digest of a table from those of its columns."""
    return TableDigest(rows, _written(_hash("table", u64(rows), *_named(columns))), dict(columns))


def bundle_digest(tables: Mapping[str, str], media: Mapping[str, FileDigest] | None = None) -> str:
    """Return the digest of a bundle from those of its tables, and of its files by their paths."""
    whole = _hash("bundle", *_named(tables))
    if not media:
        return _written(whole)
    files = []
    for path in sorted(media, key=lambda p: p.encode()):
        file = media[path]
        named = (_text(part) for part in (path, file.table, file.column, file.media_type))
        files += [*named, bytes.fromhex(file.content_digest.removeprefix(f"{ALGORITHM}:"))]
    return _written(_hash("bundle with media", whole, _hash("media", u64(len(media)), *files)))


def file_digest(data: bytes) -> str:
    """Return the content digest of a file."""
    return _written(_hash("file", data))


def type_name(type: SqlType) -> str:
    """Return the name under which a type enters the digest."""
    if type.kind == "array":
        assert type.item is not None
        return f"{type_name(type.item)}[]"
    return f"numeric:{type.decimals}" if type.kind == "numeric" else type.kind


def _joined(arrays: Sequence[pa.Array]) -> pa.Array:
    if len(arrays) == 1:
        return arrays[0]
    widest = {a.type for a in arrays}
    if len(widest) > 1:
        binary = any(pa.types.is_binary(t) or pa.types.is_large_binary(t) for t in widest)
        arrays = [a.cast(pa.large_binary() if binary else pa.large_string()) for a in arrays]
    return pa.concat_arrays(arrays)


def _stored(table: str, column: Column, array: pa.Array) -> pa.Array:
    try:
        return storage(column.type, array)
    except pa.ArrowException:
        raise SourceInvalid(f"table '{table}', column '{column.name}' comes as {array.type}, which does not fit {column.type}") from None


def _column_of(table: Table, batch: pa.RecordBatch, name: str) -> pa.Array:
    index = batch.schema.get_field_index(name)
    if index < 0:
        raise SourceInvalid(f"table '{table.name}' comes without its column '{name}'")
    return batch.column(index)


def _as_text(type: SqlType) -> SqlType:
    if type.kind == "array" and type.item is not None:
        return replace(type, item=_as_text(type.item))
    return SqlType("text") if type.kind == "json" else type


def _block(table: str, column: Column, array: pa.Array, first_row: int, encoded_as: SqlType) -> bytes:
    try:
        parts = list(encode(encoded_as, array))
    except NotJson as error:
        raise ContentInvalid(f"table '{table}', column '{column.name}', row {first_row + error.position}: the value is not JSON") from None
    return _hash("block", _text(type_name(column.type)), u64(len(array)), *parts)


def _hash(stage: str, *parts: Bytes) -> bytes:
    hasher = blake3(derive_key_context=_CONTEXT + stage)
    for part in parts:
        hasher.update(part if isinstance(part, bytes) else np.ascontiguousarray(part).view(np.uint8).data)
    return hasher.digest()


def _named(digests: Mapping[str, str]) -> Iterator[bytes]:
    yield u64(len(digests))
    for name in sorted(digests, key=lambda n: n.encode()):
        yield _text(name)
        yield bytes.fromhex(digests[name].removeprefix(f"{ALGORITHM}:"))


def _text(text: str) -> bytes:
    encoded = text.encode()
    return u64(len(encoded)) + encoded


def _written(digest: bytes) -> str:
    return f"{ALGORITHM}:{digest.hex()}"
