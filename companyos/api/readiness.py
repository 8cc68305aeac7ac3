"""Whether the service can do its work now; asked often, looked up rarely."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping

log = logging.getLogger("companyos.readiness")

KEPT = 5.0  # seconds: anybody may ask, and it costs a connection to each host


class Readiness:
    """Remembers for some seconds what cannot be reached; `look` finds out."""

    def __init__(self, look: Callable[[], Mapping[str, str]]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._found: Mapping[str, str] = {}
        self._until = 0.0

    def failures(self) -> Mapping[str, str]:
        """Return what cannot be reached, and why."""
        with self._lock:
            if time.monotonic() >= self._until:
                self._found = self._look()
                self._until = time.monotonic() + KEPT
                for what, why in self._found.items():
                    log.error("%s cannot be reached: %s", what, why)
            return self._found
