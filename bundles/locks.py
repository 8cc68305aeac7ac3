"""Advisory locks between the processes (and threads) that use one store."""

from __future__ import annotations

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def shared(path: Path) -> Iterator[None]:
    """Hold the lock file `path` together with other shared holders; waits for an exclusive holder."""
    with _held(path, fcntl.LOCK_SH):
        yield


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file `path` alone; waits for all other holders."""
    with _held(path, fcntl.LOCK_EX):
        yield


def taken(folder: Path) -> int | None:
    """Take a folder for this process, until the descriptor that is returned is closed or the process ends, however it ends.

    None where another has it, and where the file system knows no locks on folders.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def _held(path: Path, how: int) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
    try:
        _share(path, descriptor)
        fcntl.flock(descriptor, how)
        yield
    finally:
        os.close(descriptor)


def _share(path: Path, descriptor: int) -> None:
    """Let all who may read or write in the lock's folder do so with the lock, whatever the umask of its maker."""
    mode = stat.S_IMODE(path.parent.stat().st_mode) & 0o666
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        with suppress(PermissionError):  # it is another's, or on a file system without permissions
            os.fchmod(descriptor, mode)
