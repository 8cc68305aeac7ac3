"""What the service answers with, so that its document can say so and nothing else gets out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from companyos.api.hidden_places import Told, ToldThroughout
from provisioning.life.states import State

SANDBOX: dict[str, Any] = {
    "id": "sb-k3v7qpd2ma",
    "owner": "alice@company.com",
    "template": "feature-default",
    "environment": "local",
    "host": "files",
    "tenant": None,
    "seed_profile": "synthetic:v1",
    "bundle_digest": "sha256:9c1185a5c5e9fc54612808977ee8f548b2258d31cc04a3f1ce2b7b1a2d0e5f11",
    "kind": "synthetic",
    "state": "ready",
    "doing": None,
    "feature_flags": {"onboarding": True, "async-billing": True, "new-dashboard": False},
    "guardrails": {},
    "limits": {"connections": 20, "bytes": 10737418240, "statement_seconds": 300},
    "created_at": "2026-03-02T09:30:00Z",
    "expires_at": "2026-03-05T09:30:00Z",
    "why_expires": "72 h were asked for",
    "last_use": "2026-03-02T09:30:00Z",
    "quarantined": None,
    "failure": None,
    "receipt": None,
}
URL = "postgresql://companyos_sb_k3v7qpd2ma:...@db.company.com:5432/companyos_sb_k3v7qpd2ma"


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Limits(_Answer):
    """What one sandbox may take."""

    connections: int
    bytes: int
    statement_seconds: int


class Sandbox(_Answer):
    """A sandbox: whose, after which template, with which data, in which state, until when and why so."""

    model_config = ConfigDict(json_schema_extra={"example": SANDBOX})

    id: str
    owner: str
    template: str
    environment: str
    host: str
    tenant: str | None = Field(description="The demo tenant that it serves.")
    seed_profile: str
    bundle_digest: str = Field(description="What the seed profile meant then.")
    kind: Literal["synthetic", "sanitized", "mirrored"]
    state: State
    doing: str | None = Field(description="An operation that is under way.")
    feature_flags: dict[str, bool]
    guardrails: dict[str, Any]
    limits: Limits
    created_at: datetime
    expires_at: datetime
    why_expires: str = Field(description="Which limit on its life was the least.")
    last_use: datetime
    quarantined: str | None = Field(description="Why nobody may use it any more.")
    failure: Told | None = Field(description="What went wrong.")
    receipt: dict[str, Any] | None = Field(description="How it came by its data: strategy, rows, content digest, seconds.")


class ConnectedSandbox(Sandbox):
    """A sandbox, and how to connect to it."""

    model_config = ConfigDict(json_schema_extra={"example": {**SANDBOX, "url": URL}})

    url: str | None = Field(description="The URL to connect with, password included; null unless it is ready.")


class Page(_Answer):
    """Some sandboxes, the newest first."""

    model_config = ConfigDict(json_schema_extra={"example": {"sandboxes": [SANDBOX], "next": None}})

    sandboxes: list[Sandbox]
    next: str | None = Field(description="What to ask for the next ones with (`after`); null on the last page.")


class Connection(_Answer):
    """How to connect to a sandbox."""

    model_config = ConfigDict(json_schema_extra={"example": {"id": "sb-k3v7qpd2ma", "url": URL}})

    id: str
    url: str = Field(description="The URL to connect with, password included.")


class Happening(_Answer):
    """An event in the life of a sandbox."""

    at: datetime
    action: str
    actor: str
    why: Told
    outcome: Any = Field(description="What the policy said.")


class Reasons(_Answer):
    """Why a sandbox is as it is, and what becomes of it when."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "sb-k3v7qpd2ma",
                "verdict": "kept",
                "next": "deleted by the first sweep after 24 h without use",
                "at": "2026-03-03T09:30:00Z",
                "reasons": ["it may live until 2026-03-05 09:30 UTC: 72 h were asked for"],
                "history": [],
            }
        }
    )

    id: str
    verdict: str
    next: str | None
    at: datetime | None
    reasons: list[Told]
    history: list[Happening]


class Bundle(_Answer):
    """A bundle that was made."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "reference": "synthetic:sb-k3v7qpd2ma.before-migration",
                "manifest_digest": SANDBOX["bundle_digest"],
                "content_digest": "blake3:0d4c...",
                "kind": "synthetic",
                "rows": 1000,
            }
        }
    )

    reference: str
    manifest_digest: str
    content_digest: str
    kind: Literal["synthetic", "sanitized", "mirrored"]
    rows: int


class Approval(_Answer):
    """Somebody's word, until when it holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "ap-k3v7qpd2ma",
                "what": "extend",
                "owner": "alice@company.com",
                "template": "feature-default",
                "bundle_digest": None,
                "sandbox": "sb-k3v7qpd2ma",
                "by": "release@company.com",
                "why": "the customer tests until Friday",
                "given_at": "2026-03-02T09:30:00Z",
                "until": "2026-03-16T09:30:00Z",
            }
        }
    )

    id: str
    what: Literal["load", "extend"]
    owner: str
    template: str | None
    bundle_digest: str | None
    sandbox: str | None
    by: str
    why: str
    given_at: datetime
    until: datetime


class Reconciled(_Answer):
    """What was put right, or would be: ids by what became of them, names without a record, and what went wrong."""

    dry_run: bool
    undone: list[str]
    finished: list[str]
    settled: list[str]
    lost: list[str]
    orphans: list[str]
    passwords: list[str]
    errors: list[Told]
    unknown: list[str]


class Swept(_Answer):
    """What a sweep did, or would do: ids and names by what became of them, and what went wrong."""

    dry_run: bool
    expired: list[str]
    idle: list[str]
    oversize: list[str] = Field(description="Those that take more than they may, which are made read-only until they take less.")
    kept: list[str]
    templates: list[str]
    reconciled: Reconciled | None
    errors: list[Told]


class ChangedRows(_Answer):
    """How many rows of a table differ from the bundle's."""

    added: int
    removed: int
    changed: int


class Visited(_Answer):
    """What visitors changed since the last reset, and why a tenant has to be reset."""

    rows: dict[str, ChangedRows]
    flags: int
    webhooks: int
    reasons: list[Told]


class TenantReset(_Answer):
    """What became of one demo tenant."""

    tenant: str
    sandbox: str
    done: Literal["reset", "skipped", "would be reset", "failed"]
    changed: Visited
    seconds: float
    error: Told | None


class DemoReset(_Answer):
    """What became of each demo tenant; one that failed is as it was."""

    tenants: list[TenantReset]


class Manifests(_Answer):
    """Kubernetes objects, for `kubectl apply -f -`."""

    apiVersion: Literal["v1"]
    kind: Literal["List"]
    items: list[dict[str, Any]]


class Environment(_Answer):
    """What may happen in an environment."""

    loads: bool
    classes: dict[str, int] = Field(description="The kinds of bundles that may be loaded, and the approvals that each needs.")
    owner_groups: list[str]
    approver_groups: list[str]
    quota: int = Field(description="The most live sandboxes of one owner.")
    ttl_default_hours: float
    ttl_most_hours: float
    extend_alone_hours: float = Field(description="The longest life that an owner may ask for without an approval.")


class Template(_Answer):
    """What a sandbox can be made after."""

    environment: str
    seeds: list[str]
    feature_flags: dict[str, bool] = Field(description="The feature flags that it knows, and whether they are on by default.")
    approved: bool
    demo: bool


class Environments(_Answer):
    """All environments and templates."""

    environments: dict[str, Environment]
    templates: dict[str, Template]


class Event(_Answer):
    """A row of the audit ledger, without places of the server, which its hash is of too. One that is not `whole` is not what that says."""

    number: int
    at: str
    actor: str
    action: str
    sandbox: str | None
    why: Told
    outcome: ToldThroughout
    bundle_digest: str | None
    details: ToldThroughout
    hash: str
    whole: bool


class Events(_Answer):
    """Some events, the newest first."""

    events: list[Event]
    next: int | None = Field(description="What to ask for the next ones with (`before`); null on the last page.")


class Alive(_Answer):
    """That the service runs."""

    status: Literal["alive"]


class Ready(_Answer):
    """Whether the service can do its work: what of it can be reached."""

    status: Literal["ready", "not ready"]
    failing: list[str] = Field(description="What cannot be reached: `control`, or names of hosts.")


class Violation(_Answer):
    """A rule of the policy that is broken."""

    rule: str
    message: str


class Mistake(_Answer):
    """What is wrong with a request, and where."""

    at: str
    message: str


class Problem(BaseModel):
    """An error (RFC 9457)."""

    type: Annotated[str, Field(description="A URI that names the type of problem.")]
    title: str
    status: int
    detail: str = Field(description="What is wrong, and what to do.")
    instance: str = Field(description="The id of the request, as in the log and the header X-Request-Id.")
    violations: list[Violation] | None = Field(None, description="Of a refusal by policy: every rule that is broken.")
    sandbox: str | None = Field(None, description="The id under which a refusal can be asked about, or of the sandbox in question.")
    errors: list[Mistake] | None = Field(None, description="Of a request that does not fit this document: all that is wrong with it.")


def connected(sandbox: dict[str, Any], url: str | None) -> ConnectedSandbox:
    """Return a sandbox with its URL."""
    return ConnectedSandbox.model_validate({**sandbox, "url": url})
