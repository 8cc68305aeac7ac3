"""Digesting beside reading: the database's driver and the hash each keep one core busy."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from threading import Condition, Thread

import pyarrow as pa

from bundles.digest import TableDigest, TableDigester

_WAITING_BYTES = 128 * 2**20

Prepare = Callable[[pa.RecordBatch], pa.RecordBatch]


class Lane:
    """One table on its way through a `DigestingThread`; `digest` is there when the thread has ended."""

    digest: TableDigest

    def __init__(self, thread: DigestingThread, digester: TableDigester, prepare: Prepare | None) -> None:
        self._thread, self._digester, self._prepare = thread, digester, prepare

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the next rows."""
        self._thread.submit(lambda: self._digester.update(self._prepare(batch) if self._prepare else batch), batch.nbytes)

    def end(self) -> None:
        """Say that there are no more rows."""
        self._thread.submit(self._finish)

    def _finish(self) -> None:
        self.digest = self._digester.finish()


class DigestingThread:
    """A thread that digests tables, one after the other, while the caller reads on, or waits for its database.

    Batches of at most 128 MiB (or one that is larger) wait for it. Its errors are raised in the caller: at the next `submit`,
    or by `raise_error`.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Callable[[], None], int]] = deque()
        self._bytes = 0
        self._changed = Condition()
        self._error: BaseException | None = None
        self._ended = False
        self._thread = Thread(target=self._work, daemon=True)

    def lane(self, digester: TableDigester, prepare: Prepare | None = None) -> Lane:
        """Begin a table; `prepare` is done to each of its batches in the thread, before it is digested."""
        return Lane(self, digester, prepare)

    def submit(self, work: Callable[[], None], size: int = 0) -> None:
        """Have `work` done after all that was submitted before; waits while its `size` in bytes is too much to add."""
        with self._changed:
            self._changed.wait_for(lambda: not self._bytes or self._bytes + size <= _WAITING_BYTES)
            self.raise_error()
            self._waiting.append((work, size))
            self._bytes += size
            self._changed.notify_all()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for all that was submitted, and end; to stop twice is harmless."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def give_up(self) -> None:
        """Leave undone what waits."""
        with self._changed:
            self._waiting.clear()
            self._bytes = 0

    def raise_error(self) -> None:
        """Raise the first error of the work, if there was one."""
        if self._error:
            raise self._error

    def _work(self) -> None:
        while (taken := self._next()) is not None:
            work, size = taken
            try:
                work()
            except BaseException as error:
                self._error = error
                self.give_up()
            del work, taken
            with self._changed:
                self._bytes = max(0, self._bytes - size)
                self._changed.notify_all()

    def _next(self) -> tuple[Callable[[], None], int] | None:
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._ended)
            return self._waiting.popleft() if self._waiting else None


def digest(digester: TableDigester, batches: Iterable[pa.RecordBatch]) -> TableDigest:
    """Digest batches at once."""
    for batch in batches:
        digester.update(batch)
    return digester.finish()
