"""Hosts of sandboxes by what the environments' file says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from provisioning.control.moments import utc_now
from provisioning.hosts.base import SandboxHost
from schemas.environments import Host


def open_host(host: Host, *, control: str, clock: Callable[[], datetime] = utc_now) -> SandboxHost:
    """Return a host, on behalf of the control database with the id `control`; it is reached only when it is used.

    Raises InputError where the environment variable with its URL is not set or cannot be read, or the driver is not installed.
    """
    if host.kind == "postgresql":
        from provisioning.hosts.postgresql import PostgreSQLHost

        return PostgreSQLHost(host, control=control, clock=clock)
    from provisioning.hosts.files import FileHost

    return FileHost(host, control=control, clock=clock)
