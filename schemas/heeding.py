"""Waiting for another thread so that signals are heeded meanwhile."""

from __future__ import annotations

from collections.abc import Callable

LOOK = 0.1  # seconds from one look for signals to the next


def until(done: Callable[[float], bool]) -> None:
    """Return once `done`, which waits for so many seconds at most, says so.

    A wait without end goes on past a signal where a library has put its own handler before Python's, as Polars does: the kernel then
    takes the wait up again.
    """
    while not done(LOOK):
        pass
