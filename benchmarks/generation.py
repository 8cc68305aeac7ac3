"""Eight columns of people data: ours beside Faker and Mimesis, in rows a second, in one run.

`python -m benchmarks generation` prints one JSON line: medians of five alternated runs, and our ratio to each peer.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

import datagen
from schemas.reader import parse_schema

RUNS = 5
PEER_ROWS = 2_000
OUR_ROWS = 1 << 20
BLOCK = 65_536

SCHEMA = f"""schema: people
seed: 1
anchor: 2026-01-01T00:00:00Z
tables:
  people:
    rows: {OUR_ROWS}
    columns:
      id:      {{type: uuid, key: true}}
      name:    {{type: text, generate: person.name}}
      email:   {{type: text, generate: person.email}}
      phone:   {{type: text, generate: phone.number}}
      street:  {{type: text, generate: address.street}}
      city:    {{type: text, generate: address.city}}
      company: {{type: text, generate: company.name}}
      at:      {{type: timestamptz, generate: {{between: [-1y, now]}}}}
"""


def with_faker() -> int:
    """Make rows with one Faker call a cell."""
    from faker import Faker

    fake = Faker("en_US")
    for _ in range(PEER_ROWS):
        (fake.uuid4(), fake.name(), fake.email(), fake.phone_number(), fake.street_address(), fake.city(), fake.company(), fake.date_time())
    return PEER_ROWS


def with_mimesis() -> int:
    """Make rows with one Mimesis call a cell."""
    from mimesis import Generic
    from mimesis.locales import Locale

    made = Generic(Locale.EN)
    person, address = made.person, made.address
    for _ in range(PEER_ROWS * 10):
        (
            made.cryptographic.uuid(), person.full_name(), person.email(), person.phone_number(), address.address(), address.city(),
            made.finance.company(), made.datetime.datetime(),
        )  # fmt: skip
    return PEER_ROWS * 10


def with_ours(threads: int) -> Callable[[], int]:
    """Make Arrow record batches of 65,536 rows on some threads."""
    source = datagen.source(parse_schema(SCHEMA))

    def run() -> int:
        starts = range(0, OUR_ROWS, BLOCK)
        with ThreadPoolExecutor(threads) as pool:
            return sum(b.num_rows for b in pool.map(lambda a: source.read_rows("people", a, min(a + BLOCK, OUR_ROWS)), starts))

    return run


def rate(make: Callable[[], int]) -> float:
    """Rows a second of one run."""
    started = time.perf_counter()
    return make() / (time.perf_counter() - started)


def main(arguments: list[str]) -> None:
    """Run and print."""
    cores = os.cpu_count() or 1
    peers = {"faker": with_faker, "mimesis": with_mimesis, "ours": with_ours(cores), "ours_one_thread": with_ours(1)}
    rates: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(RUNS):
        for name, make in peers.items():
            rates[name].append(rate(make))
    medians = {name: median(found) for name, found in rates.items()}
    print(
        json.dumps(
            {
                "benchmark": "generation",
                "rows_per_second": {name: round(value) for name, value in medians.items()},
                "times_faker": round(medians["ours"] / medians["faker"], 1),
                "times_mimesis": round(medians["ours"] / medians["mimesis"], 1),
                "goals": {"times_faker": 100, "times_mimesis": 15},
                "threads": cores,
            }
        )
    )
