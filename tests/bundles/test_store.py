"""A store keeps what it lists: tags move, garbage goes, damage is named, and killed work leaves nothing behind."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

import bundle_sources as sources
import pytest

import bundles
from bundles import locks
from bundles.errors import BundleDamaged, NotAStore, ReferenceInvalid, ReferenceUnknown
from bundles.store import default_path

ROOT = Path(__file__).parents[2]


def build(store, rows=100, tag="synthetic:v1"):
    return bundles.build(sources.narrow(rows), store=store, tag=tag)


def files(store):
    return sorted(p for p in store.path.rglob("*") if p.is_file())


def blobs(store):
    return {p.name for p in (store.path / "blobs" / "sha256").iterdir()}


def test_the_default_place_follows_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("COMPANYOS_HOME", str(tmp_path))
    assert bundles.Store().path == tmp_path / "bundles"
    monkeypatch.delenv("COMPANYOS_HOME")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    assert default_path() == tmp_path / "data" / "companyos" / "bundles" or sys.platform != "linux"


def test_a_store_that_does_not_exist_is_empty_and_is_not_made_by_looking(store):
    assert list(store.list()) == []
    assert store.collect_garbage() == (0, 0)
    with pytest.raises(ReferenceUnknown, match=r"no bundle 'synthetic:v1': the store .* is empty"):
        store.resolve("synthetic:v1")
    assert not store.path.exists()


def test_the_store_is_an_oci_image_layout(store):
    bundle = build(store)
    assert json.loads((store.path / "oci-layout").read_text()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((store.path / "index.json").read_text())
    assert index["schemaVersion"] == 2
    (descriptor,) = index["manifests"]
    assert descriptor["annotations"] == {"org.opencontainers.image.ref.name": "synthetic:v1"}
    assert descriptor["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert descriptor["digest"] == bundle.manifest_digest
    raw = (store.path / "blobs" / "sha256" / descriptor["digest"][7:]).read_bytes()
    assert len(raw) == descriptor["size"]
    manifest = json.loads(raw)
    assert manifest["artifactType"] == descriptor["artifactType"] == "application/vnd.companyos.bundle.v1"
    assert manifest["config"]["mediaType"] == "application/vnd.companyos.bundle.config.v1+json"
    assert {layer["mediaType"] for layer in manifest["layers"]} == {"application/vnd.apache.parquet"}
    for described in [manifest["config"], *manifest["layers"]]:
        data = (store.path / "blobs" / "sha256" / described["digest"][7:]).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (described["size"], described["digest"][7:])
    assert all(p.parent.name == "sha256" or p.parent == store.path for p in files(store))


def test_bundles_are_listed_with_what_they_hold(store):
    shop = bundles.build(sources.shop(), store=store, tag="shop:v2")
    build(store)
    first, second = store.list()
    assert (first.reference, first.kind, first.data_class, first.tables, first.rows) == ("shop:v2", "synthetic", "sensitive", 3, 1010)
    assert (first.manifest_digest, first.content_digest) == (shop.manifest_digest, shop.content_digest)
    assert first.bytes == sum(t.bytes for t in shop.tables.values())
    assert second.reference == "synthetic:v1"


def test_a_tag_moves_and_moves_back(store):
    old = build(store, 100, "synthetic:v1")
    store.tag("synthetic:v1", "synthetic:prod")
    new = build(store, 200, "synthetic:v2")
    store.tag("synthetic:v2", "synthetic:prod")
    assert bundles.open("synthetic:prod", store).manifest_digest == new.manifest_digest
    store.tag("synthetic:v1", "synthetic:prod")
    assert bundles.open("synthetic:prod", store).manifest_digest == old.manifest_digest
    assert [b.reference for b in store.list()] == ["synthetic:prod", "synthetic:v1", "synthetic:v2"]


def test_a_bundle_is_found_by_digest_even_after_its_tag_has_moved(store):
    old = build(store, 100)
    build(store, 200)
    reference = f"synthetic@{old.manifest_digest}"
    assert bundles.open(reference, store).reference == reference
    assert bundles.open(reference, store).manifest_digest == old.manifest_digest
    store.tag(reference, "synthetic:v1")
    assert bundles.open("synthetic:v1", store).manifest_digest == old.manifest_digest


def test_an_unknown_reference_names_the_nearest(store):
    build(store)
    with pytest.raises(
        ReferenceUnknown, match=r"no bundle 'syntetic:v1' .*did you mean 'synthetic:v1'\? `companyos bundle list` shows all"
    ):
        bundles.open("syntetic:v1", store)
    with pytest.raises(ReferenceUnknown, match="bundle list"):
        store.remove("other@sha256:" + "0" * 64)
    with pytest.raises(ReferenceUnknown, match="did you mean"):
        store.tag("synthetic:v2", "synthetic:v3")


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("nope:v1", "there is no bundle 'nope:v1' in the store '[^']*'; `companyos bundle list` shows all"),
        ("syntetic:v7", r"; did you mean 'synthetic:v1'\? `companyos bundle list` shows all"),
        ("syntetic:as-of-the-night-before", "; under the name 'synthetic' there is synthetic:v1; `companyos bundle list` shows all"),
        ("shop.yaml", "and 'shop.yaml' is a schema: `companyos bundle build shop.yaml --tag NAME:VERSION` makes a bundle of it"),
        ("companyos", "and 'companyos' is a schema: `companyos bundle build companyos --tag NAME:VERSION` makes a bundle of it"),
    ],
)
def test_a_reference_is_like_another_by_its_name_and_a_schema_is_told_to_be_none(store, wanted, said):
    build(store)
    with pytest.raises(ReferenceUnknown, match=f"{said}$"):
        bundles.open(wanted, store)


def test_bundles_of_the_name_of_a_schema_are_told_before_the_schema(store):
    build(store, tag="tpch:v1")
    with pytest.raises(ReferenceUnknown, match=r"did you mean 'tpch:v1'\? `companyos bundle list` shows all$"):
        bundles.open("tpch:v2", store)


def test_a_digest_is_no_tag(store):
    bundle = build(store)
    with pytest.raises(ReferenceInvalid, match="is no tag"):
        store.tag("synthetic:v1", f"x@{bundle.manifest_digest}")
    with pytest.raises(ReferenceInvalid, match="is no tag"):
        build(store, tag=f"x@{bundle.manifest_digest}")


def test_removed_bundles_are_collected_and_shared_blobs_stay(store):
    build(store, 100, "a:v1")
    store.tag("a:v1", "b:v1")
    build(store, 200, "c:v1")
    both = blobs(store)
    assert store.remove("a:v1") == ["a:v1"]
    assert store.collect_garbage() == (0, 0)
    assert list(store.remove("c:v1")) == ["c:v1"]
    garbage = store.collect_garbage(dry_run=True)
    assert blobs(store) == both
    assert store.collect_garbage() == garbage
    assert garbage.blobs == 3
    assert garbage.bytes > 0
    assert store.collect_garbage() == (0, 0)
    assert bundles.verify(bundles.open("b:v1", store)).ok


def test_a_digest_removes_all_its_tags(store):
    bundle = build(store, 100, "a:v1")
    store.tag("a:v1", "a:v2")
    build(store, 200, "a:v3")
    assert store.remove(f"a@{bundle.manifest_digest}") == ["a:v1", "a:v2"]
    assert [b.reference for b in store.list()] == ["a:v3"]


def test_a_folder_of_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    for attempt in (lambda s: s.list(), lambda s: s.collect_garbage(), lambda s: build(s)):
        with pytest.raises(NotAStore, match="is no bundle store: it holds other files"):
            attempt(bundles.Store(tmp_path))
    with pytest.raises(NotAStore):
        bundles.Store(tmp_path / "thesis.txt").list()
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize(
    "damage", ["", "{", "[]", '{"manifests": 3}', '{"manifests": [{"digest": 1}]}', '{"manifests": [7]}', "\0\xff", "[" * 100_000]
)
def test_a_damaged_index_is_named_and_nothing_is_collected_or_overwritten(store, damage):
    build(store)
    index = store.path / "index.json"
    index.write_text(damage, encoding="latin-1")
    before = blobs(store)
    attempts = (
        store.list,
        store.collect_garbage,
        lambda: bundles.open("synthetic:v1", store),
        lambda: store.remove("synthetic:v1"),
        lambda: build(store, 300, "b:v1"),
    )
    for attempt in attempts:
        with pytest.raises(BundleDamaged, match=r"index\.json is (no OCI image index|not JSON); .*Restore"):
            attempt()
    assert blobs(store) >= before
    assert index.read_text(encoding="latin-1") == damage


def test_a_lost_index_is_named_and_nothing_is_collected(store):
    build(store)
    (store.path / "index.json").unlink()
    before = blobs(store)
    for attempt in (store.list, store.collect_garbage):
        with pytest.raises(BundleDamaged, match=r"index\.json is missing"):
            attempt()
    assert blobs(store) == before


def test_a_folder_in_place_of_the_index_is_named(store):
    build(store)
    (store.path / "index.json").unlink()
    (store.path / "index.json").mkdir()
    for attempt in (store.list, store.collect_garbage, lambda: bundles.open("synthetic:v1", store), lambda: build(store)):
        with pytest.raises(BundleDamaged, match=rf"^{store.path}/index\.json is no file; .*Restore"):
            attempt()


@pytest.mark.parametrize("place", ["blobs", "blobs/sha256", "tmp", ".index.lock", ".blobs.lock"])
@pytest.mark.parametrize("dangling", [False, True])
def test_nothing_is_written_or_removed_behind_a_link(store, tmp_path, place, dangling):
    build(store)
    build(store, 200, "gone:v1")
    store.remove("gone:v1")
    linked, outside = store.path / place, tmp_path / "outside"
    linked.rename(outside)
    for mine in () if outside.is_file() else (outside / "thesis.txt", outside / "build-1" / "notes.txt"):
        mine.parent.mkdir(exist_ok=True)
        mine.write_text("precious")
    before = sorted(outside.rglob("*"))
    linked.symlink_to(tmp_path / "nowhere" if dangling else outside)
    attempts = (
        store.collect_garbage,
        lambda: store.collect_garbage(dry_run=True),
        lambda: build(store, 300, "b:v1"),
        lambda: store.tag("synthetic:v1", "b:v1"),
        lambda: store.remove("synthetic:v1"),
    )
    for attempt in attempts:
        with pytest.raises(
            BundleDamaged, match=rf"{store.path}/{place} is a link, and nothing is written or removed behind links of a store"
        ):
            attempt()
    assert sorted(outside.rglob("*")) == before and not (tmp_path / "nowhere").exists()
    if not dangling or "blobs/" not in f"{place}/":
        assert bundles.verify(bundles.open("synthetic:v1", store)).ok


def test_of_links_in_its_folders_a_collection_and_a_build_remove_the_links_alone(store, tmp_path):
    build(store)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "thesis.txt").write_text("precious")
    (store.path / "tmp" / "build-2").mkdir()
    links = [store.path / place for place in ("tmp/build-1", "tmp/build-2/inner", "tmp/other", f"blobs/sha256/{'0' * 64}")]
    for again in (lambda: build(store, 300), store.collect_garbage):
        for link in links:
            link.parent.mkdir(exist_ok=True)
            link.is_symlink() or link.symlink_to(outside)
        again()
        assert (outside / "thesis.txt").read_text() == "precious"
    assert not any(link.is_symlink() for link in links)


@pytest.mark.parametrize(("folder", "lock"), [(0o2775, 0o664), (0o700, 0o600), (0o755, 0o644)])
def test_who_may_write_into_the_folder_of_a_store_may_lock_and_write_whatever_the_umask_was(store, folder, lock):
    store.path.mkdir()
    store.path.chmod(folder)
    before = os.umask(0o077)
    try:
        build(store)
    finally:
        os.umask(before)
    modes = {
        place: (store.path / place).stat().st_mode & 0o7777 for place in ("blobs", "blobs/sha256", "tmp", ".index.lock", ".blobs.lock")
    }
    assert modes == {"blobs": folder, "blobs/sha256": folder, "tmp": folder, ".index.lock": lock, ".blobs.lock": lock}
    assert (store.path / "index.json").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("lost", ["blobs", "blobs/sha256", "tmp"])
def test_a_store_that_came_back_without_one_of_its_folders_is_built_into_again(store, lost):
    build(store, tag="other:v1")
    shutil.rmtree(store.path / lost)
    assert bundles.verify(build(store)).ok
    assert store.references() == ["other:v1", "synthetic:v1"]


def test_nothing_is_collected_while_a_manifest_is_lost(store):
    bundle = build(store, 100, "a:v1")
    build(store, 200, "b:v1")
    (store.path / "blobs" / "sha256" / bundle.manifest_digest[7:]).unlink()
    before = blobs(store)
    with pytest.raises(BundleDamaged, match=f"the manifest of 'a:v1' is lost: blob {bundle.manifest_digest} is missing"):
        store.collect_garbage()
    assert blobs(store) == before
    with pytest.raises(BundleDamaged, match="or let go of it: companyos bundle rm a:v1"):
        store.list()
    found, [damaged] = store.survey()
    assert [b.reference for b in found] == ["b:v1"]
    assert "'a:v1'" in str(damaged)
    store.remove("a:v1")
    assert store.collect_garbage().blobs == 2
    assert [b.reference for b in store.list()] == ["b:v1"]


def test_an_altered_manifest_or_config_is_named_when_the_bundle_is_opened(store):
    bundle = build(store)
    for digest in (bundle.manifest.config.digest, bundle.manifest_digest):
        path = store.path / "blobs" / "sha256" / digest[7:]
        path.write_bytes(path.read_bytes().replace(b"bigint", b"biginT").replace(b"synthetic", b"sanitized"))
        with pytest.raises(BundleDamaged, match=f"blob {digest} in .* is altered"):
            bundles.open("synthetic:v1", store)


def test_what_others_put_into_the_layout_is_kept_with_what_it_is_about(store):
    manifest = build(store).manifest_blob
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": manifest.digest, "size": manifest.size}
    data = json.dumps({"layers": [], "config": {"digest": "sha256:" + "0" * 64, "size": 2}, "subject": subject}).encode()
    name = hashlib.sha256(data).hexdigest()
    (store.path / "blobs" / "sha256" / name).write_bytes(data)
    index = json.loads((store.path / "index.json").read_text())
    signature = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{name}", "size": len(data)}
    (store.path / "index.json").write_text(json.dumps({**index, "manifests": [*index["manifests"], signature]}))
    build(store, 300, "b:v1")
    assert store.collect_garbage().blobs == 0
    assert signature in json.loads((store.path / "index.json").read_text())["manifests"]
    assert [b.reference for b in store.list()] == ["b:v1", "synthetic:v1"]
    store.remove("synthetic:v1")
    assert store.collect_garbage().blobs == 0


SLOW_BUILD = """
import sys, time
sys.path.insert(0, sys.argv[2])
import bundles, bundle_sources as sources
source = sources.narrow(40 * 65_536)
def report(progress):
    print(progress.rows, flush=True)
    time.sleep(0.05)
bundles.build(source, store=sys.argv[1], tag="slow:v1", jobs=2, chunk_rows=65_536, on_progress=report)
"""


def start_slow_build(store):
    command = [sys.executable, "-c", SLOW_BUILD, str(store.path), str(Path(__file__).parent)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
    assert process.stdout is not None
    for _ in range(3):
        assert process.stdout.readline()
    return process


def test_a_killed_build_leaves_the_store_as_it_was_and_its_rests_are_collected(store):
    before = build(store)
    kept = set(files(store))
    process = start_slow_build(store)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert [b.reference for b in store.list()] == ["synthetic:v1"]
    rests = set(files(store)) - kept
    assert rests
    garbage = store.collect_garbage()
    assert garbage.blobs == len(rests)
    assert set(files(store)) == kept
    assert not list((store.path / "tmp").iterdir())
    assert bundles.verify(bundles.open("synthetic:v1", store)).ok
    assert bundles.open("synthetic:v1", store).manifest_digest == before.manifest_digest


def test_garbage_is_collected_around_a_folder_that_is_nobodys(store):
    build(store)
    kept = set(files(store))
    (store.path / "blobs" / "sha256" / "mine").mkdir()
    for garbage in (store.path / "blobs" / "sha256" / "aa", store.path / "tmp" / "build-1" / "deep" / "bb", store.path / "tmp" / "cc"):
        garbage.parent.mkdir(parents=True, exist_ok=True)
        garbage.write_text("left")
    (store.path / "blobs" / "sha256" / "dangling").symlink_to("nowhere")
    for dry_run, done in (
        (True, "gc would remove 4 blobs beside"),
        (False, "gc removed 4 blobs beside"),
        (False, "gc removed 0 blobs beside"),
    ):
        with pytest.raises(BundleDamaged, match=rf"/mine' is a folder, and no blob: look what it is, and move it away; {done}"):
            store.collect_garbage(dry_run=dry_run)
    assert set(files(store)) == kept and not list((store.path / "tmp").iterdir())
    assert blobs(store) == {"mine", *(p.name for p in kept if p.parent.name == "sha256")}


def test_the_next_build_removes_what_a_killed_one_left_and_nothing_of_one_that_runs(store):
    killed = start_slow_build(store)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    (left,) = (store.path / "tmp").iterdir()
    running = start_slow_build(store)
    build(store)
    (still,) = (store.path / "tmp").iterdir()
    assert still != left
    _, errors = running.communicate(timeout=60)
    assert running.returncode == 0, errors
    assert not list((store.path / "tmp").iterdir())
    assert bundles.verify(bundles.open("slow:v1", store)).ok


def test_ctrl_c_stops_a_build_and_leaves_nothing(store):
    build(store)
    kept = set(files(store))
    process = start_slow_build(store)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert "KeyboardInterrupt" in errors
    assert set(files(store)) == kept
    assert not list((store.path / "tmp").iterdir())
    assert store.collect_garbage() == (0, 0)


def test_garbage_collection_waits_for_a_running_build(store):
    build(store, 100, "gone:v1")
    store.remove("gone:v1")
    process = start_slow_build(store)
    garbage = store.collect_garbage()
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert garbage.blobs >= 1
    assert bundles.verify(bundles.open("slow:v1", store)).ok


@pytest.mark.parametrize("work", [bundles.Store.collect_garbage, lambda store: build(store, 300)], ids=["gc", "build"])
def test_a_folder_that_becomes_a_link_while_a_lock_is_waited_for_is_not_followed(store, tmp_path, monkeypatch, work):
    build(store)
    outside = tmp_path / "outside"
    (outside / "build-1").mkdir(parents=True)
    (outside / "build-1" / "thesis.txt").write_text("precious")
    exclusive = locks.exclusive

    @contextmanager
    def waited(path):
        with exclusive(path):
            if not (store.path / "tmp").is_symlink():
                (store.path / "tmp").rmdir()
                (store.path / "tmp").symlink_to(outside)
            yield

    monkeypatch.setattr("bundles.locks.exclusive", waited)
    with pytest.raises(BundleDamaged, match="tmp is a link"):
        work(store)
    assert (outside / "build-1" / "thesis.txt").read_text() == "precious"


def test_concurrent_builds_and_collections_lose_nothing(store):
    problems = []

    def work(number):
        try:
            for i in range(3):
                build(store, 100 + i, f"w{number}:v{i}")
                store.collect_garbage()
                store.tag(f"w{number}:v{i}", f"w{number}:latest")
        except Exception as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert len(store.list()) == 4 * 4
    for stored in store.list():
        assert bundles.verify(bundles.open(stored.reference, store), jobs=1).ok
    assert store.collect_garbage() == (0, 0)


def test_listing_needs_neither_pyarrow_nor_duckdb(store):
    build(store)
    code = "import sys, bundles; print(len(bundles.Store(sys.argv[1]).list())); print({'pyarrow', 'duckdb', 'numpy'} & set(sys.modules))"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        [sys.executable, "-c", code, str(store.path)], capture_output=True, text=True, env=environment, cwd=ROOT, check=True
    )
    assert run.stdout == "1\nset()\n"


def test_a_store_that_cannot_be_written_is_explained(store, monkeypatch):
    build(store)

    def refuse(path, *args, **options):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(bundles.errors.StoreFailure, match=r"cannot use the bundle store .*: Permission denied"):
        build(store, 300, "b:v1")
    monkeypatch.undo()
    assert [b.reference for b in store.list()] == ["synthetic:v1"]
    assert store.collect_garbage() == (0, 0)


def test_a_bundle_that_does_not_reach_the_disk_is_not_tagged(store, monkeypatch):
    build(store)
    kept, synced = set(files(store)), os.fsync

    def lose(descriptor):
        if os.fstat(descriptor).st_size > 4000:
            raise OSError(5, "Input/output error")
        synced(descriptor)

    monkeypatch.setattr(os, "fsync", lose)
    with pytest.raises(bundles.errors.StoreFailure, match=r"cannot use the bundle store .*: Input/output error"):
        build(store, 300_000, "b:v1")
    monkeypatch.undo()
    assert [b.reference for b in store.list()] == ["synthetic:v1"]
    assert set(files(store)) == kept
    assert not list((store.path / "tmp").iterdir())


FULL_DISK = """
import resource, sys
sys.path.insert(0, sys.argv[2])
import bundles, bundle_sources as sources
from schemas.errors import SystemFailure
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    bundles.build(sources.shop(people=70_000), store=sys.argv[1], tag="big:v1")
except SystemFailure as error:
    print(error)
"""


def test_a_full_disk_is_explained_and_leaves_nothing(store):
    build(store)
    kept = set(files(store))
    command = [sys.executable, "-c", FULL_DISK, str(store.path), str(Path(__file__).parent)]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, check=True)
    assert "no space is left for the bundle store" in run.stdout
    assert set(files(store)) == kept
    assert not list((store.path / "tmp").iterdir())
