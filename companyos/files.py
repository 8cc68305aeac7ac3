"""Files that commands write: whole, or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from pathlib import Path

from schemas.errors import InputError, SystemFailure

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def replace_file(path: str, content: bytes) -> None:
    """Put `content` in the place of the file `path`; what was there stays until the new file is on the disk.

    Devices and pipes are written to. Raises InputError where nothing can be written there, SystemFailure where the disk fails.
    """
    given = Path(path)
    try:
        if given.exists() and not given.is_file():
            given.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(given)), content)
    except BrokenPipeError:
        raise
    except OSError as error:
        failure = SystemFailure if error.errno in _FULL else InputError
        raise failure(f"{path} cannot be written: {error.strerror}") from None


def _replace(target: Path, content: bytes) -> None:
    fresh = target.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, target)
    finally:
        fresh.unlink(missing_ok=True)
