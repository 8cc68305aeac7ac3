"""Something that may be done, and what becomes of it when one thing is otherwise."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from provisioning.policy import Approval, Asked, Verdict, Who, judge
from schemas.environments import Environment, Environments, Host, SandboxTemplate

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)  # a Monday
DIGEST = "sha256:" + "a" * 64
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def asked(**otherwise: Any) -> Asked:
    """Alice asks for a sandbox of synthetic data after `feature-default`."""
    given: dict[str, Any] = {
        "action": "create",
        "owner": Who("alice@company.com"),
        "template": "feature-default",
        "bundle_kind": "synthetic",
        "bundle_digest": DIGEST,
        "seed": "synthetic:v1",
        "now": NOW,
        "ttl": 72 * HOUR,
    }
    return Asked(**given | otherwise)


def approved(by: str, **otherwise: Any) -> Approval:
    """An approval that Alice may load the bundle after `place`."""
    given = Approval("ap-test", "load", "alice@company.com", by, "a test", NOW - HOUR, NOW + DAY, "place", DIGEST, None)
    return replace(given, **otherwise)


def place(environment: Environment | None = None, template: SandboxTemplate | None = None, **more: Any) -> Environments:
    """A file with one environment that takes synthetic data, and one template `place` in it, both without anything to break."""
    environment = environment or Environment("dev", {"synthetic": 0, "sanitized": 1, "mirrored": 2})
    template = template or SandboxTemplate(
        "place", environment.name, "files", seeds=("synthetic:*",), approved_infrastructure="platform", approved_data="privacy"
    )
    return Environments(
        {environment.name: environment},
        {"place": template},
        {"files": Host("files", "duckdb")},
        {"*@company.com": ("engineering",)},
        **more,
    )


def broken(environments: Environments, **otherwise: Any) -> dict[str, list[str]]:
    """The rules that are broken, with what is said of each."""
    found: dict[str, list[str]] = {}
    for violation in verdict(environments, **otherwise).violations:
        found.setdefault(violation.rule, []).append(violation.message)
    return found


def verdict(environments: Environments, **otherwise: Any) -> Verdict:
    """What is said of a sandbox after `place`."""
    return judge(environments, asked(**{"template": "place"} | otherwise))
