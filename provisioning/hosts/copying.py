"""Copies of files that share their blocks with the original where the file system can (a reflink), and are plain copies elsewhere."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Literal

_CANNOT = {errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EACCES, errno.EBADF}
_FICLONE = 0x40049409  # linux/fs.h: _IOW(0x94, 9, int)
_AT_ONCE = 64 * 2**20


def copied(source: Path, target: Path) -> tuple[Literal["reflink", "copy"], str]:
    """Copy `source` to the new file `target` (mode 0600), durably; return how that was done, and why so.

    A reflink (`ioctl_ficlone(2)`) is tried first: it takes the same time for any size, and space only for what is changed later. Raises
    OSError, FileExistsError among them; a file that was begun is removed.
    """
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        try:
            with source.open("rb") as original:
                how = _filled(original.fileno(), descriptor)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return how


def _filled(source: int, target: int) -> tuple[Literal["reflink", "copy"], str]:
    reason = _reflinked(source, target)
    if reason is None:
        return "reflink", "the file system shares the blocks of the template until they are changed"
    _copy(source, target)
    return "copy", f"the file system makes no reflinks here ({reason})"


def _reflinked(source: int, target: int) -> str | None:
    """Why `target` could not be made a reflink; None where it is one."""
    try:
        import fcntl

        fcntl.ioctl(target, _FICLONE, source)
    except OSError as error:
        if error.errno not in _CANNOT:
            raise
        return os.strerror(error.errno)
    return None


def _copy(source: int, target: int) -> None:
    """Copy inside the kernel where it can, which spares the way through this process (and is a reflink on a file server that has them)."""
    size, done = os.fstat(source).st_size, 0
    while done < size and hasattr(os, "copy_file_range"):
        try:
            moved = os.copy_file_range(source, target, min(size - done, _AT_ONCE))
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            break
        if not moved:
            break
        done += moved
    if done < size:
        os.lseek(source, done, os.SEEK_SET)
        os.lseek(target, done, os.SEEK_SET)
        with os.fdopen(source, "rb", closefd=False) as original, os.fdopen(target, "wb", closefd=False) as copy:
            shutil.copyfileobj(original, copy, 2**20)
