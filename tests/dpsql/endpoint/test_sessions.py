"""Sessions, message by message: transactions, prepared statements, portals, cancel requests, and bounds."""

from __future__ import annotations

import datetime
import socket
import struct
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

pytest.importorskip("pygwire")
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pygwire import messages as m

from dpsql.accounting import Limit
from dpsql.endpoint import Limits, Server
from tests.dpsql.endpoint.raw_client import RawClient, code, fault, kinds, rows
from tests.dpsql.endpoint.serving import service_over, serving
from tests.dpsql.shop_databases import engine_over, tables


def status(said: list[Any]) -> str:
    return str(said[-1].status.value)


def test_a_failed_transaction_turns_all_away_until_it_is_rolled_back(endpoint: Server) -> None:
    with RawClient(endpoint.port) as client:
        client.log_in()
        assert status(client.query("BEGIN")) == "T"
        assert status(client.query("SELECT 1")) == "T"
        said = client.query("SELECT nonsense(")
        assert (code(said), status(said)) == ("42601", "E")
        said = client.query("SELECT 1")
        assert (code(said), status(said)) == ("25P02", "E")
        said = client.query("COMMIT")
        assert (said[0].tag, status(said)) == ("ROLLBACK", "I")


def test_settings_follow_transactions(endpoint: Server) -> None:
    def epsilon(client: RawClient) -> bytes | None:
        return rows(client.query("SHOW dp.epsilon"))[0][0]

    with RawClient(endpoint.port) as client:
        client.log_in(options="-c dp.epsilon=0.25")
        assert epsilon(client) == b"0.25"
        for text in ("BEGIN", "SET dp.epsilon = 3", "ROLLBACK"):
            client.query(text)
        assert epsilon(client) == b"0.25"
        for text in ("BEGIN", "SET LOCAL dp.epsilon = 3", "SET dp.delta = 0.001", "COMMIT"):
            client.query(text)
        assert epsilon(client) == b"0.25"
        assert rows(client.query("SHOW dp.delta")) == [[b"0.001"]]
        client.query("RESET ALL")
        assert epsilon(client) == b""


def test_harmless_statements_may_come_together_but_queries_come_alone(endpoint: Server) -> None:
    with RawClient(endpoint.port) as client:
        client.log_in()
        said = client.query("SELECT 1; CLOSE ALL; UNLISTEN *; RESET ALL; SET x = 1; BEGIN; COMMIT;")
        assert [s.tag for s in said if isinstance(s, m.CommandComplete)] == [
            "SELECT 1", "CLOSE CURSOR", "UNLISTEN", "RESET", "SET", "BEGIN", "COMMIT",
        ]  # fmt: skip
        said = client.query("SET x = 1; SELECT count(*) FROM users")
        assert kinds(said) == ["ErrorResponse", "ReadyForQuery"]
        assert code(said) == "0A000"
        assert kinds(client.query("  -- nothing")) == ["EmptyQueryResponse", "ReadyForQuery"]


def test_a_portal_gives_its_rows_in_portions(endpoint: Server) -> None:
    with RawClient(endpoint.port) as client:
        client.log_in()
        client.send(
            m.Parse(statement="s", query="SELECT status, count(*) FROM orders GROUP BY status ORDER BY status"),
            m.Bind(portal="p", statement="s", result_formats=[0, 1]),
            m.Describe(kind="P", name="p"),
            m.Execute(portal="p", max_rows=2),
            m.Execute(portal="p", max_rows=2),
            m.Sync(),
        )
        said = client.read_until(m.ReadyForQuery)
        assert kinds(said)[:3] == ["ParseComplete", "BindComplete", "RowDescription"]
        assert [k for k in kinds(said) if k in ("DataRow", "PortalSuspended", "CommandComplete")] == [
            "DataRow", "DataRow", "PortalSuspended", "DataRow", "CommandComplete",
        ]  # fmt: skip
        assert [r[0] for r in rows(said)] == [b"open", b"paid", b"void"]
        assert all(r[1] is not None and len(r[1]) == 8 for r in rows(said))


def test_one_execution_is_charged_once_however_often_it_is_fetched(tmp_path: Path) -> None:
    service = service_over(tmp_path)
    with serving(service) as server, RawClient(server.port) as client:
        client.log_in()
        client.send(m.Parse(query="SELECT status, count(*) FROM orders GROUP BY status"), m.Describe(kind="S", name=""), m.Sync())
        client.read_until(m.ReadyForQuery)
        assert not [e for e in service.ledger.entries() if e.kind == "charge"]
        client.send(m.Bind(), m.Execute(max_rows=1), m.Execute(max_rows=1), m.Execute(), m.Sync())
        assert len(rows(client.read_until(m.ReadyForQuery))) == 3
        assert len([e for e in service.ledger.entries() if e.kind == "charge"]) == 1


def test_after_an_error_everything_up_to_sync_is_skipped(endpoint: Server) -> None:
    with RawClient(endpoint.port) as client:
        client.log_in()
        client.send(m.Parse(query="SELECT name FROM users"), m.Describe(kind="S", name=""), m.Bind(), m.Execute(), m.Sync())
        assert kinds(client.read_until(m.ReadyForQuery)) == ["ParseComplete", "ParameterDescription", "ErrorResponse", "ReadyForQuery"]
        for wrong, state in (
            (m.Bind(statement="never"), "26000"),
            (m.Execute(portal="never"), "34000"),
            (m.Parse(query="SELECT 1; SELECT 2"), "42601"),
        ):
            client.send(wrong, m.Sync())
            assert code(client.read_until(m.ReadyForQuery)) == state
        client.send(m.Parse(query="SELECT $1::int"), m.Bind(param_values=[b"many"]), m.Sync())
        assert code(client.read_until(m.ReadyForQuery)) == "22P02"
        client.send(m.Parse(query="SELECT $1::int"), m.Bind(), m.Sync())
        assert code(client.read_until(m.ReadyForQuery)) == "08P01"


def test_whatever_is_refused_stands_in_the_log(tmp_path: Path) -> None:
    service = service_over(tmp_path)
    asked = ("SELECT name FROM users", "COPY users TO STDOUT", "SELECT 1; SELECT count(*) FROM users", "DELETE FROM users")
    with serving(service) as server, RawClient(server.port) as client:
        client.log_in()
        for sql in asked:
            assert code(client.query(sql)) in ("42501", "0A000")
        client.send(m.Parse(query="SELECT age FROM users"), m.Describe(kind="S", name=""), m.Sync())
        assert code(client.read_until(m.ReadyForQuery)) == "42501"
    logged = [(e.analyst, e.sql) for e in service.ledger.entries() if e.kind == "refusal"]
    assert logged == [("ana", sql) for sql in (*asked, "SELECT age FROM users")]


def test_function_calls_are_refused(endpoint: Server) -> None:
    with RawClient(endpoint.port) as client:
        client.log_in()
        client.send(m.FunctionCall(function_oid=1, arg_formats=[], arguments=[], result_format=0))
        assert code(client.read_until(m.ReadyForQuery)) == "0A000"
        assert rows(client.query("SELECT 1")) == [[b"1"]]


def test_binary_parameters_mean_what_text_ones_mean(endpoint: Server) -> None:
    moment = datetime.datetime(2024, 6, 1) - datetime.datetime(2000, 1, 1)
    binary = [struct.pack("!q", 40), struct.pack("!q", moment // datetime.timedelta(microseconds=1)), b"\x01"]
    text = [b"40", b"2024-06-01 00:00:00", b"t"]
    sql = "SELECT count(*) FROM users WHERE visits > $1 AND created_at < $2 AND active = $3"
    found = []
    with RawClient(endpoint.port) as client:
        client.log_in()
        client.query("SET dp.epsilon = 1e9")
        for values, formats in ((binary, [1]), (text, [])):
            client.send(m.Parse(query=sql, param_types=[20, 1114, 16]), m.Bind(param_values=values, param_formats=formats))
            client.send(m.Execute(), m.Sync())
            found.append(rows(client.read_until(m.ReadyForQuery)))
    assert found[0] == found[1] != []


def slow_engine() -> Any:
    """The shop, whose orders come again and again for longer than any test."""
    engine = engine_over(tables())
    engine._connection.execute("ALTER TABLE orders RENAME TO few_orders")
    engine._connection.execute("CREATE VIEW orders AS SELECT o.* FROM few_orders o, range(100000000000) r")
    return engine


def cancel(server: Server, request: m.CancelRequest) -> None:
    with socket.create_connection(("127.0.0.1", server.port)) as other:
        other.sendall(request.to_wire())
        assert other.recv(1) == b""


def test_a_cancel_request_stops_the_query_and_its_charge_stays(tmp_path: Path) -> None:
    service = service_over(tmp_path, slow_engine())
    with serving(service) as server, RawClient(server.port) as client:
        client.log_in()
        client.send(m.Query(query_string="SELECT sum(total) FROM orders"))
        wrong = m.CancelRequest(process_id=client.number, secret_key=bytes(b ^ 1 for b in client.key))
        right = m.CancelRequest(process_id=client.number, secret_key=client.key)
        while not [e for e in service.ledger.entries() if e.kind == "charge"]:
            time.sleep(0.02)
        cancel(server, wrong)
        client.socket.settimeout(1.0)
        with pytest.raises(TimeoutError):
            client.socket.recv(1)
        client.socket.settimeout(20.0)
        cancel(server, right)
        said = client.read_until(m.ReadyForQuery)
        assert code(said) == "57014"
        assert "stays charged" in fault(said).fields["D"]
        assert [e.kind for e in service.ledger.entries()][-2:] == ["charge", "finish"]
        assert rows(client.query("SELECT 1")) == [[b"1"]]


def test_a_query_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    with serving(service_over(tmp_path, slow_engine()), Limits(statement=0.5)) as server, RawClient(server.port) as client:
        client.log_in()
        assert code(client.query("SELECT sum(total) FROM orders")) == "57014"
        assert code(client.query("SELECT count(*) FROM pg_type a, pg_type b, pg_type c, pg_type d, pg_type e, pg_type f")) == "57014"
        assert code(client.query("SELECT count(*) FROM users")) is None


def test_a_server_that_stops_ends_its_sessions(tmp_path: Path) -> None:
    with serving(service_over(tmp_path, slow_engine())) as server:
        idle, busy = RawClient(server.port), RawClient(server.port)
        idle.log_in()
        busy.log_in("bob")
        busy.send(m.Query(query_string="SELECT sum(total) FROM orders"))
        time.sleep(0.3)
        server.stop()
        assert code(idle.read_until(m.ErrorResponse)) == "57P01"
        assert code(busy.read_until(m.ErrorResponse)) == "57014"
        assert idle.hung_up()
        assert busy.hung_up()
        idle.socket.close()
        busy.socket.close()


def test_a_budget_that_is_spent_says_so(tmp_path: Path) -> None:
    with serving(service_over(tmp_path, limit=Limit(1.0, 0.0))) as server, RawClient(server.port) as client:
        client.log_in()
        client.query("SET dp.epsilon = 0.8")
        assert code(client.query("SELECT count(*) FROM users")) is None
        assert code(client.query("SELECT count(*) FROM orders")) == "53400"
        assert code(client.query("SELECT count(*) FROM users")) is None  # what was answered stays free


def test_many_clients_at_once_spend_what_the_ledger_says(tmp_path: Path) -> None:
    service = service_over(tmp_path, limit=Limit(1.0, 0.0))
    found: list[str | None] = []

    def ask(n: int) -> None:
        with RawClient(server.port, 60) as client:
            client.log_in()
            client.query("SET dp.epsilon = 0.125")
            found.append(code(client.query(f"SELECT count(*) FROM users WHERE visits > {n}")))

    with serving(service) as server:
        threads = [Thread(target=ask, args=(n,)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found, key=str) == ["53400"] * 4 + [None] * 8
    assert service.ledger.spending("shop").total.epsilon == pytest.approx(1.0)


def test_connections_are_counted_in_all_and_for_each_analyst(tmp_path: Path) -> None:
    with serving(service_over(tmp_path), Limits(connections=3, per_analyst=2)) as server:
        clients = [RawClient(server.port) for _ in range(5)]
        said = [c.log_in(u) for c, u in zip(clients, ("ana", "ana", "ana", "bob", "bob"), strict=True)]
        assert [code(s) for s in said] == [None, None, "53300", None, "53300"]
        clients[0].send(m.Terminate())
        assert clients[0].hung_up()
        with RawClient(server.port) as another:
            assert code(another.log_in("bob")) is None
        for client in clients:
            client.socket.close()


def test_prepared_statements_are_bounded(tmp_path: Path) -> None:
    with serving(service_over(tmp_path), Limits(prepared=3)) as server, RawClient(server.port) as client:
        client.log_in()
        for n in range(4):
            client.send(m.Parse(statement=f"s{n}", query="SELECT 1"))
        client.send(m.Sync())
        assert code(client.read_until(m.ReadyForQuery)) == "53400"
        client.query("DEALLOCATE ALL")
        client.send(m.Parse(statement="s0", query="SELECT 1"), m.Sync())
        assert code(client.read_until(m.ReadyForQuery)) is None


def test_oversized_messages_end_the_session_before_they_are_read(endpoint: Server) -> None:
    with RawClient(endpoint.port) as client:
        client.socket.sendall(struct.pack("!I", 2**31 - 1) + b"\x00\x03\x00\x00")
        assert code(client.read_until(m.ErrorResponse)) == "08P01"
        assert client.hung_up()
    with RawClient(endpoint.port) as client:
        client.log_in()
        client.socket.sendall(b"Q" + struct.pack("!I", 2**30))
        assert code(client.read_until(m.ErrorResponse)) == "08P01"
        assert client.hung_up()


def test_half_open_and_idle_connections_are_closed(tmp_path: Path) -> None:
    with (
        serving(service_over(tmp_path), Limits(startup=3.0, idle=0.5)) as server,
        RawClient(server.port) as silent,
        RawClient(server.port) as slow,
        RawClient(server.port) as idle,
    ):
        assert code(idle.log_in()) is None
        slow.socket.sendall(b"\x00\x00")
        assert silent.hung_up()
        assert slow.hung_up()
        assert idle.hung_up()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.binary(max_size=60), min_size=1, max_size=4),
    st.booleans(),
    st.sampled_from([b"", b"Q", b"P", b"B", b"E", b"D", b"p", b"X", b"d"]),
)
def test_garbage_never_ends_the_server(endpoint: Server, pieces: list[bytes], logged_in: bool, kind: bytes) -> None:
    with RawClient(endpoint.port) as client:
        if logged_in:
            client.log_in()
        for piece in pieces:
            framed = kind + struct.pack("!I", len(piece) + 4) + piece if kind else piece
            try:
                client.socket.sendall(framed)
            except OSError:
                break
        with suppress(OSError):
            client.socket.shutdown(socket.SHUT_WR)
        assert client.hung_up()
    with RawClient(endpoint.port) as client:
        client.log_in()
        assert rows(client.query("SELECT 1")) == [[b"1"]]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(alphabet="SELECT count(*) FROM users pg_class,;'\"$()[]{}:.-+*/=<>~!%&|0123456789\\\n\té", max_size=80))
def test_texts_of_any_kind_are_answered_or_refused(endpoint: Server, text: str) -> None:
    with RawClient(endpoint.port) as client:
        client.log_in()
        for begin in ("", "SELECT ", "SET ", "EXPLAIN ", "SHOW "):
            said = client.query((begin + text).replace("\x00", ""))
            assert code(said) != "XX000"
            assert kinds(said)[-1] == "ReadyForQuery"
