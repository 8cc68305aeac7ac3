"""The nightly sweep: what is over or idle goes, what a crash left is finished or undone, and nothing of it happens in silence."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from provisioning.audit import anchor_of, checkpoint, configured_key, read_private_key
from provisioning.control.moments import moment, stamp
from provisioning.control.tables import idempotency, sandboxes, sweeps
from provisioning.errors import WrongState
from provisioning.life import records
from provisioning.life.admitting import admit_as_recorded
from provisioning.life.deleting import expire, remove
from provisioning.life.platform import Platform
from provisioning.life.reconciling import Reconciled, reconcile
from provisioning.life.sandbox import Sandbox
from schemas.errors import CompanyOSError

UNUSED = timedelta(days=7)  # how long a template stays that nobody takes
KEYS = timedelta(days=7)  # how long an idempotency key is remembered


@dataclass
class Swept:
    """What a sweep did, or would do: ids and names by what became of them, and what went wrong."""

    dry_run: bool
    expired: list[str] = field(default_factory=list)
    idle: list[str] = field(default_factory=list)
    oversize: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    templates: list[str] = field(default_factory=list)
    reconciled: Reconciled | None = None
    errors: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "dry_run": self.dry_run,
            "expired": self.expired,
            "idle": self.idle,
            "oversize": self.oversize,
            "kept": self.kept,
            "templates": self.templates,
            "reconciled": None if self.reconciled is None else self.reconciled.to_json(),
            "errors": self.errors,
        }

    def counts(self) -> dict[str, int]:
        """Return how many of each."""
        return {name: len(getattr(self, name)) for name in ("expired", "idle", "oversize", "kept", "templates", "errors")}


def sweep(platform: Platform, *, actor: str, dry_run: bool = False) -> Swept:
    """Remove sandboxes that are expired or idle, and templates that nobody takes; `dry_run` changes nothing and tells what would go.

    What fails with one sandbox is told in `errors` and does not keep the others; each run leaves a row in the table `sweeps` from its
    beginning on, so that one that died or never came is seen.
    """
    swept = Swept(dry_run)
    run = f"sweep-{secrets.token_hex(6)}"
    if not dry_run:
        with platform.control.write() as connection:
            connection.execute(sweeps.insert().values(id=run, began_at=stamp(platform.now), counts={}, errors=[]))
    try:
        swept.reconciled = reconcile(platform, actor=actor, dry_run=dry_run)
        swept.errors += swept.reconciled.errors
        with platform.control.read() as connection:
            ready = records.select(connection, sandboxes.c.state.in_(("ready", "expired")))
        for sandbox in ready:
            _each(swept, sandbox.id, lambda s=sandbox: _one(platform, s, swept, actor))  # type: ignore[misc]
        _templates(platform, swept)
        if not dry_run:
            _forget_keys(platform)
            _sign(platform, swept)
    except CompanyOSError as error:
        swept.errors.append(str(error))
    except BaseException as error:  # whose text may hold anything
        swept.errors.append(f"the sweep was broken off: {type(error).__name__}")
        raise
    finally:
        if not dry_run:
            with platform.control.write() as connection:
                connection.execute(
                    sweeps.update()
                    .where(sweeps.c.id == run)
                    .values(ended_at=stamp(platform.now), counts=swept.counts(), errors=swept.errors[:100])
                )
    return swept


def used(platform: Platform, sandbox: Sandbox) -> tuple[datetime, str | None]:
    """Return when a sandbox was last used, by the account of its own database, and the counter that says so.

    What a clock that was wrong dated after now counts as now, or it would not be idle until then.
    """
    now = platform.now
    last = min(sandbox.last_use, now)
    activity = platform.host(sandbox.host).activity(platform.place(sandbox))
    if activity is None:
        return last, sandbox.seen_counter
    if activity.connections == 0 and activity.counter == sandbox.seen_counter:
        return last, activity.counter
    return max(last, min(activity.last_use or now, now)), activity.counter


def _one(platform: Platform, listed: Sandbox, swept: Swept, actor: str) -> None:
    with platform.control.read() as connection:  # it may have been given more time while others were removed
        sandbox = records.find(connection, listed.id)
    if sandbox.state not in ("ready", "expired") or sandbox.doing is not None:
        return
    if platform.now >= sandbox.expires_at or sandbox.state == "expired":
        if not swept.dry_run:
            gone = sandbox if sandbox.state == "expired" else expire(platform, sandbox, actor=actor)
            remove(platform, gone, actor=actor, why=f"its time was over: {sandbox.why_expires}")
        swept.expired.append(sandbox.id)
        return
    last, counter = used(platform, sandbox)
    if sandbox.tenant is None and not sandbox.quarantined and platform.now - last > platform.environments.idle:
        if not swept.dry_run:
            remove(platform, sandbox, actor=actor, why=f"nobody used it since {stamp(last)}")
        swept.idle.append(sandbox.id)
        return
    swept.kept.append(sandbox.id)
    if not sandbox.quarantined:
        _hold_to_size(platform, sandbox, swept, actor)
    if not swept.dry_run and (last, counter) != (sandbox.last_use, sandbox.seen_counter):
        with platform.control.write() as connection:
            records.change(connection, sandbox, platform.now, last_use=stamp(last), seen_counter=counter)


def _hold_to_size(platform: Platform, sandbox: Sandbox, swept: Swept, actor: str) -> None:
    """Make what takes more than it may read-only, and what does so no more writable again."""
    host, place = platform.host(sandbox.host), platform.place(sandbox)
    takes = host.bytes(place)
    oversize = takes > sandbox.limits.bytes
    if oversize:
        swept.oversize.append(sandbox.id)
    if swept.dry_run or oversize == host.restricted(place):
        return
    why = f"it takes {takes:,} bytes, and may take {sandbox.limits.bytes:,}"
    with platform.control.write() as connection:
        platform.event(connection, "made read-only" if oversize else "made writable", sandbox, actor=actor, why=why)
    if oversize:
        host.restrict(place)
        return
    with platform.control.read() as connection:
        present = records.find(connection, sandbox.id)
    admit_as_recorded(platform, present)


def _templates(platform: Platform, swept: Swept) -> None:
    def collect(name: str) -> None:
        host = platform.host(name)
        for found in host.found():
            if found.what == "template" and found.last_used is not None and platform.now - found.last_used > UNUSED:
                if not swept.dry_run:
                    host.drop_template(found.name)
                swept.templates.append(f"{name}/{found.name}")

    for name in platform.hosts.reachable():
        _each(swept, name, lambda n=name: collect(n))  # type: ignore[misc]


def _forget_keys(platform: Platform) -> None:
    with platform.control.write() as connection:
        connection.execute(idempotency.delete().where(idempotency.c.at < stamp(platform.now - KEYS)))


def _sign(platform: Platform, swept: Swept) -> None:
    """Sign how far the audit ledger has come, where a key is configured."""
    path = configured_key()
    if path is not None:
        _each(swept, "audit", lambda: _checkpoint(platform, path))


def _checkpoint(platform: Platform, path: Path) -> None:
    checkpoint(platform.control, read_private_key(path), anchor=anchor_of(platform.control))


def _each(swept: Swept, what: str, work: Callable[[], None]) -> None:
    try:
        work()
    except WrongState:
        pass  # somebody else has changed it in the meantime
    except CompanyOSError as error:
        said = f"{what}: {error}"
        if said not in swept.errors:  # reconciling may have met it already
            swept.errors.append(said)


def last_sweep(connection: sa.Connection, now: datetime) -> tuple[datetime | None, datetime | None, int]:
    """Return when the last sweep began, when the last one ended, and how many errors that had.

    What a clock that was wrong dated more than a day after `now` does not count, or there would be no sweep until then.
    """
    latest = stamp(now + timedelta(days=1))
    began = connection.scalar(sa.select(sa.func.max(sweeps.c.began_at)).where(sweeps.c.began_at <= latest))
    ended = connection.execute(
        sa.select(sweeps.c.ended_at, sweeps.c.errors).where(sweeps.c.ended_at <= latest).order_by(sweeps.c.ended_at.desc()).limit(1)
    ).first()
    return moment(began) if began else None, moment(ended.ended_at) if ended else None, len(ended.errors) if ended else 0
