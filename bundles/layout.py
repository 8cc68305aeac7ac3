"""An OCI image layout on disk: a folder with `oci-layout`, `index.json` and `blobs/sha256/`.

Who may write into the store's folder shares the store: the folders in it and the lock files have its permissions, whatever the umask of
who makes them. Blobs and the index, which are replaced and not written to, have those of the umask.

Every file is written whole or not at all: into `tmp/` of the store, to the disk, and then renamed to its place.

Source: OCI Image Specification 1.1, "Image Layout" and "Content Descriptors".
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bundles.canonical import dump_document
from bundles.errors import BundleDamaged, NotAStore
from schemas.syncing import sync_path

INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
REF_NAME = "org.opencontainers.image.ref.name"
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

    def require_own_places(self) -> None:
        """Raise BundleDamaged where a link stands for a folder or a lock of the store, behind which others' files would go."""
        for place in (self.blobs.parent, self.blobs, self.temporary, self.index_lock, self.blobs_lock):
            if place.is_symlink():
                raise BundleDamaged(
                    f"{place} is a link, and nothing is written or removed behind links of a store: look where it leads, and remove it or "
                    "put in its place what it leads to. A store on another disk is linked, or named by --store, as a whole"
                )

    def create(self) -> None:
        """Make an empty store, or the folders that one lost; the caller holds the index lock, and the index of a store is left alone."""
        for folder in (self.blobs.parent, self.blobs, self.temporary):
            self._make(folder)
        if (self.path / "oci-layout").exists():
            return
        if not self.index_path.exists():
            self.write_index({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []})
        self._replace(self.path / "oci-layout", dump_document(_MARKER))

    def blob_path(self, digest: str) -> Path:
        """Where the blob with this digest is, or would be."""
        return self.blobs / digest.removeprefix("sha256:")

    def read_blob(self, digest: str) -> bytes:
        """Return a small blob, once its bytes match its digest; BundleDamaged where it is missing or altered."""
        path = self.blob_path(digest)
        if wrong := missing(path):
            raise BundleDamaged(f"blob {digest} {wrong} in {self.path}; build or fetch the bundle again")
        data = path.read_bytes()
        if sha256(data) != digest:
            raise BundleDamaged(f"blob {digest} in {self.path} is altered; build or fetch the bundle again")
        return data

    def has(self, blob: Blob) -> bool:
        """Whether the blob is there, of its size, and its bytes match its digest."""
        path = self.blob_path(blob.digest)
        try:
            if missing(path):
                return False
            with open(path, "rb") as file:
                if file.seek(0, os.SEEK_END) != blob.size:
                    return False
                file.seek(0)
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" == blob.digest
        except OSError:
            return False

    def read_index(self) -> dict[str, Any]:
        """Return `index.json`; BundleDamaged where it is missing or none."""
        if wrong := missing(self.index_path):
            raise BundleDamaged(f"{self.index_path} {wrong}; {_MEND}")
        try:
            index = json.loads(self.index_path.read_bytes())
        except (ValueError, RecursionError):
            raise BundleDamaged(f"{self.index_path} is not JSON; {_MEND}") from None
        if not isinstance(index, dict) or not _descriptors(index.get("manifests")):
            raise BundleDamaged(f"{self.index_path} is no OCI image index; {_MEND}")
        return index

    def write_index(self, index: Mapping[str, Any]) -> None:
        """Put `index` in the place of `index.json`; the caller holds the index lock."""
        self._replace(self.index_path, json.dumps(index, indent=1).encode())

    def _make(self, folder: Path) -> None:
        """Make a folder, unless it is there, into which may write who may write into that of the store, whatever the umask is."""
        if not folder.is_dir():
            folder.mkdir(exist_ok=True)
            with suppress(PermissionError):  # a file system without permissions
                folder.chmod(stat.S_IMODE(self.path.stat().st_mode))

    def _replace(self, path: Path, data: bytes) -> None:
        self._make(self.temporary)
        fresh = self.temporary / f"{path.name}.{secrets.token_hex(8)}"
        try:
            write_file(fresh, data)
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
        sync_path(path.parent)


def sha256(data: bytes | memoryview) -> str:
    """Return the digest of `data` as OCI writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def missing(path: Path) -> str | None:
    """Say that no file is at `path`, or something else, such as a pipe, for which a reader would wait; None where a file is."""
    if path.is_file():
        return None
    return "is no file" if path.exists() else "is missing"


def write_file(path: Path, data: bytes | memoryview) -> None:
    """Write a new file and wait until it is on the disk."""
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _descriptors(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(d, dict) and isinstance(d.get("digest"), str) and isinstance(d.get("size"), int) for d in value
    )


_MEND = (
    "the blobs of the store are not touched by this. Restore the file from a backup, or move the folder away and build "
    "or fetch its bundles again"
)
