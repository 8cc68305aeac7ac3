"""Sandboxes as DuckDB or SQLite files in a folder: the embedded host, which needs no server.

Files know no roles and no passwords: who may enter the folder (0700) may open its files (0600), so that the operating system's account is
the owner. An address holds a random part that is new with each reset. Connections cannot be ended from outside: who has a file open goes
on to read the old data, and learns at the next writing, or when opening it again, that it is gone. SQLite's and DuckDB's own limits on
size hold for a connection only; the sweep makes a file that takes more than its limit read-only.
"""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import monotonic
from typing import Any

from bundles import Bundle
from provisioning.apart import here
from provisioning.control.moments import utc_now
from provisioning.database_file import disk_errors
from provisioning.errors import NoSuchSandbox, ReadBackDiffers, TargetFailure
from provisioning.hosts.base import Activity, Found, Marker, Place, Seeded, Telling
from provisioning.hosts.copying import copied
from provisioning.hosts.file_databases import DATABASES, FileDatabase, Mark, read_flags, write_mark, write_settings
from provisioning.hosts.file_generations import Generation, Phase, discard, generations, new, proved, read_note, write_note
from provisioning.hosts.file_templates import Template, Templates
from provisioning.hosts.file_use import activity, unseen
from schemas.environments import Host, Limits
from schemas.home import data_folder, make_private
from schemas.plurals import counted
from schemas.syncing import sync_path

_ID = re.compile(r"sb-([a-z2-7]{10})")


class FileHost:
    """A folder of database files; see `provisioning.hosts.base.SandboxHost`."""

    run = staticmethod(here)

    def __init__(self, host: Host, *, control: str, clock: Callable[[], datetime] = utc_now) -> None:
        self.name: str = host.name
        self.kind: str = host.kind
        self._control, self._clock = control, clock
        self._database = DATABASES[host.kind]
        self._root = Path(host.folder).expanduser().absolute() if host.folder else data_folder() / "sandboxes" / host.name
        self._templates = Templates(self._root / "templates", self._database, clock)

    def place(self, sandbox: str) -> Place:
        """Return where the sandbox with this id lives, or would; NoSuchSandbox for what is no id."""
        found = _ID.fullmatch(sandbox)
        if found is None:
            raise NoSuchSandbox(f"'{sandbox[:40]}' is no id of a sandbox; one looks like sb-abcdefghij")
        return Place(sandbox, f"companyos_sb_{found[1]}")

    def seed(
        self, place: Place, bundle: Bundle, *, limits: Limits, as_of: str | None = None, swap: bool = False, on_progress: Telling = None
    ) -> Seeded:
        """Copy the bundle's template, mark the copy and count its rows; it waits in the phase `shut`, or `next` where it is to `swap`."""
        started = monotonic()
        with self._disk():
            make_private(self._root)
            self._drop(place, *(("making", "gone", "next") if swap else ("making", "gone", "next", "old", "open", "shut")))
            with self._templates.holding(bundle, as_of, on_progress) as template:
                generation, strategy, why = self._copy(place, template)
            mark = self._mark(generation)
            path = generation.database(self._database)
            try:
                rows = _marked(self._database, path, mark, template.tables)
            except (ReadBackDiffers, TargetFailure) as error:
                self._templates.drop(template.path.stem)  # which may be damaged: no later copy is to fail for it
                raise type(error)(f"{error}. The bundle's template was removed; do it again to have it made anew") from None
            write_note(generation, mark, path)
            sync_path(path)
            sync_path(generation.folder)
            generation.moved("next" if swap else "shut")
        seconds = monotonic() - started
        return Seeded(strategy, why, rows, template.content_digest, "template", template.shifted_weeks, seconds)

    def swap(self, place: Place) -> None:
        """Rename what was seeded beside into the phase `shut`, and what is there into `old`."""
        with self._disk():
            phases = self._proved(place)
            present = phases.get("open") or phases.get("shut")
            if "next" not in phases:
                if present is None:
                    raise TargetFailure(f"{place.sandbox} has no database on '{self.name}' to put in its place")
                return
            if present is not None:
                if "old" in phases:
                    discard(phases["old"])
                present.moved("old")
            phases["next"].moved("shut")

    def swap_back(self, place: Place) -> None:
        """Rename the old database back, and remove what took its place or was to."""
        with self._disk():
            phases = self._proved(place)
            for phase in ("next", "open", "shut") if "old" in phases else ("next",):
                if phase in phases:
                    discard(phases[phase])
            if "old" in phases:
                phases["old"].moved("shut")

    def forget_old(self, place: Place) -> None:
        """Remove the old database."""
        with self._disk():
            self._drop(place, "old", "gone", "making")

    def configure(self, place: Place, flags: Mapping[str, bool], settings: Mapping[str, Any]) -> None:
        """Write flags and settings; TargetFailure where another process has the file open for writing."""
        with self._disk():
            path = self._present(place).database(self._database)
            write_settings(self._database, path, flags, settings)

    def flags(self, place: Place) -> Mapping[str, bool]:
        """Return the feature flags as they stand in the file, none where others removed them; TargetFailure where it cannot be read."""
        with self._disk():
            path = self._present(place).database(self._database)
            with unseen(path):
                return read_flags(self._database, path)

    def admit(self, place: Place, password: str | None, until: datetime, limits: Limits) -> None:
        """Let the file be found at its address; a file needs no password and knows no end, which `shut` brings."""
        with self._disk():
            present = self._present(place)
            present.database(self._database).chmod(0o600)
            present.moved("open")

    def restrict(self, place: Place) -> None:
        """Take the right to write the file from who opens it from now on; accounts that may write all files keep it."""
        with self._disk():
            self._present(place).database(self._database).chmod(0o400)

    def restricted(self, place: Place) -> bool:
        """Whether the file may only be read."""
        with self._disk():
            return not self._present(place).database(self._database).stat().st_mode & stat.S_IWUSR

    def shut(self, place: Place) -> None:
        """Rename the folder, so that nobody finds the file at its address."""
        with self._disk():
            phases = self._proved(place)
            if "open" in phases:
                phases["open"].moved("shut")

    def remove(self, place: Place) -> None:
        """Remove all folders of the sandbox; who has a file open reads on in what has no name any more."""
        with self._disk():
            for generation in self._proved_all(place):
                discard(generation)

    def marker(self, place: Place) -> Marker | None:
        """Return the marker of the file; None where there is none."""
        with self._disk():
            generation = self._find(place)
            mark = None if generation is None else proved(generation, self._database, self._control)
        return None if mark is None else Marker(mark.sandbox, mark.control, mark.bundle_digest, "ready", mark.made_at)

    def activity(self, place: Place) -> Activity | None:
        """Return what the operating system knows of the file's use; see `provisioning.hosts.file_use`."""
        with self._disk():
            generation = self._find(place)
            return None if generation is None else activity(generation.database(self._database), self._database.journals)

    def address(self, place: Place, password: str | None) -> str:
        """Return the URL of the file; TargetFailure where nobody is let in."""
        generation = self._find(place)
        if generation is None or generation.phase != "open":
            raise TargetFailure(f"{place.sandbox} has no database on '{self.name}' that can be connected to")
        return self._url(generation)

    def admin_address(self, place: Place) -> str:
        """Return the URL of the file, also while nobody is let in."""
        return self._url(self._present(place))

    def bytes(self, place: Place) -> int:
        """Return what the file and those beside it take on the disk; blocks that it shares with its template count in full."""
        generation = self._find(place)
        if generation is None:
            return 0
        files = [p for p in generation.folder.rglob("*") if p.is_file() and not p.is_symlink()]
        return sum(file.stat().st_blocks * 512 for file in files)

    def found(self) -> Sequence[Found]:
        """Return the sandboxes whose notes name our control database, and all templates."""
        found: dict[str, Found] = {}
        with self._disk():
            for generation in generations(self._root):
                noted = read_note(generation)
                if noted is not None and noted[0].control == self._control:
                    found.setdefault(generation.name, Found("database", generation.name, generation.sandbox, noted[0].bundle_digest))
            return [*found.values(), *self._templates.found()]

    def drop_template(self, name: str) -> None:
        """Remove a template, once nobody copies it."""
        with self._disk():
            self._templates.drop(name)

    def _copy(self, place: Place, template: Template) -> tuple[Generation, Any, str]:
        mark = Mark(place.sandbox, self._control, template.bundle_digest, self._clock())
        generation = new(self._root, place.database, mark)
        strategy, why = copied(template.path, generation.database(self._database))
        if template.made is not None:
            why = f"the first sandbox of this bundle here: it was loaded into a template in {template.made:.1f} s, then copied; {why}"
        return generation, strategy, why

    def _mark(self, generation: Generation) -> Mark:
        noted = read_note(generation)
        if noted is None:
            raise TargetFailure(f"somebody removed '{generation.folder}' while it was made")
        return noted[0]

    def _url(self, generation: Generation) -> str:
        return f"{self.kind}:///{generation.database(self._database)}"

    def _find(self, place: Place) -> Generation | None:
        """The generation that is the sandbox now, whether anybody is let in or not."""
        return next((g for g in generations(self._root, place.database) if g.phase in ("open", "shut")), None)

    def _present(self, place: Place) -> Generation:
        """The same, proved to be ours and there."""
        generation = self._find(place)
        if generation is None or proved(generation, self._database, self._control) is None:
            raise TargetFailure(f"{place.sandbox} has no database on '{self.name}'")
        return generation

    def _proved_all(self, place: Place) -> list[Generation]:
        all_of_them = list(generations(self._root, place.database))
        for generation in all_of_them:  # all before any is touched
            proved(generation, self._database, self._control)
        return all_of_them

    def _proved(self, place: Place) -> dict[Phase, Generation]:
        return {generation.phase: generation for generation in self._proved_all(place)}

    def _drop(self, place: Place, *phases: Phase) -> None:
        for generation in self._proved_all(place):
            if generation.phase in phases:
                discard(generation)

    @contextmanager
    def _disk(self) -> Iterator[None]:
        with disk_errors(self._root):
            yield


def _marked(database: FileDatabase, path: Path, mark: Mark, tables: Mapping[str, int]) -> dict[str, int]:
    """Write the marker row into a new copy, and return the rows of its tables; ReadBackDiffers where they are not so many."""
    rows = write_mark(database, path, mark, tables)
    for name, count in tables.items():
        if rows.get(name) != count:
            raise ReadBackDiffers(f"table '{name}': the copy has {counted(rows.get(name, 0), 'row')} of {count:,}")
    return rows
