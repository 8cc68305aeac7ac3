"""Subsets of large tables: memory stays within what is promised."""

from __future__ import annotations

import subprocess
import sys

import psycopg
import pytest

ROWS = 2_000_000
_TAKE = """
import sys, threading, time
import psutil
from masking.source import open_source
from masking.subset import read_subset, reference_graph, select
process, peak, done = psutil.Process(), 0, False
def watch():
    global peak
    while not done:
        peak = max(peak, process.memory_info().rss)
        time.sleep(0.005)
with open_source(sys.argv[1]) as source:
    graph = reference_graph(source.schema)
    spec = read_subset({"root": "orders", "percent": 10}, graph, source.dialect)
    for batch in source.read("staff"):  # what a read needs by itself
        pass
    select(source, read_subset({"root": "empty"}, graph, source.dialect), graph, b"secret")
    before = process.memory_info().rss
    thread = threading.Thread(target=watch)
    thread.start()
    found = select(source, spec, graph, b"secret")
    done = True
    thread.join()
    print(found.counts["orders"], found.counts["staff"], found.counts["teams"], sum(found.missing.values()), peak - before)
"""


@pytest.mark.slow
def test_two_million_rows_in_interlocked_cycles_take_less_than_a_hundred_bytes_each(postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE empty (id int PRIMARY KEY)")
        connection.execute("CREATE TABLE staff (id bigint PRIMARY KEY, manager bigint NOT NULL, team int NOT NULL, name text)")
        connection.execute("CREATE TABLE teams (id int PRIMARY KEY, lead bigint NOT NULL)")
        connection.execute("CREATE TABLE orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), staff bigint NOT NULL)")
        connection.execute(
            f"INSERT INTO staff SELECT i, CASE WHEN i % 7 = 0 THEN i ELSE i * 48271 % {ROWS} END, i % 5000, 'n' || i "
            f"FROM generate_series(0::bigint, {ROWS - 1}) i"
        )
        connection.execute(f"INSERT INTO teams SELECT i, i::bigint * 7919 % {ROWS} FROM generate_series(0, 4999) i")
        connection.execute(f"INSERT INTO orders (staff) SELECT i * 31 % {ROWS} FROM generate_series(1::bigint, {ROWS}) i")
        for statement in (
            "ALTER TABLE staff ADD FOREIGN KEY (manager) REFERENCES staff, ADD FOREIGN KEY (team) REFERENCES teams",
            "ALTER TABLE teams ADD FOREIGN KEY (lead) REFERENCES staff",
            "ALTER TABLE orders ADD FOREIGN KEY (staff) REFERENCES staff",
            "ANALYZE",
        ):
            connection.execute(statement)
    done = subprocess.run([sys.executable, "-c", _TAKE, postgres_url], capture_output=True, text=True, check=True)
    orders, staff, teams, missing, memory = map(int, done.stdout.split())
    assert (orders, missing) == (ROWS // 10, 0)
    assert ROWS // 5 < staff < ROWS
    assert teams <= 5000
    assert memory < 100 * ROWS
