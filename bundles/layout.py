"""An OCI image layout on disk: a folder with `oci-layout`, `index.json` and `blobs/sha256/`.

Every file is written whole or not at all: into `tmp/` of the store, to the disk, and then renamed to its place.

Source: OCI Image Specification 1.1, "Image Layout" and "Content Descriptors".
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any

from bundles import locks
from bundles.canonical import dump_document
from bundles.errors import BundleDamaged, NotAStore, disk_errors

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
REF_NAME = "org.opencontainers.image.ref.name"
_BUILD = "build-"
_UNSYNCED = 8
_MARKER = {"imageLayoutVersion": "1.0.0"}


@dataclass(frozen=True, slots=True)
class Blob:
    """The digest (`sha256:...`) and the size in bytes of a blob."""

    digest: str
    size: int


class Layout:
    """The files of one store at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.index_path = path / "index.json"
        self.blobs = path / "blobs" / "sha256"
        self.temporary = path / "tmp"
        self.index_lock = path / ".index.lock"
        self.blobs_lock = path / ".blobs.lock"

    def exists(self) -> bool:
        """Whether there is a store at all; NotAStore where the folder holds something else."""
        if not self.path.exists():
            return False
        # one look at all names: another process may be making the store
        names = os.listdir(self.path) if self.path.is_dir() else None
        if names is not None and ("oci-layout" in names or self.index_path.name in names):
            return True
        if names is None or any(not name.startswith(".") and name not in ("blobs", "tmp") for name in names):
            raise NotAStore(f"{self.path} is no bundle store: it holds other files. Choose an empty or a new folder")
        return False

    def create(self) -> None:
        """Make an empty store; the caller holds the index lock, and a store that exists is left alone."""
        if (self.path / "oci-layout").exists():
            return
        self.blobs.mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir(exist_ok=True)
        if not self.index_path.exists():
            self.write_index({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []})
        self._replace(self.path / "oci-layout", dump_document(_MARKER))

    def blob_path(self, digest: str) -> Path:
        """Where the blob with this digest is, or would be."""
        return self.blobs / digest.removeprefix("sha256:")

    def read_blob(self, digest: str) -> bytes:
        """Return a small blob, once its bytes match its digest; BundleDamaged where it is missing or altered."""
        try:
            data = self.blob_path(digest).read_bytes()
        except FileNotFoundError:
            raise BundleDamaged(f"blob {digest} is missing from {self.path}; build or fetch the bundle again") from None
        if sha256(data) != digest:
            raise BundleDamaged(f"blob {digest} in {self.path} is altered; build or fetch the bundle again")
        return data

    def read_index(self) -> dict[str, Any]:
        """Return `index.json`; BundleDamaged where it is missing or none."""
        try:
            index = json.loads(self.index_path.read_bytes())
        except FileNotFoundError:
            raise BundleDamaged(f"{self.index_path} is missing; {_MEND}") from None
        except ValueError:
            raise BundleDamaged(f"{self.index_path} is not JSON; {_MEND}") from None
        if not isinstance(index, dict) or not _descriptors(index.get("manifests")):
            raise BundleDamaged(f"{self.index_path} is no OCI image index; {_MEND}")
        return index

    def write_index(self, index: Mapping[str, Any]) -> None:
        """Put `index` in the place of `index.json`; the caller holds the index lock."""
        self._replace(self.index_path, json.dumps(index, indent=1, ensure_ascii=False).encode())

    def _replace(self, path: Path, data: bytes) -> None:
        self.temporary.mkdir(exist_ok=True)
        fresh = self.temporary / f"{path.name}.{secrets.token_hex(8)}"
        try:
            write_file(fresh, data)
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
        sync_folder(path.parent)


class Stage:
    """A private folder in the store where the blobs of one build wait until the whole is known to be good.

    Blobs are on their way to the disk while the next are made; `publish` waits until all are there.
    """

    def __init__(self, layout: Layout) -> None:
        layout.temporary.mkdir(exist_ok=True)
        self._layout = layout
        self.path = layout.temporary / f"{_BUILD}{secrets.token_hex(8)}"
        self.path.mkdir(0o700)  # what waits is not yet proved to be safe to show
        self._taken = locks.taken(self.path)
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._synced: list[Future[None]] = []
        self._room = BoundedSemaphore(_UNSYNCED)

    def add(self, data: bytes | memoryview) -> Blob:
        """Write one blob; safe to call from several threads."""
        blob = Blob(sha256(data), len(data))
        path = self.blob_path(blob.digest)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        with disk_errors(self._layout.path):
            descriptor = _new_file(fresh, data)
            try:
                os.replace(fresh, path)
                self._room.acquire()
            except BaseException:
                os.close(descriptor)
                raise
            self._synced.append(self._syncing.submit(self._sync, descriptor))  # from here on `_sync` closes it, and nobody else
        return blob

    def _sync(self, descriptor: int) -> None:
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
            self._room.release()

    def blob_path(self, digest: str) -> Path:
        """Where a blob waits."""
        return self.path / digest.removeprefix("sha256:")

    def publish(self) -> None:
        """Move all blobs to their place in the store."""
        with disk_errors(self._layout.path):
            for synced in self._synced:
                synced.result()
            for name in sorted(os.listdir(self.path)):
                os.replace(self.path / name, self._layout.blobs / name)
            sync_folder(self._layout.blobs)

    def discard(self) -> None:
        """Remove what still waits."""
        self._syncing.shutdown()
        shutil.rmtree(self.path, ignore_errors=True)
        if self._taken is not None:
            os.close(self._taken)
            self._taken = None

    @staticmethod
    def discard_abandoned(layout: Layout) -> None:
        """Remove what builds have left whose processes were killed; the caller holds the index lock, under which stages are made."""
        for folder in layout.temporary.glob(f"{_BUILD}*"):
            with suppress(OSError):  # another may be removing its own
                descriptor = locks.taken(folder)
                if descriptor is not None:
                    shutil.rmtree(folder, ignore_errors=True)
                    os.close(descriptor)


def sha256(data: bytes | memoryview) -> str:
    """Return the digest of `data` as OCI writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a new file and wait until it is on the disk."""
    descriptor = _new_file(path, data)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _new_file(path: Path, data: bytes | memoryview) -> int:
    """Write a new file and return its descriptor, for whoever waits until it is on the disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def sync_folder(path: Path) -> None:
    """Wait until the names in a folder are on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _descriptors(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(d, dict) and isinstance(d.get("digest"), str) and isinstance(d.get("size"), int) for d in value
    )


_MEND = (
    "the blobs of the store are not touched by this. Restore the file from a backup, or move the folder away and build "
    "or fetch its bundles again"
)
