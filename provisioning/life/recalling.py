"""Recalling a bundle: nobody loads it any more, and what holds it is listed, shut or given other data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import bundles
from bundles import Bundle
from provisioning.audit import record
from provisioning.control.moments import stamp
from provisioning.control.tables import recalls, sandboxes
from provisioning.life import records
from provisioning.life.lineage import lineage
from provisioning.life.platform import Platform
from provisioning.life.resetting import reset
from provisioning.life.sandbox import Sandbox
from provisioning.life.states import LIVE
from provisioning.policy import owner_now
from schemas.errors import CompanyOSError, InputError

Action = Literal["list", "quarantine", "reset"]


@dataclass(frozen=True, slots=True)
class Recalled:
    """The sandboxes that hold a recalled bundle, what became of each by its id, and what went wrong."""

    reference: str
    bundle_digest: str
    sandboxes: list[Sandbox]
    done: dict[str, str]
    errors: list[str]


def recall(platform: Platform, reference: str, action: Action, *, to: str | None, actor: str, why: str) -> Recalled:
    """List the sandboxes that hold the bundle `reference` or a snapshot of it; `quarantine` shuts them, `reset` gives them the bundle `to`.

    With an action the bundle is loaded nowhere any more, and its templates are removed. Raises InputError; what fails with one sandbox is
    told in `errors` and does not keep the others.
    """
    bundle = bundles.open(reference, platform.store)
    other = None if to is None else platform.seed(to)
    if action == "reset" and (other is None or other.manifest_digest == bundle.manifest_digest):
        raise InputError(f"the sandboxes are to hold another bundle than '{reference}', which is recalled: say which")
    if action != "list":
        if not why:
            raise InputError("say why the bundle is recalled (--why)")
        _write_down(platform, bundle, actor, why)
    with platform.control.read() as connection:
        live = records.select(connection, sandboxes.c.state.in_(LIVE))
    recalled = Recalled(bundle.reference, bundle.manifest_digest, [], {}, [])
    came_of_it = _came_of(platform, bundle, {s.bundle_digest for s in live}, recalled)
    holding = [s for s in live if s.bundle_digest in came_of_it]
    recalled.sandboxes.extend(holding)
    if action == "list":
        return recalled
    for sandbox in holding:
        try:
            if other is not None and action == "reset":
                reset(platform, sandbox.id, other, owner=owner_now(platform.environments, sandbox.owner), actor=actor, why=why, seed=to)
                recalled.done[sandbox.id] = "reset"
            else:
                _quarantine(platform, sandbox, actor, why)
                recalled.done[sandbox.id] = "quarantined"
        except CompanyOSError as error:
            recalled.errors.append(f"{sandbox.id}: {error}")
    _drop_templates(platform, came_of_it, recalled)
    return recalled


def _came_of(platform: Platform, bundle: Bundle, held: Iterable[str], recalled: Recalled) -> set[str]:
    """Return the digests of the bundle and, among those `held`, of snapshots of it."""
    found = {bundle.manifest_digest}
    for digest in sorted(set(held) - found):
        try:
            if bundle.manifest_digest in lineage(bundles.open(f"bundle@{digest}", platform.store)):
                found.add(digest)
        except CompanyOSError as error:
            recalled.errors.append(f"whether {digest} is a snapshot of it cannot be said: {error}")
    return found


def _write_down(platform: Platform, bundle: Bundle, actor: str, why: str) -> None:
    with platform.control.write() as connection:
        connection.execute(recalls.delete().where(recalls.c.bundle_digest == bundle.manifest_digest))
        values = {"bundle_digest": bundle.manifest_digest, "reference": bundle.reference, "why": why, "by": actor}
        connection.execute(recalls.insert().values(**values, at=stamp(platform.now)))
        record(
            connection,
            at=platform.now,
            actor=actor,
            action="recalled",
            why=why,
            bundle_digest=bundle.manifest_digest,
            details={"reference": bundle.reference},
        )


def _quarantine(platform: Platform, sandbox: Sandbox, actor: str, why: str) -> None:
    """Let nobody in any more, and keep the data for who looks into it.

    It is recorded first, so that whoever lets its owner in at the same time finds it so, and shuts it again.
    """
    with platform.control.write() as connection:
        records.change(connection, sandbox, platform.now, quarantined=why)
        platform.event(connection, "quarantined", sandbox, actor=actor, why=why)
    platform.on_step("quarantined")
    host, place = platform.host(sandbox.host), platform.place(sandbox)
    host.shut(place)
    platform.on_step("shut")
    with platform.control.read() as connection:
        present = records.find(connection, sandbox.id)
    if present.state == "ready" and not present.quarantined:  # it was given other data in the meantime
        host.admit(place, None, present.expires_at, present.limits)


def _drop_templates(platform: Platform, digests: set[str], recalled: Recalled) -> None:
    for name in sorted({s.host for s in recalled.sandboxes} | set(platform.hosts.reachable())):  # one may hold a template alone
        try:
            host = platform.host(name)
            for found in host.found():
                if found.what == "template" and found.bundle_digest in digests:
                    host.drop_template(found.name)
        except CompanyOSError as error:
            recalled.errors.append(f"{name}: {error}")
