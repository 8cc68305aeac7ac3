"""The store: the bundles of one machine or team, in an OCI image layout, with tags that can move.

Builds hold the store's blob lock together, garbage collection holds it alone: nothing that a running build needs is ever
collected. Tags live in `index.json` and change under a lock of its own, by rename.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from bundles import locks
from bundles.errors import BundleDamaged, ReferenceUnknown, StoreFailure, disk_errors
from bundles.layout import MANIFEST_TYPE, REF_NAME, Blob, Layout
from bundles.manifest import ARTIFACT_TYPE, Manifest
from bundles.references import Reference, parse, parse_tag
from bundles.stage import Stage
from schemas.errors import followed, nearest
from schemas.home import data_folder
from schemas.plurals import counted


class Garbage(NamedTuple):
    """What a collection removed, or would remove: how many files and how many bytes."""

    blobs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class StoredBundle:
    """One line of the list of a store; `bytes` is the size of its data files."""

    reference: str
    manifest_digest: str
    content_digest: str
    kind: str
    data_class: str
    tables: int
    rows: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Tagged:
    """A tag, the manifest that it stands for, and when that was last written (seconds since 1970)."""

    name: str
    manifest_digest: str
    written: float


@dataclass(frozen=True, slots=True)
class Resolved:
    """A reference and the manifest that it stands for now."""

    reference: Reference
    manifest: Blob


def default_path() -> Path:
    """Return the folder of the store: `$COMPANYOS_HOME/bundles`, else in the user's data folder."""
    return data_folder() / "bundles"


class Store:
    """The store at `path`, or at the default place; a folder that does not exist is an empty store."""

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(default_path() if path is None else path).expanduser().absolute()
        self.layout = Layout(self.path)

    def __repr__(self) -> str:
        return f"<Store {self.path}>"

    @classmethod
    def at(cls, store: Store | str | os.PathLike[str] | None) -> Store:
        """Return `store` itself, or the store at that path."""
        return store if isinstance(store, Store) else cls(store)

    def list(self) -> Sequence[StoredBundle]:
        """Return every tagged bundle, sorted by reference; BundleDamaged where a manifest is missing or altered."""
        found, damaged = self.survey()
        if damaged:
            raise damaged[0]
        return found

    def survey(self) -> tuple[Sequence[StoredBundle], Sequence[BundleDamaged]]:
        """Return every tagged bundle whose manifest is sound, sorted by reference, and what is wrong with the others."""
        found, damaged = [], []
        with disk_errors(self.path):
            tagged = dict(self._tagged())
            for name in sorted(tagged):
                try:
                    found.append(self._summary(name, tagged[name]))
                except BundleDamaged as error:
                    damaged.append(error)
        return found, damaged

    def references(self) -> Sequence[str]:
        """Return every tag, sorted, without looking at any blob."""
        with disk_errors(self.path):
            return sorted(name for name, _ in self._tagged())

    def written(self) -> Sequence[Tagged]:
        """Return every tag whose manifest is there, and when that was written."""
        with disk_errors(self.path):
            tagged = [(name, d["digest"], self.layout.blob_path(d["digest"])) for name, d in self._tagged()]
            return [Tagged(name, digest, path.stat().st_mtime) for name, digest, path in tagged if path.exists()]

    def resolve(self, reference: str) -> Resolved:
        """Return the manifest that `reference` stands for; ReferenceUnknown with the nearest known one."""
        wanted = parse(reference)
        with disk_errors(self.path):
            for descriptor in self._descriptors():
                if _is_bundle(descriptor) and _names(wanted, descriptor):
                    return Resolved(wanted, Blob(descriptor["digest"], descriptor["size"]))
            if wanted.digest and self.layout.blob_path(wanted.digest).exists():
                return Resolved(wanted, Blob(wanted.digest, self.layout.blob_path(wanted.digest).stat().st_size))
        raise ReferenceUnknown(self._unknown(wanted))

    def tag(self, reference: str, new: str) -> Reference:
        """Let the tag `new` stand for the bundle that `reference` stands for; a tag that exists is moved."""
        target = parse_tag(new)
        if not self._exists():
            self.resolve(reference)
        self.layout.require_own_places()
        with disk_errors(self.path), locks.shared(self.layout.blobs_lock):
            manifest = self.resolve(reference).manifest
            self.layout.read_blob(manifest.digest)
            self.point(target, manifest)
        return target

    def remove(self, reference: str) -> Sequence[str]:
        """Remove a tag, or every tag of a digest, and return what was removed; the data goes with `collect_garbage`."""
        wanted = parse(reference)
        self.resolve(reference)
        with self._changed_index() as index:
            gone = [d for d in index["manifests"] if _is_bundle(d) and _names(wanted, d)]
            index["manifests"] = [d for d in index["manifests"] if d not in gone]
        return sorted(_ref_name(d) or d["digest"] for d in gone)

    def collect_garbage(self, dry_run: bool = False) -> Garbage:
        """Remove the blobs that no reference needs and what killed builds left; waits for running builds.

        Raises BundleDamaged: where the index or a manifest cannot be read, or a link stands for a folder of the store, and nothing is
        removed then; and where there is a folder among the blobs, which is nobody's to remove, and the rest of the garbage is gone. Of
        other links only the links are removed. StoreFailure names what may not be removed, such as what a killed build of another user
        left; the rest of the garbage is gone then, too.
        """
        if not self._exists():
            return Garbage(0, 0)
        layout = self.layout
        layout.require_own_places()
        with disk_errors(self.path), locks.exclusive(layout.blobs_lock), locks.exclusive(layout.index_lock):
            layout.require_own_places()  # again: a folder may have been moved while a build was waited for
            needed = self._needed()
            unneeded = sorted(path for path in layout.blobs.iterdir() if f"sha256:{path.name}" not in needed)
            folders = [path for path in unneeded if _is_folder(path)]
            garbage = [path for path in [*unneeded, *layout.temporary.rglob("*")] if not _is_folder(path)]
            sizes = []
            for path in garbage:
                with suppress(PermissionError):  # another's, which is told of below
                    size = path.lstat().st_size
                    if not dry_run:
                        path.unlink()
                    sizes.append(size)
            result = Garbage(len(sizes), sum(sizes))
            kept = [] if dry_run else [path for path in unneeded if os.path.lexists(path) and not _is_folder(path)]
            if not dry_run:
                for path in filter(_is_folder, layout.temporary.glob("*")):
                    with suppress(PermissionError):
                        shutil.rmtree(path)
                kept += layout.temporary.glob("*")
        if kept:
            others = f" (nor {counted(len(kept) - 1, 'other')})" if kept[1:] else ""
            raise StoreFailure(
                f"'{kept[0]}' may not be removed by you{others}: have its owner, or who runs the machine, collect garbage too; "
                f"gc removed {counted(result.blobs, 'blob')} beside it"
            )
        if folders:
            found = f"'{folders[0]}' is a folder, and no blob" + (f" (nor {counted(len(folders) - 1, 'other')})" if folders[1:] else "")
            rest = f"gc {'would remove' if dry_run else 'removed'} {counted(result.blobs, 'blob')} beside it"
            raise BundleDamaged(f"{found}: look what it is, and move it away; {rest}")
        return result

    @contextmanager
    def staging(self, *, reread: bool = False) -> Iterator[Stage]:
        """A place for the blobs of one build; what is not published is removed, and nothing is collected meanwhile.

        What killed builds have left in such places is removed first. `reread` says that blobs will be read again before that.
        """
        self._exists()
        with ExitStack() as stack:
            with disk_errors(self.path):
                self.path.mkdir(parents=True, exist_ok=True)
                self.layout.require_own_places()
                stack.enter_context(locks.shared(self.layout.blobs_lock))
                with locks.exclusive(self.layout.index_lock):
                    self.layout.require_own_places()  # again, as in `collect_garbage`
                    self.layout.create()
                    Stage.discard_abandoned(self.layout)
                    stage = Stage(self.layout, reread=reread)
            stack.callback(stage.discard)
            yield stage

    def point(self, tag: Reference, manifest: Blob) -> None:
        """Let `tag` stand for a manifest whose blobs are all in the store; the caller holds the blob lock."""
        with self._changed_index() as index:
            kept = [d for d in index["manifests"] if _ref_name(d) != str(tag)]
            index["manifests"] = [*kept, _descriptor(manifest, str(tag))]

    @contextmanager
    def _changed_index(self) -> Iterator[dict[str, Any]]:
        self.layout.require_own_places()
        with disk_errors(self.path), locks.exclusive(self.layout.index_lock):
            index = self.layout.read_index()
            yield index
            index["manifests"].sort(key=lambda d: (_ref_name(d) or "", d["digest"]))
            self.layout.write_index(index)

    def _exists(self) -> bool:
        with disk_errors(self.path):
            return self.layout.exists()

    def _descriptors(self) -> Sequence[dict[str, Any]]:
        if not self._exists():
            return ()
        manifests: Sequence[dict[str, Any]] = self.layout.read_index()["manifests"]
        return manifests

    def _tagged(self) -> Sequence[tuple[str, dict[str, Any]]]:
        """The tags of bundles and their descriptors."""
        return [(name, d) for d in self._descriptors() if (name := _ref_name(d)) and _is_bundle(d)]

    def _summary(self, name: str, descriptor: Mapping[str, Any]) -> StoredBundle:
        digest = descriptor["digest"]
        manifest = Manifest.decode(self._manifest(name, digest), name)
        s = manifest.summary
        return StoredBundle(name, digest, s.content_digest, s.kind, s.data_class, s.tables, s.rows, manifest.size)

    def _manifest(self, name: str, digest: str) -> bytes:
        try:
            return self.layout.read_blob(digest)
        except BundleDamaged as error:
            raise BundleDamaged(f"the manifest of '{name}' is lost: {error}, or let go of it: companyos bundle rm {name}") from None

    def _needed(self) -> set[str]:
        """The digests of all blobs that can be reached from the index."""
        needed: set[str] = set()
        waiting = [(_ref_name(d) or d["digest"], d) for d in self.layout.read_index()["manifests"]]
        while waiting:
            name, descriptor = waiting.pop()
            digest = descriptor["digest"]
            if digest in needed:
                continue
            needed.add(digest)
            kind = str(descriptor.get("mediaType"))
            if _is_bundle(descriptor) or "manifest" in kind or "index" in kind:
                try:
                    document = json.loads(self._manifest(name, digest))
                    inner = [*document.get("layers", ()), *document.get("manifests", ())]
                    inner += [document[k] for k in ("config", "subject") if k in document]
                    waiting += [(name, {"digest": str(d["digest"]), "mediaType": d.get("mediaType")}) for d in inner]
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    raise BundleDamaged(f"the manifest of '{name}' is no OCI manifest; let go of it: companyos bundle rm {name}") from None
        return needed

    def _unknown(self, wanted: Reference) -> str:
        from schemas.reader import builtin_names  # reads much that a store seldom needs

        known = self.references()
        missing = f"there is no bundle '{wanted}' in the store '{self.path}'"
        names = {k.partition(":")[0] for k in known}
        if wanted.name not in names and (wanted.name in builtin_names() or wanted.name.endswith((".yaml", ".yml"))):
            build = f"`companyos bundle build {wanted.name} --tag NAME:VERSION`"
            return f"{missing}, and '{wanted.name}' is a schema: {build} makes a bundle of it"
        if not known:
            return f"there is no bundle '{wanted}': the store {self.path} is empty. Make one with `companyos bundle build`"
        name = next(iter(get_close_matches(wanted.name, sorted(names), n=1)), None)
        same_name = [k for k in known if k.partition(":")[0] == name]
        hint = nearest(str(wanted).replace(wanted.name, str(name), 1), same_name)
        if not hint and same_name:
            hint = f"; under the name '{name}' there is {', '.join(same_name)}"
        return f"{missing}{followed(hint, '`companyos bundle list` shows all')}"


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _names(wanted: Reference, descriptor: Mapping[str, Any]) -> bool:
    return bool(descriptor["digest"] == wanted.digest) if wanted.digest else _ref_name(descriptor) == str(wanted)


def _ref_name(descriptor: Mapping[str, Any]) -> str | None:
    annotations = descriptor.get("annotations")
    name = annotations.get(REF_NAME) if isinstance(annotations, dict) else None
    return name if isinstance(name, str) else None


def _is_bundle(descriptor: Mapping[str, Any]) -> bool:
    return descriptor.get("artifactType") == ARTIFACT_TYPE


def _descriptor(manifest: Blob, name: str) -> dict[str, Any]:
    return {
        "mediaType": MANIFEST_TYPE,
        "digest": manifest.digest,
        "size": manifest.size,
        "artifactType": ARTIFACT_TYPE,
        "annotations": {REF_NAME: name},
    }
