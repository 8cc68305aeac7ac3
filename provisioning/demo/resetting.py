"""Bringing demo tenants back to what they are pinned to: what visitors changed is counted first, and who was not visited is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from time import monotonic
from typing import Any

import bundles
from bundles import Bundle
from provisioning.demo.tenants import TODAY, Tenant, pin
from provisioning.demo.webhooks import registered
from provisioning.differences import Difference, changed_since
from provisioning.life.creating import flags_after_reset
from provisioning.life.platform import Platform
from provisioning.life.resetting import reset, settle_abandoned
from provisioning.policy import owner_now
from provisioning.shifting import weeks_until
from schemas.errors import CompanyOSError
from schemas.plurals import counted


@dataclass(frozen=True, slots=True)
class Visited:
    """What visitors changed since the last reset, and why a tenant has to be reset; nothing of either where it was left alone.

    `rows` has the tables that differ, `flags` and `webhooks` count those that were switched or registered.
    """

    rows: Mapping[str, Difference] = field(default_factory=dict)
    flags: int = 0
    webhooks: int = 0
    reasons: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        rows = {name: {"added": d.added, "removed": d.removed, "changed": d.changed} for name, d in self.rows.items()}
        return {"rows": rows, "flags": self.flags, "webhooks": self.webhooks, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one tenant: `reset`, `skipped`, `would be reset` or `failed`, what had changed, and how long it took."""

    tenant: str
    sandbox: str
    done: str
    visited: Visited
    seconds: float
    error: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "tenant": self.tenant,
            "sandbox": self.sandbox,
            "done": self.done,
            "changed": self.visited.to_json(),
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


def reset_tenants(
    platform: Platform,
    found: Iterable[Tenant],
    *,
    as_of: str = TODAY,
    force: bool = False,
    dry_run: bool = False,
    actor: str,
    why: str = "",
    on_found: Callable[[Tenant, Visited], None] | None = None,
) -> list[Outcome]:
    """Bring tenants back to their bundles, in turn; one that fails keeps no other.

    `on_found` hears what was changed before anything is done to a tenant.
    """
    outcomes = []
    for tenant in found:
        started = monotonic()
        visited = Visited()
        try:
            bundle = bundles.open(f"bundle@{tenant.bundle_digest}", platform.store)
            if not dry_run:  # what is half-reset cannot be looked at
                settle_abandoned(platform, tenant.sandbox.id, actor=actor)
            visited = look(platform, tenant, bundle, as_of, force=force)
            if on_found is not None:
                on_found(tenant, visited)
            done = "would be reset" if dry_run else "reset"
            if not visited.reasons:
                done = "skipped"
            elif not dry_run:
                owner = owner_now(platform.environments, tenant.sandbox.owner)
                why_now = why or "; ".join(visited.reasons)
                reset(platform, tenant.sandbox.id, bundle, owner=owner, actor=actor, why=why_now, seed=tenant.seed, as_of=as_of)
            outcomes.append(Outcome(tenant.name, tenant.sandbox.id, done, visited, monotonic() - started))
        except CompanyOSError as error:
            outcomes.append(Outcome(tenant.name, tenant.sandbox.id, "failed", visited, monotonic() - started, str(error)))
    return outcomes


def roll_back(
    platform: Platform,
    found: Iterable[Tenant],
    to: str,
    *,
    as_of: str = TODAY,
    actor: str,
    why: str,
    on_found: Callable[[Tenant, Visited], None] | None = None,
) -> list[Outcome]:
    """Pin tenants to another version of a bundle, earlier or later, and bring them there.

    A tenant that cannot be brought there stays what it was, and pinned to what it was.
    """
    bundle = platform.seed(to)
    outcomes = []
    for tenant in found:
        pin(platform, tenant.name, bundle.manifest_digest, to, actor=actor, why=why)
        pinned = replace(tenant, seed=to, bundle_digest=bundle.manifest_digest)
        [outcome] = reset_tenants(platform, [pinned], as_of=as_of, actor=actor, why=why, on_found=on_found)
        if outcome.error is not None:
            pin(platform, tenant.name, tenant.bundle_digest, tenant.seed, actor=actor, why="the roll-back failed")
        outcomes.append(outcome)
    return outcomes


def look(platform: Platform, tenant: Tenant, bundle: Bundle, as_of: str, *, force: bool = False) -> Visited:
    """Return what visitors changed, and why the tenant has to be reset.

    The database's own counter of use is asked first: where nobody was there, nothing has changed and nothing is compared.
    """
    sandbox = tenant.sandbox
    receipt = sandbox.receipt or {}
    flags, present = flags_after_reset(platform.environments, sandbox), sandbox.flags
    hooks = len(registered(platform, sandbox))
    reasons = ["somebody asks for it"] if force else []
    weeks = receipt.get("shifted_weeks", 0)
    if sandbox.bundle_digest != bundle.manifest_digest:
        reasons.append(f"it holds {sandbox.seed} and is pinned to {tenant.seed}")
    if weeks != weeks_until(bundle.schema.anchor, as_of, today=platform.now.date()):
        reasons.append("its times have become stale")
    if sandbox.quarantined:
        reasons.append("it is quarantined")
    rows: Mapping[str, Difference] = {}
    host, place = platform.host(sandbox.host), platform.place(sandbox)
    activity = host.activity(place)
    if activity is None or activity.counter != receipt.get("counter") or activity.connections:
        held = bundle
        if sandbox.bundle_digest != bundle.manifest_digest:
            held = bundles.open(f"bundle@{sandbox.bundle_digest}", platform.store)
        try:
            rows = host.run(partial(changed_since, host.admin_address(place), held, weeks=weeks))
        except CompanyOSError as error:  # somebody made what no bundle holds, or took our rights to read it: it goes all the same
            reasons.append(f"what was changed cannot be counted: {str(error).partition(chr(10))[0]}")
        present = host.flags(place)
    flagged = sum(present.get(name) != flags.get(name) for name in {*present, *flags})
    changed = sum(d.added + d.removed + d.changed for d in rows.values())
    altered = sum(d.altered for d in rows.values())
    counts = (
        (changed, "row", "changed"),
        (altered, "table", "altered"),
        (flagged, "feature flag", "changed"),
        (hooks, "webhook", "registered"),
    )
    for number, what, how in counts:
        if number:
            reasons.append(counted(number, f"{what} was {how}", f"{what}s were {how}"))
    return Visited(rows, flagged, hooks, tuple(reasons))
