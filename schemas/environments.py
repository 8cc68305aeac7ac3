"""Environments and their policies, templates of sandboxes and where they live: the vocabulary of `environments.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

KINDS = ("synthetic", "sanitized", "mirrored")
HOST_KINDS = ("duckdb", "sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Egress:
    """What a sandbox may reach outside: nothing, but for `exceptions`, each `host:port` or `cidr:port`."""

    default: Literal["deny", "allow"] = "deny"
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChangeWindow:
    """When an environment may be changed: days (0 is Monday) and minutes of the day, in a time zone."""

    days: tuple[int, ...]
    begins: int
    ends: int
    zone: str = "UTC"


@dataclass(frozen=True, slots=True)
class Environment:
    """A place in a company's landscape, and what may happen in it.

    `classes` maps the kinds of bundles that may be loaded to the approvals that each needs (0: none); a kind that is not in it is
    forbidden. Where `loads` is false nothing is ever loaded. `owner_groups` holds `*` where anybody may own a sandbox. `quota` is
    the most live sandboxes of one owner. `extend_alone` is the longest whole life, from creation on, that an owner may ask for
    alone; beyond it somebody else approves. Approvals are given by members of `approver_groups` (`*`: anybody but the owner).
    """

    name: str
    classes: Mapping[str, int]
    loads: bool = True
    owner_groups: tuple[str, ...] = ("*",)
    approver_groups: tuple[str, ...] = ("*",)
    quota: int = 5
    ttl_default: timedelta = timedelta(hours=72)
    ttl_most: timedelta = timedelta(days=30)
    extend_alone: timedelta = timedelta(days=7)
    egress: Egress = Egress()
    collectors: tuple[str, ...] = ()
    change_window: ChangeWindow | None = None
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the user's own: a CEL expression that must be true, its name, and what to say where it is not."""

    name: str
    expression: str
    message: str


@dataclass(frozen=True, slots=True)
class Webhook:
    """A service that is asked, too: its URL, the environment variable that holds its bearer token, and how long it may take (seconds)."""

    url: str
    token_from: str | None = None
    seconds: float = 5.0


@dataclass(frozen=True, slots=True)
class Host:
    """Where sandboxes live: a folder of files, or a PostgreSQL server whose URL is in the environment variable `url_from`."""

    name: str
    kind: Literal["duckdb", "sqlite", "postgresql"]
    folder: str | None = None
    url_from: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What one sandbox may take: connections at a time, bytes on the disk, seconds of one statement."""

    connections: int = 20
    bytes: int = 10 * 2**30
    statement_seconds: int = 300


@dataclass(frozen=True, slots=True)
class SandboxTemplate:
    """What a sandbox is made after: environment, host, the seeds (references, `*` for any tag) it may hold, its limits and flags.

    `approved_infrastructure` and `approved_data` name who approved it; without both nothing is made after it. `flags` maps known feature
    flags to whether they are on by default; `guardrails` are settings that go with the sandbox (`delete_protection`, `requests_a_minute`,
    `webhooks: stub`), `collectors` what observes it, `demo` that it serves demo tenants.
    """

    name: str
    environment: str
    host: str
    seeds: tuple[str, ...] = ("synthetic:*",)
    limits: Limits = Limits()
    flags: Mapping[str, bool] = field(default_factory=dict)
    guardrails: Mapping[str, Any] = field(default_factory=dict)
    collectors: tuple[str, ...] = ()
    egress: Egress | None = None
    approved_infrastructure: str | None = None
    approved_data: str | None = None
    demo: bool = False


@dataclass(frozen=True, slots=True)
class Environments:
    """All that one file says. `owners` maps owners (an address, or `*@domain`) to their groups."""

    environments: Mapping[str, Environment]
    templates: Mapping[str, SandboxTemplate]
    hosts: Mapping[str, Host]
    owners: Mapping[str, tuple[str, ...]]
    webhook: Webhook | None = None
    idle: timedelta = timedelta(hours=24)
