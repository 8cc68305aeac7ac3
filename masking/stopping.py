"""Long work in threads of a pool that ends early once nobody waits for it, as after Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, local
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")

_here = local()


class Stopped(Exception):
    """Nobody waits for the outcome any more."""


@contextmanager
def until(stopped: Event) -> Iterator[None]:
    """Within the block, what this thread begins by `unless_stopped` stops once `stopped` is set."""
    _here.stopped = stopped
    try:
        yield
    finally:
        del _here.stopped


def unless_stopped(work: Callable[[A], B]) -> Callable[[A], B]:
    """Return `work` for this thread and those that it hands it to; it raises Stopped instead of beginning once it is to stop."""
    stopped: Event | None = getattr(_here, "stopped", None)
    if stopped is None:
        return work

    def run(argument: A) -> B:
        if stopped.is_set():
            raise Stopped
        return work(argument)

    return run
