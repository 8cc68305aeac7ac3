"""Loads that are killed or interrupted: the target is as it was, and can be loaded again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from threading import Event

import pytest
from databases import ask, contents
from loading_sources import build, simple, simple_rows

import provisioning
from provisioning.interrupts import interruptible
from tests.spread import one_in

PROJECT = Path(__file__).parents[2]
ROWS = 30_000

# the child says that it is at the given stage and waits there for a signal (ADBC heeds one when our code returns to it)
CHILD = """
import os, signal, sys
import bundles, provisioning

store, url, stage, table = sys.argv[1:]
stopped = []
signalled, signals = os.pipe()
os.set_blocking(signals, False)
signal.set_wakeup_fd(signals)

def tell(progress):
    if progress.stage == stage and progress.table == table and not stopped:
        stopped.append(True)
        print("there", flush=True)
        os.read(signalled, 1)

try:
    provisioning.load(bundles.open("synthetic:latest", store), url, replace=True, on_progress=tell)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    sys.exit(130)
"""


def stopped_child(store: Path, url: str, stage: str, table: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(CHILD), str(store), url, stage, table],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "there\n"
    return child


def wait_for_the_server(url: str) -> None:
    """PostgreSQL notices that a client is gone when it next talks to it."""
    if url.startswith("postgresql"):
        others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        for _ in range(300):
            if ask(url, others) == [(0,)]:
                return
            time.sleep(0.1)
        raise AssertionError("the killed client's session goes on")


@pytest.mark.parametrize("stage", ["load", "check"])
@pytest.mark.parametrize("before", one_in(3, ["the same tables", "nothing", "other tables"]))
def test_a_killed_load_leaves_the_target_as_it_was(url: str, tmp_path: Path, before: str, stage: str) -> None:
    if before == "other tables":
        ask(url, "CREATE TABLE other (x integer)", "INSERT INTO other VALUES (1), (2)")
    if before == "the same tables":
        provisioning.load(build(simple(), simple_rows(mark="old"), tmp_path / "old"), url)
    held = contents(url)
    bundle = build(simple(ROWS), simple_rows(ROWS), tmp_path / "store")
    child = stopped_child(tmp_path / "store", url, stage, "children")
    child.send_signal(signal.SIGKILL)
    child.communicate(timeout=30)
    wait_for_the_server(url)
    assert contents(url) == held
    assert provisioning.load(bundle, url, replace=True).content_digest == bundle.content_digest
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_ctrl_c_stops_a_load_and_leaves_the_target_as_it_was(url: str, tmp_path: Path) -> None:
    ask(url, "CREATE TABLE other (x integer)")
    held = contents(url)
    build(simple(ROWS), simple_rows(ROWS), tmp_path / "store")
    for stage in ("load", "check"):
        child = stopped_child(tmp_path / "store", url, stage, "parents")
        child.send_signal(signal.SIGINT)
        assert child.communicate(timeout=30)[0] == "interrupted\n"
        assert child.returncode == 130
        assert contents(url) == held


ENDLESS_FILL = """
import os, signal, sys, threading
import bundles, provisioning
from provisioning.loaders import duckdb

store, url = sys.argv[1:]

def endless(load, table):
    threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
    load._execute("SELECT sum(hash(a.range)) FROM range(100000000) a, range(1000) b", "")

duckdb._Load._fill = endless
try:
    provisioning.load(bundles.open("synthetic:latest", store), url)
except KeyboardInterrupt:
    print("interrupted")
"""


# a connection of DuckDB cannot be given methods of others
WRAPPED = """
class Wrapped:
    def __init__(self, connection):
        self._connection = connection
    def __getattr__(self, name):
        return getattr(self._connection, name)
    def __enter__(self):
        return self
    def __exit__(self, *error):
        self._connection.close()
"""

ENDLESS_CHECKPOINT = (
    WRAPPED
    + """
import os, signal, sys, threading
import duckdb
import bundles, provisioning

class Duck(Wrapped):
    def execute(self, sql, *rest):
        if sql == "CHECKPOINT":
            threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
            sql = "SELECT sum(hash(a.range)) FROM range(100000000) a, range(1000) b"
        return self._connection.execute(sql, *rest)

connect = duckdb.connect
duckdb.connect = lambda *args, **more: Duck(connect(*args, **more))
try:
    provisioning.load(bundles.open("synthetic:latest", sys.argv[1]), sys.argv[2])
except KeyboardInterrupt:
    print("interrupted")
"""
)


@pytest.mark.parametrize("endless", [ENDLESS_FILL, ENDLESS_CHECKPOINT], ids=["fill", "checkpoint"])
def test_ctrl_c_stops_a_long_query_of_duckdb(tmp_path: Path, endless: str) -> None:
    build(simple(), simple_rows(), tmp_path / "store")
    target = tmp_path / "target.duckdb"
    done = subprocess.run(
        [sys.executable, "-c", endless, str(tmp_path / "store"), f"duckdb:///{target}"],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("interrupted\n", "")
    assert not target.exists()


ENDLESS_READ = """
import os, signal, sys, threading
from importlib import import_module
import bundles, provisioning
from provisioning import differences
from provisioning.snapshots import present
from provisioning.target import parse_target

store, url, what, number = sys.argv[1:]
number = signal.Signals[number]
signal.signal(number, signal.default_int_handler)
bundle = bundles.open("synthetic:latest", store)
dialect = parse_target(url).dialect
room = import_module(f"provisioning.snapshots.{dialect}")
live = {"duckdb": "DuckDBLive", "sqlite": "SQLiteLive", "postgresql": "PostgreSQLLive"}[dialect]
endless = {
    "duckdb": "SELECT 1, 2, sum(hash(a.range)) FROM range(100000000) a, range(1000) b",
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT count(*) FROM generate_series(1, 1000000000) a, generate_series(1, 1000) b",
}

def soon(dialect):
    threading.Timer(0.5, os.kill, (os.getpid(), number)).start()
    return endless[dialect]

try:
    if what == "compared":
        differences._by_key = lambda key: soon("duckdb")
        differences.changed_since(url, bundle)
    elif what == "gathered":
        differences._by_key = lambda key: "CREATE TABLE endless AS " + soon("duckdb")
        differences.changed_since(url, bundle)
    elif what == "read" and dialect == "sqlite":
        with present(url, bundle) as source:
            source._live.sql = lambda place: f"(SELECT q.* FROM {place[1]} q, ({soon(dialect)}))"
            bundles.build(source, store=store, tag="synthetic:snapshot")
    elif what == "read":
        room.read_back_query = lambda *rest: soon(dialect)
        with present(url, bundle) as source:
            bundles.build(source, store=store, tag="synthetic:snapshot")
    elif what == "checked":
        getattr(room, live).strays = lambda live, *rest: live.is_kept(soon(dialect))
        with present(url, bundle):
            pass
    else:
        getattr(room, live).tables = lambda live: live._asked(soon(dialect))
        with present(url, bundle):
            pass
except KeyboardInterrupt:
    print("interrupted")
"""


def interrupted_read(tmp_path: Path, url: str, what: str, number: str) -> None:
    provisioning.load(build(simple(), simple_rows(), tmp_path / "store"), url)
    done = subprocess.run(
        [sys.executable, "-c", ENDLESS_READ, str(tmp_path / "store"), url, what, number],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("interrupted\n", "")


@pytest.mark.parametrize("number", one_in(2, ["SIGINT", "SIGTERM"]))
@pytest.mark.parametrize("what", ["compared", "gathered"])
def test_ctrl_c_stops_a_long_query_of_a_comparison(tmp_path: Path, what: str, number: str) -> None:
    interrupted_read(tmp_path, f"duckdb:///{tmp_path / 'target.duckdb'}", what, number)


@pytest.mark.parametrize("number", one_in(2, ["SIGINT", "SIGTERM"]))
@pytest.mark.parametrize("what", one_in(3, ["read", "checked", "asked"]))
def test_ctrl_c_stops_a_long_query_of_a_snapshot(url: str, tmp_path: Path, what: str, number: str) -> None:
    interrupted_read(tmp_path, url, what, number)


def test_a_signal_that_comes_before_a_driver_has_begun_is_told_again(tmp_path: Path) -> None:
    begun, ended, told = Event(), Event(), []

    def work() -> None:
        os.kill(os.getpid(), signal.SIGINT)
        begun.wait(60)  # deaf until it was told once
        assert ended.wait(60)

    def cancel() -> None:
        told.append(begun.is_set())
        (ended if begun.is_set() else begun).set()

    with pytest.raises(KeyboardInterrupt):
        interruptible(work, cancel)
    assert told[:2] == [False, True]


LATE_INTERRUPT = (
    WRAPPED
    + """
import os, signal, sqlite3, sys
import adbc_driver_manager.dbapi, duckdb
import bundles, provisioning
from provisioning import database_file

number = signal.Signals[sys.argv[3]]
signal.signal(number, signal.default_int_handler)

def interrupt():
    os.kill(os.getpid(), number)

class Lite(sqlite3.Connection):
    def execute(self, sql, *rest):
        done = super().execute(sql, *rest)
        if sql == "COMMIT":
            interrupt()
        return done

class Duck(Wrapped):
    def execute(self, sql, *rest):
        done = self._connection.execute(sql, *rest)
        if sql == "COMMIT":
            interrupt()
        return done
    def close(self):
        self._connection.close()

def late(publish):
    return lambda *names: (publish(*names), interrupt())

connect_lite, connect_duck, commit = sqlite3.connect, duckdb.connect, adbc_driver_manager.dbapi.Connection.commit
sqlite3.connect = lambda *args, **more: connect_lite(*args, **more, factory=Lite)
duckdb.connect = lambda *args, **more: Duck(connect_duck(*args, **more))
adbc_driver_manager.dbapi.Connection.commit = lambda self: (commit(self), interrupt())
database_file._publish = late(database_file._publish)

try:
    provisioning.load(bundles.open("synthetic:latest", sys.argv[1]), sys.argv[2], replace=True)
    print("loaded")
except KeyboardInterrupt:
    print("interrupted")
"""
)


@pytest.mark.parametrize(("before", "end"), one_in(3, [("nothing", "SIGINT"), ("the same tables", "SIGINT"), ("nothing", "SIGHUP")]))
def test_ctrl_c_that_comes_too_late_to_undo_a_load_does_not_say_that_it_was_undone(url: str, tmp_path: Path, before: str, end: str) -> None:
    if before == "the same tables":
        provisioning.load(build(simple(), simple_rows(mark="old"), tmp_path / "old"), url)
    bundle = build(simple(), simple_rows(), tmp_path / "store")
    done = subprocess.run(
        [sys.executable, "-c", LATE_INTERRUPT, str(tmp_path / "store"), url, end],
        cwd=PROJECT, env=os.environ | {"PYTHONPATH": str(PROJECT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("loaded\n", "")
    assert ask(url, "SELECT count(*) FROM children") == [(bundle.tables["children"].rows,)]
