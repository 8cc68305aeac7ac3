"""Why a sandbox is as it is, and what becomes of it when."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from provisioning.control.tables import events, recalls
from provisioning.errors import NoSuchSandbox
from provisioning.life import records
from provisioning.life.heartbeat import at_work
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox
from provisioning.life.sweeping import used
from schemas.errors import CompanyOSError


@dataclass(frozen=True, slots=True)
class Reasons:
    """What can be said of one sandbox: in one word, what goes next and when (None: nothing, by itself), and the reasons in sentences.

    `verdict` is `refused`, `being made`, `kept`, `idle`, `about to go`, `quarantined`, `going`, `gone` or `failed`.
    """

    id: str
    verdict: str
    next: str | None
    at: datetime | None
    reasons: tuple[str, ...]
    history: tuple[Mapping[str, Any], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "id": self.id,
            "verdict": self.verdict,
            "next": self.next,
            "at": None if self.at is None else self.at.isoformat(),
            "reasons": list(self.reasons),
            "history": [dict(h) for h in self.history],
        }


def reasons(platform: Platform, id: str) -> Reasons:
    """Return why the sandbox with this id, or the request that was refused under it, is as it is; NoSuchSandbox."""
    with platform.control.read() as connection:
        history = _history(connection, id)
        try:
            sandbox = records.find(connection, id)
        except NoSuchSandbox:
            refused = next((h for h in history if h["action"] == "refused"), None)
            if refused is None:
                raise
            broken = [f"{v['rule']}: {v['message']}" for v in refused["outcome"].get("violations", [])]
            return Reasons(id, "refused", None, None, tuple(broken), history)
        recalled = connection.execute(sa.select(recalls).where(recalls.c.bundle_digest == sandbox.bundle_digest)).first()
    told, verdict, following, at = _told(platform, sandbox)
    if recalled is not None and sandbox.state != "deleted":
        told.append(f"its bundle was recalled on {recalled.at[:10]}: {recalled.why}")
    return Reasons(id, verdict, following, at, tuple(told), history)


def _told(platform: Platform, sandbox: Sandbox) -> tuple[list[str], str, str | None, datetime | None]:
    now = platform.now
    match sandbox.state:
        case "requested" | "provisioning":
            told = [f"it is being made since {_at(sandbox.created_at)}", f"it is {at_work(platform, sandbox)}"]
            return told, "being made", "ready, or undone by reconcile", None
        case "failed":
            return [f"it could not be made, or was lost: {sandbox.failure}"], "failed", None, None
        case "deleted":
            return ["it is gone, with its database, role, password and files"], "gone", None, None
        case "expired" | "deleting":
            return [f"its time was over at {_at(sandbox.expires_at)}, or somebody deleted it"], "going", "deleted by the next sweep", now
        case _:
            return _ready(platform, sandbox, now)


def _ready(platform: Platform, sandbox: Sandbox, now: datetime) -> tuple[list[str], str, str | None, datetime | None]:
    told = [f"it may live until {_at(sandbox.expires_at)}: {sandbox.why_expires}"]
    if sandbox.doing is not None:
        told.append(f"it is {at_work(platform, sandbox)}")
    if sandbox.quarantined:
        told.append(f"nobody may use it: {sandbox.quarantined}")
        return told, "quarantined", "deleted by the first sweep after its time", sandbox.expires_at
    if now >= sandbox.expires_at:
        told.append("its time is over")
        return told, "about to go", "deleted by the next sweep", now
    try:
        if platform.host(sandbox.host).restricted(platform.place(sandbox)):
            told.append(f"it may only be read, as it took more than its {sandbox.limits.bytes:,} bytes when the last sweep came")
        last, _ = used(platform, sandbox)
    except CompanyOSError as error:
        told.append(f"when it was last used cannot be asked: {error}")
        return told, "out of reach", "deleted by the first sweep after its time", sandbox.expires_at
    idle = platform.environments.idle
    hours = idle.total_seconds() / 3600
    told.append(f"its database was last used at {_at(last)}")
    if sandbox.tenant is not None:
        told.append(f"it serves the demo tenant {sandbox.tenant}, so that idleness does not end it")
        return told, "kept", "deleted by the first sweep after its time", sandbox.expires_at
    if sandbox.guardrails.get("delete_protection"):
        told.append("people delete it with --force and a reason only")
    if now - last > idle:
        told.append(f"nobody used it for more than {hours:g} h")
        return told, "idle", "deleted by the next sweep", now
    ends = last + idle
    if ends < sandbox.expires_at:
        return told, "kept", f"deleted by the first sweep after {hours:g} h without use", ends
    return told, "kept", "deleted by the first sweep after its time", sandbox.expires_at


def _history(connection: sa.Connection, id: str) -> tuple[Mapping[str, Any], ...]:
    rows = connection.execute(sa.select(events).where(events.c.sandbox == id).order_by(events.c.number.desc()).limit(200)).all()
    return tuple({"at": r.at, "action": r.action, "actor": r.actor, "why": r.why, "outcome": json.loads(r.outcome)} for r in reversed(rows))


def _at(when: datetime) -> str:
    return when.strftime("%Y-%m-%d %H:%M UTC")
