"""Heeding Ctrl-C while a database's driver is busy in C."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread, current_thread, main_thread
from typing import TypeVar

from schemas.heeding import LOOK

T = TypeVar("T")

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


def interruptible(work: Callable[[], T], cancel: Callable[[], None], *, patient: bool = True) -> T:
    """Run `work` in a thread and return what it gives; Ctrl-C calls `cancel` until the thread has ended, and raises KeyboardInterrupt.

    A driver that is called from the main thread may keep the interrupt to itself, or hear of it only when it returns. It may also pass over
    a `cancel` that comes before it begins, which is why one is not enough. Unless `patient`, which who has to undo what was done must be,
    a second Ctrl-C waits for the thread no longer, as where a server does not answer.
    """
    results: list[T] = []
    errors: list[BaseException] = []
    begun, given_up, done = Event(), Event(), Event()

    def run() -> None:
        begun.set()
        try:
            if not given_up.is_set():
                results.append(work())
        except BaseException as error:
            errors.append(error)
        finally:
            done.set()

    thread = Thread(target=run, daemon=True)
    interrupted = False
    try:
        thread.start()
    except KeyboardInterrupt:
        given_up.set()
        if not begun.is_set():  # and if it begins yet, it does nothing
            raise
        interrupted = True
    while True:
        try:
            while not done.wait(LOOK):  # a join that is interrupted takes the thread for ended
                if interrupted:
                    with suppress(Exception):
                        cancel()
            break
        except KeyboardInterrupt:
            if interrupted and not patient:
                raise
            interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    if errors:
        raise errors[0]
    return results[0]


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
