"""A sandbox as the control database records it."""

from __future__ import annotations

import re
import secrets
from base64 import b32encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import sqlalchemy as sa

from provisioning.control.moments import moment
from provisioning.life.states import State
from schemas.environments import Limits

ID = re.compile(r"sb-[a-z2-7]{10}")
_MOMENTS = ("created_at", "expires_at", "last_use")


@dataclass(frozen=True, slots=True)
class Sandbox:
    """One sandbox: whose, after which template, with which data, in which state, until when and why so.

    `doing` is an operation on a ready sandbox that is under way; `quarantined` says why nobody may use it any more, `failure` what went
    wrong, `receipt` how it came by its data.
    """

    id: str
    owner: str
    template: str
    environment: str
    host: str
    tenant: str | None
    seed: str
    bundle_digest: str
    kind: str
    state: State
    doing: str | None
    flags: Mapping[str, bool]
    guardrails: Mapping[str, Any]
    limits: Limits
    created_at: datetime
    expires_at: datetime
    why_expires: str
    last_use: datetime
    seen_counter: str | None
    quarantined: str | None
    failure: str | None
    receipt: Mapping[str, Any] | None
    worker: str | None
    beat_at: datetime | None

    @classmethod
    def of(cls, row: sa.Row[Any]) -> Sandbox:
        """Return the sandbox of a row of the table `sandboxes`."""
        found = {name: row._mapping[name] for name in cls.__slots__}
        found.update({name: moment(found[name]) for name in _MOMENTS})
        found["beat_at"] = None if row.beat_at is None else moment(row.beat_at)
        found["limits"] = Limits(**row.limits)
        found["state"] = cast(State, row.state)
        return cls(**found)

    def to_json(self) -> dict[str, Any]:
        """Return what people and machines are shown, as plain JSON values."""
        return {
            "id": self.id,
            "owner": self.owner,
            "template": self.template,
            "environment": self.environment,
            "host": self.host,
            "tenant": self.tenant,
            "seed_profile": self.seed,
            "bundle_digest": self.bundle_digest,
            "kind": self.kind,
            "state": self.state,
            "doing": self.doing,
            "feature_flags": dict(self.flags),
            "guardrails": dict(self.guardrails),
            "limits": {
                "connections": self.limits.connections,
                "bytes": self.limits.bytes,
                "statement_seconds": self.limits.statement_seconds,
            },
            "created_at": self.created_at.isoformat(),
            "expires_at": self.expires_at.isoformat(),
            "why_expires": self.why_expires,
            "last_use": self.last_use.isoformat(),
            "quarantined": self.quarantined,
            "failure": self.failure,
            "receipt": None if self.receipt is None else dict(self.receipt),
        }


def new_id() -> str:
    """Return a new id: `sb-` and ten random characters of base32."""
    return f"sb-{b32encode(secrets.token_bytes(7))[:10].decode().lower()}"
