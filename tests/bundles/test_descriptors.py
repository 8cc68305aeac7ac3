"""Descriptors: what an index, a manifest and a config say of blobs is held against the blobs, and never ends in a traceback."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable

import pytest
from bundle_sources import narrow

import bundles
from bundles.errors import BundleDamaged


@pytest.fixture
def store(tmp_path):
    made = bundles.Store(tmp_path / "store")
    bundles.build(narrow(30), store=made)
    return made


def change_index(store: bundles.Store, change: Callable[[dict], object]) -> None:
    path = store.path / "index.json"
    index = json.loads(path.read_bytes())
    change(index["manifests"][0])
    path.write_text(json.dumps(index))


def put(store: bundles.Store, document: object) -> dict:
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    digest = hashlib.sha256(data).hexdigest()
    (store.path / "blobs" / "sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def change_manifest(store: bundles.Store, change: Callable[[dict], object], change_config: Callable[[dict], object] = len) -> None:
    def changed(descriptor: dict) -> None:
        manifest = json.loads(store.layout.read_blob(descriptor["digest"]))
        config = json.loads(store.layout.read_blob(manifest["config"]["digest"]))
        change_config(config)
        manifest["config"].update(put(store, config))
        change(manifest)
        descriptor.update(put(store, manifest))

    change_index(store, changed)


def test_a_file_of_another_size_than_its_layer_says_is_named(store):
    change_manifest(store, lambda m: m["layers"][0].update(size=1))
    [found] = bundles.verify(bundles.open("synthetic:latest", store)).problems
    assert "bytes where its descriptor says 1" in str(found)


def test_a_manifest_of_another_size_than_the_index_says_is_named(store):
    change_index(store, lambda d: d.update(size=5))
    [found] = bundles.verify(bundles.open("synthetic:latest", store)).problems
    assert "(the manifest) has" in str(found)


@pytest.mark.parametrize("change", [lambda d: d.pop("size"), lambda d: d.update(size="5")])
def test_an_index_with_a_descriptor_that_is_none_is_a_clear_error(store, change):
    change_index(store, change)
    with pytest.raises(BundleDamaged, match=r"index\.json is no OCI image index"):
        bundles.open("synthetic:latest", store)


@pytest.mark.parametrize("rows", ["all", 0, None])
def test_a_config_without_a_sound_number_of_rows_in_a_chunk_is_a_clear_error(store, rows):
    change_manifest(store, len, lambda c: c.update(chunk_rows=rows))
    with pytest.raises(BundleDamaged, match="chunk_rows must be a whole number of 1 or more"):
        bundles.verify(bundles.open("synthetic:latest", store))


@pytest.mark.parametrize(
    "written", [b"", b"[]", b"[" * 100_000, b'{"layers": null}', b'{"layers": [7]}', b'{"layers": [{}]}', b'{"config": [1]}']
)
def test_a_manifest_that_is_none_is_named_and_nothing_is_collected_until_it_is_let_go(store, written):
    stays = store.path / "blobs" / "sha256" / json.loads((store.path / "index.json").read_bytes())["manifests"][0]["digest"][7:]
    change_index(store, lambda d: d.update(put(store, written)))
    for attempt in (store.collect_garbage, lambda: bundles.open("synthetic:latest", store)):
        with pytest.raises(BundleDamaged, match="'synthetic:latest'"):
            attempt()
    assert stays.exists()
    store.remove("synthetic:latest")
    store.collect_garbage()
    assert not stays.exists()


def test_a_config_that_is_nested_without_end_is_a_clear_error(store):
    change_manifest(store, lambda m: m["config"].update(put(store, b"[" * 100_000)))
    with pytest.raises(BundleDamaged, match="config of 'synthetic:latest'"):
        bundles.open("synthetic:latest", store)
