"""What the policy would say of a sandbox, without making one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from provisioning.life import records
from provisioning.life.creating import known_template
from provisioning.life.platform import Platform
from provisioning.policy import Asked, Verdict, Who, approvals_for, find_owner, judge


def explain(
    platform: Platform, owner: Who, *, template: str, seed: str, kind: str | None, ttl: timedelta | None, flags: Sequence[str], actor: str
) -> Verdict:
    """Return the verdict on a sandbox for `owner`, with the approvals that were given and the owner's live sandboxes as they are.

    Where `kind` is given, the bundle need not be there: it is one of this kind that nobody has approved. Raises InputError.
    """
    environment = known_template(platform.environments, template).environment
    owner = find_owner(platform.environments, owner.name, owner.groups)
    bundle = platform.seed(seed) if kind is None else None
    with platform.control.read() as connection:
        live = records.live(connection, owner.name, environment)
        approvals = approvals_for(connection, owner=owner.name, now=platform.now)
    asked = Asked(
        action="create",
        owner=owner,
        template=template,
        bundle_kind=kind or (bundle.kind if bundle else ""),
        bundle_digest=bundle.manifest_digest if bundle else "",
        bundle_expires=bundle.expires if bundle else None,
        seed=seed,
        now=platform.now,
        ttl=ttl,
        flags=tuple(flags),
        live=live,
        approvals=approvals,
        actor=Who(actor),
    )
    return judge(platform.environments, asked)
