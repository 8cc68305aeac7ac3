"""Sandboxes on PostgreSQL, over the server's own `CREATE DATABASE ... TEMPLATE` of the same data.

`python -m benchmarks sandbox` builds the built-in company with a million rows, starts a server and alternates the two: a whole warm
create as the command line does it (policy, record, copy, rows counted within, owner, marker, flags, role, password, two audit events),
and the server's bare copy of the template, once with the strategy that the server takes by itself and once with the one that we choose.
Both sides begin with a checkpoint behind them. Then 8 processes make 100 sandboxes of a small bundle at once, and a sweep after their
time removes all. It prints one JSON line: medians in seconds and their ratio, errors, and how many databases and roles are left.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

import bundles
import datagen
from benchmarks.load import server
from provisioning.control.moments import utc_now
from provisioning.life.sandboxes import Sandboxes, open_sandboxes
from schemas.ddl_names import quoted
from schemas.errors import CompanyOSError

RUNS = 7
CLIENTS = 8
SANDBOXES = 100
SCALE = 1.0
GOAL = 1.5
OWNER = "owner@company.com"
URL = "COMPANYOS_BENCHMARK_SERVER"
ENVIRONMENTS = f"""
environments:
  dev: {{classes: {{synthetic: 0}}, quota: {10 * SANDBOXES}, ttl: {{default: 72h, most: 14d}}}}
hosts:
  server: {{kind: postgresql, url_from: {URL}}}
templates:
  plain:
    environment: dev
    host: server
    seeds: ["synthetic:*"]
    flags: {{onboarding: true, async-billing: false}}
    approved: {{infrastructure: platform@company.com, data: privacy@company.com}}
owners:
  "*@company.com": [engineering]
"""
LATER = timedelta(days=60)  # past the time of all sandboxes, and of templates that nobody copied since


@contextmanager
def opened(folder: Path, clock: Callable[[], datetime] = utc_now) -> Iterator[Sandboxes]:
    """The sandboxes of the control database in a folder, with the bundles in its folder `store`."""
    policies = folder / "environments.yaml"
    if not policies.exists():
        policies.write_text(ENVIRONMENTS)
    with open_sandboxes(environments=policies, store=folder / "store", home=folder, clock=clock) as sandboxes:
        yield sandboxes


def create(sandboxes: Sandboxes, seed: str) -> str:
    """Make a sandbox and return its id."""
    return sandboxes.create(sandboxes.who(OWNER), template="plain", seed=seed, actor=OWNER).sandbox.id


def client(folder: str, seed: str, count: int) -> list[str]:
    """Make sandboxes one after the other, as one of many clients; return the errors."""
    errors = []
    with opened(Path(folder)) as sandboxes:
        for _ in range(count):
            try:
                create(sandboxes, seed)
            except CompanyOSError as error:
                errors.append(str(error))
    return errors


def bare(url: str, template: str, strategy: str) -> float:
    """Seconds of the server's own copy."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        connection.execute(f"CREATE DATABASE bare TEMPLATE {quoted(template)} {strategy}".encode())
        seconds = time.perf_counter() - started
        connection.execute("DROP DATABASE bare")
    return seconds


def ours(url: str, sandboxes: Sandboxes, seed: str) -> float:
    """Seconds of a whole create."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    started = time.perf_counter()
    made = create(sandboxes, seed)
    seconds = time.perf_counter() - started
    sandboxes.delete(made, actor=OWNER)
    return seconds


def warm(url: str, folder: Path, seed: str, runs: int) -> dict[str, Any]:
    """Compare a warm create with bare copies, alternating."""
    found: dict[str, list[float]] = {"ours": [], "bare": [], "bare_with_our_strategy": []}
    with opened(folder) as sandboxes:
        started = time.perf_counter()
        create(sandboxes, seed)
        cold = time.perf_counter() - started
        [(template, strategy)] = [
            (f.name, _strategy(sandboxes, seed)) for f in sandboxes.platform.host("server").found() if f.what == "template"
        ]
        for _ in range(runs):
            found["bare"].append(bare(url, template, ""))
            found["ours"].append(ours(url, sandboxes, seed))
            found["bare_with_our_strategy"].append(bare(url, template, strategy))
    seconds = {name: median(values) for name, values in found.items()}
    return {
        "ratio": round(seconds["ours"] / seconds["bare"], 3),
        "ratio_to_our_strategy": round(seconds["ours"] / seconds["bare_with_our_strategy"], 3),
        "goal": GOAL,
        "strategy": strategy,
        "cold_seconds": round(cold, 2),
        "seconds": {name: round(value, 3) for name, value in seconds.items()},
    }


def _strategy(sandboxes: Sandboxes, seed: str) -> str:
    """The strategy of a warm create, in the words of CREATE DATABASE."""
    receipt = sandboxes.show(create(sandboxes, seed)).receipt or {}
    return f"STRATEGY {'WAL_LOG' if receipt.get('strategy') == 'wal_log' else 'FILE_COPY'}"


def crowd(folder: Path, seed: str, clients: int, count: int) -> dict[str, Any]:
    """Have clients make sandboxes at once, each a process."""
    shares = [count // clients + (n < count % clients) for n in range(clients)]
    with ProcessPoolExecutor(clients, mp_context=get_context("spawn")) as pool:
        started = time.perf_counter()
        errors = [e for found in pool.map(client, [str(folder)] * clients, [seed] * clients, shares) for e in found]
        seconds = time.perf_counter() - started
    return {"sandboxes": count, "clients": clients, "seconds": round(seconds, 1), "errors": len(errors), "first_errors": errors[:3]}


def sweep(url: str, folder: Path) -> dict[str, Any]:
    """Sweep when all time is over, and count what the server still has."""
    import psycopg

    with opened(folder, lambda: utc_now() + LATER) as sandboxes:
        started = time.perf_counter()
        swept = sandboxes.sweep(actor=OWNER)
        seconds = time.perf_counter() - started
    with psycopg.connect(url) as connection:
        [(databases, roles)] = connection.execute(
            "SELECT (SELECT count(*) FROM pg_database WHERE datname LIKE 'companyos%'), "
            "(SELECT count(*) FROM pg_roles WHERE rolname LIKE 'companyos%')"
        ).fetchall()
    return {
        "removed": len(swept.expired) + len(swept.idle),
        "seconds": round(seconds, 1),
        "errors": len(swept.errors),
        "databases_left": databases,
        "roles_left": roles,
    }


def main(arguments: list[str]) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks sandbox", description=__doc__)
    parser.add_argument("--scale", type=float, default=SCALE, help="of the built-in company")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--sandboxes", type=int, default=SANDBOXES, help="that the clients make at once")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as kept, server() as (url, _):
        folder = Path(kept)
        os.environ[URL] = url
        large = bundles.build(datagen.source("companyos", scale=options.scale), store=folder / "store", tag="synthetic:large")
        bundles.build(datagen.source("companyos", scale=options.scale / 100), store=folder / "store", tag="synthetic:small")
        found = {
            "benchmark": "sandbox",
            "rows": sum(t.rows for t in large.tables.values()),
            "warm": warm(url, folder, "synthetic:large", options.runs),
            "crowd": crowd(folder, "synthetic:small", options.clients, options.sandboxes),
            "sweep": sweep(url, folder),
        }
    print(json.dumps(found))
