"""Letting the owner of a sandbox in, whatever others do with it in the meantime."""

from __future__ import annotations

from datetime import datetime

from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox


def admit_anew(platform: Platform, sandbox: Sandbox, until: datetime) -> str | None:
    """Make a new password, let the owner in with it until then, and return it; None where the host has no passwords.

    Of two that do so at once the password that was kept last prevails, on the host too: who finds another one there takes that.
    """
    host, place = platform.host(sandbox.host), platform.place(sandbox)
    password = platform.passwords.make(sandbox.id) if host.kind == "postgresql" else None
    platform.on_step("password made")
    host.admit(place, password, until, sandbox.limits)
    while password is not None and (kept := platform.passwords.get(sandbox.id)) not in (None, password):
        password = kept
        host.admit(place, password, until, sandbox.limits)
    platform.on_step("admitted")
    return password


def admit_as_recorded(platform: Platform, sandbox: Sandbox) -> None:
    """Let the owner in, or keep them out, as the record says; what is being worked on is left to who does so."""
    host, place = platform.host(sandbox.host), platform.place(sandbox)
    if sandbox.state != "ready" or sandbox.quarantined:
        host.shut(place)
    elif sandbox.doing is None:
        host.admit(place, None, sandbox.expires_at, sandbox.limits)
