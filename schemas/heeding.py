"""Waiting for other threads so that signals are heeded meanwhile.

A wait without end goes on past a signal where a library has put its own handler before Python's, as Polars does: the kernel then takes the
wait up again.
"""

from __future__ import annotations

from concurrent.futures import Future, wait
from typing import TypeVar

T = TypeVar("T")

LOOK = 0.1  # seconds from one look for signals to the next


def result_of(future: Future[T]) -> T:
    """Return the result of `future` once it is there, or raise what became of it."""
    while not wait([future], LOOK).done:
        pass
    return future.result()
