"""Masking a database into a bundle, over the same copy with nothing masked; and keyed hashes over polars-hash alone.

`python -m benchmarks mask` starts a PostgreSQL server with 1.5 million people of ten columns and alternates three runs: a bundle of
them as they are (every column kept), one with six transformers at work, and one with the same six and the proof: every personal
value taken down first and looked for in every masked row. It prints medians of the runs and their ratios to the copy, then the
rate of `hash` over that of `polars-hash` on a million e-mail addresses, as one JSON line.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
import pyarrow as pa

import bundles
import provisioning
from benchmarks.load import server
from masking.keys import read_key
from masking.masked import MaskedSource
from masking.policy.reader import parse_policy
from masking.source import open_source
from schemas.model import Column, Rows, Schema, Table
from schemas.types import SqlType

RUNS = 3
PEOPLE = 1_500_000
HASHED = 1_000_000
GOAL, GOAL_OF_HASH = 1.6, 0.7
SIX = {
    "id": ("direct", "{hash: {form: integer}}"),
    "email": ("direct", "email"),
    "name": ("direct", "name"),
    "phone": ("direct", "phone"),
    "born_on": ("quasi", "{shift: {days: 60}}"),
    "salary": ("sensitive", "{noise: {spread: 0.1}}"),
}
OTHERS = ("city", "plan", "visits", "joined_at")


def people(rows: int) -> Schema:
    """The one table."""
    types = ("bigint", "text", "text", "text", "date", "numeric", "text", "text", "integer", "timestamptz")
    columns = [
        Column(name, SqlType(kind, 12, 2) if kind == "numeric" else SqlType(kind))
        for name, kind in zip((*SIX, *OTHERS), types, strict=True)
    ]
    return Schema("mask_benchmark", (Table("people", tuple(columns), Rows(rows), key=("id",)),))


@dataclass
class People:
    """The rows of `people`, from a fixed stream of bits."""

    schema: Schema
    kind: str = "synthetic"
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def read(self, table: str) -> pa.RecordBatchReader:
        found = self.schema.table(table)
        return pa.RecordBatchReader.from_batches(found.arrow, self._batches(found))

    def _batches(self, table: Table) -> Iterator[pa.RecordBatch]:
        bits, count, step = np.random.default_rng(7), table.rows.count or 0, 65_536
        first = np.array(["anna", "ben", "carla", "dmitri", "emma", "farid", "greta", "hugo"])
        last = np.array(["meyer", "smith", "garcia", "rossi", "novak", "dubois", "jansen", "silva"])
        for start in range(0, count, step):
            n = min(step, count - start)
            ids = np.arange(start + 1, start + n + 1)
            given, family = first[bits.integers(0, 8, n)], last[bits.integers(0, 8, n)]
            salaries = np.zeros((n, 2), np.int64)
            salaries[:, 0] = bits.integers(1_500_000, 20_000_000, n)
            arrays = [
                pa.array(ids),
                pa.array([f"{a}.{b}{i}@mail{i % 97}.test" for a, b, i in zip(given, family, ids, strict=True)]),
                pa.array([f"{a.title()} {b.title()}son {i % 9_973}" for a, b, i in zip(given, family, ids, strict=True)]),
                pa.array([f"+4915{i:09d}" for i in bits.integers(10**8, 10**9, n)]),
                pa.array(bits.integers(-10_000, 13_000, n).astype(np.int32)).cast(pa.date32()),
                pa.Array.from_buffers(pa.decimal128(12, 2), n, [None, pa.py_buffer(salaries)]),
                pa.array(np.array(["Berlin", "Paris", "Roma", "Madrid", "Praha"])[bits.integers(0, 5, n)]),
                pa.array(np.array(["free", "pro", "team"])[bits.integers(0, 3, n)]),
                pa.array(bits.integers(0, 1000, n).astype(np.int32)),
                pa.array(bits.integers(1_500_000_000, 1_700_000_000, n) * 1_000_000).cast(pa.timestamp("us", "UTC")),
            ]
            yield pa.RecordBatch.from_arrays(arrays, schema=table.arrow)


def policy(masked: bool, proved: bool) -> str:
    """A policy with six transformers or none; what is not personal is not looked for afterwards."""
    lines = ["policy: mask_benchmark", "tables:", "  people:", "    subject: id", "    columns:"]
    for name, (klass, mask) in SIX.items():
        lines.append(f"      {name}: {{class: {klass if proved else 'public'}, mask: {mask if masked else 'keep'}}}")
    return "\n".join([*lines, *(f"      {name}: {{class: public, mask: keep}}" for name in OTHERS)])


def run(url: str, text: str) -> float:
    """Seconds of one `mask run` into an empty store."""
    with tempfile.TemporaryDirectory() as store:
        started = time.perf_counter()
        with open_source(url) as source:
            masked = MaskedSource(source, parse_policy(text), read_key("ephemeral"))
            masked.prepare()
            bundles.build(masked, store=store)
        return time.perf_counter() - started


def hashing() -> dict[str, float]:
    """Values a second of `hash` and of polars-hash alone, alternating."""
    import polars
    import polars_hash  # noqa: F401

    from masking.transformers.base import Context, Rows
    from masking.transformers.registry import transformer

    emails = pa.array([f"person.{i * 7919 % HASHED}@mail{i % 97}.test" for i in range(HASHED)])
    schema = people(1)
    context = Context(schema, schema.tables[0], Column("email", SqlType("text")), read_key("ephemeral"), "email")
    ours = transformer("hash", {"form": "hex"}, "email").bind(context)
    series = polars.Series("emails", emails).to_frame()
    rows = Rows({"email": emails}, len(emails))
    calls: dict[str, Callable[[], Any]] = {
        "ours": lambda: ours.apply(emails, rows),
        "polars_hash": lambda: series.select(polars.col("emails").chash.hmac_sha256(key="00" * 32)),  # type: ignore[attr-defined]
    }
    found: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(5):
        for name, call in calls.items():
            started = time.perf_counter()
            call()
            found[name].append(HASHED / (time.perf_counter() - started))
    return {name: median(rates) for name, rates in found.items()}


def main(arguments: list[str]) -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks mask", description=__doc__)
    parser.add_argument("--rows", type=int, default=PEOPLE)
    parser.add_argument("--runs", type=int, default=RUNS)
    options = parser.parse_args(arguments)
    policies = {"copy": policy(False, False), "masked": policy(True, False), "masked_and_proved": policy(True, True)}
    found: dict[str, list[float]] = {name: [] for name in policies}
    with tempfile.TemporaryDirectory() as store, server() as (url, _):
        provisioning.load(bundles.build(People(people(options.rows)), store=store), url)
        for _ in range(options.runs):
            for name, text in policies.items():
                found[name].append(run(url, text))
    seconds = {name: median(times) for name, times in found.items()}
    rates = hashing()
    print(
        json.dumps(
            {
                "benchmark": "mask",
                "rows": options.rows,
                "ratio": round(seconds["masked"] / seconds["copy"], 3),
                "ratio_with_proof": round(seconds["masked_and_proved"] / seconds["copy"], 3),
                "goal": GOAL,
                "ratio_of_hash": round(rates["ours"] / rates["polars_hash"], 3),
                "goal_of_hash": GOAL_OF_HASH,
                "seconds": {name: round(value, 2) for name, value in seconds.items()},
                "hashes_a_second": {name: round(rate) for name, rate in rates.items()},
            }
        )
    )
