"""A build takes over what the store has already, and writes what it would have written without."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace

import bundle_sources as sources
import pyarrow as pa
import pytest
from bundle_sources import MadeSource, narrow, shop

import bundles
import datagen
from benchmarks.stability import EDITS, company
from bundles import parquet
from bundles.config import Config
from bundles.conforming import conformed
from bundles.digest import BLOCK_ROWS
from bundles.errors import ContentInvalid
from bundles.layout import sha256
from bundles.manifest import Manifest
from bundles.references import parse
from bundles.reuse import Origin
from schemas.model import Check
from schemas.reader import parse_schema
from tests.datagen.making import source_of
from tests.spread import one_in

SCALE = 0.02


class Known(MadeSource):
    """A source that says what its tables depend on, and gives away which of them are read."""

    def __init__(self, source: MadeSource, inputs: Mapping[str, str], kind: str = "synthetic") -> None:
        super().__init__(source.schema, source._rows, source._columns)
        self.kind = kind
        self._inputs = dict(inputs)
        self.made: set[str] = set()

    def inputs(self, table: str) -> Mapping[str, str]:
        return {"version": self._inputs.get(table, "1")}

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        self.made.add(table)
        return super().read_rows(table, start, stop)


def known(kind: str = "synthetic", source: MadeSource | None = None, **inputs: str) -> Known:
    return Known(source or shop(), inputs, kind)


def reused(bundle) -> dict[str, str]:
    return {name: origin.reference for name, origin in bundle.origins.items() if origin.reference}


@pytest.mark.parametrize("name", one_in(6, EDITS))
def test_what_is_reused_makes_the_same_bundle_as_what_is_made(name, tmp_path):
    bundles.build(datagen.source(company(), scale=SCALE), store=tmp_path / "store", tag="company:v1")
    edited = datagen.source(EDITS[name].make(company()), scale=SCALE)
    incremental = bundles.build(edited, store=tmp_path / "store", tag="company:v1")
    full = bundles.build(edited, store=tmp_path / "other")
    assert incremental.manifest_digest == full.manifest_digest
    assert reused(incremental)
    assert bundles.verify(incremental).ok


def test_only_tables_whose_inputs_changed_are_read(store):
    bundles.build(known(), store=store, tag="shop:v1")
    again = known(people="2")
    made = bundles.build(again, store=store, tag="shop:v2")
    assert again.made == {"people"}
    assert reused(made) == {"shops": "shop:v1", "empty": "shop:v1"}
    assert made.origins["people"].reasons == ("version is 2, and was 1",)
    assert made.origins["people"].beside == "shop:v1"


def test_nothing_is_reused_where_that_is_not_wanted_or_not_known(store):
    first = bundles.build(known(), store=store, tag="shop:v1")
    again = known()
    assert reused(bundles.build(again, store=store, tag="shop:v1", reuse=False)) == {}
    assert again.made == {"shops", "people", "empty"}
    assert reused(bundles.build(shop(), store=store, tag="shop:v2")) == {}
    assert bundles.open("shop:v1", store).manifest_digest == first.manifest_digest


def test_the_bundle_of_the_tag_is_asked_first_and_then_all_others(store):
    bundles.build(known(people="2"), store=store, tag="shop:v1")
    bundles.build(known(people="1"), store=store, tag="shop:v2")
    again = known(people="2")
    made = bundles.build(again, store=store, tag="shop:v2")
    assert again.made == set()
    assert reused(made) == {"shops": "shop:v2", "people": "shop:v1", "empty": "shop:v2"}


@pytest.mark.parametrize("harm", ["altered", "cut", "missing"])
def test_a_damaged_file_is_never_taken_over(store, harm):
    first = bundles.build(known(), store=store, tag="shop:v1")
    path = first.table("people").paths()[0]
    whole = path.read_bytes()
    if harm == "missing":
        path.unlink()
    else:
        path.write_bytes(whole[:-9] if harm == "cut" else bytes([whole[0] ^ 1]) + whole[1:])
    again = known()
    made = bundles.build(again, store=store, tag="shop:v2")
    assert again.made == {"people"}
    assert made.origins["people"].reasons == ("its files are missing or altered",)
    assert path.read_bytes() == whole
    assert made.manifest_digest == first.manifest_digest


@pytest.mark.parametrize("lie", ["another first row", "rows left out"])
def test_files_that_do_not_hold_the_rows_that_a_bundle_says_are_never_taken_over(store, lie):
    first = bundles.build(known(source=narrow(2 * BLOCK_ROWS)), store=store, tag="shop:v1", chunk_rows=BLOCK_ROWS)
    head, tail = first.manifest.layers
    layers = [tail, head] if lie == "another first row" else [head]
    with store.staging() as stage:
        blob = stage.add(Manifest(first.manifest.config, layers, first.manifest.summary).encode())
        stage.publish()
        store.point(parse("shop:v1"), blob)
    made = bundles.build(known(source=narrow(2 * BLOCK_ROWS)), store=store, tag="shop:v2", chunk_rows=BLOCK_ROWS)
    assert made.origins["numbers"].reasons == ("its files are missing or altered",)
    assert made.manifest_digest == first.manifest_digest


def test_that_files_are_damaged_is_said_before_what_differs_in_newer_bundles(store):
    first = bundles.build(known(people="1"), store=store, tag="shop:v1")
    bundles.build(known(people="2"), store=store, tag="shop:v2")
    first.table("people").paths()[0].unlink()
    made = bundles.build(known(people="1"), store=store, tag="shop:v2")
    assert made.origins["people"] == Origin(None, ("its files are missing or altered",), "shop:v1")


@pytest.mark.parametrize("part", ["manifest", "config"])
def test_an_earlier_bundle_that_cannot_be_read_is_passed_over(store, part):
    first = bundles.build(known(people="2"), store=store, tag="shop:v1")
    bundles.build(known(), store=store, tag="shop:v2")
    digest = first.manifest_digest if part == "manifest" else first.manifest.config.digest
    store.layout.blob_path(digest).write_bytes(b"{}")
    assert reused(bundles.build(known(people="3"), store=store, tag="shop:v1")) == {"shops": "shop:v2", "empty": "shop:v2"}


def test_files_of_another_kind_are_not_taken_over(store, monkeypatch):
    bundles.build(known(), store=store, tag="shop:v1")
    made = bundles.build(known(), store=store, tag="shop:v1", chunk_rows=BLOCK_ROWS)
    assert made.origins["shops"].reasons == (f"chunk size is {BLOCK_ROWS}, and was {4 * BLOCK_ROWS}",)
    schema = shop().schema
    turned = MadeSource(
        replace(schema, tables=tuple(replace(t, columns=t.columns[::-1]) for t in schema.tables)), shop()._rows, shop()._columns
    )
    made = bundles.build(known(source=turned), store=store, tag="shop:v1", chunk_rows=BLOCK_ROWS)
    assert "order and types of columns changed" in made.origins["shops"].reasons
    monkeypatch.setattr(parquet, "_REVISION", 10**6)
    made = bundles.build(known(source=turned), store=store, tag="shop:v1", chunk_rows=BLOCK_ROWS)
    assert made.origins["shops"].reasons == ("Parquet settings changed",)


def test_a_column_that_is_new_is_named_and_not_what_follows_from_it(store):
    schema = "schema: s\ntables:\n  t:\n    rows: 9\n    columns:\n      id: {type: bigint, key: true}\n"
    bundles.build(datagen.source(parse_schema(schema)), store=store, tag="s:v1")
    made = bundles.build(
        datagen.source(parse_schema(f"{schema}      vip: {{type: boolean, generate: boolean}}\n")), store=store, tag="s:v2"
    )
    assert made.origins["t"].reasons == ("column vip is new",)


def test_what_had_changed_is_said_beside_the_nearest_bundle(store):
    def schema(columns: str) -> str:
        return f"schema: s\ntables:\n  t:\n    rows: 9\n    columns:\n      id: {{type: bigint, key: true}}\n{columns}"

    other, vip = "      a: {type: boolean, generate: boolean}\n", "      vip: {type: boolean, generate: boolean}\n"
    for tag, columns in (("s:v1", other), ("mine:v1", "")):
        bundles.build(datagen.source(parse_schema(schema(columns))), store=store, tag=tag)
    made = bundles.build(datagen.source(parse_schema(schema(vip))), store=store, tag="s:v2")
    assert made.origins["t"] == Origin(None, ("column vip is new",), "mine:v1")


def test_data_of_another_kind_is_not_taken_over(store):
    bundles.build(known("mirrored"), store=store, tag="shop:v1")
    assert reused(bundles.build(known("sanitized"), store=store, tag="shop:v2")) == {}


def test_a_new_check_is_held_against_rows_that_are_taken_over(store):
    bundles.build(known(), store=store, tag="shop:v1")
    people = shop().schema.table("people")
    strict = sources.with_table(shop().schema, replace(people, checks=(*people.checks, Check("wage < 900"))))
    again = known(source=MadeSource(strict, shop()._rows, shop()._columns))
    with pytest.raises(ContentInvalid, match=r"check \(wage < 900\) does not hold for 100 rows, first for row 900"):
        bundles.build(again, store=store, tag="shop:v2")
    assert again.made == set()
    assert store.references() == ["shop:v1"]


def test_a_check_by_the_order_of_an_enum_is_held_against_rows_that_are_taken_over_where_the_order_changed(store):
    def ordered(*moods: str) -> Known:
        shops = shop().schema.table("shops")
        by_order = sources.with_table(shop().schema, replace(shops, checks=(Check("mood::mood >= 'sad'::mood"),)))
        return known(source=MadeSource(replace(by_order, enums={"mood": moods}), shop()._rows, shop()._columns))

    bundles.build(ordered("sad", "ok", "happy"), store=store, tag="shop:v1")
    again = ordered("happy", "ok", "sad")
    with pytest.raises(ContentInvalid, match="does not hold for 6 rows, first for row 1"):
        bundles.build(again, store=store, tag="shop:v2")
    assert again.made == set()


def test_checks_that_held_before_are_not_evaluated_again(store):
    seen: list[str] = []

    def tell(progress: bundles.Progress) -> None:
        seen.append(progress.stage)

    bundles.build(known(), store=store, tag="shop:v1", on_progress=tell)
    assert "check" in seen
    seen.clear()
    bundles.build(known(shops="2"), store=store, tag="shop:v1", on_progress=tell)
    assert set(seen) == {"reuse", "build"}


def test_what_is_taken_over_outlives_the_bundle_that_it_came_from(store):
    bundles.build(known(), store=store, tag="shop:v1")
    collectors: list[threading.Thread] = []

    def tell(progress: bundles.Progress) -> None:
        if progress.stage == "build" and not collectors:
            store.remove("shop:v1")
            collectors.append(threading.Thread(target=store.collect_garbage))
            collectors[0].start()

    made = bundles.build(known(shops="2"), store=store, tag="shop:v2", on_progress=tell)
    collectors[0].join()
    assert reused(made) == {"people": "shop:v1", "empty": "shop:v1"}
    assert bundles.verify(bundles.open("shop:v2", store)).ok


def test_a_bundle_says_what_its_tables_depend_on_and_older_ones_do_not(store):
    text = "tables:\n  t:\n    rows: 5\n    columns:\n      id: {type: bigint, key: true}\n"
    made = bundles.build(source_of(text), store=store, tag="t:v1")
    assert made.config.inputs["t"]["number of rows"] == "5"
    assert Config.decode(made.config.encode(), "t").inputs == made.config.inputs
    older = replace(made.config, inputs={})
    assert Config.decode(older.encode(), "t") == older
    assert bundles.build(made, store=store, tag="t:v2").manifest_digest == made.manifest_digest


@pytest.mark.skipif(pa.__version__ != "26.0.1", reason="another version of the writer writes other bytes, and says so")
def test_a_change_of_the_bytes_of_files_steps_the_revision_of_the_writer():
    table = shop().schema.table("people")
    batch = conformed(table, shop().read_rows("people", 0, 1000), 0)
    assert (parquet._REVISION, sha256(memoryview(parquet.encoded(table, batch)))) == (
        1,
        "sha256:f4f6e32133cee70ffc1906a719d215c84d5fac873f939d9d231d9399d6f02fad",
    )
