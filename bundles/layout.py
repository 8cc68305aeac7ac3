"""An OCI image layout on disk: a folder with `oci-layout`, `index.json` and `blobs/sha256/`.

Every file is written whole or not at all: into `tmp/` of the store, to the disk, and then renamed to its place.

Source: OCI Image Specification 1.1, "Image Layout" and "Content Descriptors".
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
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

    def create(self) -> None:
        """Make an empty store, or the folders that one lost; the caller holds the index lock, and the index of a store is left alone."""
        self.blobs.mkdir(parents=True, exist_ok=True)
        self.temporary.mkdir(exist_ok=True)
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
        try:
            data = self.blob_path(digest).read_bytes()
        except FileNotFoundError:
            raise BundleDamaged(f"blob {digest} is missing from {self.path}; build or fetch the bundle again") from None
        if sha256(data) != digest:
            raise BundleDamaged(f"blob {digest} in {self.path} is altered; build or fetch the bundle again")
        return data

    def has(self, blob: Blob) -> bool:
        """Whether the blob is there, of its size, and its bytes match its digest."""
        try:
            with open(self.blob_path(blob.digest), "rb") as file:
                if file.seek(0, os.SEEK_END) != blob.size:
                    return False
                file.seek(0)
                return f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" == blob.digest
        except OSError:
            return False

    def read_index(self) -> dict[str, Any]:
        """Return `index.json`; BundleDamaged where it is missing or none."""
        try:
            index = json.loads(self.index_path.read_bytes())
        except FileNotFoundError:
            raise BundleDamaged(f"{self.index_path} is missing; {_MEND}") from None
        except (ValueError, RecursionError):
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
        sync_path(path.parent)


def sha256(data: bytes | memoryview) -> str:
    """Return the digest of `data` as OCI writes it."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


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
