"""The TPC-H tables as a bundle, over `tpchgen-cli parquet` of the same scale factor.

`python -m benchmarks tpch` alternates `companyos bundle build tpch` and `tpchgen-cli parquet`, each a process from its start to its
end, five times, and prints the medians and their ratio as one JSON line, with the sizes and the compression of both. The tables of
the two have the same columns, types, key ranges and shapes of texts, and not the same values. Ours are digested too (BLAKE3 of every
value, SHA-256 of every file), waited for until they are on the disk, and the same for any number of threads.

`writers_alone` says how long it takes to write the finished tables from memory and do nothing else: by our own writer and, where it
is installed, by Polars (snappy, as tpchgen-cli does), on the same number of threads.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa

import bundles
from benchmarks._processes import Usage, medians, megabytes, run
from bundles.parquet import ChunkFile
from schemas.model import Table

RUNS = 5
GOAL = 0.5
COMPRESSION = {
    "ours": "delta-packed numbers and times, dictionaries with zstd 1, other texts snappy",
    "tpchgen-cli": "dictionaries and plain pages, all snappy (its default)",
}


def writers_alone(bundle: bundles.Bundle, threads: int) -> dict[str, float]:
    """Seconds of wall time to write all tables of a bundle from memory, table by table."""
    writers: dict[str, Callable[[Table, list[pa.RecordBatch]], None]] = {"ours": _write_ours}
    try:
        import polars  # noqa: F401
    except ImportError:
        pass
    else:
        writers["polars"] = _write_polars
    seconds = dict.fromkeys(writers, 0.0)
    for table in bundle.schema.tables:
        batches = list(bundle.table(table.name).batches())
        per = bundle.config.chunk_rows // 65_536
        chunks = [batches[i : i + per] for i in range(0, len(batches), per)]
        for name, write in writers.items():
            started = time.perf_counter()
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(lambda chunk, write=write, table=table: write(table, chunk), chunks))
            seconds[name] += time.perf_counter() - started
    return {name: round(value, 2) for name, value in seconds.items()}


def _write_ours(table: Table, batches: list[pa.RecordBatch]) -> None:
    file = ChunkFile(table, pa.BufferOutputStream())
    for batch in batches:
        file.add(batch)
    file.finish()


def _write_polars(table: Table, batches: list[pa.RecordBatch]) -> None:
    import io

    import polars as pl

    frame = pl.from_arrow(pa.Table.from_batches(batches))
    assert isinstance(frame, pl.DataFrame)
    frame.write_parquet(io.BytesIO(), compression="snappy")


def main(arguments: list[str]) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks tpch", description=__doc__)
    parser.add_argument("--scale", default="1", help="the scale factor")
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args(arguments)
    runs: dict[str, list[Usage]] = {"ours": [], "tpchgen-cli": []}
    sizes: dict[str, float] = {}
    for _ in range(options.runs):
        with tempfile.TemporaryDirectory() as folder:
            store, files = Path(folder, "store"), Path(folder, "files")
            runs["ours"].append(run("companyos", "bundle", "build", "tpch", "--scale", options.scale, "--store", str(store), "--json"))
            runs["tpchgen-cli"].append(run("tpchgen-cli", "parquet", "-s", options.scale, "-q", "--no-progress", "-o", str(files)))
            sizes = {"ours": megabytes(store), "tpchgen-cli": megabytes(files)}
            if len(runs["ours"]) == options.runs:
                bundle = bundles.open("synthetic:latest", store)
                rows = bundle.config.rows
                alone = writers_alone(bundle, os.cpu_count() or 1)
    found = {name: {**medians(of), "megabytes": sizes[name], "compression": COMPRESSION[name]} for name, of in runs.items()}
    mine, theirs = (medians(runs[name]) for name in ("ours", "tpchgen-cli"))
    wall, cpu = (mine[k] / theirs[k] for k in ("wall_seconds", "cpu_seconds"))
    print(
        json.dumps(
            {
                "benchmark": "tpch",
                "rows": rows,
                "ratio": round(wall, 3),
                "goal": GOAL,
                "ratio_of_cpu": round(cpu, 3),
                **found,
                "writers_alone_seconds": alone,
                "cores": os.cpu_count(),
            }
        )
    )
