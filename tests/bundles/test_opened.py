"""An opened bundle gives its data in the form that a person asks for, and says what it is."""

from __future__ import annotations

import importlib.util
import json
import pickle
import uuid
from pathlib import Path

import pyarrow as pa
import pytest
from bundle_sources import shop

import bundles
from bundles import frames
from bundles.errors import BundleDamaged, BundleTooNew, ReferenceInvalid
from schemas.errors import InputError
from schemas.source import RangeSource, TableSource


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return bundles.build(shop(), store=tmp_path_factory.mktemp("store") / "store", tag="synthetic:v1")


def test_a_bundle_is_a_source_of_tables(bundle):
    assert isinstance(bundle, TableSource)
    assert not isinstance(bundle, RangeSource)
    assert bundle.kind == "synthetic"
    assert bundle.read("people").read_all().num_rows == 1000


def test_a_bundle_describes_itself_as_json(bundle):
    described = json.loads(json.dumps(bundle.describe()))
    assert described["reference"] == "synthetic:v1"
    assert described["manifest_digest"] == bundle.manifest_digest
    assert described["content_digest"] == bundle.content_digest
    assert (described["kind"], described["data_class"], described["rows"]) == ("synthetic", "sensitive", 1010)
    assert list(described["tables"]) == ["shops", "people", "empty"]
    people = described["tables"]["people"]
    assert people["rows"] == 1000
    assert people["content_digest"] == bundle.tables["people"].content_digest
    assert people["columns"]["email"] == bundle.tables["people"].columns["email"]
    assert list(bundle.tables) == ["shops", "people", "empty"]


def test_an_unknown_table_names_the_nearest(bundle):
    with pytest.raises(InputError, match=r"no table 'peple' in synthetic:v1; did you mean 'people'\?"):
        bundle.table("peple")
    with pytest.raises(InputError, match="no table 'x'"):
        bundle.read("x")


def test_tables_become_pandas_frames(bundle):
    frame = bundle.table("people").to_pandas()
    assert len(frame) == bundle.table("people").rows == 1000
    assert frame["shop_id"][1] == str(uuid.UUID(int=(7 << 64) + 1))
    assert frame["friends"][3].tolist() == [str(uuid.UUID(int=(9 << 64) + 3))]
    assert bundle.table("empty").to_pandas().empty


def test_large_ids_beside_nulls_keep_their_digits_in_pandas():
    large, small = 2**63 - 1, 7
    table = pa.table({"id": [large, 2**53 + 1], "parent": [None, large], "rating": [None, small]})
    frame = frames.to_pandas(table)
    assert [str(t) for t in frame.dtypes] == ["int64", "Int64", "float64"]
    assert frame["parent"][1] == large
    assert frame["parent"].isna().tolist() == [True, False]
    assert frame.merge(frame, left_on="parent", right_on="id")["id_x"].tolist() == [2**53 + 1]


def test_tables_become_polars_frames(bundle):
    frame = bundle.table("people").to_polars()
    assert frame.height == 1000
    assert frame["shop_id"][1] == str(uuid.UUID(int=(7 << 64) + 1))
    assert frame["tags"].to_list()[:3] == [None, ["x"], ["x", "x"]]
    assert bundle.table("empty").to_polars().height == 0


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_missing_library_is_named_with_its_extra(bundle, monkeypatch, library):
    monkeypatch.setattr("bundles.frames.find_spec", lambda name: None if name == library else importlib.util.find_spec(name))
    with pytest.raises(InputError, match=rf"{library} is not installed; `pip install 'companyos-data\[dataframes\]'`"):
        getattr(bundle.table("shops"), f"to_{library}")()


def test_rows_are_streamed_in_small_batches(bundle, tmp_path):
    big = bundles.build(shop(people=150_000), store=tmp_path / "store")
    sizes = [batch.num_rows for batch in big.read("people")]
    assert sum(sizes) == 150_000
    assert max(sizes) <= 65_536
    before = pa.total_allocated_bytes()
    reader = big.read("people")
    batch = reader.read_next_batch()
    assert pa.total_allocated_bytes() - before < 8 * batch.nbytes
    reader.close()


def test_what_a_notebook_shows_says_what_it_is(bundle):
    assert repr(bundle) == "<BuiltBundle synthetic:v1: synthetic, 3 tables, 1,010 rows>"
    assert repr(bundle.table("people")).startswith("<BundleTable people of synthetic:v1: 1,000 rows of shop_id uuid, nr integer, ")
    assert repr(bundle.store) == f"<Store {bundle.store.path}>"


def test_what_was_looked_at_can_be_sent_to_other_processes(bundle):
    opened = bundles.open(bundle.reference, bundle.store)
    table = opened.table("people")
    assert table.rows == opened.tables["people"].rows
    for sent in (pickle.loads(pickle.dumps(table)), pickle.loads(pickle.dumps(opened)).table("people")):
        assert sent.rows == table.rows
        assert sent.to_arrow() == table.to_arrow()


@pytest.mark.parametrize("reference", [None, 3, Path("shop:v1")])
def test_a_reference_that_is_no_text_is_refused(tmp_path, reference):
    with pytest.raises(ReferenceInvalid, match="is a text such as 'name:version', not"):
        bundles.open(reference, tmp_path)


@pytest.mark.parametrize("what", [bundles.verify, bundles.profile])
def test_a_reference_in_place_of_a_bundle_is_told_how_to_open_it(what):
    with pytest.raises(InputError, match=r"give it bundles.open\('shop:v1'\)"):
        what("shop:v1")


def test_a_schema_in_place_of_a_source_is_told_what_to_build_from(tmp_path):
    with pytest.raises(InputError, match=r"give it datagen.source\('companyos'\)"):
        bundles.build("companyos", store=tmp_path)


def test_a_bundle_of_a_newer_format_says_so(bundle, monkeypatch):
    monkeypatch.setattr("bundles.config.FORMAT", 0)
    with pytest.raises(BundleTooNew, match=r"'synthetic:v1' is in bundle format 1, .* install a newer version"):
        bundles.open("synthetic:v1", bundle.store)


def test_a_manifest_of_something_else_is_no_bundle(bundle):
    config = bundle.manifest.config.digest
    with pytest.raises(BundleDamaged, match="is no bundle: its manifest"):
        bundles.open(f"synthetic@{config}", bundle.store)


def test_the_public_names_are_these():
    expected = (
        "BuiltBundle Bundle BundleProfile BundleTable Finding Garbage Origin Progress Report Store StoredBundle TableInfo "
        "build digest open profile verify"
    )
    assert sorted(bundles.__all__) == sorted(expected.split())
    for name in bundles.__all__:
        assert getattr(bundles, name) is not None
    with pytest.raises(AttributeError):
        bundles.nothing_of_this_name
