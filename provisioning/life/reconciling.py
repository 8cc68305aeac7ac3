"""Finishing or undoing what a crash left, and finding what lives without a record or is recorded without living."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import bundles
from provisioning.audit import Filters, log, record
from provisioning.control.moments import moment, stamp
from provisioning.control.tables import sandboxes, webhooks
from provisioning.errors import NoSuchSandbox, WrongState
from provisioning.hosts.base import Found
from provisioning.life import records, workers
from provisioning.life.creating import undone
from provisioning.life.deleting import remove
from provisioning.life.platform import Platform
from provisioning.life.resetting import settle_abandoned
from provisioning.life.sandbox import Sandbox
from schemas.errors import CompanyOSError

FOUND = "orphan found"
GRACE = timedelta(days=7)  # how long a database that no record ever knew stays once it is found: it is the record that may be an old copy


@dataclass
class Reconciled:
    """What was put right, or would be: ids by what became of them, names without a record, and what went wrong."""

    dry_run: bool
    undone: list[str] = field(default_factory=list)
    finished: list[str] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    passwords: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return dict(vars(self))


def reconcile(platform: Platform, *, actor: str, dry_run: bool = False) -> Reconciled:
    """Bring records and hosts together again.

    What was being made by a worker that is gone is undone, what was being removed is finished, a reset is finished or taken back; a ready
    sandbox without a database fails; databases and roles of ours without a record are removed, but a database that no record ever knew
    only a week after it was found, or at its own or its bundle's end: until then it is an error. `dry_run` changes nothing.
    """
    done = Reconciled(dry_run)
    with platform.control.read() as connection:
        all_of_them = records.select(connection, sandboxes.c.state != "deleted")
    for sandbox in all_of_them:
        _each(done, sandbox.id, lambda s=sandbox: _one(platform, s, done, actor))  # type: ignore[misc]
    looked = [_each(done, name, lambda n=name: _orphans(platform, n, done, actor)) for name in platform.hosts.reachable()]  # type: ignore[misc]
    everywhere = all(looked) and len(looked) == len(platform.hosts)

    def left_over(id: str) -> bool:
        may_be_there = id in done.unknown or (not everywhere and _never_had_a_record(platform, id))
        return not may_be_there and _has_no_record(platform, id)

    _each(done, "passwords", lambda: _passwords(platform, done, left_over))
    _each(done, "files of rows", lambda: _files(platform, done, left_over))
    return done


def _one(platform: Platform, listed: Sandbox, done: Reconciled, actor: str) -> None:
    with platform.control.read() as connection:  # others go on while the list is worked through
        sandbox = records.find(connection, listed.id)
    gone = workers.is_gone(sandbox.worker, sandbox.beat_at, platform.now)
    if sandbox.state in ("requested", "provisioning") and gone:
        if not done.dry_run:
            undone(platform, sandbox, actor, "whoever made it is gone")
        done.undone.append(sandbox.id)
    elif sandbox.state == "deleting" and gone:
        if not done.dry_run:
            remove(platform, sandbox, actor=actor, why="its removal was broken off")
        done.finished.append(sandbox.id)
    elif sandbox.state == "ready" and sandbox.doing is not None:
        if gone and (done.dry_run or settle_abandoned(platform, sandbox.id, actor=actor)):
            done.settled.append(sandbox.id)
    elif sandbox.state == "ready" and platform.host(sandbox.host).marker(platform.place(sandbox)) is None:
        if not done.dry_run:
            _lose(platform, sandbox, actor, "its database is gone")
        done.lost.append(sandbox.id)
    elif sandbox.state == "ready" and sandbox.quarantined and not done.dry_run:
        platform.host(sandbox.host).shut(platform.place(sandbox))  # who quarantined it may have been killed before that


def _lose(platform: Platform, sandbox: Sandbox, actor: str, failure: str) -> None:
    """Let a ready sandbox fail, and then remove what is left of it: where somebody has begun to reset it, it is left alone."""
    with platform.control.write() as connection:
        records.move(connection, sandbox, "failed", platform.now, failure=failure)
        connection.execute(webhooks.delete().where(webhooks.c.sandbox == sandbox.id))
        platform.event(connection, "failed", sandbox, actor=actor, why=failure)
    platform.host(sandbox.host).remove(platform.place(sandbox))
    platform.passwords.forget(sandbox.id)
    platform.media.remove(sandbox.id)


def _orphans(platform: Platform, name: str, done: Reconciled, actor: str) -> None:
    for found in platform.host(name).found():
        if found.what != "template" and found.sandbox is not None and _has_no_record(platform, found.sandbox):
            _each(done, f"{name}/{found.name}", lambda f=found: _orphan(platform, name, f, done, actor))  # type: ignore[misc]


def _orphan(platform: Platform, name: str, found: Found, done: Reconciled, actor: str) -> None:
    host, id = platform.host(name), str(found.sandbox)
    if _never_had_a_record(platform, id) and (marker := host.marker(host.place(id))) is not None:
        # not before it was made, as a clock that was wrong may have it
        until = max(_first_found(platform, name, found, done, actor), min(marker.made_at, platform.now)) + GRACE
        until = min(end for end in (until, found.until, _end_of_bundle(platform, marker.bundle_digest)) if end is not None)
        if platform.now < until:
            if id not in done.unknown:
                done.unknown.append(id)
                done.errors.append(
                    f"{name}/{found.name}: no record ever knew it, as where an older copy of the control database was put back; put back "
                    f"the newest, or it is removed after {stamp(until)}"
                )
            return
    if not done.dry_run:
        host.remove(host.place(id))
        _record(platform, name, found, "orphan removed", actor)
    done.orphans.append(f"{name}/{found.name}")


def _end_of_bundle(platform: Platform, digest: str) -> datetime | None:
    try:
        return bundles.open(f"bundle@{digest}", platform.store).expires
    except CompanyOSError:  # the store does not hold it any more
        return None


def _first_found(platform: Platform, name: str, found: Found, done: Reconciled, actor: str) -> datetime:
    """When a database that no record ever knew was found for the first time; the ledger remembers it."""
    known = log(platform.control, Filters(sandbox=found.sandbox, action=FOUND), limit=1).events
    if not known and not done.dry_run:
        _record(platform, name, found, FOUND, actor)
    return moment(known[0].at) if known else platform.now


def _record(platform: Platform, name: str, found: Found, action: str, actor: str) -> None:
    with platform.control.write() as connection:
        record(
            connection,
            at=platform.now,
            actor=actor,
            action=action,
            sandbox=found.sandbox,
            why=f"a {found.what} that no record knows",
            bundle_digest=found.bundle_digest,
            details={"host": name, "name": found.name},
        )


def _never_had_a_record(platform: Platform, id: str) -> bool:
    return _state(platform, id) is None


def _has_no_record(platform: Platform, id: str) -> bool:
    return _state(platform, id) in (None, "deleted", "failed")


def _state(platform: Platform, id: str) -> str | None:
    with platform.control.read() as connection:
        try:
            return records.find(connection, id).state
        except NoSuchSandbox:
            return None


def _passwords(platform: Platform, done: Reconciled, left_over: Callable[[str], bool]) -> None:
    for id in platform.passwords.kept():
        if left_over(id):
            if not done.dry_run:
                platform.passwords.forget(id)
            done.passwords.append(id)


def _files(platform: Platform, done: Reconciled, left_over: Callable[[str], bool]) -> None:
    for id in platform.media.kept():
        if left_over(id):
            if not done.dry_run:
                platform.media.remove(id)
            done.orphans.append(f"files of {id}")


def _each(done: Reconciled, what: str, work: Callable[[], None]) -> bool:
    """Whether the work could be done."""
    try:
        work()
    except WrongState:
        pass  # somebody else has changed it in the meantime
    except CompanyOSError as error:
        done.errors.append(f"{what}: {error}")
        return False
    return True
