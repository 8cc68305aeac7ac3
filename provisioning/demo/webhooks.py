"""The webhooks that visitors of a demo register: stubs that nothing is sent to, and that a reset purges."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from provisioning.control.moments import stamp
from provisioning.control.tables import webhooks
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox
from schemas.errors import InputError

MOST = 100  # of one tenant
LONGEST = 2_000  # characters of an address


@dataclass(frozen=True, slots=True)
class Registered:
    """A webhook that was registered: its id, where it points and which event it is for."""

    id: str
    url: str
    event: str
    created_at: str

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {"id": self.id, "url": self.url, "event": self.event, "created_at": self.created_at}


def register(platform: Platform, sandbox: Sandbox, url: str, event: str, *, actor: str) -> Registered:
    """Register a webhook with a sandbox; InputError for what is no HTTP address without a password, and for too many."""
    try:
        parts = urlsplit(url)
        fits = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and len(url) <= LONGEST
    except ValueError:  # what looks like an IPv6 address, and is none
        fits = False
    if not fits:
        raise InputError(f"a webhook is an http:// or https:// address of at most {LONGEST} characters, without a user or password in it")
    if not event.strip() or len(event) > 100:
        raise InputError("a webhook is for an event, such as invoice.paid")
    made = Registered(f"wh-{secrets.token_hex(6)}", url, event.strip(), stamp(platform.now))
    with platform.control.write() as connection:
        if (connection.scalar(sa.select(sa.func.count()).where(webhooks.c.sandbox == sandbox.id)) or 0) >= MOST:
            raise InputError(f"{sandbox.id} has {MOST} webhooks already")
        connection.execute(webhooks.insert().values(**made.to_json(), sandbox=sandbox.id))
        platform.event(connection, "webhook registered", sandbox, actor=actor, details={"event": made.event})
    return made


def registered(platform: Platform, sandbox: Sandbox) -> list[Registered]:
    """Return the webhooks of a sandbox, the oldest first."""
    with platform.control.read() as connection:
        rows = connection.execute(
            sa.select(webhooks).where(webhooks.c.sandbox == sandbox.id).order_by(webhooks.c.created_at, webhooks.c.id)
        )
        return [Registered(row.id, row.url, row.event, row.created_at) for row in rows]
