"""Who works on a sandbox, and whether they still live."""

from __future__ import annotations

import os
import socket
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path

PATIENCE = timedelta(minutes=15)  # how long a worker on another machine may be silent
BEAT = timedelta(minutes=1)


def me() -> str:
    """Return this process: machine, namespace of process numbers, number and start."""
    return f"{_machine()} {os.getpid()} {_start(os.getpid())}"


def is_gone(worker: str | None, beat_at: datetime | None, now: datetime) -> bool:
    """Whether a worker is gone: on this machine the process is looked up, on another one it is its silence that tells."""
    if worker is None:
        return True
    machine, _, rest = worker.partition(" ")
    number, _, start = rest.partition(" ")
    if machine == _machine() and number.isdigit():
        return _start(int(number)) != start or not start
    return beat_at is None or now - beat_at > PATIENCE


def _machine() -> str:
    namespace = ""
    with suppress(OSError):
        namespace = os.readlink("/proc/self/ns/pid").strip("pid:[]")
    return f"{socket.gethostname()}/{namespace}"


def _start(number: int) -> str:
    """When a process started, as the system counts; empty where there is no such process, `alive` where the system does not tell."""
    with suppress(OSError, IndexError):
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[19]
    if Path("/proc/self/stat").exists():
        return ""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "alive"
