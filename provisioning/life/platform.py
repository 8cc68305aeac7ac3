"""What the operations on sandboxes work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

import bundles
from bundles import Bundle, Store
from provisioning.audit import record
from provisioning.control.database import Control
from provisioning.errors import TargetFailure
from provisioning.hosts.base import Place, SandboxHost
from provisioning.hosts.hosts import Hosts
from provisioning.life.sandbox import Sandbox
from provisioning.media import MediaFolders
from provisioning.passwords import Passwords
from provisioning.policy import Verdict
from schemas.environments import Environments
from schemas.errors import InputError

NOTHING: Mapping[str, Any] = {}


def no_step(step: str) -> None:
    """What is told of each step, where nobody asks."""


@dataclass(frozen=True, slots=True)
class Platform:
    """The control database, policies, hosts by name, bundles, passwords and files of rows; `on_step` hears of each step that is done."""

    control: Control
    environments: Environments
    hosts: Hosts
    store: Store
    passwords: Passwords
    media: MediaFolders
    on_step: Callable[[str], None] = no_step

    @property
    def now(self) -> datetime:
        return self.control.clock()

    def host(self, name: str) -> SandboxHost:
        """Return a host; TargetFailure where this machine does not know it."""
        if name not in self.hosts:
            raise TargetFailure(f"the host '{name}' is not in the environments' file (any more); put it back to go on with its sandboxes")
        return self.hosts[name]

    def place(self, sandbox: Sandbox) -> Place:
        """Return where a sandbox lives."""
        return self.host(sandbox.host).place(sandbox.id)

    def seed(self, reference: str) -> Bundle:
        """Open the bundle that somebody asks for as a seed.

        By its digest it is asked for under a name that it has, since a template says by names what it may hold. Raises InputError.
        """
        bundle = bundles.open(reference, self.store)
        name, by_digest, digest = reference.partition("@")
        names = {tag.name.partition(":")[0] for tag in self.store.written() if by_digest and tag.manifest_digest == digest}
        if by_digest and name not in names:
            called = f"; it is called {', '.join(sorted(names))}" if names else "; give it a tag first (`companyos bundle tag`)"
            raise InputError(f"'{reference[:120]}' is no version of '{name[:80]}'{called}")
        return bundle

    def require(
        self, verdict: Verdict, action: str, sandbox: Sandbox, *, actor: str, why: str, details: Mapping[str, Any] = NOTHING
    ) -> None:
        """Raise PolicyRefused where the policy does not allow something with a sandbox, and write that down as `action`."""
        if not verdict.allowed:
            with self.control.write() as connection:
                self.event(connection, action, sandbox, actor=actor, why=why, outcome=verdict.to_json(), details=details)
        verdict.require()

    def event(
        self,
        connection: sa.Connection,
        action: str,
        sandbox: Sandbox,
        *,
        actor: str,
        why: str = "",
        outcome: Mapping[str, Any] = NOTHING,
        details: Mapping[str, Any] = NOTHING,
    ) -> None:
        """Write down what happens to a sandbox, in the transaction that makes it happen."""
        record(
            connection,
            at=self.now,
            actor=actor,
            action=action,
            sandbox=sandbox.id,
            why=why,
            outcome=outcome,
            bundle_digest=sandbox.bundle_digest,
            details=details,
        )
