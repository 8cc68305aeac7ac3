"""Programs run as processes of their own, with what they took: wall time, processor time, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True)
class Usage:
    """What one run took: seconds of wall time, of all cores, and the most memory in MiB."""

    wall: float
    cpu: float
    memory: float


def run(program: str, *arguments: str) -> Usage:
    """Run a program of the environment that runs this; raises CalledProcessError where it fails.

    Its modules are compiled once and for all, as those of an installed program are, where the environment would have it done in
    every run.
    """
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Usage(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def medians(runs: list[Usage]) -> dict[str, float]:
    """The medians of some runs, rounded."""
    return {
        "wall_seconds": round(median(r.wall for r in runs), 2),
        "cpu_seconds": round(median(r.cpu for r in runs), 2),
        "peak_mib": round(max(r.memory for r in runs)),
    }


def megabytes(folder: Path) -> float:
    """How much all files below a folder hold."""
    return round(sum(p.stat().st_size for p in folder.rglob("*") if p.is_file()) / 1e6, 1)
