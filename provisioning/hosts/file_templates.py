"""A folder of templates: database files that hold a bundle each, loaded once, of which sandboxes are copies.

`8f0b...[_w12].duckdb` is named by the first 20 digits of the bundle's manifest digest and by the weeks that its times were moved; the JSON
file beside it, written last, says what it holds. A template without it was not finished and is made again.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bundles import Bundle
from bundles.locks import exclusive, shared
from provisioning.hosts.base import Found, Telling
from provisioning.hosts.file_databases import FileDatabase
from provisioning.loading import load
from provisioning.shifting import weeks_until
from schemas.home import make_private
from schemas.syncing import sync_path

_NAME = re.compile(r"\.?([0-9a-f]{20}(?:_w-?\d+)?)\..+")


@dataclass(frozen=True, slots=True)
class Template:
    """A database file that holds a bundle. `made` says that it was loaded just now, and in how many seconds."""

    path: Path
    bundle_digest: str
    tables: Mapping[str, int]
    content_digest: str
    shifted_weeks: int
    last_used: datetime
    made: float | None = None


class Templates:
    """The templates in a folder; several processes and threads may use it at a time."""

    def __init__(self, folder: Path, kind: FileDatabase, clock: Callable[[], datetime]) -> None:
        self._folder, self._kind, self._clock = folder, kind, clock

    @contextmanager
    def holding(self, bundle: Bundle, as_of: str | None, tell: Telling) -> Iterator[Template]:
        """Yield the template of a bundle, which stays until the block ends; it is made first where it is not there.

        Who comes while another makes it waits for that. Raises what `provisioning.load` raises.
        """
        make_private(self._folder)
        day = self._clock().astimezone(UTC).date().isoformat() if as_of is not None and as_of.strip() == "now" else as_of
        weeks = 0 if day is None else weeks_until(bundle.schema.anchor, day)
        name = bundle.manifest_digest.partition(":")[2][:20] + (f"_w{weeks}" if weeks else "")
        lock = self._lock(name)
        made: Template | None = None
        while True:
            with shared(lock):
                template = self._read(name)
                if template is not None:
                    self._used(name)
                    yield made or template
                    return
            with exclusive(lock):
                if self._read(name) is None:
                    made = self._make(name, bundle, day, tell)

    def found(self) -> list[Found]:
        """Return all templates, and what killed processes left of some, of which nobody knows the bundle."""
        files: dict[str, list[Path]] = {}
        for path in sorted(self._folder.iterdir()) if self._folder.is_dir() else ():
            if name := _NAME.fullmatch(path.name):
                files.setdefault(name[1], []).append(path)
        return [self._found(name, paths) for name, paths in files.items()]

    def _found(self, name: str, paths: Sequence[Path]) -> Found:
        template = self._read(name)
        if template is not None:
            return Found("template", name, None, template.bundle_digest, template.last_used)
        try:
            written = datetime.fromtimestamp(max(path.stat().st_mtime for path in paths), UTC)
        except FileNotFoundError:  # somebody goes on with it just now
            written = self._clock()
        return Found("template", name, None, None, written)

    def drop(self, name: str) -> None:
        """Remove a template, once nobody copies it; it may be gone already."""
        if not self._folder.is_dir() or Path(name).name != name:
            return
        with exclusive(self._lock(name)):
            self._clear(name)

    def _lock(self, name: str) -> Path:
        return self._folder / f".lock-{name[:2]}"  # never removed: who waits for a lock file that is gone waits beside the others

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.{self._kind.kind}"

    def _note(self, name: str) -> Path:
        return self._folder / f"{name}.json"

    def _read(self, name: str) -> Template | None:
        try:
            note: dict[str, Any] = json.loads(self._note(name).read_text())
            used = datetime.fromtimestamp(self._note(name).stat().st_mtime, UTC)
            if not self._path(name).is_file():
                return None
            return Template(self._path(name), note["bundle"], note["tables"], note["content_digest"], note["shifted_weeks"], used)
        except (OSError, ValueError, KeyError):
            return None

    def _used(self, name: str) -> None:
        now = self._clock().timestamp()
        os.utime(self._note(name), (now, now))

    def _make(self, name: str, bundle: Bundle, day: str | None, tell: Telling) -> Template:
        self._clear(name)
        receipt = load(bundle, f"{self._kind.kind}:///{self._path(name)}", as_of=day, now=self._clock(), on_progress=tell)
        self._path(name).chmod(0o400)
        note = {
            "bundle": bundle.manifest_digest,
            "tables": dict(receipt.tables),
            "content_digest": receipt.content_digest,
            "shifted_weeks": receipt.shifted_weeks,
        }
        partial = self._folder / f".{name}.json"
        with partial.open("w") as file:
            json.dump(note, file)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._note(name))
        sync_path(self._folder)
        tables, digest, weeks = receipt.tables, receipt.content_digest, receipt.shifted_weeks
        return Template(self._path(name), bundle.manifest_digest, tables, digest, weeks, self._clock(), receipt.seconds)

    def _clear(self, name: str) -> None:
        self._note(name).unlink(missing_ok=True)
        for form in (f"{name}.*", f".{name}.*"):  # all that is found, also where the folder held another kind before
            for path in self._folder.glob(form):
                if path.is_dir():  # where DuckDB puts what is too large for the memory
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)
