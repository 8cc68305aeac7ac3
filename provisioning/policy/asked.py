"""What somebody asks for, as the policy sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from provisioning.policy.approvals import Approval

Action = Literal["create", "extend", "reset"]


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody, and the groups that a token says they are in; those of the file of environments are found by the name."""

    name: str
    groups: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked for, by whom, and what the rules need to know of the moment.

    `environment` is that of the sandbox where there is one already, else None: the template's. `ttl` is how long it is to live from `now`
    on, when extended too; None leaves that to the environment. `flags` are those asked for. `live` counts the owner's live sandboxes in the
    environment; a snapshot is restored by creating a sandbox from it. `actor` is who asks, where it is not the owner. `age` is how old the
    sandbox is and `expires_at` when it ends, where there is one. `bundle_expires` is the bundle's own end.
    """

    action: Action
    owner: Who
    template: str
    bundle_kind: str
    bundle_digest: str
    seed: str
    now: datetime
    environment: str | None = None
    ttl: timedelta | None = None
    flags: tuple[str, ...] = ()
    sandbox: str | None = None
    live: int = 0
    approvals: tuple[Approval, ...] = ()
    actor: Who | None = None
    age: timedelta = timedelta(0)
    expires_at: datetime | None = None
    bundle_expires: datetime | None = None
