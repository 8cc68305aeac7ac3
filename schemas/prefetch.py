"""Reading ahead: a thread decodes or waits for a server while the caller works on what has come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from queue import Empty, Queue
from threading import Event, Thread
from typing import TypeVar

_AHEAD = 2
_LOOK_SECONDS, _DRAIN_SECONDS = 0.2, 0.01
_End = object()
T = TypeVar("T")


@contextmanager
def prefetched(items: Iterable[T], cancel: Callable[[], None] | None = None) -> Iterator[Iterator[T]]:
    """Yield an iterator over `items`, which a thread reads at most two ahead; the thread has ended when the block ends.

    `cancel` is called where the block ends before the items do, and makes the one that is waited for fail at once; it is called again
    until the thread has ended, since it may come too early.
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
        while True:
            try:
                item = queue.get(timeout=_LOOK_SECONDS)
            except Empty:  # only now Ctrl-C is heard of, where a driver has set that a signal breaks off no wait
                continue
            if item is _End:
                break
            yield item  # type: ignore[misc]
        if errors:
            raise errors[0]

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        while thread.is_alive():
            if cancel is not None:
                with suppress(Exception):
                    cancel()
            with suppress(Empty):
                queue.get(timeout=_DRAIN_SECONDS)
        thread.join()
