"""Hosts of sandboxes by what the environments' file says of them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from provisioning.apart import Run, here
from provisioning.control.moments import utc_now
from provisioning.hosts.base import SandboxHost
from schemas.environments import Host


def open_host(host: Host, *, control: str, clock: Callable[[], datetime] = utc_now, run: Run = here) -> SandboxHost:
    """Return a host, on behalf of the control database with the id `control`; it is reached only when it is used.

    `run` says where work with PostgreSQL's driver for Arrow is done.

    Raises InputError where the environment variable with its URL is not set or cannot be read, or the driver is not installed.
    """
    if host.kind == "postgresql":
        from provisioning.hosts.postgresql import PostgreSQLHost

        return PostgreSQLHost(host, control=control, clock=clock, run=run)
    from provisioning.hosts.files import FileHost

    return FileHost(host, control=control, clock=clock)
