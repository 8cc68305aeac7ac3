"""Digesting beside reading: the database's driver and the hash each keep one core busy."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue
from threading import Thread
from types import TracebackType

import pyarrow as pa

from bundles.digest import TableDigest, TableDigester

_AHEAD = 4


class DigestingThread:
    """A `TableDigester` that works in a thread of its own; the digest is there when the `with` block has ended.

    `prepare` is done to each batch in that thread first. Errors of the digester are raised in the caller.
    """

    digest: TableDigest

    def __init__(self, digester: TableDigester, prepare: Callable[[pa.RecordBatch], pa.RecordBatch] | None = None) -> None:
        self._digester, self._prepare = digester, prepare
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
                    self._digester.update(self._prepare(batch) if self._prepare else batch)
                except BaseException as error:
                    self._error = error
