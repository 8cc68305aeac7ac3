"""Files that are written whole, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from schemas.errors import InputError, SystemFailure

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


@contextmanager
def written(path: str, *, text: bool = False) -> Iterator[IO[Any]]:
    """Yield what to write bytes into, or text; it takes the place of the file `path` once all of it is on the disk.

    Devices and pipes are written to. Raises InputError where nothing can be written there, SystemFailure where the disk fails.
    """
    kind, encoding, newline = ("", "utf-8", "\n") if text else ("b", None, None)
    with write_failures(path):
        if is_device(path):
            with open(path, f"w{kind}", encoding=encoding, newline=newline) as device:
                yield device
            return
        target = Path(os.path.realpath(path))
        fresh = fresh_beside(target)
        try:
            with open(fresh, f"x{kind}", encoding=encoding, newline=newline) as file:
                with suppress(FileNotFoundError, PermissionError):  # who may read it may read what takes its place, and nobody else
                    os.fchmod(file.fileno(), stat.S_IMODE(target.stat().st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)


def is_device(path: str) -> bool:
    """Whether `path` is there and no file that another one could take the place of; of a pipe the real path is none."""
    return os.path.exists(path) and not os.path.isfile(path)


def fresh_beside(target: Path) -> Path:
    """A name that nothing has, in the folder of `target`."""
    return target.with_name(f".{secrets.token_hex(8)}.tmp")


@contextmanager
def write_failures(path: str) -> Iterator[None]:
    """Turn what the system says into errors that a person can act on."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        failure = SystemFailure if error.errno in _FULL else InputError
        raise failure(f"{path} cannot be written: {error.strerror}") from None
