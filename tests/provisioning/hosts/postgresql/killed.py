"""Makes a sandbox and is killed while its template is loaded: `killed.py STORE REFERENCE CONTROL SANDBOX`."""

from __future__ import annotations

import os
import signal
import sys

import bundles
from provisioning.hosts.opening import open_host
from schemas.environments import Host, Limits


def die(progress: bundles.Progress) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    store, reference, control, sandbox = sys.argv[1:]
    host = open_host(Host("server", "postgresql", url_from="SANDBOX_SERVER_URL"), control=control)
    host.seed(host.place(sandbox), bundles.open(reference, store), limits=Limits(), on_progress=die)
