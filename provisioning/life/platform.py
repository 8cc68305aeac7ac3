"""What the operations on sandboxes work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from bundles import Store
from provisioning.audit import record
from provisioning.control.database import Control
from provisioning.errors import TargetFailure
from provisioning.hosts.base import Place, SandboxHost
from provisioning.hosts.hosts import Hosts
from provisioning.life.sandbox import Sandbox
from provisioning.media import MediaFolders
from provisioning.passwords import Passwords
from schemas.environments import Environments

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
