"""Demo tenants and the bundles that they are pinned to."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa

from provisioning.audit import record
from provisioning.control.moments import stamp
from provisioning.control.tables import pins, sandboxes
from provisioning.errors import NoSuchTenant
from provisioning.hosts.base import Telling
from provisioning.life import records
from provisioning.life.creating import Created, Wanted, create, known_template
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox
from provisioning.life.states import LIVE
from provisioning.policy import Who
from schemas.errors import InputError, nearest

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
TODAY = "now"


@dataclass(frozen=True, slots=True)
class Tenant:
    """A demo tenant: its name, its sandbox, and the bundle that it is pinned to, as it was called and as a manifest's digest."""

    name: str
    sandbox: Sandbox
    seed: str
    bundle_digest: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"tenant": self.name, "pinned": self.seed, "pinned_digest": self.bundle_digest, "sandbox": self.sandbox.to_json()}


def create_tenant(
    platform: Platform,
    name: str,
    *,
    owner: Who,
    template: str,
    seed: str,
    ttl: timedelta | None,
    as_of: str = TODAY,
    actor: str,
    why: str,
    on_progress: Telling = None,
) -> Created:
    """Make the sandbox of a demo tenant, its times moved to today, and pin it to `seed`.

    Raises TenantExists, InputError (a name, or a template that is not for demos) and all that making a sandbox does.
    """
    if not NAME.fullmatch(name):
        raise InputError(f"'{name[:80]}' is no name of a tenant: lower-case letters, digits and '-' within, at most 63, such as demo-acme")
    if not known_template(platform.environments, template).demo:
        demos = [n for n, t in platform.environments.templates.items() if t.demo]
        raise InputError(f"template '{template}' is not for demos; those that are: {', '.join(demos) or 'none'}")
    made = create(platform, Wanted(owner, template, seed, ttl, (), name, as_of), actor=actor, why=why, on_progress=on_progress)
    pin(platform, name, made.sandbox.bundle_digest, seed, actor=actor, why=why)
    return made


def pin(platform: Platform, name: str, digest: str, seed: str, *, actor: str, why: str) -> None:
    """Let a tenant be reset to the bundle with this digest of its manifest, called `seed`, from now on."""
    with platform.control.write() as connection:
        connection.execute(pins.delete().where(pins.c.tenant == name))
        values = {"tenant": name, "seed": seed, "bundle_digest": digest, "pinned_at": stamp(platform.now)}
        connection.execute(pins.insert().values(**values))
        record(
            connection,
            at=platform.now,
            actor=actor,
            action="pinned",
            why=why,
            bundle_digest=digest,
            details={"tenant": name, "seed": seed},
        )


def tenants(platform: Platform, pattern: str = "*") -> list[Tenant]:
    """Return the live tenants whose names match `pattern` (`*` and `?`), by name."""
    with platform.control.read() as connection:
        found = records.select(connection, sandboxes.c.tenant.is_not(None), sandboxes.c.state.in_(LIVE))
        pinned = {row.tenant: row for row in connection.execute(sa.select(pins))}
    matching = [s for s in found if s.tenant is not None and fnmatchcase(s.tenant, pattern)]
    return sorted((_tenant(s, pinned.get(s.tenant)) for s in matching), key=lambda t: t.name)


def tenants_named(platform: Platform, pattern: str) -> list[Tenant]:
    """Return the tenants that `pattern` means; NoSuchTenant, with the nearest name, where it means none."""
    found = tenants(platform, pattern)
    if not found:
        known = [t.name for t in tenants(platform)]
        hint = nearest(pattern, known) or (f"; there are {', '.join(known[:12])}" if known else "; `companyos demo create` makes one")
        raise NoSuchTenant(f"no demo tenant is called '{pattern[:80]}'{hint}")
    return found


def _tenant(sandbox: Sandbox, row: sa.Row[Any] | None) -> Tenant:
    # one whose maker died before it was pinned is pinned to what it holds, and not to what one before it of the same name was
    if row is None or row.pinned_at < stamp(sandbox.created_at):
        return Tenant(sandbox.tenant or "", sandbox, sandbox.seed, sandbox.bundle_digest)
    return Tenant(sandbox.tenant or "", sandbox, row.seed, row.bundle_digest)
