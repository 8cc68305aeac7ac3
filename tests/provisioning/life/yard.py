"""A yard for sandboxes: a control database, a host, small bundles, and a clock that stands until it is moved."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import bundles
from bundles import Store
from provisioning.control.database import open_control
from provisioning.errors import NotASandbox
from provisioning.hosts.hosts import Hosts
from provisioning.life.creating import Created
from provisioning.life.platform import Platform, no_step
from provisioning.life.sandboxes import Sandboxes
from provisioning.media import MediaFolders
from provisioning.passwords import Passwords
from schemas.environments import Environment, Environments, Host, Limits, SandboxTemplate

ALICE, BOB = "alice@company.com", "bob@company.com"
BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
SCHEMA = """
schema: shop
seed: {seed}
anchor: 2026-01-01T00:00:00Z
tables:
  customers:
    rows: {rows}
    columns:
      id: {{type: bigint, key: true}}
      name: {{type: text, generate: company.name}}
      since: {{type: timestamptz, generate: {{between: [-3y, now]}}}}
  orders:
    rows: {{per: customers, count: {{poisson: 3}}}}
    columns:
      id: {{type: bigint, key: true}}
      customer_id: {{references: customers.id}}
      total: {{type: "numeric(12,2)", generate: {{uniform: [1, 500]}}}}
"""


@dataclass
class Clock:
    """A clock that a test moves."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def build(folder: Path, tag: str, *, rows: int = 40, seed: int = 1, expires: datetime | None = None) -> bundles.Bundle:
    """Build a small bundle under `tag` in the yard's store."""
    import datagen

    path = folder / f"{seed}-{rows}.yaml"
    path.write_text(SCHEMA.format(seed=seed, rows=rows))
    return bundles.build(datagen.source(str(path)), store=folder / "store", tag=tag, expires=expires)


def environments(kind: str, folder: Path, **changed: object) -> Environments:
    """One environment with one host of `kind` and one template, `plain`; `demo` and `guarded` are like it but for their names' sake."""
    plain = SandboxTemplate(
        "plain",
        "dev",
        "here",
        seeds=("synthetic:*", "snapshot:*"),
        limits=Limits(connections=4),
        flags={"onboarding": False, "billing": True},
        approved_infrastructure="ops@company.com",
        approved_data="privacy@company.com",
    )
    environment = replace(Environment("dev", {"synthetic": 0, "sanitized": 1}), **changed)  # type: ignore[arg-type]
    server = "YARD_POSTGRES" if kind == "postgresql" else None
    host = Host("here", kind, folder=str(folder / "sandboxes"), url_from=server)  # type: ignore[arg-type]
    guarded = replace(plain, name="guarded", guardrails={"delete_protection": True})
    demo = replace(plain, name="demo", demo=True, guardrails={"webhooks": "stub"})
    templates = {t.name: t for t in (plain, guarded, demo)}
    return Environments({"dev": environment}, templates, {"here": host}, {"*@company.com": ("engineering",)})


@dataclass
class Yard:
    """Sandboxes in a folder, on a host of one kind (its server's URL, if it has one, is in $YARD_POSTGRES).

    They are recorded in the control database at `address`, or in a file in the folder.
    """

    folder: Path
    kind: str = "duckdb"
    on_step: Callable[[str], None] = no_step
    changed: dict[str, object] = field(default_factory=dict)
    address: str | None = None

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.control = open_control(self.address or self.folder / "control.db", clock=self.clock)
        policies = environments(self.kind, self.folder, **self.changed)
        hosts = Hosts(policies.hosts, self.folder / "sandboxes", control=self.control.id, clock=self.clock)
        self.passwords = Passwords(self.folder / "passwords")
        self.media = MediaFolders(self.folder / "media")
        self.platform = Platform(self.control, policies, hosts, Store(self.folder / "store"), self.passwords, self.media, self.on_step)
        self.host = hosts["here"]
        self.sandboxes = Sandboxes(self.platform)

    def create(self, owner: str = ALICE, *, template: str = "plain", seed: str = "synthetic:v1", **more: object) -> Created:
        """Make a sandbox."""
        return self.sandboxes.create(self.sandboxes.who(owner), template=template, seed=seed, actor="test", **more)  # type: ignore[arg-type]

    def events(self, id: str) -> list[str]:
        """What happened to a sandbox, in order."""
        return [str(h["action"]) for h in self.sandboxes.why(id).history]

    def close(self) -> None:
        self.control.close()


def make_yard(request: pytest.FixtureRequest, kind: str, folder: Path) -> Yard:
    if kind == "postgresql":
        monkeypatch = request.getfixturevalue("monkeypatch")
        monkeypatch.setenv("YARD_POSTGRES", request.getfixturevalue("postgres"))
    (folder / "store").symlink_to(request.getfixturevalue("built") / "store")
    return Yard(folder, kind)


def clean(yard: Yard) -> None:
    for found in yard.host.found():
        if found.sandbox is not None:
            with suppress(NotASandbox):  # which a test put there
                yard.host.remove(yard.host.place(found.sandbox))
    yard.close()
