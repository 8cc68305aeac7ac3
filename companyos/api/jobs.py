"""Work that goes on after its request was answered: a few threads, no queue."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


class Jobs:
    """At most `most` jobs at a time. Their threads do not keep the process alive: what they leave half-done `reconcile` undoes."""

    def __init__(self, most: int) -> None:
        self._room = threading.BoundedSemaphore(most)
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        self._closed = False

    def start(self, work: Callable[[], T]) -> Future[T] | None:
        """Begin with `work` and return what it will give; None where all threads have something to do."""
        if self._closed or not self._room.acquire(blocking=False):
            return None
        future: Future[T] = Future()

        def run() -> None:
            try:
                future.set_result(work())
            except BaseException as error:
                future.set_exception(error)
            finally:
                self._room.release()
                with self._lock:
                    self._threads.discard(threading.current_thread())

        thread = threading.Thread(target=run, name="job", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()
        return future

    def close(self, seconds: float) -> int:
        """Take no more work, wait some seconds for what is under way, and return how many jobs are not done then."""
        self._closed = True
        deadline = time.monotonic() + seconds
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return sum(thread.is_alive() for thread in threads)
