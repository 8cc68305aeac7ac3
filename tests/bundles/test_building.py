"""The same inputs give the same bundle, whoever reads them how; and what breaks its schema is not bundled."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import bundle_sources as sources
import duckdb
import numpy as np
import pyarrow as pa
import pytest
from bundle_sources import StreamSource, column, narrow, numbers, shop, texts

import bundles
import datagen
from bundles.digest import BLOCK_ROWS
from bundles.errors import ContentInvalid, SourceInvalid
from bundles.scanning import scan
from schemas.errors import CheckFailed, InputError
from schemas.model import Check, Rows, Schema, Table
from schemas.reader import parse_schema
from schemas.types import SqlType


def untouched(store):
    """Whether a failed build has left nothing."""
    return list(store.list()) == [] and not any((store.path / "tmp").iterdir()) and not any((store.path / "blobs" / "sha256").iterdir())


def test_jobs_tags_and_ways_of_reading_do_not_change_the_manifest(store):
    source = shop(people=70_000)
    ways = [
        bundles.build(source, store=store, jobs=1, chunk_rows=BLOCK_ROWS),
        bundles.build(source, store=store, jobs=5, chunk_rows=BLOCK_ROWS, tag="other:v2"),
        bundles.build(StreamSource(source, 777), store=store, jobs=2, chunk_rows=BLOCK_ROWS),
        bundles.build(StreamSource(source, 90_000), store=store.path, jobs=1, chunk_rows=BLOCK_ROWS),
    ]
    assert len({b.manifest_digest for b in ways}) == 1
    assert len(ways[0].layers("people")) == 2


def test_the_size_of_chunks_does_not_change_the_content(store):
    source = shop(people=70_000)
    small = bundles.build(source, store=store, tag="a:small", chunk_rows=BLOCK_ROWS)
    large = bundles.build(source, store=store, tag="a:large", chunk_rows=2 * BLOCK_ROWS)
    assert small.manifest_digest != large.manifest_digest
    assert small.content_digest == large.content_digest
    assert {n: t.columns for n, t in small.tables.items()} == {n: t.columns for n, t in large.tables.items()}


def test_a_bundle_built_from_a_bundle_means_the_same(store):
    first = bundles.build(shop(), store=store, tag="a:v1")
    assert bundles.build(first, store=store, tag="a:v2").manifest_digest == first.manifest_digest


def test_another_process_with_another_hash_seed_zone_and_locale_builds_the_same(store):
    code = (
        "import sys; sys.path.insert(0, sys.argv[2]); import bundles, bundle_sources as s;"
        "print(bundles.build(s.shop(), store=sys.argv[1], tag='x:v1', jobs=3).manifest_digest)"
    )
    environment = {"PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONHASHSEED": "77", "TZ": "Asia/Kathmandu", "LC_ALL": "tr_TR.UTF-8"}
    command = [sys.executable, "-c", code, str(store.path), str(Path(__file__).parent)]
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert run.stdout.strip() == bundles.build(shop(), store=store).manifest_digest


def test_the_data_comes_back_as_it_went_in(store):
    source = shop(people=70_000)
    bundle = bundles.build(source, store=store)
    for name in ("shops", "people", "empty"):
        found = bundle.table(name).to_arrow()
        found.validate(full=True)
        assert found.schema.equals(source.schema.table(name).arrow)
        assert found.equals(pa.Table.from_batches([source.read_rows(name, 0, source.row_count(name))]))
    assert bundle.schema == source.schema
    assert bundle.provenance == source.provenance


def test_the_files_can_be_read_by_duckdb_with_the_types_of_the_schema(store):
    bundle = bundles.build(shop(), store=store)
    table = bundle.table("people")
    types = dict(duckdb.sql(f"SELECT column_name, column_type FROM (DESCRIBE {scan(table.schema, table.paths())})").fetchall())
    assert types["shop_id"] == "UUID"
    assert types["friends"] == "UUID[]"
    assert types["worked"] == "INTERVAL"
    assert types["wage"] == "DECIMAL(12,2)"
    assert types["made_at"] == "TIMESTAMP WITH TIME ZONE"
    assert duckdb.sql(f"SELECT count(*), sum(wage) FROM ({scan(table.schema, table.paths())})").fetchall() == [(1000, sum(range(1000)))]


def test_the_config_is_the_same_everywhere_and_says_what_is_in_it(store):
    bundle = bundles.build(shop(), store=store)
    config = json.loads(store.layout.read_blob(bundle.manifest.config.digest))
    assert config["kind"] == "synthetic"
    assert config["data_class"] == "sensitive"
    assert config["provenance"] == {"seed": 42, "generator": "test 1", "scale": 1.5}
    assert config["content_digest"] == bundle.content_digest
    assert config["tables"]["people"]["rows"] == 1000
    assert str(store.path) not in json.dumps(config)


def test_large_numbers_in_the_provenance_are_kept(store):
    source = narrow(3)
    source.provenance = {"seed": 2**64 - 1, "deep": [{"n": -(2**60)}]}
    assert bundles.build(source, store=store).provenance == source.provenance


def test_provenance_that_is_no_json_is_refused(store):
    source = narrow(3)
    source.provenance = {"made_at": object()}
    with pytest.raises(InputError, match="provenance cannot be written as JSON"):
        bundles.build(source, store=store)
    assert untouched(store)


def test_the_default_tag_is_the_kind_of_data(store):
    assert bundles.build(narrow(3), store=store).reference == "synthetic:latest"


@pytest.mark.parametrize(
    "name", ['quo"te', "emo😀ji", "sales.orders", "semi;colon'", "../../up", "Ünïcode", "select", " ", "per%cent", "new\nline"]
)
def test_odd_names_of_tables_and_columns_work(store, name):
    source = narrow(70_000, name, **{name: lambda a, b: pa.array(numbers(a, b)), "id": lambda a, b: pa.array(numbers(a, b))})
    quoted = '"' + name.replace('"', '""') + '"'
    table = replace(source.schema.table(name), checks=(Check(f"{quoted} >= 0 AND id >= 0"),))
    source.schema = sources.with_table(source.schema, table)
    bundle = bundles.build(source, store=store, chunk_rows=BLOCK_ROWS)
    assert bundle.table(name).to_arrow().column(name).to_pylist() == list(range(70_000))
    report = bundles.verify(bundle)
    assert report.ok
    assert report.not_checked == ()
    assert report.checked["checks"] == 1


def test_columns_named_like_those_of_a_scan_are_told_apart(store):
    source = narrow(10, "t", c1=lambda a, b: pa.array(numbers(a, b)), c0=lambda a, b: pa.array(numbers(a, b) * 0))
    source.schema = sources.with_table(source.schema, replace(source.schema.table("t"), checks=(Check("c0 = 0 AND c1 >= c0"),)))
    assert bundles.verify(bundles.build(source, store=store)).checked["checks"] == 1


@pytest.mark.parametrize("name", ["json", "Mood", 'a"b', "int"])
def test_enums_with_odd_names_are_no_trouble(store, name):
    table = Table("t", (column("c", "enum", values=("x", "y's"), type_name=name),), Rows(2), checks=(Check("c <> 'z'"),))
    makes = {"c": lambda a, b: pa.array(["x", "y's"])}
    bundle = bundles.build(sources.MadeSource(Schema("s", (table,), enums={name: ("x", "y's")}), {"t": 2}, {"t": makes}), store=store)
    assert bundles.verify(bundle).ok


def test_names_that_differ_in_case_only_are_told_apart(store):
    bundle = bundles.build(
        narrow(10, "t", Id=lambda a, b: pa.array(numbers(a, b)), id=lambda a, b: pa.array(numbers(a, b) * 0)), store=store
    )
    assert bundle.table("t").to_arrow().column("id").to_pylist() == [0] * 10
    assert bundles.verify(bundle).ok


def test_progress_ends_at_the_total(store):
    seen = []
    bundles.build(shop(people=70_000), store=store, jobs=2, chunk_rows=BLOCK_ROWS, on_progress=seen.append)
    built = [p for p in seen if p.stage == "build"]
    assert [p.rows for p in built] == sorted(p.rows for p in built)
    assert (built[-1].rows, built[-1].total) == (70_010, 70_010)
    assert any(p.stage == "check" and p.table == "people" for p in seen)


def test_only_a_few_chunks_are_in_memory_at_a_time(store):
    rows = 30 * BLOCK_ROWS
    source = narrow(rows)
    for one in (source, StreamSource(source, 10_000)):
        before, peak = pa.total_allocated_bytes(), []
        bundles.build(
            one, store=store, jobs=2, chunk_rows=BLOCK_ROWS, on_progress=lambda p: peak.append(pa.total_allocated_bytes() - before)
        )
        assert max(peak) < rows * 8 / 2


def test_large_chunks_of_a_stream_are_written_before_more_are_read(store):
    """However many threads there are: at most 256 MiB wait, beside the chunk that is read and the blocks that are joined."""
    chunk = 96 << 20
    digits = np.random.default_rng(1).integers(97, 123, chunk, np.uint8)
    block = pa.Array.from_buffers(
        pa.string(), BLOCK_ROWS, [None, pa.py_buffer(np.arange(0, chunk + 1, chunk // BLOCK_ROWS, np.int32)), pa.py_buffer(digits)]
    )
    source = narrow(10 * BLOCK_ROWS, text=lambda a, b: pa.concat_arrays([block[a % BLOCK_ROWS :][: b - a], block[:0]]))
    source.schema = replace(source.schema, tables=(replace(source.schema.tables[0], columns=(column("text", "text"),), key=()),))
    peak, before = [], pa.total_allocated_bytes()

    class Watched(StreamSource):
        def read(self, table):
            reader = super().read(table)

            def watched():
                for batch in reader:
                    peak.append(pa.total_allocated_bytes() - before)
                    yield batch

            return pa.RecordBatchReader.from_batches(reader.schema, watched())

    bundles.build(Watched(source, BLOCK_ROWS // 4), store=store, jobs=8, chunk_rows=BLOCK_ROWS)
    assert max(peak) < 8 * chunk


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"chunk_rows": 1000}, "chunk_rows is 1,000; it must be a multiple of 65,536"),
        ({"chunk_rows": 0}, "chunk_rows is 0"),
        ({"jobs": 0}, "jobs is 0"),
        ({"expires": datetime(2030, 1, 1)}, "with a time zone, not at 2030-01-01"),
        ({"tag": "Bad Tag"}, "is no reference"),
    ],
)
def test_wrong_options_are_refused(store, options, said):
    with pytest.raises(InputError, match=said):
        bundles.build(narrow(3), store=store, **options)
    assert not store.path.exists()


def test_a_kind_that_does_not_exist_is_refused(store):
    source = narrow(3)
    source.kind = "real"
    with pytest.raises(SourceInvalid, match="kind 'real'; a bundle is synthetic, sanitized or mirrored"):
        bundles.build(source, store=store)


class Loose(sources.MadeSource):
    """A source that takes no care of its types."""

    def read_rows(self, table, start, stop):
        makes = self._columns[table]
        return pa.record_batch([make(start, stop) for make in makes.values()], list(makes))


def loose(rows=1000, kind="bigint", **makes):
    table = Table("t", (column("id", kind),), Rows(rows), key=("id",))
    return Loose(Schema("loose", (table,)), {"t": rows}, {"t": makes})


@pytest.mark.parametrize(
    ("makes", "said"),
    [
        ({"id": lambda a, b: texts(a, b)}, "table 't', column 'id' comes as string, but bigint is carried as int64"),
        ({"id": lambda a, b: pa.array(numbers(a, b).astype("i4"))}, "column 'id' comes as int32"),
        ({"it": lambda a, b: pa.array(numbers(a, b))}, "table 't' comes with a column 'it' that its schema does not store"),
        ({"id": lambda a, b: pa.array(numbers(a, b - 1))}, "comes with 999 rows where rows 0 to 1,000 were asked for"),
    ],
)
def test_a_source_of_another_shape_is_refused(store, makes, said):
    with pytest.raises(SourceInvalid, match=said):
        bundles.build(loose(**makes), store=store)
    assert untouched(store)


def test_a_missing_column_is_named(store):
    table = Table("t", (column("id", "bigint"), column("age", "integer")), Rows(9))
    source = Loose(Schema("loose", (table,)), {"t": 9}, {"t": {"id": lambda a, b: pa.array(numbers(a, b))}})
    with pytest.raises(SourceInvalid, match="table 't' comes without its column 'age'"):
        bundles.build(source, store=store)
    assert untouched(store)


def test_a_schema_that_nobody_could_open_is_refused_before_anything_is_made(store):
    table = Table("t", (column("id", "bigint"),), Rows(9, per="elsewhere"))
    source = Loose(Schema("loose", (table,)), {"t": 9}, {"t": {"id": lambda a, b: pa.array(numbers(a, b))}})
    with pytest.raises(SourceInvalid, match=r"no bundle can hold the source: .* tables\[0\]\.rows\.per must be the name of a table"):
        bundles.build(source, store=store)
    assert not store.path.exists()


def test_dictionaries_and_wide_offsets_are_taken(store):
    plain = bundles.build(loose(kind="text", id=lambda a, b: texts(a, b)), store=store, tag="a:plain")
    wide = bundles.build(loose(kind="text", id=lambda a, b: texts(a, b).cast(pa.large_string())), store=store, tag="a:wide")
    coded = bundles.build(loose(kind="text", id=lambda a, b: texts(a, b).dictionary_encode()), store=store, tag="a:coded")
    assert plain.manifest_digest == wide.manifest_digest == coded.manifest_digest


def test_a_null_in_a_not_null_column_is_named_by_its_row(store):
    source = narrow(200_000).changed("numbers", "id", lambda a, b: pa.array([None if i == 150_000 else i for i in range(a, b)], pa.int64()))
    for one in (source, StreamSource(source)):
        with pytest.raises(ContentInvalid, match="table 'numbers', column 'id', row 150000: null in a column that is NOT NULL"):
            bundles.build(one, store=store, chunk_rows=BLOCK_ROWS)
        assert untouched(store)


@pytest.mark.parametrize(
    ("key", "remedy"),
    [("id", "give it `null: 0`, or a value in every row"), ("[id, c]", "it is part of the key, so let it never be null")],
)
def test_a_null_that_a_recipe_gives_is_told_with_its_place_and_remedy(store, key, remedy):
    text = (
        f"schema: s\ntables:\n  t:\n    rows: 3\n    key: {key}\n    columns:\n      id: {{type: bigint, identity: true}}\n"
        "      c: {type: text, generate: {expression: \"nullif('x', 'x' || left(CAST(id AS text), 0))\"}}\n"
    )
    with pytest.raises(ContentInvalid) as caught:
        bundles.build(datagen.SyntheticSource(parse_schema(text, "shop.yaml")), store=store)
    assert str(caught.value) == f"shop.yaml:8:33: table 't', column 'c', row 0: null in a column that is NOT NULL; {remedy}"
    assert untouched(store)


@pytest.mark.parametrize(
    ("column", "remedy"),
    [
        ("mail: {references: users.mail}", "give that `null: 0` and a value in every row, or this one `null: 0`"),
        ("mail: {references: users.mail, key: true}", "give that `null: 0` and a value in every row"),
    ],
)
def test_a_null_that_a_reference_gives_is_told_with_the_column_that_it_comes_from(store, column, remedy):
    text = (
        "schema: s\ntables:\n  users:\n    rows: 9\n    columns:\n      id: {type: bigint, key: true}\n"
        f"      mail: {{type: text, null: 0.9, unique: true, generate: person.email}}\n  hints:\n    rows: 9\n    columns:\n      {column}\n"
    )
    with pytest.raises(ContentInvalid) as caught:
        bundles.build(datagen.SyntheticSource(parse_schema(text, "shop.yaml")), store=store)
    assert str(caught.value).startswith("shop.yaml:11:7: table 'hints', column 'mail', row ")
    assert str(caught.value).endswith(f"; its values are those of users.mail, some of which are null: {remedy}")


def test_a_broken_check_is_named_with_its_first_row_and_no_value(store):
    def wage(start, stop):
        values = np.where(np.isin(numbers(start, stop), (123_456, 130_000)), -777, numbers(start, stop))
        return pa.array(values).cast(pa.decimal128(21, 2)).cast(pa.decimal128(12, 2))

    source = shop(people=132_000).changed("people", "wage", wage)
    with pytest.raises(ContentInvalid) as caught:
        bundles.build(source, store=store, chunk_rows=BLOCK_ROWS)
    message = str(caught.value)
    assert isinstance(caught.value, CheckFailed)
    assert "table 'people': check 'wage_is_positive' (wage >= 0) does not hold for 2 rows, first for row 123456" in message
    assert "777" not in message
    assert untouched(store)


def test_an_error_of_the_source_comes_through_and_leaves_nothing(store):
    def fail(start, stop):
        if start:
            raise InputError("no such generator")
        return pa.array(numbers(start, stop))

    for one in (narrow(200_000, id=fail), StreamSource(narrow(200_000, id=fail))):
        with pytest.raises(InputError, match="no such generator"):
            bundles.build(one, store=store, jobs=2, chunk_rows=BLOCK_ROWS)
        assert untouched(store)


def test_text_that_is_not_json_is_not_bundled(store):
    with pytest.raises(ContentInvalid, match="table 't', column 'id', row 0: the value is not JSON"):
        bundles.build(loose(kind="json", id=lambda a, b: texts(a, b, "{{{}")), store=store)
    assert untouched(store)


def test_an_added_table_or_column_changes_no_other_digest(store):
    before = bundles.build(narrow(100, "a"), store=store, tag="x:before")
    schema = Schema(
        "narrow",
        (Table("b", (column("s", "text"),), Rows(5)), Table("a", (column("new", "text"), column("id", "bigint")), Rows(100), key=("id",))),
    )
    makes = {"b": {"s": texts}, "a": {"new": texts, "id": lambda a, b: pa.array(numbers(a, b))}}
    after = bundles.build(sources.MadeSource(schema, {"a": 100, "b": 5}, makes), store=store, tag="x:after")
    assert after.tables["a"].columns["id"] == before.tables["a"].columns["id"]
    assert after.content_digest != before.content_digest


def test_arrays_of_every_kind_of_item_come_back(store):
    kinds = {"integer": [1, None], "text": ["a", ""], "boolean": [True], "double": [0.5], "bytes": [b"x"]}
    for kind, items in kinds.items():
        made = pa.array([items, None, [], items * 3], pa.list_(SqlType(kind).arrow))
        table = Table("t", (column("c", "array", item=SqlType(kind), null=0.0),), Rows(4))
        source = sources.MadeSource(Schema("s", (table,)), {"t": 4}, {"t": {"c": lambda a, b, made=made: made.slice(a, b - a)}})
        bundle = bundles.build(source, store=store)
        assert bundle.table("t").to_arrow().column("c").to_pylist() == made.to_pylist()
        assert bundles.verify(bundle).ok


def test_arrays_of_intervals_come_back(store):
    made = pa.ListArray.from_arrays(pa.array([0, 2, 2], pa.int32()), pa.array([1, 2]).cast(pa.duration("us")))
    table = Table("t", (column("c", "array", item=SqlType("interval")),), Rows(2), checks=(Check("cardinality(c) < 3"),))
    source = sources.MadeSource(Schema("s", (table,)), {"t": 2}, {"t": {"c": lambda a, b: made.slice(a, b - a)}})
    bundle = bundles.build(source, store=store)
    assert bundle.table("t").to_arrow().column("c").combine_chunks().equals(made)
    assert bundles.verify(bundle).ok
