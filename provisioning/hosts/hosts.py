"""The hosts of an environments' file, each opened when it is first used."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from provisioning.apart import Run, here
from provisioning.control.moments import utc_now
from provisioning.hosts.base import SandboxHost
from provisioning.hosts.opening import open_host
from schemas.environments import Host


class Hosts(Mapping[str, SandboxHost]):
    """Hosts by name, on behalf of the control database with the id `control`; those without a folder of their own are below `folder`."""

    def __init__(
        self, hosts: Mapping[str, Host], folder: Path, *, control: str, clock: Callable[[], datetime] = utc_now, run: Run = here
    ) -> None:
        self._known = {name: replace(host, folder=host.folder or str(folder / name)) for name, host in hosts.items()}
        self._control, self._clock, self._run = control, clock, run
        self._opened: dict[str, SandboxHost] = {}

    def __getitem__(self, name: str) -> SandboxHost:
        """Return a host; KeyError for one that nobody knows, InputError where the variable with its URL is not set."""
        if name not in self._opened:
            self._opened[name] = open_host(self._known[name], control=self._control, clock=self._clock, run=self._run)
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def reachable(self) -> list[str]:
        """Return the names of the hosts that can be opened here: the folders, and the servers whose variable is set."""
        return [name for name, host in self._known.items() if host.url_from is None or os.environ.get(host.url_from)]
