"""Digesting beside reading: the database's driver and the hash each keep one core busy."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from queue import Queue
from threading import Thread

import pyarrow as pa

from bundles.digest import TableDigest, TableDigester

_AHEAD = 16  # drivers give batches of up to 16 MiB

Prepare = Callable[[pa.RecordBatch], pa.RecordBatch]


class Lane:
    """One table on its way through a `DigestingThread`; `digest` is there when the thread has ended."""

    digest: TableDigest

    def __init__(self, thread: DigestingThread, digester: TableDigester, prepare: Prepare | None) -> None:
        self._thread, self._digester, self._prepare = thread, digester, prepare

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the next rows."""
        self._thread.submit(lambda: self._digester.update(self._prepare(batch) if self._prepare else batch))

    def end(self) -> None:
        """Say that there are no more rows."""
        self._thread.submit(self._finish)

    def _finish(self) -> None:
        self.digest = self._digester.finish()


class DigestingThread:
    """A thread that digests tables, one after the other, while the caller reads on.

    Its errors are raised in the caller: at the next `submit`, or by `raise_error`.
    """

    def __init__(self) -> None:
        self._queue: Queue[Callable[[], None] | None] = Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._work, daemon=True)

    def lane(self, digester: TableDigester, prepare: Prepare | None = None) -> Lane:
        """Begin a table; `prepare` is done to each of its batches in the thread, before it is digested."""
        return Lane(self, digester, prepare)

    def submit(self, work: Callable[[], None]) -> None:
        """Have `work` done after all that was submitted before; waits while too many are waiting."""
        self.raise_error()
        self._queue.put(work)

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self) -> None:
        """Wait for all that was submitted, and end; to stop twice is harmless."""
        if self._thread.is_alive():
            self._queue.put(None)
            self._thread.join()

    def raise_error(self) -> None:
        """Raise the first error of the work, if there was one."""
        if self._error:
            raise self._error

    def _work(self) -> None:
        while (work := self._queue.get()) is not None:
            if self._error is None:
                try:
                    work()
                except BaseException as error:
                    self._error = error


def digest(digester: TableDigester, batches: Iterable[pa.RecordBatch]) -> TableDigest:
    """Digest batches at once."""
    for batch in batches:
        digester.update(batch)
    return digester.finish()
