"""Making a sandbox: asked of the policies, recorded, seeded, given to its owner; or nothing of it stays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any

import rfc8785
import sqlalchemy as sa

from bundles import Bundle
from provisioning.audit import record
from provisioning.control.moments import stamp
from provisioning.control.tables import idempotency, sandboxes, webhooks
from provisioning.errors import KeyUsedTwice, NoSuchSandbox, PolicyRefused, SeedRefused, TenantExists
from provisioning.hosts.base import Telling
from provisioning.life import records, workers
from provisioning.life.connecting import connect_again
from provisioning.life.heartbeat import beating, give_up
from provisioning.life.platform import Platform
from provisioning.life.receipts import receipt_of
from provisioning.life.sandbox import Sandbox, new_id
from provisioning.life.states import LIVE
from provisioning.policy import Asked, Verdict, Who, approvals_for, judge
from provisioning.shifting import weeks_until
from schemas.environments import Environments, SandboxTemplate
from schemas.errors import CompanyOSError, InputError, followed, nearest

LONGEST_KEY = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: `seed` is a bundle's reference; `ttl` None takes the environment's; `as_of` moves times (a day, or `now`)."""

    owner: Who
    template: str
    seed: str
    ttl: timedelta | None = None
    flags: Sequence[str] = ()
    tenant: str | None = None
    as_of: str | None = None

    def digest(self) -> str:
        """What tells two requests apart."""
        ttl = None if self.ttl is None else str(self.ttl.total_seconds())
        asked = [self.owner.name, self.template, self.seed, ttl, sorted(self.flags), self.tenant, self.as_of]
        return sha256(rfc8785.dumps(asked)).hexdigest()


@dataclass(frozen=True, slots=True)
class Created:
    """A sandbox, and the address to connect with, password included (None where it is not ready).

    `again` says that the same was asked before with the same key, and that this is what became of it.
    """

    sandbox: Sandbox
    address: str | None
    again: bool = False


def create(
    platform: Platform,
    wanted: Wanted,
    *,
    actor: str,
    why: str,
    idempotency_key: str | None = None,
    on_recorded: Callable[[Sandbox], None] = lambda sandbox: None,
    on_progress: Telling = None,
) -> Created:
    """Make a sandbox and return it; or, where the same was asked before with the same key, what became of that.

    `on_recorded` is told of the sandbox once it is allowed and recorded, before it is made.

    Raises InputError (unknown template, flag, bundle, owner), SeedRefused (empty or recalled), PolicyRefused (every rule that is broken),
    KeyUsedTwice, TenantExists, TargetFailure, ControlFailure. Whatever fails, nothing of the sandbox stays but its record and its events.
    """
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= LONGEST_KEY:
        raise InputError(f"an idempotency key has from 1 to {LONGEST_KEY} characters")
    earlier = _earlier(platform, wanted, idempotency_key, actor)
    if earlier is not None:
        return earlier
    template = known_template(platform.environments, wanted.template)
    bundle = platform.seed(wanted.seed)
    if wanted.as_of is not None:  # what is no day is told before anything is recorded
        weeks_until(bundle.schema.anchor, wanted.as_of, today=platform.now.date())
    id = new_id()
    try:
        sandbox = _recorded(platform, wanted, template, bundle, id, actor, why, idempotency_key)
        if sandbox is not None:
            platform.on_step("recorded")
            on_recorded(sandbox)
            return make(platform, sandbox, bundle, actor=actor, as_of=wanted.as_of, on_progress=on_progress)
    except BaseException as error:
        _undo_recorded(platform, id, actor, error)
        raise
    earlier = _earlier(platform, wanted, idempotency_key, actor)  # another one with the same key was faster
    assert earlier is not None
    return earlier


def make(platform: Platform, sandbox: Sandbox, bundle: Bundle, *, actor: str, as_of: str | None, on_progress: Telling = None) -> Created:
    """Make a sandbox that is recorded; whatever fails, it is removed and the record says why."""
    host = platform.host(sandbox.host)
    place = host.place(sandbox.id)
    try:
        with platform.control.write() as connection:
            records.move(connection, sandbox, "provisioning", platform.now)
        platform.on_step("provisioning")
        seeded = host.seed(place, bundle, limits=sandbox.limits, as_of=as_of, on_progress=beating(platform, sandbox, on_progress))
        platform.on_step("seeded")
        host.configure(place, sandbox.flags, sandbox.guardrails)
        platform.on_step("configured")
        platform.media.put(sandbox.id, bundle)
        platform.on_step("files put")
        password = platform.passwords.make(sandbox.id) if host.kind == "postgresql" else None
        host.admit(place, password, sandbox.expires_at, sandbox.limits)
        platform.on_step("admitted")
        activity = host.activity(place)
        receipt = receipt_of(seeded, activity)
        with platform.control.write() as connection:
            now = platform.now
            records.refuse_recalled(connection, bundle, sandbox.seed)  # as may have come about in the meantime
            records.move(
                connection,
                sandbox,
                "ready",
                now,
                receipt=receipt,
                last_use=stamp(now),
                seen_counter=activity.counter if activity else None,
                worker=None,
                beat_at=None,
            )
            platform.event(connection, "ready", sandbox, actor=actor, details=receipt)
            made = records.find(connection, sandbox.id)
    except BaseException as error:
        _undo(platform, sandbox, actor, error)
        raise
    platform.on_step("ready")
    return Created(made, host.address(place, password))


def undone(platform: Platform, sandbox: Sandbox, actor: str, failure: str) -> None:
    """Remove what there is of a sandbox that was being made, and say in its record why."""
    host = platform.host(sandbox.host)
    host.remove(host.place(sandbox.id))
    platform.passwords.forget(sandbox.id)
    platform.media.remove(sandbox.id)
    with platform.control.write() as connection:
        records.move(connection, sandbox, "failed", platform.now, failure=failure, worker=None, beat_at=None)
        connection.execute(webhooks.delete().where(webhooks.c.sandbox == sandbox.id))
        platform.event(connection, "failed", sandbox, actor=actor, why=failure)


def _undo(platform: Platform, sandbox: Sandbox, actor: str, error: BaseException) -> None:
    failure = "interrupted" if isinstance(error, KeyboardInterrupt) else type(error).__name__
    if isinstance(error, CompanyOSError):
        failure = str(error).partition("\n")[0][:500]
    try:
        undone(platform, sandbox, actor, failure)
    except CompanyOSError:
        give_up(platform, sandbox.id)


def _undo_recorded(platform: Platform, id: str, actor: str, error: BaseException) -> None:
    """Undo a sandbox that was recorded, and not begun with: Ctrl-C may come at any instruction, also as the record is written."""
    try:
        with platform.control.read() as connection:
            sandbox = records.find(connection, id)
    except NoSuchSandbox:
        return
    except CompanyOSError:  # whether it was recorded cannot be asked now
        give_up(platform, id)
        return
    if sandbox.state == "requested":
        _undo(platform, sandbox, actor, error)


def known_template(environments: Environments, name: str) -> SandboxTemplate:
    """Return a template; InputError with the nearest name where there is none."""
    known = environments.templates
    if name not in known:
        hint = followed(nearest(name, known), f"there are {', '.join(sorted(known))}")
        raise InputError(f"there is no template '{name[:80]}'{hint}")
    return known[name]


def flags_after_reset(environments: Environments, sandbox: Sandbox) -> dict[str, bool]:
    """Return the flags of the template as it is now, and on those that the sandbox was made with; a demo tenant was made with none."""
    asked = {} if sandbox.tenant is not None else sandbox.flags
    return {name: on or asked.get(name, False) for name, on in known_template(environments, sandbox.template).flags.items()}


def _recorded(
    platform: Platform, wanted: Wanted, template: SandboxTemplate, bundle: Bundle, id: str, actor: str, why: str, key: str | None
) -> Sandbox | None:
    """Record a sandbox that the policies allow, or their refusal; None where the key was used in the meantime."""
    try:
        return _judged(platform, wanted, template, bundle, id, actor, why, key)
    except (PolicyRefused, SeedRefused) as error:
        _write_down_refusal(platform, id, wanted, bundle, actor, why, error)
        raise


def _judged(
    platform: Platform, wanted: Wanted, template: SandboxTemplate, bundle: Bundle, id: str, actor: str, why: str, key: str | None
) -> Sandbox | None:
    while True:
        with platform.control.read() as connection:
            live = records.live(connection, wanted.owner.name, template.environment)
            approvals = approvals_for(connection, owner=wanted.owner.name, now=platform.now)
            records.refuse_recalled(connection, bundle, wanted.seed)
        if not bundle.config.rows:
            raise SeedRefused(f"{wanted.seed} has no rows: an empty seed makes no sandbox")
        now = platform.now
        verdict = judge(
            platform.environments,
            Asked(
                action="create",
                owner=wanted.owner,
                template=template.name,
                ttl=wanted.ttl,
                flags=tuple(wanted.flags),
                bundle_kind=bundle.kind,
                bundle_digest=bundle.manifest_digest,
                bundle_expires=bundle.expires,
                seed=wanted.seed,
                live=live,
                approvals=approvals,
                actor=Who(actor),
                now=now,
            ),
        )
        verdict.require()
        host = platform.host(template.host)
        host.marker(host.place(id))  # one that cannot be used now makes no record, against the quota, that only it could remove
        sandbox = _new(platform, wanted, template, bundle, id, verdict)
        with platform.control.write() as connection:
            if key is not None and _used(connection, wanted.owner.name, key) is not None:
                return None
            if records.live(connection, wanted.owner.name, template.environment) > live:
                continue  # others of the owner's were made in the meantime: the quota is held again
            if wanted.tenant is not None and records.select(connection, sandboxes.c.tenant == wanted.tenant, sandboxes.c.state.in_(LIVE)):
                raise TenantExists(f"there is a demo tenant '{wanted.tenant}' already")
            if key is not None:
                connection.execute(
                    idempotency.insert().values(owner=wanted.owner.name, key=key, request=wanted.digest(), sandbox=id, at=stamp(now))
                )
            records.add(connection, sandbox, now)
            platform.event(connection, "requested", sandbox, actor=actor, why=why, outcome=verdict.to_json())
            return sandbox


def _new(platform: Platform, wanted: Wanted, template: SandboxTemplate, bundle: Bundle, id: str, verdict: Verdict) -> Sandbox:
    now = platform.now
    return Sandbox(
        id=id,
        owner=wanted.owner.name,
        template=template.name,
        environment=template.environment,
        host=template.host,
        tenant=wanted.tenant,
        seed=wanted.seed,
        bundle_digest=bundle.manifest_digest,
        kind=bundle.kind,
        state="requested",
        doing=None,
        flags={**template.flags, **dict.fromkeys(wanted.flags, True)},
        guardrails=dict(template.guardrails),
        limits=template.limits,
        created_at=now,
        expires_at=now + verdict.ttl,
        why_expires=verdict.why_ttl,
        last_use=now,
        seen_counter=None,
        quarantined=None,
        failure=None,
        receipt=None,
        worker=workers.me(),
        beat_at=now,
    )


def _earlier(platform: Platform, wanted: Wanted, key: str | None, actor: str) -> Created | None:
    """What became of the request with the same key; KeyUsedTwice where it asked for something else."""
    if key is None:
        return None
    with platform.control.read() as connection:
        used = _used(connection, wanted.owner.name, key)
        if used is None:
            return None
        if used.request != wanted.digest():
            raise KeyUsedTwice("the idempotency key was used before for something else; take a new key for a new request")
        sandbox = records.find(connection, used.sandbox)
    return Created(sandbox, connect_again(platform, sandbox, actor=actor), again=True)


def _used(connection: sa.Connection, owner: str, key: str) -> sa.Row[Any] | None:
    return connection.execute(sa.select(idempotency).where(idempotency.c.owner == owner, idempotency.c.key == key)).first()


def _write_down_refusal(
    platform: Platform, id: str, wanted: Wanted, bundle: Bundle, actor: str, why: str, error: PolicyRefused | SeedRefused
) -> None:
    """A refused request has an id too, so that one can ask why."""
    broken = [{"rule": v.rule, "message": v.message} for v in error.violations] if isinstance(error, PolicyRefused) else []
    with platform.control.write() as connection:
        record(
            connection,
            at=platform.now,
            actor=actor,
            action="refused",
            sandbox=id,
            why=why,
            outcome={"allowed": False, "violations": broken or [{"rule": "seed", "message": str(error)}]},
            bundle_digest=bundle.manifest_digest,
            details={"owner": wanted.owner.name, "template": wanted.template, "seed": wanted.seed},
        )
    error.request = id
