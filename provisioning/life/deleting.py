"""Removing a sandbox: nobody gets in any more, then database, role, files and password go."""

from __future__ import annotations

from provisioning.control.moments import stamp
from provisioning.control.tables import webhooks
from provisioning.errors import DeleteProtected, WrongState
from provisioning.life import records, workers
from provisioning.life.heartbeat import give_up
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox


def delete(platform: Platform, id: str, *, actor: str, why: str, force: bool = False) -> Sandbox:
    """Remove a sandbox and return its record; one that is gone already stays so.

    Raises NoSuchSandbox, DeleteProtected (unless `force`, which takes a reason), WrongState while somebody makes it, TargetFailure.
    """
    with platform.control.read() as connection:
        sandbox = records.find(connection, id)
    if sandbox.state == "deleted":
        return sandbox
    if sandbox.guardrails.get("delete_protection") and not (force and why):
        raise DeleteProtected(f"{id} is protected from deletion; whoever means it says --force, and why (--why)")
    busy = sandbox.state in ("requested", "provisioning") or sandbox.doing is not None
    if busy and not workers.is_gone(sandbox.worker, sandbox.beat_at, platform.now):
        raise WrongState(f"{id} is being worked on ({sandbox.doing or sandbox.state}); wait for that to end")
    return remove(platform, sandbox, actor=actor, why=why)


def expire(platform: Platform, sandbox: Sandbox, *, actor: str) -> Sandbox:
    """Let nobody into a sandbox whose time is over."""
    with platform.control.write() as connection:
        if records.find(connection, sandbox.id).expires_at > platform.now:
            raise WrongState(f"{sandbox.id} was given more time in the meantime")
        records.move(connection, sandbox, "expired", platform.now)
        platform.event(connection, "expired", sandbox, actor=actor, why=sandbox.why_expires)
        expired = records.find(connection, sandbox.id)
    platform.on_step("expired")
    platform.host(sandbox.host).shut(platform.place(sandbox))
    platform.on_step("shut")
    return expired


def remove(platform: Platform, sandbox: Sandbox, *, actor: str, why: str) -> Sandbox:
    """Remove what there is of a sandbox, whatever a crash has left of it."""
    if sandbox.state != "deleting":
        with platform.control.write() as connection:
            now = platform.now
            records.move(connection, sandbox, "deleting", now, worker=workers.me(), beat_at=stamp(now))
            platform.event(connection, "deleting", sandbox, actor=actor, why=why)
    platform.on_step("deleting")
    try:
        platform.host(sandbox.host).remove(platform.place(sandbox))
        platform.on_step("removed")
        platform.passwords.forget(sandbox.id)
        platform.media.remove(sandbox.id)
    except BaseException:
        give_up(platform, sandbox.id)
        raise
    platform.on_step("forgotten")
    with platform.control.write() as connection:
        current = records.find(connection, sandbox.id)
        if current.state == "deleted":  # somebody else was as fast
            return current
        records.move(connection, sandbox, "deleted", platform.now, doing=None, worker=None, beat_at=None)
        connection.execute(webhooks.delete().where(webhooks.c.sandbox == sandbox.id))
        platform.event(connection, "deleted", sandbox, actor=actor, why=why)
        return records.find(connection, sandbox.id)
