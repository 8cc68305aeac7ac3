"""The endpoint over data in a real PostgreSQL: answers, cancel requests, and time that is over."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

pytest.importorskip("pygwire")
import psycopg
from pygwire import messages as m

from dpsql.endpoint import Limits
from dpsql.engines.postgresql import PostgresEngine
from schemas.ddl import ddl
from tests.dpsql.endpoint.raw_client import RawClient, code, fault, rows
from tests.dpsql.endpoint.serving import service_over, serving
from tests.dpsql.shop import inserts, shop

SLEEPING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"


@pytest.fixture
def shop_url(postgres_url: str) -> str:
    """The shop in a database of its own."""
    with psycopg.connect(postgres_url) as connection:
        for statement in ddl(shop().schema, "postgresql").statements:
            connection.execute(statement.sql)
        for inserted, values in inserts("%s"):
            connection.cursor().executemany(inserted, values)
    return postgres_url


@pytest.fixture
def slow_url(shop_url: str) -> str:
    """The same, but that its orders take half a minute to read."""
    with psycopg.connect(shop_url) as connection:
        connection.execute("ALTER TABLE orders RENAME TO few_orders")
        connection.execute("CREATE VIEW orders AS SELECT * FROM few_orders WHERE pg_sleep(0.1) IS NOT NULL")
    return shop_url


def until_it_sleeps(url: str, wanted: int) -> None:
    """Wait until so many backends are in the middle of the slow view."""
    with psycopg.connect(url, autocommit=True) as connection:
        end = time.monotonic() + 20
        while connection.execute(SLEEPING).fetchone() != (wanted,):
            assert time.monotonic() < end
            time.sleep(0.02)


def test_answers_over_postgresql_are_its_own_at_a_huge_epsilon(shop_url: str, tmp_path: Path) -> None:
    asked = [
        "SELECT status, count(*) FROM orders GROUP BY status ORDER BY status",
        "SELECT sum(age) FROM users WHERE active",
        "SELECT p.name, count(*) FROM users u JOIN plans p ON u.plan_id = p.id GROUP BY p.name ORDER BY p.name",
    ]
    with psycopg.connect(shop_url) as connection:
        plain = [[[str(v).encode() for v in row] for row in connection.execute(sql)] for sql in asked]
    with serving(service_over(tmp_path, PostgresEngine(shop_url))) as server, RawClient(server.port) as client:
        client.log_in()
        client.query("SET dp.epsilon = 1e9")
        assert [rows(client.query(sql)) for sql in asked] == plain


def test_a_cancel_request_stops_the_query_in_postgresql_and_its_charge_stays(slow_url: str, tmp_path: Path) -> None:
    service = service_over(tmp_path, PostgresEngine(slow_url))
    with serving(service) as server, RawClient(server.port) as client:
        client.log_in()
        client.send(m.Query(query_string="SELECT sum(total) FROM orders"))
        until_it_sleeps(slow_url, 1)
        with socket.create_connection(("127.0.0.1", server.port)) as other:
            other.sendall(m.CancelRequest(process_id=client.number, secret_key=client.key).to_wire())
            assert other.recv(1) == b""
        said = client.read_until(m.ReadyForQuery)
        assert code(said) == "57014"
        assert "stays charged" in fault(said).fields["D"]
        until_it_sleeps(slow_url, 0)
        assert [e.kind for e in service.ledger.entries()][-2:] == ["charge", "finish"]
        assert code(client.query("SELECT count(*) FROM users")) is None


def test_a_query_that_takes_postgresql_too_long_is_stopped(slow_url: str, tmp_path: Path) -> None:
    with serving(service_over(tmp_path, PostgresEngine(slow_url)), Limits(statement=1.0)) as server, RawClient(server.port) as client:
        client.log_in()
        said = client.query("SELECT sum(total) FROM orders")
        assert code(said) == "57014"
        assert "took too long" in fault(said).fields["M"]
        until_it_sleeps(slow_url, 0)


def test_what_postgresql_says_of_its_own_stays_there(shop_url: str, tmp_path: Path) -> None:
    with psycopg.connect(shop_url) as connection:
        connection.execute("ALTER TABLE orders RENAME COLUMN total TO grand_total")
    service = service_over(tmp_path, PostgresEngine(shop_url))
    with serving(service) as server, RawClient(server.port) as client:
        client.log_in()
        said = client.query("SELECT sum(total) FROM orders")
        assert code(said) == "58000"
        assert "total" not in str(fault(said).fields)
        assert [e.kind for e in service.ledger.entries()][-2:] == ["charge", "finish"]
