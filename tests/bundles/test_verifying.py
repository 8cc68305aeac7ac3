"""Verification finds every planted fault, names where it is first, counts it, and shows no personal value."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import bundle_sources as sources
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bundle_sources import column, narrow, numbers, shop

import bundles
from bundles.config import Config
from bundles.digest import BLOCK_ROWS, TableDigest, TableDigester
from bundles.errors import BundleDamaged, BundleTooNew
from bundles.manifest import Layer, Manifest, Summary
from bundles.references import parse
from schemas.document import to_document
from schemas.model import Check, ForeignKey, Index, Rows, Schema, Table, Unique
from schemas.types import SqlType


def put(store, config, layers, summary=None, tag="forged:v1"):
    """Tag a bundle that nobody has checked; `layers` is a list of (table, first row, rows, bytes)."""
    with store.staging() as stage:
        written = [Layer(t, first, rows, stage.add(data)) for t, first, rows, data in layers]
        own = Summary(config.kind, config.data_class, config.content_digest, len(config.tables), config.rows)
        blob = stage.add(Manifest(stage.add(config.encode()), written, summary or own).encode())
        stage.publish()
        store.point(parse(tag), blob)
    return bundles.open(tag, store)


def file_of(batch):
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_batches([batch]), sink, store_schema=False)
    return sink.getvalue().to_pybytes()


def forged(store, schema, batches, digests=None):
    """A bundle with these rows and digests that fit them, whatever the schema says."""
    found = {}
    for table in schema.tables:
        if digests and table.name in digests:
            found[table.name] = digests[table.name]
            continue
        digester = TableDigester(table)
        digester.update(batches[table.name])
        found[table.name] = digester.finish()
    config = Config("synthetic", schema, {}, 4 * BLOCK_ROWS, found)
    layers = [(t.name, 0, batches[t.name].num_rows, file_of(batches[t.name])) for t in schema.tables]
    return put(store, config, layers)


def one(store, columns, arrays, **table):
    """A forged bundle of one table `t`."""
    wanted = Table("t", tuple(columns), Rows(1), **table)
    batch = pa.record_batch([pa.array(a) if isinstance(a, list) else a for a in arrays], [c.name for c in columns])
    return forged(store, Schema("s", (wanted,)), {"t": batch})


def problems(bundle):
    return [str(p) for p in bundles.verify(bundle, jobs=2).problems]


def blob(store, layer):
    return store.layout.blob_path(layer.blob.digest)


def test_a_good_bundle_has_no_problems_and_says_what_was_checked(store):
    bundle = bundles.build(shop(people=70_000), store=store, chunk_rows=BLOCK_ROWS)
    seen = []
    report = bundles.verify(bundle, seen.append)
    assert report.ok
    assert (report.problems, report.not_checked) == ((), ())
    assert report.checked == {
        "blobs": 6,
        "bytes": sum(p.stat().st_size for p in store.layout.blobs.iterdir()),
        "tables": 3,
        "rows": 70_010,
        "columns": 24,
        "keys": 4,
        "references": 2,
        "checks": 2,
        "rules": 0,
    }
    assert {p.stage for p in seen} == {"hash", "values", "keys", "references", "checks", "rules"}
    assert max(p.rows for p in seen if p.stage == "values") == 70_010
    assert report.describe()["ok"] is True
    report.require()


def test_an_altered_blob_is_named_with_its_rows_and_the_rest_is_still_checked(store):
    bundle = bundles.build(shop(people=140_000), store=store, chunk_rows=BLOCK_ROWS)
    layer = bundle.layers("people")[1]
    data = bytearray(blob(store, layer).read_bytes())
    data[len(data) // 2] ^= 1
    blob(store, layer).write_bytes(data)
    report = bundles.verify(bundle)
    assert [str(p) for p in report.problems] == [f"table 'people': blob {layer.blob.digest} (rows 65,536 to 131,071) is altered"]
    assert {p.table for p in report.not_checked} == {"people"}
    assert report.checked["tables"] == 2
    with pytest.raises(BundleDamaged, match="'synthetic:latest' is not what it says:\ntable 'people': blob"):
        report.require()


def test_every_missing_and_shortened_blob_is_named(store):
    bundle = bundles.build(shop(), store=store)
    people, shops = bundle.layers("people")[0], bundle.layers("shops")[0]
    blob(store, people).unlink()
    blob(store, shops).write_bytes(blob(store, shops).read_bytes()[:-5])
    size = shops.blob.size
    assert problems(bundle) == [
        f"table 'shops': blob {shops.blob.digest} (rows 0 to 9) is altered: it has {size - 5:,} bytes instead of {size:,}",
        f"table 'people': blob {people.blob.digest} (rows 0 to 999) is missing",
    ]


def test_references_to_a_damaged_table_are_reported_as_not_checked(store):
    bundle = bundles.build(shop(), store=store)
    blob(store, bundle.layers("shops")[0]).unlink()
    report = bundles.verify(bundle)
    assert [str(p) for p in report.not_checked] == [
        "table 'shops': its values, keys, references and checks, for its files are not whole",
        "table 'people': reference (shop_id) to shops: the files of that table are not whole",
    ]


def test_reading_a_missing_or_altered_blob_is_a_clear_error(store):
    bundle = bundles.build(shop(), store=store)
    path = blob(store, bundle.layers("people")[0])
    path.write_bytes(b"PAR1 this is no Parquet PAR1")
    with pytest.raises(BundleDamaged, match=r"with rows of table 'people' cannot be read .*bundle verify"):
        bundle.read("people").read_all()
    path.unlink()
    with pytest.raises(BundleDamaged, match="with rows of table 'people' is missing"):
        bundle.table("people").to_arrow()


def test_layers_that_leave_out_repeat_or_swap_rows_are_named(store):
    source = narrow(3 * BLOCK_ROWS)
    good = bundles.build(source, store=store, chunk_rows=BLOCK_ROWS)
    parts = [(x.table, x.first_row, x.rows, blob(store, x).read_bytes()) for x in good.layers("numbers")]
    left_out = problems(put(store, good.config, [parts[0], parts[2]]))
    assert left_out == ["table 'numbers': a layer begins at row 131,072 where row 65,536 comes next"]
    cut = problems(put(store, good.config, parts[:2]))
    assert cut == ["table 'numbers': the layers have 131,072 rows where the config says 196,608"]
    (unreadable,) = problems(put(store, good.config, [parts[0], (*parts[1][:3], b"no Parquet"), parts[2]]))
    assert unreadable.endswith("is not a Parquet file that can be read")
    swapped = problems(put(store, good.config, [parts[0], (*parts[1][:3], parts[2][3]), (*parts[2][:3], parts[1][3])]))
    assert len(swapped) == 1
    assert swapped[0].startswith("table 'numbers', column 'id': the content digest is blake3:")
    assert problems(put(store, good.config, [])) == ["table 'numbers': the manifest has no layer for it"]
    strange = problems(put(store, good.config, [*parts, ("ghosts", 0, *parts[0][2:])]))
    assert any("table 'ghosts': blob sha256" in p and "the schema has no such table" in p for p in strange)
    lying = problems(put(store, good.config, [(*parts[0][:2], 5, parts[0][3]), *parts[1:]]))
    assert any("has 65,536 rows where the manifest says 5" in p for p in lying)


def test_layers_out_of_the_order_of_tables_and_wrong_annotations_are_named(store):
    good = bundles.build(shop(), store=store)
    parts = [(x.table, x.first_row, x.rows, blob(store, x).read_bytes()) for x in good.manifest.layers]
    assert problems(put(store, good.config, parts[::-1])) == ["the layers of the manifest are not in the order of the schema's tables"]
    assert bundles.verify(bundles.build(shop(), store=store, expires=datetime(2030, 1, 1, tzinfo=UTC))).ok
    lie = replace(good.manifest.summary, data_class="public")
    assert problems(put(store, good.config, parts, lie)) == ["the manifest's annotations are not what the config says"]


def test_a_config_that_contradicts_itself_is_not_opened(store, monkeypatch):
    good = bundles.build(shop(), store=store)
    parts = [(x.table, x.first_row, x.rows, blob(store, x).read_bytes()) for x in good.manifest.layers]
    wrong = replace(good.config, tables={k: v for k, v in good.config.tables.items() if k != "empty"})
    with pytest.raises(BundleDamaged, match=r"the config of 'forged:v1' .* its tables are not those of its schema"):
        put(store, wrong, parts)
    with pytest.raises(BundleDamaged, match="kind must be one of synthetic, sanitized, mirrored"):
        put(store, replace(good.config, kind="real"), parts)
    monkeypatch.setattr("bundles.config.to_document", lambda schema: _with_an_unknown_type(to_document(schema)))
    with pytest.raises(
        BundleDamaged, match=r"the config of 'forged:v1' .*: tables\[[0-9]\]\.columns\[[0-9]\]\.type\.kind must be one of smallint, "
    ):
        put(store, good.config, parts)


def test_a_schema_in_a_format_of_the_future_is_no_damage(store, monkeypatch):
    good = bundles.build(narrow(10), store=store)
    monkeypatch.setattr("bundles.config.to_document", lambda schema: {**to_document(schema), "format": 2})
    with pytest.raises(BundleTooNew, match="'forged:v1' is in schema format 2, and this version reads format 1; install a newer version"):
        put(store, good.config, [("numbers", 0, 10, b"")])


def _with_an_unknown_type(document):
    """The same bytes but for one, in the kind of a column's type."""
    return json.loads(json.dumps(document).replace('"bigint"', '"bioint"', 1))


def test_a_file_with_other_columns_or_types_is_named(store):
    good = bundles.build(narrow(10), store=store)
    small = pa.record_batch([pa.array(numbers(0, 10).astype(np.int32))], ["id"])
    assert problems(put(store, good.config, [("numbers", 0, 10, file_of(small))])) == [
        "table 'numbers', column 'id', row 0: the file has int32 where bigint is stored as int64 (10 such rows)"
    ]
    other = pa.record_batch([pa.array(numbers(0, 10))], ["it"])
    (named,) = problems(put(store, good.config, [("numbers", 0, 10, file_of(other))]))
    assert named.endswith("does not have the column 'id'")
    more = pa.record_batch([pa.array(numbers(0, 10)), pa.array(numbers(0, 10))], ["id", "spy"])
    (named,) = problems(put(store, good.config, [("numbers", 0, 10, file_of(more))]))
    assert named.endswith("has a column 'spy' that the schema does not store")
    (named,) = problems(put(store, good.config, [("numbers", 0, 10, b"no Parquet")]))
    assert named.endswith("is not a Parquet file that can be read")
    two = bundles.build(narrow(10, a=texts_as_numbers, b=texts_as_numbers), store=store)
    turned = pa.record_batch([pa.array(numbers(0, 10))] * 2, ["b", "a"])
    (named,) = problems(put(store, two.config, [("numbers", 0, 10, file_of(turned))]))
    assert named.endswith("has its columns in another order")


def test_chunks_of_another_number_of_rows_and_wrong_sizes_are_named(store):
    good = bundles.build(narrow(3 * BLOCK_ROWS), store=store, chunk_rows=BLOCK_ROWS)
    parts = [(x.table, x.first_row, x.rows, blob(store, x).read_bytes()) for x in good.layers("numbers")]
    wide = replace(good.config, chunk_rows=2 * BLOCK_ROWS)
    found = problems(put(store, wide, parts))
    assert [re.sub("sha256:[0-9a-f]+", "X", line) for line in found] == [
        "table 'numbers': blob X has 65,536 rows, and chunks have 131,072"
    ] * 2
    real, config = good.manifest, good.manifest.config
    for wrong in (-1, 1):
        with store.staging() as stage:
            manifest = stage.add(replace(real, config=replace(config, size=config.size + wrong)).encode())
            stage.publish()
            store.point(parse("forged:v2"), manifest)
        (named,) = problems(bundles.open("forged:v2", store))
        assert named.endswith(f"(the config) has {config.size:,} bytes where its descriptor says {config.size + wrong:,}")


def test_a_table_digest_that_is_not_that_of_its_columns_is_named(store):
    good = bundles.build(narrow(10), store=store)
    lie = replace(good.config.tables["numbers"], content_digest="blake3:" + "0" * 64)
    layers = [(x.table, x.first_row, x.rows, blob(store, x).read_bytes()) for x in good.layers("numbers")]
    (named,) = problems(put(store, replace(good.config, tables={"numbers": lie}), layers))
    assert named.startswith("table 'numbers': the content digest is blake3:") and named.endswith("the config says blake3:" + "0" * 64)


def test_a_wrong_value_in_a_later_batch_is_named_by_its_row_in_the_table(store):
    rows, at = BLOCK_ROWS + 9, BLOCK_ROWS + 7
    texts = ["abc"] * rows
    texts[at] = "abcd"
    assert problems(one(store, [column("c", "varchar", length=3)], [texts])) == [f"table 't', column 'c', row {at}: longer than varchar(3)"]
    texts[5] = "abcde"
    assert problems(one(store, [column("c", "varchar", length=3)], [texts])) == [
        "table 't', column 'c', row 5: longer than varchar(3) (2 such rows)"
    ]


def test_values_with_a_null_beside_them_repeat_nothing(store):
    columns = [column("a", "bigint"), column("b", "text", null=0.0)]
    assert problems(one(store, columns, [[1, 1, 2], [None, None, "x"]], unique=(Unique(("a", "b")),))) == []
    assert problems(one(store, columns, [[1, 1, 2], ["x", "x", None]], unique=(Unique(("a", "b")),))) == [
        "table 't', row 1: repeats what must be unique (a, b) of an earlier row"
    ]


def test_other_values_are_found_by_the_content_digest(store):
    good = bundles.build(narrow(10, a=texts_as_numbers, b=texts_as_numbers), store=store)
    changed = pa.record_batch([pa.array(numbers(0, 10)), pa.array(numbers(1, 11))], ["a", "b"])
    (named,) = problems(put(store, good.config, [("numbers", 0, 10, file_of(changed))]))
    assert named.startswith("table 'numbers', column 'b': the content digest is blake3:")
    assert named.endswith(f"where the config says {good.tables['numbers'].columns['b']}")


def texts_as_numbers(start, stop):
    return pa.array(numbers(start, stop))


def test_nulls_in_not_null_and_key_columns_are_named(store):
    bundle = one(store, [column("id", "bigint"), column("k", "text", null=0.0)], [[1, None, 3, None], ["a", "b", None, "d"]], key=("k",))
    assert problems(bundle) == [
        "table 't', column 'id', row 1: null in a column that is NOT NULL (2 such rows)",
        "table 't', column 'k', row 2: null in a column that is NOT NULL",
    ]


@pytest.mark.parametrize("kind", ["varchar", "char"])
def test_texts_that_are_too_long_are_named_and_characters_are_counted(store, kind):
    bundle = one(store, [column("c", kind, length=3, data_class="personal")], [["äöü", "abcd", "x", "12345"]])
    assert problems(bundle) == [f"table 't', column 'c', row 1: longer than {kind}(3) (2 such rows)"]


def test_values_outside_an_enum_are_named_and_shown_only_where_they_are_not_personal(store):
    mood = {"values": ("sad", "ok"), "type_name": "mood"}
    bundle = one(
        store,
        [column("open", "enum", null=0.0, data_class="public", **mood), column("secret", "enum", data_class="sensitive", **mood)],
        [["ok", None, "a" * 41], ["pregnant", "ok", "sad"]],
    )
    assert problems(bundle) == [
        f"table 't', column 'open', row 2: not one of the values of mood: '{'a' * 39}...",
        "table 't', column 'secret', row 0: not one of the values of mood",
    ]


def test_numbers_beyond_their_precision_are_named(store):
    raw = pa.array([Decimal("1.00"), Decimal("12345.00"), None, Decimal("-99999.99")], pa.decimal128(12, 2))
    narrowed = pa.Array.from_buffers(pa.decimal128(5, 2), 4, raw.buffers())
    batch = pa.record_batch([narrowed], ["c"])
    wanted = Table("t", (column("c", "numeric", precision=5, scale=2, null=0.0),), Rows(1))
    digester = TableDigester(wanted)
    digester.update(batch)
    found = problems(forged(store, Schema("s", (wanted,)), {"t": batch}, {"t": digester.finish()}))
    assert found[0].startswith("table 't', column 'c', row 1: beyond numeric(5,2)")


def test_text_that_is_not_json_and_times_outside_the_day_are_named(store):
    table = Table("t", (column("j", "json", null=0.0), column("w", "time")), Rows(1))
    times = pa.array([0, -1, 86_400_000_000, 5]).cast(pa.time64("us"))
    batch = pa.record_batch([pa.array(['{"a": 1}', None, "{", "nope"]), times], ["j", "w"])
    nothing = TableDigest(4, "blake3:" + "0" * 64, {"j": "blake3:" + "0" * 64, "w": "blake3:" + "0" * 64})
    found = problems(forged(store, Schema("s", (table,)), {"t": batch}, {"t": nothing}))
    assert set(found[:2]) == {
        "table 't', column 'j', row 2: not JSON (2 such rows)",
        "table 't', column 'w', row 1: not a time of the day (2 such rows)",
    }
    assert not any("column 'j'" in p and "digest" in p for p in found)


def test_items_of_arrays_are_checked_too(store):
    item = SqlType("varchar", length=2)
    bundle = one(store, [column("c", "array", item=item, null=0.0)], [[["ab"], None, [], ["a", "abc", "abcd"], ["abc"]]])
    assert problems(bundle) == ["table 't', column 'c', row 3: longer than varchar(2) (2 such rows)"]


def test_repeated_keys_and_unique_values_are_named(store):
    bundle = one(
        store,
        [column("a", "bigint"), column("b", "text"), column("u", "text", null=0.0), column("x", "integer", null=0.0)],
        [[1, 1, 2, 1, 2], ["p", "q", "p", "q", "p"], ["m", None, None, "n", "m"], pa.array([1, 2, 3, 4, 3], pa.int32())],
        key=("a", "b"),
        unique=(Unique(("u",)),),
        indexes=(Index(("x",), unique=True), Index(("a",))),
    )
    assert problems(bundle) == [
        "table 't', row 3: repeats the key (a, b) of an earlier row (2 such rows)",
        "table 't', column 'u', row 4: repeats what must be unique (u) of an earlier row",
        "table 't', column 'x', row 4: repeats what must be unique (x) of an earlier row",
    ]


def family(store, parents, children, **reference):
    schema = Schema(
        "s",
        (
            Table("parents", (column("a", "bigint"), column("b", "text")), Rows(1), key=("a", "b")),
            Table(
                "children",
                (column("id", "bigint"), column("x", "bigint", null=0.0), column("y", "text", null=0.0), column("up", "bigint", null=0.0)),
                Rows(1),
                key=("id",),
                foreign_keys=(ForeignKey(("x", "y"), "parents", ("a", "b")), ForeignKey(("up",), "children", ("id",))),
            ),
        ),
    )
    batches = {
        "parents": pa.record_batch([pa.array(p) for p in zip(*parents, strict=True)], ["a", "b"]),
        "children": pa.record_batch(
            [pa.array(v, t) for v, t in zip(zip(*children, strict=True), (pa.int64(), pa.int64(), pa.string(), pa.int64()), strict=True)],
            ["id", "x", "y", "up"],
        ),
    }
    return forged(store, schema, batches)


def test_references_to_nothing_are_named_and_nulls_refer_to_nothing(store):
    good = [(0, 1, "p", None), (1, None, "zz", 0), (2, 9, None, 1)]
    assert problems(family(store, [(1, "p"), (2, "q")], good)) == []
    bad = [*good, (3, 1, "q", 77), (4, 2, "p", 3), (5, 2, "q", 5)]
    assert problems(family(store, [(1, "p"), (2, "q")], bad)) == [
        "table 'children', row 3: (x, y) refers to a row of 'parents' (a, b) that does not exist (2 such rows)",
        "table 'children', column 'up', row 3: (up) refers to a row of 'children' (id) that does not exist",
    ]


def test_the_first_row_is_right_across_many_files(store):
    rows = 5 * BLOCK_ROWS
    source = narrow(rows, id=lambda a, b: pa.array(np.where(numbers(a, b) == 4 * BLOCK_ROWS + 7, 3, numbers(a, b))))
    source.schema = sources.with_table(source.schema, replace(source.schema.table("numbers"), key=(), unique=(Unique(("id",)),)))
    bundle = bundles.build(source, store=store, chunk_rows=BLOCK_ROWS)
    assert problems(bundle) == [
        f"table 'numbers', column 'id', row {4 * BLOCK_ROWS + 7}: repeats what must be unique (id) of an earlier row"
    ]


CHECKED = [
    column("status", "enum", values=("a", "b"), type_name="kind"),
    column("name", "text", null=0.0, data_class="personal"),
    column("n", "integer"),
    column("m", "integer"),
    column("price", "numeric", precision=10, scale=2),
    column("at", "timestamptz"),
    column("took", "interval"),
    column("doc", "json"),
    column("tags", "array", item=SqlType("text")),
]


def checked(store, sql, broken=None):
    """A bundle of three rows under one check; the second row can be replaced in part."""
    rows = {
        "status": ["a", "b", "a"],
        "name": ["Ann", None, "Bob"],
        "n": [1, 5, 3],
        "m": [2, 2, 2],
        "price": [Decimal("1.50"), Decimal("0.00"), Decimal("9.99")],
        "at": [0, 10**15, 0],
        "took": [1_000_000, 0, 5],
        "doc": ['{"k":"v"}', '{"k":"w"}', "{}"],
        "tags": [["x"], [], ["y", "z"]],
    }
    for name, value in (broken or {}).items():
        rows[name][1] = value
    storage = {"at": pa.int64(), "took": pa.int64()}
    arrays = [
        pa.array(rows[c.name], storage[c.name]).cast(c.type.arrow) if c.name in storage else pa.array(rows[c.name], c.type.arrow)
        for c in CHECKED
    ]
    checks = [Check(sql, "rule")] if isinstance(sql, str) else [Check(each) for each in sql]
    wanted = Table("public.t", tuple(CHECKED), Rows(3), checks=tuple(checks))
    batch = pa.record_batch(arrays, [c.name for c in CHECKED])
    return bundles.verify(forged(store, Schema("s", (wanted,), enums={"kind": ("a", "b")}), {"public.t": batch}))


@pytest.mark.parametrize(
    ("sql", "broken"),
    [
        ("price >= 0", {"price": Decimal("-1.00")}),
        ("(price >= (0)::numeric)", {"price": Decimal("-1.00")}),
        ("n BETWEEN 1 AND 9", {"n": 10}),
        ("length(name) > 2", {"name": "Al"}),
        ("name ~ '^[A-Z][a-z]+$'", {"name": "bob"}),
        ("name ~* '^[A-Z][a-z]+$'", {"name": "b2"}),
        ("name LIKE '%n%' OR name = 'Bob'", {"name": "Eve"}),
        (r"name NOT LIKE '%\%%'", {"name": "a%b"}),
        ("((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))", {"status": "c"}),
        ("status IN ('a', 'b')", {"status": "c"}),
        ("n / m <= 2", {"n": 6}),
        ("at < '2030-01-01'::timestamp with time zone", {"at": 2 * 10**15}),
        ("took < interval '1 day'", {"took": 86_400_000_000}),
        ("doc->>'k' <> 'bad'", {"doc": '{"k":"bad"}'}),
        ("doc->'l' IS NULL OR jsonb_array_length(t.doc->'l') < 2", {"doc": '{"l":[1,2]}'}),
        ("n + '0.0001'::numeric > 1", {"n": 0}),
        ("cardinality(tags) < 3", {"tags": ["a", "b", "c"]}),
        ("CASE WHEN status = 'a' THEN n < 5 ELSE n >= 5 END", {"n": 4}),
        ("name IS NOT NULL OR n = 5", {"n": 6}),
        ("t.n > 0", {"n": 0}),
        ("NOT (n > 7)", {"n": 8}),
        ("coalesce(n, 0) + m > 2 AND m > 0", {"m": 0}),
        ("date_part('year', at) >= 1970", {"at": -1}),
    ],
)
def test_checks_in_the_sql_of_postgresql_are_held(store, sql, broken):
    good = checked(store, sql)
    assert (good.problems, good.not_checked, good.checked["checks"]) == ((), (), 1)
    bad = checked(store, sql, broken)
    assert [(p.table, p.column, p.row, p.rows) for p in bad.problems if p.rule == "check"] == [("public.t", None, 1, 1)]
    assert f"check 'rule' ({sql}) does not hold" in [p.what for p in bad.problems]


@pytest.mark.parametrize(
    ("sql", "reason"),
    [
        ("my_function(n)", "my_function does not exist"),
        ("nosuch > 1", 'column "nosuch" not found'),
        ("n >", "its SQL cannot be read"),
        ("n > (SELECT max(n) FROM t)", "it is no condition on one row"),
        ("n > 1; DROP TABLE t", "its SQL cannot be read|it is no single expression"),
        ("(SELECT count(*) FROM read_csv('/etc/passwd')) > 0", "it is no condition on one row"),
        ("name::integer > 0", "ConversionException"),
        ("*", "it is no condition on one row"),
    ],
)
def test_a_check_that_cannot_be_evaluated_is_reported_and_never_passed(store, sql, reason):
    report = checked(store, sql)
    assert report.problems == ()
    (skipped,) = report.not_checked
    assert str(skipped).startswith(f"table 'public.t': check 'rule' ({sql}): ")
    assert re.search(reason, skipped.what, re.IGNORECASE)
    assert "Ann" not in str(skipped)
    assert report.checked["checks"] == 0


def test_checks_beside_those_that_cannot_be_evaluated_are_held(store):
    report = checked(store, ["n < 5", "nosuch > 1", "name::integer > 0", "n <> 3", "n", "m = 2"])
    assert [(p.what, p.row) for p in report.problems] == [("check (n < 5) does not hold", 1), ("check (n <> 3) does not hold", 2)]
    assert [s.what.partition(":")[0] for s in report.not_checked] == ["check (nosuch > 1)", "check (name", "check (n)"]
    assert report.checked["checks"] == 3


def test_what_the_database_computes_is_reported_as_not_checked(store):
    twice = replace(column("twice", "bigint"), computed="id * 2")
    parents = Table("parents", (column("id", "bigint"), twice), Rows(1), key=("id",), unique=(Unique(("twice",)),))
    columns = (column("a", "bigint"), replace(column("up", "bigint"), computed="a + 1"))
    keys = (ForeignKey(("up",), "parents", ("id",)), ForeignKey(("a",), "parents", ("twice",)))
    children = Table("children", columns, Rows(1), foreign_keys=keys, rules=(Check("up.id > 0"), Check("nosuch > 1")))
    batches = {name: pa.record_batch([pa.array([1, 2])], [own]) for name, own in (("parents", "id"), ("children", "a"))}
    report = bundles.verify(forged(store, Schema("s", (parents, children)), batches))
    assert report.problems == ()
    assert [str(s) for s in report.not_checked] == [
        "table 'parents': unique (twice): the database computes one of its columns",
        "table 'children': reference (up) to parents (id): the database computes one of its columns",
        "table 'children': reference (a) to parents (twice): the database computes one of its columns",
        "table 'children': rule (up.id > 0): 'up' of 'children' is in no bundle",
        "table 'children': rule (nosuch > 1): 'nosuch' is no column of 'children' or of a row that it references",
    ]


def test_no_personal_value_is_ever_shown(store):
    def secret(start, stop):
        return pa.array(["GEHEIM" if i % 2 else f"GEHEIM{i}" for i in range(start, stop)])

    person = Table(
        "p",
        (
            column("e", "varchar", length=3, data_class="personal"),
            column("m", "enum", values=("x",), data_class="sensitive"),
            column("j", "json", data_class="personal"),
        ),
        Rows(9),
        key=("e",),
        checks=(Check("e <> 'GEHEIM'"), Check("e::integer > 0")),
        foreign_keys=(ForeignKey(("e",), "q", ("k",)),),
    )
    other = Table("q", (column("k", "text"),), Rows(1), key=("k",))
    batch = pa.record_batch([secret(0, 9)] * 3, ["e", "m", "j"])
    empty = "blake3:" + "0" * 64
    digests = {"p": TableDigest(9, empty, dict.fromkeys("emj", empty))}
    bundle = forged(store, Schema("s", (person, other)), {"p": batch, "q": pa.record_batch([["a"]], ["k"])}, digests)
    report = bundles.verify(bundle)
    assert {p.rule for p in report.problems} == {"length", "enum", "json", "digest", "key", "reference", "check"}
    assert "GEHEIM" not in "".join(str(p) for p in [*report.problems, *report.not_checked]).replace("e <> 'GEHEIM'", "")


def test_the_files_of_duckdb_lie_in_a_private_folder_that_goes(store, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "spill"))
    (tmp_path / "spill").mkdir()
    bundle = bundles.build(shop(), store=store)
    bundles.verify(bundle)
    assert list((tmp_path / "spill").iterdir()) == []


LONG_QUERY = "SELECT count(DISTINCT hash(range)) FROM range(100_000_000_000)"


def test_ctrl_c_stops_a_query_that_runs():
    code = (
        "import os, signal, sys, threading; from pathlib import Path; from bundles.scanning import session; from schemas.model import Schema\n"
        "with session(Path('.'), Schema('s', ())) as duckdb:\n"
        "    duckdb.row('SELECT 1')\n"
        "    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        f"    duckdb.row({LONG_QUERY!r})\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert run.stderr.rstrip().endswith("KeyboardInterrupt")


INTERRUPTED = """
import os, signal, sys, threading
sys.path.insert(0, sys.argv[2])
import bundles
def report(progress):
    if progress.stage == sys.argv[3]:
        os.kill(os.getpid(), signal.SIGINT)
bundles.verify(bundles.open("synthetic:latest", sys.argv[1]), report)
"""


@pytest.mark.parametrize("stage", ["hash", "values", "keys", "checks"])
def test_ctrl_c_stops_a_verification(store, stage):
    bundles.build(shop(), store=store)
    command = [sys.executable, "-c", INTERRUPTED, str(store.path), str(Path(__file__).parent), stage]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.stderr.rstrip().endswith("KeyboardInterrupt")
    assert run.returncode in (-signal.SIGINT, 130, 1)
