"""Who gets in: passwords, unknown names, guessing, and TLS with channel binding."""

from __future__ import annotations

import asyncio
import logging
import ssl
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("pygwire")
from pygwire import messages as m

from dpsql.endpoint import Limits, Server, certificate_digest, certificate_of, self_signed, server_context
from schemas.errors import InputError
from tests.dpsql.endpoint.raw_client import RawClient, code, fault
from tests.dpsql.endpoint.serving import PASSWORD, Known, service_over, serving
from tests.spread import one_in

QUICK = Limits(login_delay=0.0, logins=4)


def first_answer(server: Server, user: str) -> dict[str, str]:
    """What the server first says in a log-in, by the letters of RFC 5802."""
    with RawClient(server.port) as client:
        client.send(m.StartupMessage(params={"user": user}))
        client.read_until(m.AuthenticationSASL)
        client.send(m.SASLInitialResponse(mechanism="SCRAM-SHA-256", data=b"n,,n=,r=abcdefghijklmnop"))
        text = client.read_until(m.AuthenticationSASLContinue)[-1].data.decode()
    return dict(part.split("=", 1) for part in text.split(","))


@pytest.mark.parametrize("library", ["pygwire", "scramp"])
def test_a_server_without_its_libraries_is_refused_before_anybody_connects(tmp_path, monkeypatch, library):
    known = Known()
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(InputError, match=r"companyos-data\[server\]"):
        Server(service_over(tmp_path), known, database="shop", port=0)


def test_wrong_passwords_and_unknown_names_are_told_alike(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO), serving(service_over(tmp_path), Limits(login_delay=0.0)) as server:
        with RawClient(server.port) as client:
            wrong = client.log_in("ana", "wrong horse")
        with RawClient(server.port) as client:
            unknown = client.log_in("eve", "wrong horse")
        assert code(wrong) == code(unknown) == "28P01"
        assert fault(wrong).message.replace("ana", "eve") == fault(unknown).message
        known, made_up, again = (first_answer(server, n) for n in ("ana", "eve", "eve"))
    assert made_up["s"] == again["s"] != known["s"]  # a name that changes its salt would be one that is not known
    assert len(made_up["s"]) == len(known["s"])
    assert made_up["i"] == known["i"]
    assert "failed log-in as 'ana' from 127.0.0.1" in caplog.text
    assert "wrong horse" not in caplog.text


def test_a_failed_login_is_answered_late(tmp_path: Path) -> None:
    with serving(service_over(tmp_path), Limits(login_delay=0.4)) as server, RawClient(server.port) as client:
        begin = time.monotonic()
        client.log_in("ana", "wrong horse")
        assert time.monotonic() - begin >= 0.4  # a promise to wait, not a measure of speed


def test_guessing_is_turned_away_unheard(tmp_path: Path) -> None:
    with serving(service_over(tmp_path), QUICK) as server:
        for _ in range(4):
            with RawClient(server.port) as client:
                assert code(client.log_in("ana", "wrong horse")) == "28P01"
        with RawClient(server.port) as client:
            assert code(client.log_in("ana")) == "53300"


def test_failures_of_long_ago_are_forgotten(tmp_path: Path) -> None:
    with serving(service_over(tmp_path), Limits(login_delay=0.0, logins=1, login_window=0.3)) as server:
        with RawClient(server.port) as client:
            client.log_in("ana", "wrong horse")
        time.sleep(0.4)
        with RawClient(server.port) as client:
            assert code(client.log_in("ana")) is None


@pytest.mark.parametrize("name", ["", "x" * 64, "a\nb", "ana'; DROP TABLE ledger; --"])
def test_names_that_are_none_get_nowhere(tmp_path: Path, name: str) -> None:
    with serving(service_over(tmp_path), QUICK) as server, RawClient(server.port) as client:
        client.send(m.StartupMessage(params={"user": name}))
        said = client.read_until(m.ErrorResponse, m.AuthenticationSASL)
        assert code(said) == "28000" or isinstance(said[-1], m.AuthenticationSASL)


def test_nothing_is_answered_before_the_login(endpoint: Server) -> None:
    with RawClient(endpoint.port) as client:
        client.send(m.StartupMessage(params={"user": "ana"}))
        client.read_until(m.AuthenticationSASL)
        client.socket.sendall(m.Query(query_string="SELECT 1").to_wire())
        assert code(client.read_until(m.ErrorResponse)) == "08P01"
        assert client.hung_up()


@pytest.mark.parametrize("proof", one_in(2, [b"c=biws,r=abc,p=AAAA", b"nonsense", b"\xff\xfe", b""]))
def test_a_login_that_is_no_scram_fails(endpoint: Server, proof: bytes) -> None:
    with RawClient(endpoint.port) as client:
        client.send(m.StartupMessage(params={"user": "carl"}))
        client.read_until(m.AuthenticationSASL)
        client.send(m.SASLInitialResponse(mechanism="SCRAM-SHA-256", data=b"n,,n=,r=abcdefghijklmnop"))
        client.read_until(m.AuthenticationSASLContinue)
        client.send(m.SASLResponse(data=proof))
        assert code(client.read_until(m.ErrorResponse)) in ("28P01", "08P01")


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = self_signed(folder, "127.0.0.1")
    return folder, certificate, key


def test_psycopg_and_asyncpg_check_the_certificate_and_bind_the_channel(tmp_path: Path, encrypted: tuple[Path, Path, Path]) -> None:
    import psycopg

    asyncpg = pytest.importorskip("asyncpg")
    _, certificate, key = encrypted
    assert key.stat().st_mode & 0o077 == 0
    binding = certificate_digest(certificate_of(certificate))
    with serving(service_over(tmp_path), tls=server_context(certificate, key), certificate=binding) as server:
        where = {"host": "127.0.0.1", "port": server.port, "user": "ana", "password": PASSWORD}
        for more in ({"channel_binding": "require"}, {"channel_binding": "disable"}, {}):
            with psycopg.connect(**where, sslmode="verify-full", sslrootcert=str(certificate), **more) as connection:
                assert connection.pgconn.ssl_in_use
                assert connection.execute("SELECT 1").fetchone() == (1,)

        async def ask() -> int:
            context = ssl.create_default_context(cafile=str(certificate))
            connection = await asyncpg.connect(**where, ssl=context)
            found = await connection.fetchval("SELECT 1")
            await connection.close()
            return int(found)

        assert asyncio.run(ask()) == 1
        with pytest.raises(psycopg.OperationalError, match="TLS only"):
            psycopg.connect(**where, sslmode="disable")


def test_a_channel_that_is_not_the_servers_own_is_refused(tmp_path: Path, encrypted: tuple[Path, Path, Path]) -> None:
    """As if somebody in the middle had another certificate: the client binds to the one it sees, the server to its own."""
    import psycopg

    _, certificate, key = encrypted
    mine = server_context(certificate, key)
    with serving(service_over(tmp_path), QUICK, tls=mine, certificate=b"\x01" * 32) as server, pytest.raises(psycopg.OperationalError):
        psycopg.connect(host="127.0.0.1", port=server.port, user="ana", password=PASSWORD, sslmode="require", channel_binding="require")


def test_what_is_sent_in_the_clear_after_asking_for_tls_is_not_heard(tmp_path: Path, encrypted: tuple[Path, Path, Path]) -> None:
    _, certificate, key = encrypted
    with serving(service_over(tmp_path), tls=server_context(certificate, key)) as server, RawClient(server.port) as client:
        client.socket.sendall(m.SSLRequest().to_wire() + m.StartupMessage(params={"user": "ana"}).to_wire())
        assert client.socket.recv(1) == b"S"
        assert client.hung_up()
