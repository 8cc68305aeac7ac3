"""Digesting beside reading: the database's driver and the hash each keep one core busy."""

from __future__ import annotations

from queue import Queue
from threading import Thread
from types import TracebackType

import pyarrow as pa

from bundles.digest import TableDigest, TableDigester

_AHEAD = 4


class DigestingThread:
    """A `TableDigester` that works in a thread of its own; the digest is there when the `with` block has ended.

    The thread that reads stays the caller's, so that an interrupt reaches the driver. Errors of the digester are raised in
    the caller.
    """

    digest: TableDigest

    def __init__(self, digester: TableDigester) -> None:
        self._digester = digester
        self._queue: Queue[pa.RecordBatch | None] = Queue(_AHEAD)
        self._error: BaseException | None = None
        self._thread = Thread(target=self._work, daemon=True)

    def __enter__(self) -> DigestingThread:
        self._thread.start()
        return self

    def update(self, batch: pa.RecordBatch) -> None:
        """Add the next rows."""
        if self._error:
            raise self._error
        self._queue.put(batch)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._queue.put(None)
        self._thread.join()
        if kind is None:
            if self._error:
                raise self._error
            self.digest = self._digester.finish()

    def _work(self) -> None:
        while (batch := self._queue.get()) is not None:
            if self._error is None:
                try:
                    self._digester.update(batch)
                except BaseException as error:
                    self._error = error
