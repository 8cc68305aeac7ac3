"""Crashes, a server that goes away or is full: what is left is taken for nothing, is made again, and removed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from provisioning.errors import TargetFailure
from provisioning.hosts.postgresql import PostgreSQLHost
from provisioning.hosts.postgresql_server import Server
from schemas.environments import Host
from schemas.errors import InputError
from tests.spread import one_in

from .conftest import LIMITS, PASSWORD, URL

ID = "sb-aaaaaaaaaa"
PROJECT = Path(__file__).parents[4]


class Crash(BaseException):
    """As if the process were killed: nothing of ours runs any more, and the server hears no more of it."""


@contextmanager
def crash_at(number: int) -> Iterator[None]:
    """Crash when that statement is done and nobody has learned of it, which is before the next one, too."""
    execute, count = psycopg.Connection.execute, 0

    def counted(self, query, *more, **named):
        nonlocal count
        count += 1
        if count <= number:
            found = execute(self, query, *more, **named)
            if count < number:
                return found
        self.close()
        raise Crash

    psycopg.Connection.execute = counted
    try:
        yield
    finally:
        psycopg.Connection.execute = execute


def life(yard, bundle) -> None:
    """All that happens to a sandbox."""
    place = yard.host.place(ID)
    yard.host.seed(place, bundle, limits=LIMITS)
    yard.host.configure(place, {"a": True}, {"b": 1})
    yard.host.admit(place, PASSWORD, yard.now + timedelta(hours=1), LIMITS)
    yard.host.seed(place, bundle, limits=LIMITS, swap=True)
    yard.host.swap(place)
    yard.host.forget_old(place)
    yard.host.admin_address(place)
    yard.host.shut(place)
    yard.host.remove(place)
    for found in yard.host.found():
        yard.host.drop_template(found.name)


def crashes(yard, bundle, number: int) -> bool:
    """Crash in the midst of a life, if it has so many statements; then live through another one, which must leave nothing."""
    try:
        with crash_at(number):
            life(yard, bundle)
        crashed = False
    except Crash:
        crashed = True
    life(yard, bundle)
    assert (yard.databases(), yard.roles()) == (set(), set())
    return crashed


@pytest.mark.parametrize("number", one_in(3, range(4, 110, 15)))
def test_after_a_crash_all_can_be_done_again_and_leaves_nothing(yard, bundle, number) -> None:
    assert crashes(yard, bundle, number)


@pytest.mark.slow
def test_after_a_crash_at_any_statement_all_can_be_done_again_and_leaves_nothing(yard, bundle) -> None:
    number = 1
    while crashes(yard, bundle, number):
        number += 1
    assert number > 100


@pytest.mark.parametrize("number", one_in(3, [5, 12, 19, 26, 33, 40]))
def test_a_removal_after_a_crash_in_the_making_leaves_the_template_at_most(yard, bundle, number) -> None:
    with pytest.raises(Crash), crash_at(number):
        life(yard, bundle)
    yard.host.remove(yard.host.place(ID))
    assert {f.what for f in yard.host.found()} <= {"template"}
    yard.host.seed(yard.host.place(ID), bundle, limits=LIMITS)


def test_a_template_whose_drop_was_broken_off_is_made_again_or_dropped(yard, bundle) -> None:
    template = "companyos_t_" + bundle.manifest_digest[7:27]
    breaking = (
        f"ALTER DATABASE {template} IS_TEMPLATE false",
        f"ALTER DATABASE {template} IS_TEMPLATE false; UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{template}'",  # as the server
    )
    for broken in breaking:
        yard.host.seed(yard.host.place(ID), bundle, limits=LIMITS)
        for statement in broken.split(";"):
            yard.ask(statement)
        assert yard.host.seed(yard.host.place(ID), bundle, limits=LIMITS).strategy == "load"
        for statement in broken.split(";"):
            yard.ask(statement)
        yard.host.drop_template(template)
        assert template not in yard.databases()


def test_a_removal_that_was_broken_off_within_the_server_is_finished(yard, bundle) -> None:
    place = yard.made(ID, bundle)
    yard.ask(f"UPDATE pg_database SET datconnlimit = -2 WHERE datname = '{place.database}'")
    yard.host.remove(place)
    assert place.database not in yard.databases()


def test_one_who_is_killed_in_the_midst_of_a_load_leaves_nothing_that_is_taken_for_a_template(yard, bundle) -> None:
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("killed.py")), str(bundle.store.path), bundle.reference, yard.control, ID],
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert yard.databases() == {"companyos_m_" + bundle.manifest_digest[7:27]}
    assert yard.host.seed(yard.host.place(ID), bundle, limits=LIMITS).strategy == "load"
    assert not any(name.startswith("companyos_m_") for name in yard.databases())


def test_a_server_that_ends_our_sessions_in_the_midst_is_an_error_and_then_all_can_be_done_again(yard, bundle) -> None:
    def gone(_: object) -> None:
        yard.ask("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'postgres'")

    with pytest.raises(TargetFailure) as error:
        yard.host.seed(yard.host.place(ID), bundle, limits=LIMITS, on_progress=gone)
    assert "terminating" in str(error.value) or "ended our session" in str(error.value) or "gone" in str(error.value)
    yard.made(ID, bundle)


@pytest.mark.parametrize("url", ["postgresql://u:hunter2@127.0.0.1:1/postgres", "postgresql://u@/postgres?host=/nowhere&password=hunter2"])
def test_a_server_that_is_not_there(monkeypatch, url) -> None:
    monkeypatch.setenv(URL, url)
    host = PostgreSQLHost(Host("far", "postgresql", url_from=URL), control="c")
    with pytest.raises(TargetFailure, match="host 'far': the server cannot be reached") as error:
        host.found()
    assert "hunter2" not in str(error.value) and error.value.exit_code == 4 and error.value.__suppress_context__


def test_a_server_without_a_free_connection_says_so(yard, bundle) -> None:
    yard.made(ID, bundle)
    with ExitStack() as stack:
        with pytest.raises(psycopg.OperationalError):
            while True:
                stack.enter_context(psycopg.connect(yard.url))
        with pytest.raises(TargetFailure, match="no free connection.*max_connections"):
            yard.host.found()


def test_one_who_is_no_superuser_is_told_so(yard, monkeypatch) -> None:
    yard.ask("CREATE ROLE mere LOGIN CREATEDB CREATEROLE PASSWORD 'hunter2'")
    try:
        monkeypatch.setenv(URL, yard.url.replace("//postgres:@", "//mere:hunter2@"))
        with pytest.raises(InputError, match="no superuser"):
            yard.another("c").found()
        monkeypatch.setenv(URL, yard.url.replace("//postgres:@", "//mere:hunter3@"))
        with pytest.raises(TargetFailure, match="refused our password") as error:
            yard.another("c").found()
        assert "hunter3" not in str(error.value)
    finally:
        yard.ask("DROP ROLE mere")


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (psycopg.errors.DiskFull("could not extend file"), "disk is full"),
        (psycopg.errors.TooManyConnections("sorry"), "no free connection"),
        (psycopg.errors.AdminShutdown("terminating"), "ended our session"),
        (psycopg.errors.LockNotAvailable("canceling"), "another session holds a lock"),
        (psycopg.OperationalError("server closed the connection\nhunter2"), "cannot be reached, or is gone: server closed the connection$"),
        (psycopg.errors.UndefinedTable("relation is not there"), "relation is not there"),
    ],
)
def test_what_the_server_says_becomes_one_line_that_says_what_to_do(error, meaning) -> None:
    server = Server("team", "postgresql://u:hunter2@h/postgres")
    with pytest.raises(TargetFailure, match=f"making it: host 'team': .*{meaning}") as raised, server.failures("making it"):
        raise error
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (
            "postgresql://root:s3cret@db.example:6432/postgres?sslmode=verify-full",
            "postgresql://me:p%40ss%2Fw%20d@db.example:6432/box?sslmode=verify-full",
        ),
        ("postgresql://root@/postgres?host=/var/run/pg&port=5433", "postgresql://me:p%40ss%2Fw%20d@/box?host=/var/run/pg&port=5433"),
        ("postgresql://root@[::1]:5433/postgres?sslkey=/k&passfile=/p", "postgresql://me:p%40ss%2Fw%20d@[::1]:5433/box"),
        (
            "postgresql://root@a:1,b:2/postgres?target_session_attrs=read-write",
            "postgresql://me:p%40ss%2Fw%20d@a:1,b:2/box?target_session_attrs=read-write",
        ),
        ("postgresql:///postgres", "postgresql://me:p%40ss%2Fw%20d@/box"),
    ],
)
def test_an_address_says_where_the_server_is_and_nothing_of_our_own_access(url, address) -> None:
    found = Server("team", url).address("box", "me", "p@ss/w d")
    assert found == address
    read = psycopg.conninfo.conninfo_to_dict(found)
    assert (read["user"], read["password"], read["dbname"]) == ("me", "p@ss/w d", "box")
    own = psycopg.conninfo.conninfo_to_dict(Server("team", url).url("box", role="maker"))
    assert own["dbname"] == "box" and own["options"] == "-c role=maker"
    for name in ("host", "port", "user", "password"):
        assert own.get(name) == psycopg.conninfo.conninfo_to_dict(url).get(name)
