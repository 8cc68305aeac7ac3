"""Small bundles made by hand that hold every type, every constraint and odd names."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa

import bundles
from bundles import Bundle
from schemas.model import Check, Column, ForeignKey, Index, Rows, Schema, Table, Unique
from schemas.types import SqlType


@dataclass
class ArrowSource:
    """Arrow tables as a source of a bundle."""

    schema: Schema
    tables: Mapping[str, pa.Table]
    kind: str = "synthetic"
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def read(self, table: str) -> pa.RecordBatchReader:
        return self.tables[table].to_reader(max_chunksize=1000)


def build(schema: Schema, rows: Mapping[str, list[dict[str, Any]]], store: Path) -> Bundle:
    """Build a bundle of `rows`."""
    tables = {t.name: arrow_table(t, rows.get(t.name, [])) for t in schema.tables}
    return bundles.build(ArrowSource(schema, tables), store=store)


def arrow_table(table: Table, rows: list[dict[str, Any]]) -> pa.Table:
    arrays = [arrow_array(c.type, [row.get(c.name) for row in rows]) for c in table.stored_columns]
    return pa.Table.from_arrays(arrays, schema=table.arrow)


def arrow_array(type: SqlType, values: list[Any]) -> pa.Array:
    if type.kind == "uuid":
        binary = [None if v is None else v.bytes for v in values]
        return pa.ExtensionArray.from_storage(pa.uuid(), pa.array(binary, pa.binary(16)))
    if type.kind == "array":
        offsets, items = [0], []
        for value in values:
            items += value or []
            offsets.append(len(items))
        mask = pa.array([v is None for v in values]) if None in values else None
        return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), arrow_array(type.item, items), mask=mask)
    return pa.array(values, type.arrow)


def kind(kind: str, **more: Any) -> SqlType:
    return SqlType(kind, **more)


BIGINT, TEXT = kind("bigint"), kind("text")
MOODS = ("calm", "it's 😀", "")

KINDS: dict[str, tuple[SqlType, list[Any]]] = {
    "smallint": (kind("smallint"), [-(2**15), 2**15 - 1]),
    "integer": (kind("integer"), [-(2**31), 2**31 - 1]),
    "bigint": (BIGINT, [-(2**63), 2**63 - 1]),
    "numeric_narrow": (kind("numeric", precision=15, scale=4), [Decimal("-99999999999.9999"), Decimal("0.0001")]),
    "numeric_whole": (kind("numeric", precision=5, scale=0), [Decimal("-99999"), Decimal("7")]),
    "numeric_wide": (
        kind("numeric", precision=38, scale=10),
        [Decimal("-9999999999999999999999999999.9999999999"), Decimal("0.0000000001")],
    ),
    "numeric_free": (kind("numeric"), [Decimal("12345678901234567890.123456789"), Decimal("0")]),
    "real": (kind("real"), [1.5, -3.4028234663852886e38]),
    "double": (kind("double"), [0.1, float("-inf")]),
    "text": (TEXT, ["", "a'b\"c\\d\n\t🦊 ' -- ; é"]),
    "varchar": (kind("varchar", length=12), ["12", "trailing   "]),
    "char": (kind("char", length=5), ["ab", "vwxyz"]),
    "boolean": (kind("boolean"), [True, False]),
    "date": (kind("date"), [date(1, 1, 1), date(9999, 12, 31)]),
    "time": (kind("time"), [time(0, 0), time(23, 59, 59, 999999)]),
    "timestamp": (kind("timestamp"), [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999)]),
    "timestamptz": (
        kind("timestamptz"),
        [datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)],
    ),
    "interval": (kind("interval"), [timedelta(days=-400, microseconds=1), timedelta(days=200_000)]),
    "uuid": (kind("uuid"), [uuid.UUID(int=0), uuid.UUID("ffffffff-ffff-4fff-bfff-fffffffffffe")]),
    "json": (kind("json"), ['{"a":[1,2.5,null],"b":"x y","ü":{}}', "5"]),
    "bytes": (kind("bytes"), [b"", b"\x00\xff'"]),
    "enum": (kind("enum", values=MOODS), ["it's 😀", ""]),
    "integers": (kind("array", item=kind("integer")), [[], [1, None, -3]]),
    "texts": (kind("array", item=TEXT), [["a,b", '"', "", None, "{}"], []]),
    "numerics": (kind("array", item=kind("numeric", precision=20, scale=3)), [[Decimal("1.500"), None], []]),
    "uuids": (kind("array", item=kind("uuid")), [[uuid.UUID(int=1)], [None]]),
    "dates": (kind("array", item=kind("date")), [[date(2020, 2, 29)], []]),
    "moments": (kind("array", item=kind("timestamptz")), [[datetime(2020, 2, 29, tzinfo=UTC)], [None]]),
    "intervals": (kind("array", item=kind("interval")), [[timedelta(days=200_000), None], []]),
    "moods": (kind("array", item=kind("enum", values=MOODS)), [["calm", None], []]),
    "documents": (kind("array", item=kind("json")), [['{"a":1}', None], []]),
    "blobs": (kind("array", item=kind("bytes")), [[b"\x00", b""], []]),
    "booleans": (kind("array", item=kind("boolean")), [[True, None], []]),
    "doubles": (kind("array", item=kind("double")), [[1e300, None], []]),
}


def kinds_table() -> Table:
    """A table with a column of every type, its keys out of order."""
    columns = tuple(Column(name, type, null=0.3) for name, (type, _) in KINDS.items())
    return Table("kinds", (Column("id", BIGINT), *columns), Rows(4), key=("id",))


def kinds_rows() -> list[dict[str, Any]]:
    first = {name: values[0] for name, (_, values) in KINDS.items()}
    second = {name: values[1] for name, (_, values) in KINDS.items()}
    return [{"id": 7, **first}, {"id": -3}, {"id": 12, **second}, {"id": 5}, {"id": 6, **first}]


def shop() -> Schema:
    """Every kind of constraint, in two namespaces, with tables that refer to each other and to themselves."""
    reference = Column("order_id", BIGINT)
    customers = Table(
        "customers",
        (
            Column("id", kind("integer"), identity=True),
            Column("email", TEXT, comment="where to write; it's */ odd"),
            Column("code", kind("varchar", length=8), null=0.2),
            Column("referrer_id", kind("integer"), null=0.5),
            Column("mood", kind("enum", values=("calm", "cross"), name="mood"), default="'calm'"),
            Column("since", kind("timestamptz"), default="now()"),
            Column("token", kind("uuid"), default="gen_random_uuid()"),
        ),
        Rows(3),
        key=("id",),
        unique=(Unique(("email",), name="one email"), Unique(("code",))),
        foreign_keys=(ForeignKey(("referrer_id",), "customers", ("id",), acyclic=True),),
        checks=(
            Check("email LIKE '%@%'", name="looks like mail"),
            Check("since >= '2000-01-01'::timestamptz"),
            Check("mood::text = ANY (ARRAY['calm'::character varying, 'cross'::character varying]::text[])"),
        ),
        comment="people who buy",
    )
    orders = Table(
        "sales.orders",
        (
            Column("id", BIGINT, identity=True),
            Column("customer_id", kind("integer")),
            Column("net", kind("numeric", precision=12, scale=2)),
            Column("tax", kind("numeric", precision=12, scale=2)),
            Column("total", kind("numeric", precision=12, scale=2)),
            Column("exact", kind("numeric", precision=30, scale=12), default="0"),
            Column("double_net", kind("numeric", precision=14, scale=2), null=0, computed="net * 2"),
            Column("placed", kind("timestamp")),
            Column("paid", kind("timestamp"), null=0.5),
        ),
        Rows(3),
        key=("id",),
        foreign_keys=(ForeignKey(("customer_id",), "customers", ("id",), name="customer of order"),),
        checks=(Check("net + tax = total"), Check("paid >= placed"), Check("exact < 100 AND exact >= 0")),
        indexes=(Index(("customer_id", "placed")), Index(("placed", "id"), name="by time", unique=True)),
    )
    lines = Table(
        "sales.order lines",
        (reference, Column("line", kind("smallint")), Column("customer_code", kind("varchar", length=8), null=0.5)),
        Rows(3),
        key=("order_id", "line"),
        foreign_keys=(
            ForeignKey(("order_id",), "sales.orders", ("id",)),
            ForeignKey(("customer_code",), "customers", ("code",)),
        ),
    )
    notes = Table(
        'we"ird 🦊 ; table',
        (
            Column("select", TEXT),
            Column('a"b', BIGINT, null=0.5),
            Column("line", kind("smallint"), null=0.5),
            Column("UPPER case", BIGINT),
        ),
        Rows(2),
        key=("select",),
        checks=(Check('"UPPER case" > 0'),),
        comment="odd",
    )
    teams = Table(
        "teams",
        (Column("id", BIGINT), Column("lead_id", BIGINT)),
        Rows(2),
        key=("id",),
        foreign_keys=(ForeignKey(("lead_id",), "people", ("id",)),),
    )
    people = Table(
        "people",
        (Column("id", BIGINT), Column("team_id", BIGINT)),
        Rows(2),
        key=("id",),
        foreign_keys=(ForeignKey(("team_id",), "teams", ("id",)),),
    )
    pairs = Table(
        "pairs",
        (Column("a", BIGINT), Column("b", TEXT), Column("other_a", BIGINT, null=0.5), Column("other_b", TEXT, null=0.5)),
        Rows(3),
        key=("a", "b"),
        foreign_keys=(ForeignKey(("other_a", "other_b"), "pairs", ("a", "b")),),
    )
    empty = Table("empty", (Column("id", BIGINT, identity=True), Column("a", BIGINT)), Rows(0), key=("id",))
    return Schema("shop", (lines, orders, customers, notes, teams, people, pairs, empty))


def shop_rows() -> dict[str, list[dict[str, Any]]]:
    placed = datetime(2025, 1, 6, 8, 30)
    return {
        "customers": [
            {"id": 9, "email": "a@example.com", "code": "A", "referrer_id": 40},
            {"id": 40, "email": "b@example.com", "code": None, "referrer_id": 2},
            {"id": 2, "email": "c@example.com", "code": "C", "referrer_id": None},
        ],
        "sales.orders": [
            {
                "id": n, "customer_id": 9, "net": Decimal("0.10"), "tax": Decimal("0.20"), "total": Decimal("0.30"),
                "exact": Decimal("99.999999999999"), "placed": placed + timedelta(days=n), "paid": None,
            }
            for n in (1, 2, 3)
        ],
        "sales.order lines": [
            {"order_id": 3, "line": 2, "customer_code": "C"},
            {"order_id": 3, "line": 1, "customer_code": None},
            {"order_id": 1, "line": 1, "customer_code": "A"},
        ],
        'we"ird 🦊 ; table': [{"select": "'x'", 'a"b': None, "line": 1, "UPPER case": 1}],
        "teams": [{"id": 1, "lead_id": 2}, {"id": 2, "lead_id": 1}],
        "people": [{"id": 1, "team_id": 1}, {"id": 2, "team_id": 2}],
        "pairs": [
            {"a": 1, "b": "x", "other_a": 2, "other_b": "y"},
            {"a": 2, "b": "y", "other_a": None, "other_b": "y"},
        ],
    }  # fmt: skip


def complete(rows: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Fill the columns of `customers` that its database would fill."""
    for number, row in enumerate(rows["customers"]):
        row.setdefault("mood", "calm")
        row.setdefault("since", datetime(2024, 5, 1, 12, number, tzinfo=UTC))
        row.setdefault("token", uuid.UUID(int=number))
    return rows


def simple(count: int = 5) -> Schema:
    """Two tables, a parent and a child."""
    parents = Table("parents", (Column("id", BIGINT), Column("name", TEXT)), Rows(count), key=("id",))
    children = Table(
        "children",
        (Column("id", BIGINT), Column("parent_id", BIGINT), Column("born", kind("date"))),
        Rows(count),
        key=("id",),
        foreign_keys=(ForeignKey(("parent_id",), "parents", ("id",)),),
    )
    return Schema("simple", (parents, children))


def simple_rows(count: int = 5, *, mark: str = "", orphan: bool = False) -> dict[str, list[dict[str, Any]]]:
    return {
        "parents": [{"id": n, "name": f"{mark}{n}"} for n in range(count)],
        "children": [
            {"id": n, "parent_id": count if orphan and n == count - 1 else n, "born": date(2020, 1, 1) + timedelta(days=n)}
            for n in range(count)
        ],
    }


def with_table(schema: Schema, table: Table) -> Schema:
    """`schema` with `table` in place of the one of that name."""
    return replace(schema, tables=tuple(table if t.name == table.name else t for t in schema.tables))
