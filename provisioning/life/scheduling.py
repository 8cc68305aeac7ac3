"""The nightly sweep by a thread of a service. It never ends in silence: it beats, counts its errors, and tells when it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from provisioning.life.sweeping import last_sweep
from schemas.errors import without_secrets

if TYPE_CHECKING:
    from provisioning.life.sandboxes import Sandboxes

ACTOR = "scheduler"
PAUSE = 20.0  # seconds between two looks at the clock
RETRY = timedelta(minutes=10)  # before a sweep that could not even begin is tried again

log = logging.getLogger("companyos.scheduler")


class Scheduler:
    """Reconciles when it starts, then sweeps once a day, after the time `at` (UTC); what was missed while it did not run is made good.

    `beat_at` is when it last looked at the clock, `runs` how often it swept, `errors` how many errors there were in all, `died` whether it
    ended without being stopped, which `on_death` is told of at once. Two services on one control database sweep no more often than one.
    """

    def __init__(self, sandboxes: Sandboxes, at: time, *, pause: float = PAUSE, on_death: Callable[[], None] = lambda: None) -> None:
        self._sandboxes = sandboxes
        self._at = at
        self._pause = pause
        self._on_death = on_death
        self._stopped = threading.Event()
        self._failed_at: datetime | None = None
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)
        self.beat_at: datetime | None = None
        self.runs = 0
        self.errors = 0
        self.died = False

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, seconds: float) -> bool:
        """End after the sweep that is under way, and return whether that was within so many seconds."""
        self._stopped.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def due(self, now: datetime) -> datetime:
        """Return the last moment at which a sweep was to begin."""
        today = now.replace(hour=self._at.hour, minute=self._at.minute, second=0, microsecond=0)
        return today if today <= now else today - timedelta(days=1)

    def _run(self) -> None:
        try:
            self.beat_at = self._sandboxes.platform.now
            self._try("reconcile", self._reconcile)
            while not self._stopped.is_set():
                self.beat_at = self._sandboxes.platform.now
                self._try("sweep", self._sweep_if_due)
                self._stopped.wait(self._pause)
        except BaseException as error:
            self.died = True
            self.errors += 1
            log.critical("the scheduler ended: %s", type(error).__name__)
            self._on_death()

    def _try(self, what: str, work: Callable[[], list[str]]) -> None:
        try:
            errors = work()
        except Exception as error:
            said = str(error) if hasattr(error, "exit_code") else ""  # texts of others' errors may hold anything
            errors = [f"{type(error).__name__} {said}".strip()]
            self._failed_at = self._sandboxes.platform.now
        self.errors += len(errors)
        for text in errors:
            log.error("%s: %s", what, without_secrets(text))

    def _reconcile(self) -> list[str]:
        return self._sandboxes.reconcile(actor=ACTOR).errors

    def _sweep_if_due(self) -> list[str]:
        platform = self._sandboxes.platform
        now = platform.now
        if self._failed_at is not None and self._failed_at <= now < self._failed_at + RETRY:
            return []
        with platform.control.read() as connection:
            began, _, _ = last_sweep(connection, now)
        if began is not None and began >= self.due(now):
            return []
        swept = self._sandboxes.sweep(actor=ACTOR)
        self.runs += 1
        log.info("swept: %s", ", ".join(f"{count} {what}" for what, count in swept.counts().items()))
        return swept.errors
