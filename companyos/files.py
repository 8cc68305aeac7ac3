"""Files that commands read and write: never the same one, and none written over that people may have worked on."""

from __future__ import annotations

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from schemas.errors import InputError
from schemas.whole_files import fresh_beside, is_device, write_failures, written


def replace_file(path: str, content: bytes) -> None:
    """Put `content` in the place of the file `path`, whole or not at all; see `schemas.whole_files.written`."""
    with written(path) as file:
        file.write(content)


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
    with write_failures(path):
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not is_device(path):
            fresh = fresh_beside(Path(os.path.realpath(path)))
            fresh.touch(exist_ok=False)
            fresh.unlink()


@contextmanager
def written_folder(path: str) -> Iterator[Path]:
    """Yield a folder that becomes the folder `path` when all is written; InputError where there is something already."""
    target = Path(os.path.realpath(path))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise InputError(f"{path} is there already and not empty; choose a new folder, or remove it")
    fresh = fresh_beside(target)
    with write_failures(path):
        try:
            fresh.mkdir()
            yield fresh
            os.replace(fresh, target)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
