"""The files of a bundle beside a sandbox: for nobody else, whole or not at all, gone with it, back after a reset that failed."""

from __future__ import annotations

import pytest

import bundles
import datagen
from bundles.errors import BundleDamaged
from provisioning.media import MediaFolders

SCHEMA = """schema: t
tables:
  people:
    rows: 3
    columns:
      id:   {type: bigint, key: true}
      icon: {type: text, generate: media.avatar}
"""
PLAIN = SCHEMA.replace("      icon: {type: text, generate: media.avatar}\n", "")


@pytest.fixture
def store(tmp_path):
    return bundles.Store(tmp_path / "store")


@pytest.fixture
def folders(tmp_path):
    return MediaFolders(tmp_path / "media")


def built(store, tmp_path, text=SCHEMA, seed=1):
    path = tmp_path / "schema.yaml"
    path.write_text(text)
    return bundles.build(datagen.source(path, seed=seed), store=store, tag=f"t:v{seed}")


def held(folder):
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def left(tmp_path):
    return sorted(p.name for p in (tmp_path / "media").iterdir())


def test_the_files_lie_in_a_folder_that_nobody_else_reads(store, folders, tmp_path):
    bundle = built(store, tmp_path)
    place = folders.put("sb-a", bundle)
    assert held(place) == {f.path: f.data for f in bundle.media()}
    assert {p.stat().st_mode & 0o777 for p in place.rglob("*") if p.is_file()} == {0o600}
    assert {p.stat().st_mode & 0o777 for p in [place.parent, place, *place.rglob("*")] if p.is_dir()} == {0o700}
    assert folders.place("sb-a") == place


def test_other_files_take_the_place_of_the_old_ones(store, folders, tmp_path):
    folders.put("sb-a", built(store, tmp_path))
    place = folders.put("sb-a", second := built(store, tmp_path, seed=2))
    assert held(place) == {f.path: f.data for f in second.media()}
    assert left(tmp_path) == ["sb-a"]


def test_a_bundle_without_files_leaves_none(store, folders, tmp_path):
    folders.put("sb-a", built(store, tmp_path))
    assert folders.put("sb-a", built(store, tmp_path, PLAIN, seed=3)) is None
    assert folders.place("sb-a") is None
    assert folders.kept() == []


def test_a_damaged_bundle_leaves_the_old_files(store, folders, tmp_path):
    place = folders.put("sb-a", built(store, tmp_path))
    before = held(place)
    damaged = built(store, tmp_path, seed=2)
    store.layout.blob_path(damaged.manifest.media[2].blob.digest).unlink()
    with pytest.raises(BundleDamaged):
        folders.put("sb-a", damaged)
    assert held(place) == before
    assert left(tmp_path) == ["sb-a"]


def test_removing_removes_what_was_set_aside_and_what_a_crash_left_and_may_be_done_again(store, folders, tmp_path):
    folders.put("sb-a", built(store, tmp_path))
    folders.put("sb-b", built(store, tmp_path))
    folders.set_aside("sb-a")
    folders.put("sb-a", built(store, tmp_path, seed=2))
    (tmp_path / "media" / ".sb-a.0123").mkdir()
    assert folders.kept() == ["sb-a", "sb-b"]
    for _ in range(2):
        folders.remove("sb-a")
        assert left(tmp_path) == ["sb-b"]


def test_what_was_set_aside_comes_back(store, folders, tmp_path):
    before = held(folders.put("sb-a", built(store, tmp_path)))
    folders.set_aside("sb-a")
    assert folders.place("sb-a") is None
    folders.put("sb-a", built(store, tmp_path, seed=2))
    folders.set_aside("sb-a")  # again, as after a crash: what is kept stays
    for _ in range(2):
        assert held(folders.bring_back("sb-a")) == before
    assert left(tmp_path) == ["sb-a"]


def test_what_was_set_aside_is_forgotten(store, folders, tmp_path):
    folders.put("sb-a", built(store, tmp_path))
    folders.set_aside("sb-a")
    after = held(folders.put("sb-a", built(store, tmp_path, seed=2)))
    for _ in range(2):
        folders.forget_aside("sb-a")
    assert held(folders.bring_back("sb-a")) == after


def test_where_there_were_no_files_there_are_none_again(store, folders, tmp_path):
    folders.set_aside("sb-a")
    folders.put("sb-a", built(store, tmp_path))
    for _ in range(2):
        assert folders.bring_back("sb-a") is None
    assert left(tmp_path) == []


def test_a_sandbox_without_files_has_nothing_to_remove_or_to_bring_back(folders):
    folders.set_aside("sb-a")
    assert folders.bring_back("sb-a") is None
    folders.remove("sb-a")
    assert folders.kept() == []
