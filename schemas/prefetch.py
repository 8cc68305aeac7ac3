"""Reading ahead: a thread decodes or waits for a server while the caller works on what has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

_AHEAD = 2
_End = object()
T = TypeVar("T")


@contextmanager
def prefetched(items: Iterable[T], cancel: Callable[[], None] | None = None) -> Iterator[Iterator[T]]:
    """Yield an iterator over `items`, which a thread reads at most two ahead; the thread has ended when the block ends.

    `cancel` is called where the block ends before the items do, and makes the one that is waited for fail at once.
    """
    queue: Queue[object] = Queue(_AHEAD)
    stopped = Event()
    errors: list[BaseException] = []

    def work() -> None:
        try:
            for item in items:
                queue.put(item)
                if stopped.is_set():
                    return
        except BaseException as error:
            errors.append(error)
        queue.put(_End)

    def taken() -> Iterator[T]:
        while (item := queue.get()) is not _End:
            yield item  # type: ignore[misc]
        if errors:
            raise errors[0]

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        if cancel is not None and thread.is_alive():
            with suppress(Exception):
                cancel()
        while thread.is_alive():
            with suppress(Empty):
                queue.get(timeout=0.01)
        thread.join()
