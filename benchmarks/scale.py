"""How the cost of the built-in company grows: its bundle at scale 1, 10 and, with `--full`, 100.

`python -m benchmarks scale` builds each as a process of its own and prints one JSON line: rows, seconds of wall and of processor time,
seconds for a million rows, and the most memory in MiB.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import bundles
from benchmarks._processes import megabytes, run

SCALES = ("1", "10")
GOALS = {"seconds_per_million_rows": 1.0, "peak_mib": 1536}


def measured(schema: str, scale: str) -> dict[str, Any]:
    """Build the bundle of a schema at one scale."""
    with tempfile.TemporaryDirectory() as folder:
        usage = run("companyos", "bundle", "build", schema, "--scale", scale, "--store", folder, "--json")
        store = bundles.Store(folder)
        rows = store.list()[0].rows
        return {
            "scale": float(scale),
            "rows": rows,
            "seconds": round(usage.wall, 2),
            "cpu_seconds": round(usage.cpu, 2),
            "seconds_per_million_rows": round(usage.wall / rows * 1e6, 3),
            "cpu_seconds_per_million_rows": round(usage.cpu / rows * 1e6, 3),
            "peak_mib": round(usage.memory),
            "megabytes": megabytes(Path(folder)),
        }


def main(arguments: list[str]) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks scale", description=__doc__)
    parser.add_argument("--full", action="store_true", help="scale 100 too")
    parser.add_argument("--schema", default="companyos")
    options = parser.parse_args(arguments)
    found = [measured(options.schema, scale) for scale in (*SCALES, *(("100",) if options.full else ()))]
    print(json.dumps({"benchmark": "scale", "schema": options.schema, "goals": GOALS, "cores": os.cpu_count(), "runs": found}))
