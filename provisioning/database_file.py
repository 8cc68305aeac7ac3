"""Files that hold a database: a new one appears at once and whole, an old one must be usable."""

from __future__ import annotations

import errno
import glob
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from provisioning.errors import TargetFailure, TargetInUse, TargetInvalid
from provisioning.interrupts import last_step
from schemas.syncing import sync_path

_MARK = ".loading-"
# SQLite calls a write that meets a quota or the greatest size of a file, and the index of a log that has no room, errors of I/O
_SQLITE_FULL = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE, sqlite3.SQLITE_IOERR_SHMSIZE)
_SIDE_FILES = ("", ".wal", ".tmp", "-journal", "-wal", "-shm")


def check_place(path: Path) -> None:
    """Raise TargetInvalid or TargetFailure where no database file can be at `path`."""
    if path.is_dir():
        raise TargetInvalid(f"'{path}' is a folder; name a file in it")
    if path.exists() and not path.is_file():
        raise TargetInvalid(f"'{path}' is no regular file")
    folder = path.parent
    if not folder.exists():
        raise TargetInvalid(f"the folder '{folder}' of the database '{path.name}' does not exist; make it first")
    if not folder.is_dir():
        raise TargetInvalid(f"'{folder}' is no folder, so there can be no database '{path.name}' in it")
    # databases keep journals beside the file, so the folder must be writable even where the file is there already
    if not os.access(folder, os.W_OK | os.X_OK):
        raise TargetFailure(f"cannot write to the folder '{folder}'")
    if path.exists() and not os.access(path, os.R_OK | os.W_OK):
        raise TargetFailure(f"cannot read and write the file '{path}'")


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """Yield a name beside `path` to make a database under; when the block ends well it appears at `path`, complete.

    Nothing stays where the block fails. What a killed process left beside `path` is removed. TargetInUse where another
    process made `path` in the meantime.
    """
    _remove_leftovers(path)
    partial = path.with_name(f".{path.name}{_MARK}{os.getpid()}")
    _remove(partial)
    try:
        yield partial
        with disk_errors(path):
            sync_path(partial)
            with last_step():
                _publish(partial, path)
                sync_path(path.parent)
    finally:
        _remove(partial)


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn the operating system's errors about a database's file into TargetFailure."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise disk_full(path) from error
        raise TargetFailure(f"cannot write the database '{path}': {error.strerror or error}") from error


def disk_full(path: Path) -> TargetFailure:
    """Return the error of a full disk."""
    return TargetFailure(f"no space is left on the disk of '{path}'; nothing was loaded. Free some space and load again")


def sqlite_full(error: sqlite3.Error) -> bool:
    """Whether SQLite found no room on the disk."""
    return getattr(error, "sqlite_errorcode", None) in _SQLITE_FULL  # which errors of the module itself have not


def _publish(partial: Path, path: Path) -> None:
    try:
        os.link(partial, path)  # unlike a rename, a link never overwrites
    except FileExistsError:
        raise TargetInUse(f"another process made '{path}' in the meantime; nothing was loaded") from None
    except OSError:  # no hard links on this file system
        if path.exists():
            raise TargetInUse(f"another process made '{path}' in the meantime; nothing was loaded") from None
        partial.rename(path)


def _remove_leftovers(path: Path) -> None:
    for partial in path.parent.glob(f".{glob.escape(path.name)}{_MARK}*"):
        pid = partial.name.rpartition(_MARK)[2].partition(".")[0].partition("-")[0]
        if pid.isdigit() and not _alive(int(pid)):
            _remove(partial)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _remove(partial: Path) -> None:
    for suffix in _SIDE_FILES:
        side = partial.with_name(partial.name + suffix)
        with suppress(OSError):
            side.unlink()
        if side.is_dir():
            shutil.rmtree(side, ignore_errors=True)
