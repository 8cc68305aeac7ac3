"""Bringing files to the disk: now, or by one thread for all who wait, while what need not wait for it goes on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from threading import Lock, Thread

# what was written over in a file is on the disk without its times, which would go through the file system's journal
sync = getattr(os, "fdatasync", os.fsync)


def sync_path(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk as they are now; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Sync:
    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._done = Lock()
        self._done.acquire()
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            try:
                sync(self._descriptor)
            finally:
                os.close(self._descriptor)
        except BaseException as error:
            self._error = error
        finally:
            self._done.release()

    def wait(self) -> None:
        with self._done:
            if self._error is not None:
                raise self._error


class Syncing:
    """The thread, which starts with the first file."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._thread: Thread | None = None
        self._queue: SimpleQueue[_Sync] = SimpleQueue()

    def begin(self, descriptor: int) -> Callable[[], None]:
        """Bring what was written to `descriptor` to the disk, close it, and return what waits for that; OSError is raised there."""
        one = _Sync(descriptor)
        if self._thread is None or not self._thread.is_alive():
            self._start()
        self._queue.put(one)
        return one.wait

    def forget(self) -> None:
        """Begin anew in a process that was forked, which has none of the threads."""
        self._lock, self._thread = Lock(), None

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._queue = SimpleQueue()
                self._thread = Thread(target=_work, args=(self._queue,), name="syncing", daemon=True)
                self._thread.start()


def _work(queue: SimpleQueue[_Sync]) -> None:
    while True:
        queue.get().run()


SYNCING = Syncing()
os.register_at_fork(after_in_child=SYNCING.forget)
