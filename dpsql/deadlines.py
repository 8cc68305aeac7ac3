"""What is to be done when a time is over, by one thread for all who wait."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from heapq import heappop, heappush
from itertools import count
from threading import Condition, Thread
from time import monotonic

log = logging.getLogger("dpsql")


class Deadlines:
    """Deadlines, watched by one thread that starts with the first of them and ends when none is left."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._numbers = count()
        self._queue: list[tuple[float, int]] = []
        self._acts: dict[int, Callable[[], None]] = {}
        self._watched = False

    @contextmanager
    def within(self, seconds: float, act: Callable[[], None]) -> Iterator[None]:
        """Call `act`, which must not take long, unless the block ends within `seconds`; it may just run when the block ends."""
        with self._changed:
            number = next(self._numbers)
            self._acts[number] = act
            heappush(self._queue, (monotonic() + seconds, number))
            if not self._watched:
                Thread(target=self._watch, name="deadlines", daemon=True).start()
                self._watched = True
            elif self._queue[0][1] == number:
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._acts.pop(number, None)

    def _watch(self) -> None:
        with self._changed:
            while self._queue:
                when, number = self._queue[0]
                if number not in self._acts:
                    heappop(self._queue)
                elif (left := when - monotonic()) > 0:
                    self._changed.wait(left)
                else:
                    heappop(self._queue)
                    act = self._acts.pop(number)
                    self._changed.release()
                    try:
                        act()
                    except Exception:
                        log.exception("what was to be done when a time was over failed")  # the others still count on this thread
                    finally:
                        self._changed.acquire()
            self._watched = False


DEADLINES = Deadlines()
