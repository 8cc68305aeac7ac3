"""Giving a sandbox more time: never more than its environment, its bundle and the approvals of others allow."""

from __future__ import annotations

from datetime import timedelta

import bundles
from provisioning.control.moments import stamp
from provisioning.errors import WrongState
from provisioning.life import records
from provisioning.life.admitting import admit_as_recorded
from provisioning.life.heartbeat import at_work
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox
from provisioning.policy import Asked, Who, approvals_for, judge
from schemas.errors import InputError


def extend(platform: Platform, id: str, by: timedelta, *, owner: Who, actor: str, why: str) -> Sandbox:
    """Let a ready sandbox live longer by `by`, and return it; the least of what is asked and what is allowed is in force.

    `owner` is the sandbox's owner with their groups. Raises NoSuchSandbox, WrongState, PolicyRefused, InputError, TargetFailure.
    """
    if by <= timedelta(0):
        raise InputError("a sandbox is extended by a time that is more than nothing, such as 24h")
    with platform.control.read() as connection:
        sandbox = records.find(connection, id)
        approvals = approvals_for(connection, owner=sandbox.owner, now=platform.now)
        live = records.live(connection, sandbox.owner, sandbox.environment)
    now = platform.now
    if sandbox.state != "ready" or now >= sandbox.expires_at:
        raise WrongState(f"{id} is {'expired' if sandbox.state == 'ready' else sandbox.state}; only a ready sandbox can be extended")
    if sandbox.quarantined or sandbox.doing is not None:  # to extend it would let its owner in
        raise WrongState(f"{id} cannot be extended now: it is {'quarantined' if sandbox.quarantined else at_work(platform, sandbox)}")
    bundle = bundles.open(f"bundle@{sandbox.bundle_digest}", platform.store)
    verdict = judge(
        platform.environments,
        Asked(
            action="extend",
            owner=owner,
            template=sandbox.template,
            environment=sandbox.environment,
            ttl=sandbox.expires_at - now + by,
            flags=tuple(name for name, on in sandbox.flags.items() if on),
            bundle_kind=sandbox.kind,
            bundle_digest=sandbox.bundle_digest,
            bundle_expires=bundle.expires,
            seed=sandbox.seed,
            sandbox=id,
            live=live,
            approvals=approvals,
            actor=Who(actor),
            age=now - sandbox.created_at,
            expires_at=sandbox.expires_at,
            now=now,
        ),
    )
    platform.require(verdict, "extension refused", sandbox, actor=actor, why=why)
    until = max(now + verdict.ttl, sandbox.expires_at)
    platform.on_step("judged")
    platform.host(sandbox.host).admit(platform.place(sandbox), None, until, sandbox.limits)
    platform.on_step("admitted")
    with platform.control.write() as connection:
        present = records.find(connection, id)
        if _judged_by(present) == _judged_by(sandbox):
            records.change(connection, sandbox, now, expires_at=stamp(until), why_expires=verdict.why_ttl)
            details = {"from": stamp(sandbox.expires_at), "to": stamp(until)}
            platform.event(connection, "extended", sandbox, actor=actor, why=why, outcome=verdict.to_json(), details=details)
            return records.find(connection, id)
    admit_as_recorded(platform, present)
    raise WrongState(f"{id} was extended, reset, quarantined or removed by somebody else in the meantime; look at it before you try again")


def _judged_by(sandbox: Sandbox) -> tuple[object, ...]:
    return sandbox.state, sandbox.doing, sandbox.quarantined, sandbox.expires_at, sandbox.bundle_digest
