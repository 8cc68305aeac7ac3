"""Sources of data for the tests of bundles: a shop whose every value is a plain function of its row number."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from schemas.model import Check, Column, ForeignKey, Rows, Schema, Table, Unique
from schemas.types import SqlType

Make = Callable[[int, int], pa.Array]


def column(name: str, kind: str, **options: Any) -> Column:
    """A column, NOT NULL unless `null` says otherwise; options of the type and of the column go together."""
    of_type = {k: options.pop(k) for k in ("precision", "scale", "length", "values", "item") if k in options}
    if "type_name" in options:
        of_type["name"] = options.pop("type_name")
    return Column(name, SqlType(kind, **of_type), **options)


def numbers(start: int, stop: int) -> np.ndarray:
    return np.arange(start, stop, dtype=np.int64)


def uuids(start: int, stop: int, salt: int = 7) -> pa.Array:
    halves = np.empty((stop - start, 2), dtype=">u8")
    halves[:, 0] = salt
    halves[:, 1] = numbers(start, stop)
    storage = pa.Array.from_buffers(pa.binary(16), stop - start, [None, pa.py_buffer(halves.tobytes())])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def texts(start: int, stop: int, form: str = "text {}") -> pa.Array:
    return pa.array([form.format(i) for i in range(start, stop)], pa.string())


def nullable(array: pa.Array, start: int, every: int) -> pa.Array:
    mask = (numbers(start, start + len(array)) % every) == 0
    return pa.compute.if_else(pa.array(mask), pa.scalar(None, array.type), array)


class MadeSource:
    """A RangeSource from functions: one for each column, which makes the values of a range of rows."""

    kind = "synthetic"

    def __init__(self, schema: Schema, rows: Mapping[str, int], columns: Mapping[str, Mapping[str, Make]]) -> None:
        self.schema = schema
        self._rows = dict(rows)
        self._columns = {table: dict(makes) for table, makes in columns.items()}
        self.provenance: Mapping[str, Any] = {"seed": schema.seed, "generator": "test 1", "scale": 1.5}

    def row_count(self, table: str) -> int:
        return self._rows[table]

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        wanted = self.schema.table(table)
        makes = self._columns[table]
        return pa.RecordBatch.from_arrays([makes[c.name](start, stop) for c in wanted.stored_columns], schema=wanted.arrow)

    def read(self, table: str) -> pa.RecordBatchReader:
        rows = self._rows[table]
        batches = (self.read_rows(table, i, min(i + 50_000, rows)) for i in range(0, rows, 50_000))
        return pa.RecordBatchReader.from_batches(self.schema.table(table).arrow, batches)

    def changed(self, table: str, name: str, make: Make) -> MadeSource:
        """The same source with other values in one column."""
        columns = {**self._columns, table: {**self._columns[table], name: make}}
        return MadeSource(self.schema, self._rows, columns)


class StreamSource:
    """The tables of another source as a stream of batches of `batch_rows` rows, which cannot be read in ranges."""

    def __init__(self, source: MadeSource, batch_rows: int = 1000) -> None:
        self._source, self._batch_rows = source, batch_rows
        self.schema, self.kind, self.provenance = source.schema, source.kind, source.provenance

    def read(self, table: str) -> pa.RecordBatchReader:
        rows, step = self._source.row_count(table), self._batch_rows
        batches = (self._source.read_rows(table, i, min(i + step, rows)) for i in range(0, rows, step))
        return pa.RecordBatchReader.from_batches(self.schema.table(table).arrow, batches)


MOOD = ("sad", "ok", "happy")


def shop_schema() -> Schema:
    """Tables with every type, a composite key, a composite reference, a self-reference, checks and an empty table."""
    shops = Table(
        "shops",
        (
            column("id", "uuid"),
            column("name", "varchar", length=40),
            column("mood", "enum", values=MOOD, type_name="mood"),
            column("opened", "date"),
            column("code", "char", length=5),
        ),
        Rows(100),
        key=("id",),
        unique=(Unique(("name",)),),
    )
    people = Table(
        "people",
        (
            column("shop_id", "uuid"),
            column("nr", "integer"),
            column("email", "text", data_class="personal"),
            column("boss", "integer", null=0.1),
            column("wage", "numeric", precision=12, scale=2, data_class="sensitive"),
            column("score", "double", null=0.2),
            column("ratio", "real"),
            column("small", "smallint"),
            column("active", "boolean"),
            column("wakes", "time"),
            column("seen", "timestamp", null=0.5),
            column("made_at", "timestamptz"),
            column("worked", "interval"),
            column("notes", "json", null=0.3),
            column("photo", "bytes", null=0.3),
            column("tags", "array", item=SqlType("text"), null=0.2),
            column("friends", "array", item=SqlType("uuid")),
        ),
        Rows(1000),
        key=("shop_id", "nr"),
        foreign_keys=(
            ForeignKey(("shop_id",), "shops", ("id",)),
            ForeignKey(("shop_id", "boss"), "people", ("shop_id", "nr")),
        ),
        checks=(Check("wage >= 0", "wage_is_positive"), Check("score IS NULL OR score BETWEEN 0 AND 1")),
    )
    empty = Table("empty", (column("id", "bigint"), column("when", "timestamptz", null=0.0)), Rows(0), key=("id",))
    return Schema("shop", (shops, people, empty), seed=42)


def shop(people: int = 1000, shops: int = 10) -> MadeSource:
    """A shop whose data keeps every promise of its schema."""

    def per_shop(start: int, stop: int) -> np.ndarray:
        return numbers(start, stop) // shops

    def boss(start: int, stop: int) -> pa.Array:
        nr = per_shop(start, stop)
        return pa.array(np.maximum(nr - 1, 0).astype(np.int32), mask=nr == 0)

    def shop_of(start: int, stop: int) -> pa.Array:
        return uuids(0, shops).storage.take(pa.array(numbers(start, stop) % shops))

    def tags(start: int, stop: int) -> pa.Array:
        return pa.array([None if i % 5 == 0 else ["x"] * (i % 3) for i in range(start, stop)], pa.list_(pa.string()))

    def friends(start: int, stop: int) -> pa.Array:
        offsets = pa.array(np.arange(stop - start + 1, dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, uuids(start, stop, 9))

    def notes(start: int, stop: int) -> pa.Array:
        texts = [json.dumps({"a": i, "b": [1, "ü"]}, separators=(",", ":"), ensure_ascii=False) for i in range(start, stop)]
        return nullable(pa.array(texts), start, 4)

    columns: dict[str, dict[str, Make]] = {
        "shops": {
            "id": uuids,
            "name": lambda a, b: texts(a, b, "Shop {}"),
            "mood": lambda a, b: pa.array([MOOD[i % 3] for i in range(a, b)], pa.string()),
            "opened": lambda a, b: pa.array(numbers(a, b).astype(np.int32)).cast(pa.date32()),
            "code": lambda a, b: texts(a, b, "{:05d}"),
        },
        "people": {
            "shop_id": lambda a, b: pa.ExtensionArray.from_storage(pa.uuid(), shop_of(a, b)),
            "nr": lambda a, b: pa.array(per_shop(a, b).astype(np.int32)),
            "email": lambda a, b: texts(a, b, "p{}@example.com"),
            "boss": boss,
            "wage": lambda a, b: pa.array(numbers(a, b)).cast(pa.decimal128(19, 0)).cast(pa.decimal128(12, 2)),
            "score": lambda a, b: nullable(pa.array((numbers(a, b) % 100) / 100), a, 7),
            "ratio": lambda a, b: pa.array((numbers(a, b) % 8).astype(np.float32) / 8),
            "small": lambda a, b: pa.array((numbers(a, b) % 1000).astype(np.int16)),
            "active": lambda a, b: pa.array(numbers(a, b) % 2 == 0),
            "wakes": lambda a, b: pa.array(numbers(a, b) % 86_400_000_000).cast(pa.time64("us")),
            "seen": lambda a, b: nullable(pa.array(numbers(a, b)).cast(pa.timestamp("us")), a, 2),
            "made_at": lambda a, b: pa.array(numbers(a, b) * 1_000_003).cast(pa.timestamp("us", "UTC")),
            "worked": lambda a, b: pa.array(numbers(a, b) * 1_000_000).cast(pa.duration("us")),
            "notes": notes,
            "photo": lambda a, b: nullable(pa.array([bytes([i % 256]) * (i % 4) for i in range(a, b)], pa.binary()), a, 3),
            "tags": tags,
            "friends": friends,
        },
        "empty": {
            "id": lambda a, b: pa.array(numbers(a, b)),
            "when": lambda a, b: pa.array(numbers(a, b)).cast(pa.timestamp("us", "UTC")),
        },
    }
    return MadeSource(shop_schema(), {"shops": shops, "people": people, "empty": 0}, columns)


def narrow(rows: int, name: str = "numbers", **columns: Make) -> MadeSource:
    """One table of bigint columns; without `columns`, an id."""
    makes = columns or {"id": lambda a, b: pa.array(numbers(a, b))}
    table = Table(name, tuple(column(c, "bigint") for c in makes), Rows(rows), key=(next(iter(makes)),))
    return MadeSource(Schema("narrow", (table,)), {name: rows}, {name: makes})


def with_table(schema: Schema, table: Table) -> Schema:
    """The schema with `table` in the place of the one of its name."""
    return replace(schema, tables=tuple(table if t.name == table.name else t for t in schema.tables))
