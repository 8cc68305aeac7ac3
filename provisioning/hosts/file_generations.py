"""Where a sandbox's file is: in a folder whose name says which sandbox it is, which of its generations, and in which phase.

`companyos_sb_abcdefghij.3f2a9c1e` holds the database that the owner uses, `companyos_sb_abcdefghij.3f2a9c1e.shut` one that nobody is let
into. A phase changes by one rename of the folder, which takes the database and all files beside it (logs, journals) along at once. Each
generation has a name of its own, as a password would be new: a process that still has an old one open makes its journal nowhere, and
never beside the new one, which that would damage.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from provisioning.control.moments import moment, stamp
from provisioning.errors import NotASandbox
from provisioning.hosts.file_databases import CannotOpen, FileDatabase, Mark, read_mark
from provisioning.hosts.file_use import unseen
from schemas.syncing import sync_path

Phase = Literal["open", "shut", "next", "old", "making", "gone"]

NOTE = "companyos.json"
_ATTRIBUTE = "user.companyos"
_NAME = re.compile(r"(companyos_sb_[a-z2-7]{10})\.([0-9a-f]{8})(?:\.(shut|next|old|making|gone))?")


@dataclass(frozen=True, slots=True)
class Generation:
    """One folder of a sandbox."""

    root: Path
    name: str
    token: str
    phase: Phase

    @property
    def sandbox(self) -> str:
        """The id of the sandbox."""
        return "sb-" + self.name.removeprefix("companyos_sb_")

    @property
    def folder(self) -> Path:
        """Where it is."""
        return self.root / (f"{self.name}.{self.token}" + ("" if self.phase == "open" else f".{self.phase}"))

    def database(self, kind: FileDatabase) -> Path:
        """Where its database is."""
        return self.folder / f"sandbox.{kind.kind}"

    def moved(self, phase: Phase) -> Generation:
        """Change the phase."""
        changed = replace(self, phase=phase)
        if phase != self.phase:
            self.folder.rename(changed.folder)
            sync_path(self.root)
        return changed


def new(root: Path, name: str, mark: Mark) -> Generation:
    """Make the folder of a new generation, which says from the first moment whose it is."""
    generation = Generation(root, name, secrets.token_hex(4), "making")
    generation.folder.mkdir(mode=0o700)
    write_note(generation, mark, None)
    return generation


def generations(root: Path, name: str | None = None) -> Iterator[Generation]:
    """Return the generations of a sandbox, or of all, in the order of their names."""
    entries = sorted(p.name for p in root.iterdir()) if root.is_dir() else []
    for entry in entries:
        found = _NAME.fullmatch(entry)
        if found and (name is None or found[1] == name):
            yield Generation(root, found[1], found[2], found[3] or "open")  # type: ignore[arg-type]


def write_note(generation: Generation, mark: Mark, database: Path | None) -> None:
    """Write beside the database what its marker says, and which file it is."""
    note = {
        "sandbox": mark.sandbox,
        "control": mark.control,
        "bundle_digest": mark.bundle_digest,
        "made_at": stamp(mark.made_at),
        "file": None if database is None else _named(database),
    }
    partial = generation.folder / f".{NOTE}"
    with partial.open("w") as file:
        json.dump(note, file)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(generation.folder / NOTE)


def _named(database: Path) -> str | None:
    """Give a file a name that ends with it and that no copy has; None where the file system keeps none.

    The number of a file would not do: the next file that is made after one was removed has it again.
    """
    name = secrets.token_hex(8)
    try:
        os.setxattr(database, _ATTRIBUTE, name.encode())
    except (OSError, AttributeError):
        return None
    return name


def _has_name(database: Path, name: str | None) -> bool:
    try:
        return name is not None and os.getxattr(database, _ATTRIBUTE) == name.encode()
    except (OSError, AttributeError):
        return False


def read_note(generation: Generation) -> tuple[Mark, str | None] | None:
    """Return what the note says, and the name of the file that it was written for; None where there is no note."""
    try:
        note = json.loads((generation.folder / NOTE).read_text())
        return Mark(note["sandbox"], note["control"], note["bundle_digest"], moment(note["made_at"])), note["file"]
    except (OSError, ValueError, KeyError, TypeError):
        return None


def proved(generation: Generation, kind: FileDatabase, control: str) -> Mark | None:
    """Return the mark of a generation that is a sandbox of ours; None where it has no database (any more).

    The marker row inside the database is asked. Where that cannot be read, since another process has the file locked or it is damaged, the
    note beside it must name this very file, which it can where the file system has extended attributes. Raises NotASandbox for anything
    else.
    """
    folder, path = generation.folder, generation.database(kind)
    if not os.path.lexists(folder):  # somebody else has moved or removed it in the meantime
        return None
    if folder.is_symlink() or not folder.is_dir():
        raise NotASandbox(f"'{folder}' is no folder of a sandbox; nothing of it is touched")
    noted = read_note(generation)
    if generation.phase in ("making", "gone") or not os.path.lexists(path):
        if noted is None:
            if any(entry.name != f".{NOTE}" for entry in folder.iterdir()):  # which is a note that was being written
                raise NotASandbox(f"'{folder}' says nowhere that it is a sandbox; nothing of it is touched")
            return None
        mark = noted[0]
    elif path.is_symlink() or not path.is_file():
        raise NotASandbox(f"'{path}' is no regular file; nothing of it is touched")
    else:
        try:
            with unseen(path):
                mark = read_mark(kind, path)
        except CannotOpen as error:
            if noted is None or not _has_name(path, noted[1]):
                raise NotASandbox(
                    f"'{path}' {error}, and cannot be told to be the file that was made here; nothing of it is touched"
                ) from None
            mark = noted[0]
    if mark.sandbox != generation.sandbox or mark.control != control:
        whose = mark.sandbox if mark.sandbox != generation.sandbox else "another control database"
        raise NotASandbox(f"'{folder}' holds what belongs to {whose}; nothing of it is touched")
    return mark if path.exists() else None


def discard(generation: Generation) -> None:
    """Remove a generation that was proved; the note goes last, so that who goes on after a crash knows it again."""
    with suppress(FileNotFoundError):  # somebody else is as fast
        gone = generation.moved("gone")
        for entry in gone.folder.iterdir():
            if entry.name == NOTE:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink(missing_ok=True)
        (gone.folder / NOTE).unlink(missing_ok=True)
        gone.folder.rmdir()
        sync_path(gone.root)
