"""Telling others that the worker of a sandbox lives, or that it has given up."""

from __future__ import annotations

from threading import Thread

from bundles import Progress
from provisioning.hosts.base import Telling
from provisioning.life import records, workers
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox
from schemas.errors import CompanyOSError

PAUSE = 5.0  # seconds between two looks whether the control database is back


def beating(platform: Platform, sandbox: Sandbox, tell: Telling) -> Telling:
    """Return what is told of rows that are loaded: it lets others know that the worker lives, and tells `tell`."""
    last = platform.now

    def heard(progress: Progress) -> None:
        nonlocal last
        now = platform.now
        if now - last >= workers.BEAT:
            last = now
            with platform.control.write() as connection:
                records.beat(connection, sandbox, now)
        if tell is not None:
            tell(progress)

    return heard


def at_work(platform: Platform, sandbox: Sandbox) -> str:
    """Say what a sandbox is while it is worked on: by somebody, or by nobody any more."""
    what = sandbox.doing or sandbox.state
    if workers.is_gone(sandbox.worker, sandbox.beat_at, platform.now):
        return f"half-done ({what}), and whoever worked on it is gone: `companyos sandbox reconcile` puts it right"
    return f"being worked on ({what})"


def give_up(platform: Platform, id: str) -> None:
    """Leave what cannot be brought to an end now to `reconcile`, also where this process is a service that lives on.

    Where the control database fails, too, it is told as soon as it is back.
    """
    if not _let_go(platform, id):
        Thread(target=_let_go_later, args=(platform, id), name=f"give up {id}", daemon=True).start()


def _let_go_later(platform: Platform, id: str) -> None:
    while not platform.control.closed.wait(PAUSE):
        if _let_go(platform, id):
            return


def _let_go(platform: Platform, id: str) -> bool:
    try:
        with platform.control.write() as connection:
            records.let_go(connection, id, workers.me())
    except CompanyOSError:
        return False
    return True
