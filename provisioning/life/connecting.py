"""Handing out the address of a sandbox, password included: the ledger says who was given it."""

from __future__ import annotations

from contextlib import suppress

from provisioning.errors import WrongState
from provisioning.life import records
from provisioning.life.admitting import admit_anew, admit_as_recorded
from provisioning.life.heartbeat import at_work
from provisioning.life.platform import Platform
from provisioning.life.sandbox import Sandbox
from schemas.errors import InputError


def connect(platform: Platform, id: str, *, actor: str, rotate: bool = False) -> str:
    """Return the URL to connect to a ready sandbox with, and write down that `actor` was given it.

    `rotate` makes a new password first, as does one that is kept elsewhere. Raises InputError where there is none to rotate,
    NoSuchSandbox, WrongState, TargetFailure.
    """
    with platform.control.read() as connection:
        sandbox = records.find(connection, id)
    _require_open(platform, sandbox)
    host = platform.host(sandbox.host)
    if rotate and host.kind != "postgresql":
        raise InputError(f"{id} is a file of {host.kind}, which has no password to rotate; a reset gives it a new address")
    password = platform.passwords.get(id)
    if host.kind == "postgresql" and (rotate or password is None):
        password = _rotated(platform, sandbox, actor)
    return _given(platform, sandbox, password, actor)


def connect_again(platform: Platform, sandbox: Sandbox, *, actor: str) -> str | None:
    """Do what `connect` does, but return None where nobody can connect, or where the password is kept elsewhere."""
    password = platform.passwords.get(sandbox.id)
    if shut(platform, sandbox) or (platform.host(sandbox.host).kind == "postgresql" and password is None):
        return None
    with suppress(WrongState):  # shut in the meantime
        return _given(platform, sandbox, password, actor)
    return None


def shut(platform: Platform, sandbox: Sandbox) -> str | None:
    """Return the state for which nobody can connect to a sandbox; None where its owner can."""
    if sandbox.quarantined:
        return "quarantined"
    if sandbox.state == "ready":
        return "expired" if platform.now >= sandbox.expires_at else None
    return sandbox.state


def _require_open(platform: Platform, sandbox: Sandbox) -> None:
    state = shut(platform, sandbox)
    if state is not None:
        raise WrongState(f"{sandbox.id} is {state}; nobody can connect to it")


def _rotated(platform: Platform, sandbox: Sandbox, actor: str) -> str | None:
    if sandbox.doing is not None:  # a reset has a password of its own to make, or the old one to come back to
        raise WrongState(f"{sandbox.id} gets no password before that is over: it is {at_work(platform, sandbox)}")
    password = admit_anew(platform, sandbox, sandbox.expires_at)
    with platform.control.write() as connection:
        present = records.find(connection, sandbox.id)
        platform.event(connection, "password rotated", sandbox, actor=actor)
    if present.state != "ready" or present.quarantined or present.expires_at != sandbox.expires_at:
        admit_as_recorded(platform, present)
    if present.state != "ready" or present.quarantined:
        raise WrongState(f"{sandbox.id} was quarantined or removed in the meantime; nobody can connect to it")
    return password


def _given(platform: Platform, sandbox: Sandbox, password: str | None, actor: str) -> str:
    address = platform.host(sandbox.host).address(platform.place(sandbox), password)
    with platform.control.write() as connection:  # before it is given: what cannot be written down is not
        present = records.find(connection, sandbox.id)
        _require_open(platform, present)
        platform.event(connection, "connection given", present, actor=actor)
    return address
