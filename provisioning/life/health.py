"""Whether what sandboxes stand on is there, and how many there are: for who watches over a service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from provisioning.control.tables import sandboxes
from provisioning.life.platform import Platform
from provisioning.life.states import STATES
from provisioning.life.sweeping import last_sweep
from schemas.errors import CompanyOSError

_NOBODY = "sb-aaaaaaaaaa"


@dataclass(frozen=True, slots=True)
class Figures:
    """How many sandboxes are in each state, and of the sweeps: when the last one began, when the last whole one ended, its errors."""

    by_state: Mapping[str, int]
    sweep_began: datetime | None
    sweep_ended: datetime | None
    sweep_errors: int


def figures(platform: Platform) -> Figures:
    """Return what the control database says; ControlFailure."""
    with platform.control.read() as connection:
        rows = connection.execute(sa.select(sandboxes.c.state, sa.func.count()).group_by(sandboxes.c.state))
        counted = {row.state: row[1] for row in rows}
        began, ended, errors = last_sweep(connection, platform.now)
    return Figures({state: counted.get(state, 0) for state in STATES}, began, ended, errors)


def unreachable(platform: Platform) -> Mapping[str, str]:
    """Return what cannot be reached and why: `control`, and hosts by name, those of files and those on which a sandbox lives."""
    failed: dict[str, str] = {}
    try:
        with platform.control.read() as connection:
            used = set(connection.scalars(sa.select(sandboxes.c.host).where(sandboxes.c.state != "deleted").distinct()))
    except CompanyOSError as error:
        return {"control": str(error)}
    for name in sorted(used | set(platform.hosts.reachable())):
        try:
            host = platform.host(name)
            host.marker(host.place(_NOBODY))
        except CompanyOSError as error:
            failed[name] = str(error)
    return failed
