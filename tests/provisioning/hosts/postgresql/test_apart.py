"""A server that is lost in the midst of a load ends the process that loads, and not that of a service."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest
from adbc_driver_postgresql.dbapi import connect

from bundles import Bundle, Progress
from provisioning.apart import apart
from provisioning.errors import TargetFailure, TargetInvalid
from provisioning.hosts.postgresql import PostgreSQLHost
from provisioning.loaders.postgresql_errors import postgresql_errors
from provisioning.loading import load
from schemas.environments import Host
from schemas.errors import SchemaError
from schemas.reader import read_schema

from .conftest import LIMITS, URL

ID = "sb-aaaaaaaaaa"
PROJECT = Path(__file__).parents[4]


@pytest.fixture
def host(yard) -> PostgreSQLHost:
    """The yard's host, on which work with the data is done apart."""
    return PostgreSQLHost(Host("server", "postgresql", url_from=URL), control=yard.control, clock=lambda: yard.now, run=apart)


@pytest.fixture(scope="module")
def large(bundles_of) -> Bundle:
    return bundles_of(100_000)


def workers(of: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(of)], capture_output=True, text=True).stdout
    return [int(line.split()[0]) for line in found.splitlines() if "provisioning.apart" in line]


def once(stage: str, act: Callable[[], object]) -> Callable[[Progress], None]:
    """Act when that stage is first heard of."""
    done: list[Progress] = []

    def heard(progress: Progress) -> None:
        if progress.stage == stage and not done:
            done.append(progress)
            act()

    return heard


def test_a_load_apart_tells_of_its_progress_and_gives_what_one_here_gives(yard, host, bundle) -> None:
    told: list[Progress] = []
    place = host.place(ID)
    there = host.seed(place, bundle, limits=LIMITS, on_progress=told.append)
    assert [p.rows for p in told if p.stage == "load"] == [5, 10]
    assert not workers(os.getpid())
    host.remove(place)
    host.drop_template("companyos_t_" + bundle.manifest_digest[7:27])
    here = yard.host.seed(place, bundle, limits=LIMITS)
    assert (there.tables, there.content_digest, there.strategy) == (here.tables, here.content_digest, here.strategy)


def drivers() -> list[str]:
    """What a process imports that loads nothing."""
    import adbc_driver_postgresql.dbapi  # noqa: F401

    import provisioning.differences  # noqa: F401

    return [name for name in ("pandas", "polars", "duckdb") if name in sys.modules]


def test_work_apart_begins_without_libraries_that_it_does_not_use() -> None:
    assert apart(drivers) == []


@pytest.mark.parametrize(
    ("stage", "whom"), [pytest.param("load", "server", marks=pytest.mark.slow), ("check", "server"), ("check", "process")]
)
def test_a_server_or_a_process_that_is_killed_is_an_error_and_then_all_can_be_done_again(yard, host, large, stage, whom) -> None:
    def kill() -> None:
        sessions = yard.ask("SELECT pid FROM pg_stat_activity WHERE datname LIKE 'companyos_m_%'")
        for pid in [pid for (pid,) in sessions] if whom == "server" else workers(os.getpid()):
            os.kill(pid, signal.SIGKILL)

    with pytest.raises(TargetFailure) as error:
        host.seed(host.place(ID), large, limits=LIMITS, on_progress=once(stage, kill))
    if whom == "process":
        assert "has ended (SIGKILL)" in str(error.value)
        assert not yard.databases()
    assert not workers(os.getpid())
    while True:
        with suppress(psycopg.OperationalError):  # it starts again
            yard.ask("SELECT 1")
            break
    assert host.seed(host.place(ID), large, limits=LIMITS).strategy == "load"


def test_work_is_undone_where_who_hears_of_it_breaks_it_off(yard, host, large) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        host.seed(host.place(ID), large, limits=LIMITS, on_progress=once("load", stop))
    assert not workers(os.getpid())
    assert not yard.databases()


def test_a_process_that_aborts_is_an_error() -> None:
    with pytest.raises(TargetFailure, match=r"has ended \(SIGABRT\): the server was lost"):
        apart(os.abort)


def test_a_stream_of_rows_that_ends_with_the_server_is_told_in_our_words() -> None:
    said = "[libpq] PQgetCopyData() failed: server closed the connection unexpectedly\n\tThis probably means the server terminated"
    meant = r"^table 'orders': PQgetCopyData\(\) failed: server closed the connection unexpectedly$"
    with pytest.raises(TargetFailure, match=meant), postgresql_errors("table 'orders'"):
        raise OSError(said)  # as pyarrow gives what ADBC says


def test_errors_come_back_as_they_are(bundle) -> None:
    with pytest.raises(TargetInvalid, match="cannot load into 'mysql:'"):
        apart(partial(load, bundle, "mysql://u:hunter2@h/db", now=datetime(2026, 1, 1, tzinfo=UTC)))


def test_errors_that_ask_for_more_than_a_message_come_back_too(tmp_path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("schema: shop\ntables: 7\n")
    with pytest.raises(SchemaError) as here:
        read_schema(str(file))
    with pytest.raises(SchemaError) as back:
        apart(partial(read_schema, str(file)))
    assert (str(back.value), back.value.problems) == (str(here.value), here.value.problems)
    with pytest.raises(RuntimeError) as other:
        apart(partial(connect, "postgresql://127.0.0.1:1/x"))
    assert str(other.value) == "the work apart failed with adbc_driver_manager.OperationalError"
    assert "Failed to connect" in other.value.__notes__[0]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_the_one_that_it_works_for_nor_shows_what_it_works_with(number) -> None:
    code = "import sys, time; from functools import partial; from provisioning.apart import apart; apart(partial(time.sleep, 60))"
    environment = {**os.environ, "PYTHONPATH": str(PROJECT)}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stderr=subprocess.DEVNULL) as process:
        while not (found := workers(process.pid)):
            time.sleep(0.05)
        arguments = Path(f"/proc/{found[0]}/cmdline").read_bytes().split(b"\0")
        assert arguments[1:] == [b"-P", b"-m", b"provisioning.apart", b""]
        process.send_signal(number)
    while any(Path(f"/proc/{pid}").exists() for pid in found):
        time.sleep(0.05)
