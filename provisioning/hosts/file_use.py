"""Who uses a database file, by the account of the operating system: times of the file, and processes that have it open.

Nothing here opens the file: to close a file that this process has locked would release the lock (POSIX).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from provisioning.hosts.base import Activity


def activity(path: Path, side_files: Sequence[str]) -> Activity | None:
    """Return the use of a database file; None where it is gone.

    Reading shows by the time of access, which Linux (relatime) sets at the first reading after a change of the file's entry; that is made
    here, so that the next reading is seen. On a file system that keeps no such time only writing shows, and who has it open now.
    """
    times = []
    last = 0
    for file in (path, *(path.with_name(path.name + suffix) for suffix in side_files)):
        with suppress(FileNotFoundError):
            found = file.stat()
            if file != path and not found.st_size:  # what a connection that only reads leaves
                continue
            times.append(f"{file.name}:{found.st_ino}:{found.st_size}:{found.st_mtime_ns}:{found.st_atime_ns if file == path else 0}")
            last = max(last, found.st_mtime_ns, found.st_atime_ns if file == path else 0)
    if not path.exists():
        return None
    users = len(processes(path))
    if not users:
        with unseen(path):
            pass
    return Activity(" ".join(times), users, datetime.fromtimestamp(last / 1e9, UTC))


@contextmanager
def unseen(path: Path) -> Iterator[None]:
    """Read a file without a trace in its time of access, unless somebody else has it open."""
    before = path.stat().st_atime_ns
    try:
        yield
    finally:
        with suppress(OSError):
            if not processes(path):
                os.utime(path, ns=(before, path.stat().st_mtime_ns))


def processes(path: Path) -> set[int]:
    """Return the other processes that have the file open, as far as this account may see them (Linux; elsewhere none is seen)."""
    try:
        wanted = path.stat()
        numbers = [int(entry) for entry in os.listdir("/proc") if entry.isdigit()]
    except OSError:
        return set()
    found = set()
    for number in numbers:
        if number == os.getpid():
            continue
        with suppress(OSError):
            descriptors = os.listdir(f"/proc/{number}/fd")
            if any(_is(f"/proc/{number}/fd/{descriptor}", path.name, wanted) for descriptor in descriptors):
                found.add(number)
    return found


def _is(descriptor: str, name: str, wanted: os.stat_result) -> bool:
    with suppress(OSError):
        if os.readlink(descriptor).endswith(f"/{name}"):  # asked first, since to look at a file of a server that is gone may hang
            found = os.stat(descriptor)
            return (found.st_dev, found.st_ino) == (wanted.st_dev, wanted.st_ino)
    return False
