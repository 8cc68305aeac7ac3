"""A stage: blobs come in pieces, reach the disk whole, and leave nothing where they do not."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import threading

import pytest

import bundles
from bundles.errors import StoreFailure

PIECE = 1 << 20
SIZES = [0, 1, 4096, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 5 * PIECE + 4097]


def octets(size: int, seed: int = 0) -> bytes:
    return hashlib.shake_128(seed.to_bytes(4, "little")).digest(size)


def published(store: bundles.Store) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in store.layout.blobs.iterdir()}


@pytest.mark.parametrize("reread", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_a_blob_of_any_size_is_what_was_written(store, size, reread):
    data = octets(size)
    with store.staging(reread=reread) as stage:
        blob = stage.add(data)
        stage.settle()
        assert stage.blob_path(blob.digest).read_bytes() == data
        stage.publish()
    assert (blob.digest, blob.size) == (f"sha256:{hashlib.sha256(data).hexdigest()}", size)
    assert published(store) == {blob.digest.removeprefix("sha256:"): data}


@pytest.mark.parametrize("step", [1, 1000, 4096, 700_001])
def test_the_parts_in_which_a_blob_is_written_do_not_show(store, step):
    data = octets(2 * PIECE + 5 if step > 1 else 3000)
    with store.staging() as stage:
        with stage.begin() as blob:
            for start in range(0, len(data), step):
                blob.write(data[start : start + step])
            assert blob.finish() == stage.add(data)
        stage.publish()
    assert list(published(store).values()) == [data]


def test_many_threads_share_the_memory_of_pieces(store):
    made = {}

    def make(number: int) -> None:
        with stage.begin() as blob:
            for part in range(7):
                blob.write(octets(PIECE // 2 + number, part))
            made[number] = blob.finish()

    with store.staging() as stage:
        threads = [threading.Thread(target=make, args=(number,)) for number in range(50)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        stage.publish()
    assert len(made) == 50
    assert {f"sha256:{name}" for name in published(store)} == {blob.digest for blob in made.values()}
    assert all(f"sha256:{hashlib.sha256(data).hexdigest()}" == f"sha256:{name}" for name, data in published(store).items())


def test_a_blob_that_is_not_finished_is_dropped_and_its_memory_serves_others(store):
    with store.staging() as stage:
        for _ in range(40):
            with pytest.raises(ZeroDivisionError), stage.begin() as blob:
                blob.write(octets(PIECE + 10))
                raise ZeroDivisionError
        kept = stage.add(octets(3 * PIECE))
        stage.publish()
    assert [f"sha256:{name}" for name in published(store)] == [kept.digest]


def test_a_blob_that_is_left_before_it_is_finished_is_dropped_too(store):
    with store.staging() as stage:
        with stage.begin() as blob:
            blob.write(octets(PIECE + 10))
        kept = stage.add(b"kept")
        stage.publish()
    assert [f"sha256:{name}" for name in published(store)] == [kept.digest]


def test_any_number_of_blobs_can_be_begun_before_one_is_finished(store):
    with store.staging() as stage:
        blobs = [stage.begin() for _ in range(40)]

        def fill() -> None:
            for part in range(3):
                for number, blob in enumerate(blobs):
                    blob.write(octets(PIECE // 2 + 1, 100 * part + number))

        filling = threading.Thread(target=fill, daemon=True)
        filling.start()
        filling.join(60)
        assert not filling.is_alive()
        made = {blob.finish().digest for blob in blobs}
        stage.publish()
    assert {f"sha256:{name}" for name in published(store)} == made


@pytest.mark.parametrize("size", [100, 3 * PIECE + 7])
def test_a_disk_that_is_full_ends_the_next_blobs_too(store, monkeypatch, size):
    def refuse(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with store.staging() as stage:
        monkeypatch.setattr(os, "write", refuse)
        with pytest.raises(StoreFailure, match="no space is left"):
            for number in range(100):
                stage.add(octets(size, number))
                stage.settle()
        monkeypatch.undo()
        with pytest.raises(StoreFailure, match="no space is left"):
            stage.publish()
    assert published(store) == {}
    assert not list((store.path / "tmp").iterdir())


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="this system has one way to write")
@pytest.mark.parametrize("where", ["open", "write"])
def test_a_file_system_without_a_way_past_the_page_cache_gets_the_same_files(store, monkeypatch, where):
    opened, written, refused = os.open, os.write, []

    def open_(path, flags, *rest, **more):
        if where == "open" and flags & os.O_DIRECT:
            opened(path, flags & ~os.O_DIRECT, *rest, **more)
            refused.append(path)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return opened(path, flags, *rest, **more)

    def write(descriptor, data):
        import fcntl

        if where == "write" and fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_DIRECT:
            refused.append(descriptor)
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return written(descriptor, data)

    data = octets(2 * PIECE + 3)
    with store.staging() as stage:
        monkeypatch.setattr(os, "open", open_)
        monkeypatch.setattr(os, "write", write)
        stage.add(data)
        stage.publish()
    assert refused
    assert list(published(store).values()) == [data]


def test_files_that_are_cut_short_by_the_system_are_written_on(store, monkeypatch):
    written = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: written(descriptor, data[: 4096 * 7]))
    data = octets(2 * PIECE + 3)
    with store.staging() as stage:
        stage.add(data)
        stage.publish()
    assert list(published(store).values()) == [data]


def test_what_waits_can_be_read_by_its_owner_alone(store):
    with store.staging() as stage:
        assert stat.S_IMODE(stage.path.stat().st_mode) == 0o700


def test_a_stage_lets_go_of_all_files(store):
    before = set(os.listdir("/proc/self/fd"))
    with store.staging() as stage:
        stage.add(b"kept")
        stage.publish()
    assert set(os.listdir("/proc/self/fd")) <= before


def test_the_names_of_blobs_are_on_the_disk_when_they_are_published(store, monkeypatch):
    synced = []
    monkeypatch.setattr("bundles.stage.sync_path", lambda folder: synced.append((folder, len(os.listdir(folder)))))
    with store.staging() as stage:
        stage.add(b"kept")
        stage.publish()
    assert synced == [(store.layout.blobs, 1)]


def test_a_full_disk_is_told_while_a_blob_is_still_written(store, monkeypatch):
    def refuse(descriptor, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with store.staging() as stage, stage.begin() as blob:
        monkeypatch.setattr(os, "write", refuse)
        with pytest.raises(StoreFailure, match="no space is left"):
            for _ in range(20):  # no more than 16 wait
                blob.write(bytes(PIECE))
