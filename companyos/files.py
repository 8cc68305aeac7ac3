"""Files that commands write: whole, or not at all."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from schemas.errors import InputError, SystemFailure

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def replace_file(path: str, content: bytes) -> None:
    """Put `content` in the place of the file `path`; what was there stays until the new file is on the disk.

    Devices and pipes are written to. Raises InputError where nothing can be written there, SystemFailure where the disk fails.
    """
    given = Path(path)
    with _told(path):
        if given.exists() and not given.is_file():
            given.write_bytes(content)
        else:
            _replace(Path(os.path.realpath(given)), content)


def require_another(output: str | None, *inputs: str | None) -> None:
    """Raise InputError where a file that is to be written is one that is read, which may be the only one; SQLite's URLs are files, too."""
    for read in inputs:
        if output is None or read is None:
            continue
        place = re.sub(r"^sqlite(\+\w+)?:///|\?.*", "", read) if read.startswith("sqlite") else read
        if os.path.isfile(output) and os.path.isfile(place) and os.path.samefile(output, place):
            raise InputError(f"{output} is what is read, and would be overwritten; give another file to write")


def require_absent(path: str | None, remedy: str) -> None:
    """Raise InputError with a `remedy` where a file is there already that people may have worked on."""
    if path is not None and os.path.isfile(path) and os.path.getsize(path):
        raise InputError(f"{path} is there already, and what was changed in it would be lost; {remedy}")


def require_writable(path: str) -> None:
    """Raise InputError where `replace_file` could not write, before the work whose result is to be there."""
    target = Path(os.path.realpath(path))
    with _told(path):
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not target.exists() or target.is_file():
            fresh = target.with_name(f".{secrets.token_hex(8)}.tmp")
            fresh.touch(exist_ok=False)
            fresh.unlink()


@contextmanager
def written_file(path: str) -> Iterator[IO[str]]:
    """Yield what to write a text into that takes the place of the file `path` when all is written; see `replace_file`."""
    given = Path(path)
    with _told(path):
        if given.exists() and not given.is_file():
            with open(given, "w", encoding="utf-8", newline="\n") as file:
                yield file
            return
    target = Path(os.path.realpath(given))
    fresh = target.with_name(f".{secrets.token_hex(8)}.tmp")
    with _told(path):
        try:
            with open(fresh, "x", encoding="utf-8", newline="\n") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(fresh, target)
        finally:
            fresh.unlink(missing_ok=True)


@contextmanager
def written_folder(path: str) -> Iterator[Path]:
    """Yield a folder that becomes the folder `path` when all is written; InputError where there is something already."""
    target = Path(os.path.realpath(path))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{path} is there already and not empty; choose a new folder, or remove it")
    fresh = target.with_name(f".{secrets.token_hex(8)}.tmp")
    with _told(path):
        try:
            fresh.mkdir()
            yield fresh
            os.replace(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)


@contextmanager
def _told(path: str) -> Iterator[None]:
    """Turn what the system says into errors that a person can act on."""
    try:
        yield
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
