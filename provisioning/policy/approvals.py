"""Approvals by others than the owner: to load data of a class into an environment, and to live longer than an owner may ask for alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal, cast

from provisioning.control.moments import moment, stamp
from schemas.errors import InputError, Refused

if TYPE_CHECKING:
    import sqlalchemy as sa

    from provisioning.policy.asked import Who
    from schemas.environments import Environment

LONGEST = timedelta(days=366)
_LETTERS = "abcdefghijklmnopqrstuvwxyz234567"

What = Literal["load", "extend"]


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's word that an owner may `load` a bundle (`bundle_digest`) after a template, or keep a sandbox longer (`extend`).

    An approval to extend is for one sandbox, or, where `sandbox` is None, for one that is to be made after `template`. It ends at `until`;
    a sandbox that it extends lives no longer than that either.
    """

    id: str
    what: What
    owner: str
    by: str
    why: str
    given_at: datetime
    until: datetime
    template: str | None = None
    bundle_digest: str | None = None
    sandbox: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the approval for machines."""
        return {
            "id": self.id,
            "what": self.what,
            "owner": self.owner,
            "template": self.template,
            "bundle_digest": self.bundle_digest,
            "sandbox": self.sandbox,
            "by": self.by,
            "why": self.why,
            "given_at": stamp(self.given_at),
            "until": stamp(self.until),
        }


def give_approval(
    connection: sa.Connection,
    environment: Environment,
    *,
    what: What,
    owner: str,
    by: Who,
    why: str,
    now: datetime,
    until: datetime,
    template: str,
    bundle_digest: str | None = None,
    sandbox: str | None = None,
) -> Approval:
    """Keep an approval in the control database and return it.

    Raises Refused where `by` is the owner or in none of the environment's approver groups, InputError for what makes no sense.
    """
    if by.name.strip().casefold() == owner.strip().casefold():
        raise Refused("nobody approves what is their own; ask somebody else")
    if "*" not in environment.approver_groups and not set(by.groups) & set(environment.approver_groups):
        raise Refused(
            f"approvals in {environment.name} are given by members of {', '.join(environment.approver_groups)}, and {by.name} is none"
        )
    if not why.strip():
        raise InputError("an approval says why")
    if until <= now:
        raise InputError(f"an approval ends after it is given, and {stamp(until)} is past")
    if until - now > LONGEST:
        raise InputError(f"an approval holds for {LONGEST.days} days at most")
    if what == "load" and (bundle_digest is None or sandbox is not None):
        raise InputError("an approval to load is for a bundle, and for every sandbox of the owner after the template")
    if what == "extend" and bundle_digest is not None:
        raise InputError("an approval to extend is for a sandbox, whatever its bundle")
    name = "ap-" + "".join(secrets.choice(_LETTERS) for _ in range(10))
    approval = Approval(
        name, what, owner.strip().casefold(), by.name.strip().casefold(), why.strip(), now, until, template, bundle_digest, sandbox
    )
    from provisioning.control.tables import approvals

    connection.execute(approvals.insert().values(**approval.to_json()))
    return approval


def approvals_for(connection: sa.Connection, *, owner: str, now: datetime) -> tuple[Approval, ...]:
    """Return what the policy has to know: the owner's approvals that are in force, the oldest first."""
    import sqlalchemy as sa

    from provisioning.control.tables import approvals

    of_owner = sa.select(approvals).where(approvals.c.owner == owner.strip().casefold())
    in_force = of_owner.where(approvals.c.until > stamp(now), approvals.c.given_at <= stamp(now))
    found = connection.execute(in_force.order_by(approvals.c.given_at, approvals.c.id))
    return tuple(_approval(row) for row in found.mappings())


def _approval(row: sa.RowMapping) -> Approval:
    return Approval(
        row["id"],
        cast(What, row["what"]),
        row["owner"],
        row["by"],
        row["why"],
        moment(row["given_at"]),
        moment(row["until"]),
        row["template"],
        row["bundle_digest"],
        row["sandbox"],
    )
