"""What the server says of the use of a sandbox: that of others counts, and none of ours."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from .conftest import LIMITS

SLACK = timedelta(minutes=1)  # between the clocks of server and test, which run on one machine


@pytest.fixture
def place(yard, bundle):
    return yard.made("sb-aaaaaaaaaa", bundle)


def gone(yard, place) -> None:
    """Wait until the sandbox's sessions are over, and counted."""
    while yard.ask(f"SELECT 1 FROM pg_stat_activity WHERE datname = '{place.database}' AND backend_type = 'client backend'"):
        time.sleep(0.01)


def test_looking_at_a_sandbox_is_no_use_of_it(yard, bundle, place) -> None:
    before = yard.host.activity(place)
    for _ in range(3):
        yard.host.marker(place), yard.host.bytes(place), yard.host.found(), yard.host.activity(place)
        yard.host.admit(place, None, yard.now + timedelta(hours=2), LIMITS)
        yard.host.seed(yard.host.place("sb-bbbbbbbbbb"), bundle, limits=LIMITS)
    assert yard.host.activity(place) == before
    assert (before.connections, before.last_use) == (0, None)


def test_work_of_ours_is_counted_when_it_returns(yard, place) -> None:
    for _ in range(10):
        yard.host.configure(place, {"a": True}, {})
        reading = yard.host.activity(place)
        time.sleep(0.05)
        assert yard.host.activity(place) == reading


def test_a_session_that_came_and_went_is_seen(yard, place) -> None:
    before = yard.host.activity(place)
    yard.as_owner(place).close()
    gone(yard, place)
    after = yard.host.activity(place)
    assert after.counter != before.counter and after.connections == 0


def test_while_a_session_is_there_its_last_work_is_known(yard, place) -> None:
    with yard.as_owner(place) as connection:
        connection.execute("SELECT 1")
        seen = yard.host.activity(place)
        assert seen.connections == 1
        assert abs(seen.last_use - datetime.now(UTC)) < SLACK
        time.sleep(0.05)
        assert yard.host.activity(place).last_use == seen.last_use
        connection.execute("SELECT 1")
        assert yard.host.activity(place).last_use > seen.last_use


def test_a_session_at_work_is_in_use_by_the_clock(yard, place) -> None:
    yard.now += timedelta(days=3)
    with yard.as_owner(place) as connection, connection.transaction():
        connection.execute("SELECT 1")
        assert yard.host.activity(place).last_use == yard.now


def test_a_pooled_session_that_worked_between_two_readings_and_ended_is_seen(yard, place) -> None:
    with yard.as_owner(place) as connection:
        connection.execute("SELECT pg_stat_force_next_flush()")
        before = yard.host.activity(place)
        connection.execute("SELECT count(*) FROM parents")
    gone(yard, place)
    after = yard.host.activity(place)
    assert after.counter.split("/")[0] == before.counter.split("/")[0]  # no new session
    assert after.counter != before.counter


def test_vacuum_by_the_server_is_no_use(yard, place) -> None:
    with yard.as_owner(place) as connection:
        connection.execute("ALTER TABLE parents SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0)")
        connection.execute("UPDATE parents SET name = name || 'x'")
    gone(yard, place)
    before = yard.host.activity(place)
    yard.ask("ALTER SYSTEM SET autovacuum_naptime = '1s'")
    yard.ask("SELECT pg_reload_conf()")
    try:
        with psycopg.connect(yard.of("postgres"), autocommit=True) as connection:
            asked = f"SELECT stats_reset, xact_commit FROM pg_stat_database WHERE datname = '{place.database}'"
            begun, end = connection.execute(asked).fetchone(), time.monotonic() + 60
            while connection.execute(asked).fetchone() == begun:
                assert time.monotonic() < end, "the server did not vacuum"
                time.sleep(0.1)
    finally:
        yard.ask("ALTER SYSTEM RESET autovacuum_naptime")
        yard.ask("SELECT pg_reload_conf()")
    gone(yard, place)
    assert yard.host.activity(place) == before
