"""Giving a sandbox its data anew: seed, credentials, webhooks, flags, in this order, all or nothing.

The new data is made beside the old and takes its place by a rename; the old data and the old password are kept until the record says that
the sandbox is reset. `doing` in the record is `reset` until then: whoever finds it there, its worker gone, takes all back. After that it
is `reset done` until what was kept is removed. The next reset finds it, as does reconciling.
"""

from __future__ import annotations

from bundles import Bundle
from provisioning.control.moments import stamp
from provisioning.control.tables import webhooks
from provisioning.errors import SeedRefused, WrongState
from provisioning.hosts.base import Telling
from provisioning.life import records, workers
from provisioning.life.admitting import admit_anew
from provisioning.life.creating import flags_after_reset
from provisioning.life.heartbeat import beating, give_up
from provisioning.life.platform import Platform
from provisioning.life.receipts import receipt_of
from provisioning.life.sandbox import Sandbox
from provisioning.policy import Asked, Who, approvals_for, judge
from provisioning.shifting import weeks_until
from schemas.errors import CompanyOSError

RESETTING = "reset"
DONE = "reset done"


def reset(
    platform: Platform,
    id: str,
    bundle: Bundle,
    *,
    owner: Who,
    actor: str,
    why: str,
    seed: str | None = None,
    as_of: str | None = None,
    on_progress: Telling = None,
) -> Sandbox:
    """Seed a ready sandbox anew with `bundle`, rotate its password, purge its webhooks and reset its flags; return it.

    `seed` is how the bundle is called from now on. The sandbox ends with the bundle, if not before. Where anything fails the sandbox is as
    it was: data, password, webhooks, flags. Raises NoSuchSandbox, WrongState, SeedRefused, PolicyRefused, TargetFailure,
    ControlFailure.
    """
    if as_of is not None:  # what is no day is told before anything is done
        weeks_until(bundle.schema.anchor, as_of, today=platform.now.date())
    with platform.control.read() as connection:
        sandbox = records.find(connection, id)
        approvals = approvals_for(connection, owner=sandbox.owner, now=platform.now)
        live = records.live(connection, sandbox.owner, sandbox.environment)
        records.refuse_recalled(connection, bundle, bundle.reference)
    if sandbox.state != "ready" or platform.now >= sandbox.expires_at:
        raise WrongState(f"{id} is {'expired' if sandbox.state == 'ready' else sandbox.state}; only a ready sandbox can be reset")
    if not bundle.config.rows:
        raise SeedRefused(f"{bundle.reference} has no rows: an empty seed resets nothing")
    verdict = judge(
        platform.environments,
        Asked(
            action="reset",
            owner=owner,
            template=sandbox.template,
            environment=sandbox.environment,
            bundle_kind=bundle.kind,
            bundle_digest=bundle.manifest_digest,
            bundle_expires=bundle.expires,
            seed=seed or sandbox.seed,
            sandbox=id,
            live=live,
            approvals=approvals,
            actor=Who(actor),
            age=platform.now - sandbox.created_at,
            expires_at=sandbox.expires_at,
            now=platform.now,
        ),
    )
    asked = {"seed": seed or sandbox.seed, "bundle_digest": bundle.manifest_digest}
    platform.require(verdict, "reset refused", sandbox, actor=actor, why=why, details=asked)
    settle_abandoned(platform, id, actor=actor)
    sandbox = _begin(platform, sandbox, actor, why, verdict.to_json(), asked)
    try:
        return _reset(platform, sandbox, bundle, seed or sandbox.seed, as_of, actor, why, on_progress)
    except BaseException:
        try:
            with platform.control.read() as connection:
                present = records.find(connection, id)
            settle(platform, present, actor=actor)
        except CompanyOSError:
            give_up(platform, sandbox.id)
        raise


def settle_abandoned(platform: Platform, id: str, *, actor: str) -> bool:
    """Settle a reset whose worker is gone, and return whether there was one; of several who try at once one does it."""
    with platform.control.write() as connection:
        sandbox = records.find(connection, id)
        if sandbox.state != "ready" or sandbox.doing is None or not workers.is_gone(sandbox.worker, sandbox.beat_at, platform.now):
            return False
        now = platform.now
        records.change(connection, sandbox, now, worker=workers.me(), beat_at=stamp(now))
    try:
        settle(platform, sandbox, actor=actor)
    except BaseException:
        give_up(platform, sandbox.id)
        raise
    return True


def settle(platform: Platform, sandbox: Sandbox, *, actor: str) -> None:
    """Take back a reset that was broken off, or remove what it kept where it had come to its end; may be done again."""
    host, place = platform.host(sandbox.host), platform.place(sandbox)
    if sandbox.doing == RESETTING:
        host.swap_back(place)
        platform.on_step("swapped back")
        platform.media.bring_back(sandbox.id)
        password = platform.passwords.bring_back(sandbox.id)
        if sandbox.quarantined:  # nobody was let in before, and nobody is now
            host.shut(place)
        else:
            host.admit(place, password, sandbox.expires_at, sandbox.limits)
        platform.on_step("let in again")
        with platform.control.write() as connection:
            records.change(connection, sandbox, platform.now, doing=None, worker=None, beat_at=None)
            platform.event(connection, "reset taken back", sandbox, actor=actor)
    elif sandbox.doing == DONE:
        _clean(platform, sandbox)


def _begin(platform: Platform, sandbox: Sandbox, actor: str, why: str, outcome: dict[str, object], asked: dict[str, str]) -> Sandbox:
    """Take the sandbox for ourselves."""
    with platform.control.write() as connection:
        present = records.find(connection, sandbox.id)
        if present.doing is not None:
            raise WrongState(f"{sandbox.id} is being worked on already ({present.doing})")
        now = platform.now
        records.change(connection, present, now, doing=RESETTING, worker=workers.me(), beat_at=stamp(now))
        platform.event(connection, "resetting", present, actor=actor, why=why, outcome=outcome, details=asked)
        return records.find(connection, sandbox.id)


def _reset(
    platform: Platform, sandbox: Sandbox, bundle: Bundle, seed: str, as_of: str | None, actor: str, why: str, on_progress: Telling
) -> Sandbox:
    host, place = platform.host(sandbox.host), platform.place(sandbox)
    template = platform.environments.templates[sandbox.template]
    flags = flags_after_reset(platform.environments, sandbox)
    until, why_until = sandbox.expires_at, sandbox.why_expires
    if bundle.expires is not None and bundle.expires < until:
        until, why_until = bundle.expires, "the bundle expires then"
    platform.on_step("begun")
    seeded = host.seed(place, bundle, limits=sandbox.limits, as_of=as_of, swap=True, on_progress=beating(platform, sandbox, on_progress))
    platform.on_step("seeded")
    platform.passwords.set_aside(sandbox.id)
    platform.media.set_aside(sandbox.id)
    host.swap(place)
    platform.on_step("swapped")
    host.configure(place, flags, template.guardrails)
    platform.on_step("configured")
    platform.media.put(sandbox.id, bundle)
    platform.on_step("files put")
    admit_anew(platform, sandbox, until)
    activity = host.activity(place)
    receipt = receipt_of(seeded, activity)
    with platform.control.write() as connection:
        now = platform.now
        records.refuse_recalled(connection, bundle, bundle.reference)  # as may have come about in the meantime
        purged = connection.execute(webhooks.delete().where(webhooks.c.sandbox == sandbox.id)).rowcount
        records.change(
            connection,
            sandbox,
            now,
            doing=DONE,
            seed=seed,
            bundle_digest=bundle.manifest_digest,
            kind=bundle.kind,
            expires_at=stamp(until),
            why_expires=why_until,
            flags=flags,
            guardrails=dict(template.guardrails),
            receipt=receipt,
            quarantined=None,
            last_use=stamp(now),
            seen_counter=activity.counter if activity else None,
        )
        done = records.find(connection, sandbox.id)
        platform.event(connection, "reset", done, actor=actor, why=why, details={**receipt, "webhooks_purged": purged})
    platform.on_step("reset")
    return _clean(platform, done)


def _clean(platform: Platform, sandbox: Sandbox) -> Sandbox:
    platform.host(sandbox.host).forget_old(platform.place(sandbox))
    platform.on_step("old forgotten")
    platform.passwords.forget_aside(sandbox.id)
    platform.media.forget_aside(sandbox.id)
    with platform.control.write() as connection:
        records.change(connection, sandbox, platform.now, doing=None, worker=None, beat_at=None)
        return records.find(connection, sandbox.id)
