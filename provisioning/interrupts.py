"""Heeding Ctrl-C while a database's driver is busy in C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, current_thread, main_thread

from schemas.heeding import until

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def interruptible(work: Callable[[], None], cancel: Callable[[], None]) -> None:
    """Run `work` in a thread and wait for it; Ctrl-C calls `cancel`, waits for the thread to end and raises KeyboardInterrupt.

    A driver that is called from the main thread may keep the interrupt to itself, or hear of it only when it returns.
    """
    errors: list[BaseException] = []
    done = Event()

    def run() -> None:
        try:
            work()
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    thread = Thread(target=run, daemon=True)
    thread.start()
    interrupted = False
    while not done.is_set():
        try:
            until(done.wait)  # a join that is interrupted takes the thread for ended
        except KeyboardInterrupt:
            interrupted = True
            with suppress(Exception):
                cancel()
    if interrupted:
        raise KeyboardInterrupt
    if errors:
        raise errors[0]


@contextmanager
def last_step() -> Iterator[None]:
    """Pass over signals to end for the length of a step that is not undone: who is too late is not told that they were in time."""
    if current_thread() is not main_thread():  # no other thread hears of them
        yield
        return
    # those that end the process at once, or do nothing, stay as they are
    before = {number: handler for number in ENDING if callable(handler := signal.getsignal(number))}
    for number in before:
        signal.signal(number, signal.SIG_IGN)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
