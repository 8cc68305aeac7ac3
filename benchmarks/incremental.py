"""An incremental build beside the building of the one table that changed.

`python -m benchmarks incremental` changes one column of one of the 25 tables of the built-in company and compares, alternating:

- `incremental`: the schema is planned and its bundle built, in a store that holds the former version;
- `alone`: the same schema is planned, and a bundle built in an empty store of that table only: its rows made, encoded, digested
  and held against its checks by the same code;
- `full`: the schema is planned and its bundle built in an empty store.

Every run changes the column to something that the store has not seen. One JSON line: of each table the medians of the wall time
and of the processor's time, in seconds, and the ratios of `incremental` to `alone`, with and without the time of planning, which
both need; `ratio` is the largest of the ratios with it.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow as pa

import bundles
import datagen
from benchmarks.stability import company, with_column
from datagen import SyntheticSource
from schemas.model import Rows, Schema

GOAL = 1.5
RUNS = 9
COLUMNS = (("support_tickets", "satisfaction"), ("users", "job_title"), ("audit_events", "ip"))


class OneTable:
    """One table of a source, without what it references."""

    kind = "synthetic"

    def __init__(self, source: SyntheticSource, table: str) -> None:
        self._source = source
        alone = replace(source.schema.table(table), foreign_keys=(), rows=Rows(source.row_count(table)))
        self.schema = replace(source.schema, tables=(alone,), privacy=None, scenarios={})

    @property
    def provenance(self) -> Mapping[str, Any]:
        """Nothing."""
        return {}

    def read(self, table: str) -> pa.RecordBatchReader:
        """All rows."""
        return self._source.read(table)

    def row_count(self, table: str) -> int:
        """How many rows there are."""
        return self._source.row_count(table)

    def read_rows(self, table: str, start: int, stop: int) -> pa.RecordBatch:
        """Some of the rows."""
        return self._source.read_rows(table, start, stop)

    def has_canonical_json(self, table: str, column: str) -> bool:
        """Whether a json column has canonical texts by construction."""
        return self._source.has_canonical_json(table, column)


def edited(table: str, column: str, run: int) -> Schema:
    """The company with another share of nulls in one column."""
    return with_column(company(), table, column, lambda c: replace(c, null=0.1 + 0.01 * (run + 1)))


def timed(schema: Schema, scale: float, table: str | None, store: Path) -> dict[str, float]:
    """The seconds of planning and of building the whole schema, or one table of it."""
    wall, busy = time.perf_counter(), time.process_time()
    source = datagen.source(schema, scale=scale)
    planned = time.perf_counter() - wall
    bundles.build(source if table is None else OneTable(source, table), store=store, tag="company:next")
    return {"wall": time.perf_counter() - wall, "cpu": time.process_time() - busy, "plan": planned}


def compare(table: str, column: str, scale: float, runs: int, former: Path) -> dict[str, Any]:
    """The medians of all ways, and their ratios."""
    found: dict[str, list[dict[str, float]]] = {"incremental": [], "alone": [], "full": []}
    for run in range(runs + 1):
        for way in found:
            with tempfile.TemporaryDirectory() as empty:
                store = former if way == "incremental" else Path(empty)
                seconds = timed(edited(table, column, run), scale, table if way == "alone" else None, store)
            if run:  # the first warms up
                found[way].append(seconds)
    medians = {way: {what: median(r[what] for r in rows) for what in rows[0]} for way, rows in found.items()}
    ours, alone = medians["incremental"], medians["alone"]
    return {
        "column": f"{table}.{column}",
        "ratio": round(ours["wall"] / alone["wall"], 2),
        "ratio_of_cpu": round(ours["cpu"] / alone["cpu"], 2),
        "ratio_without_planning": round((ours["wall"] - ours["plan"]) / (alone["wall"] - alone["plan"]), 2),
        "seconds": {way: {what: round(value, 3) for what, value in row.items()} for way, row in medians.items()},
    }


def main(arguments: list[str]) -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks incremental", description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as former:
        bundles.build(datagen.source(company(), scale=options.scale), store=former, tag="company:v1")
        rows = [compare(table, column, options.scale, options.runs, Path(former)) for table, column in COLUMNS]
    ratio = max(row["ratio"] for row in rows)
    tables = len(company().tables)
    print(json.dumps({"benchmark": "incremental", "scale": options.scale, "tables": tables, "ratio": ratio, "goal": GOAL, "columns": rows}))
    sys.exit(1 if ratio > GOAL else 0)
