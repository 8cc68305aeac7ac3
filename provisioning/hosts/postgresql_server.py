"""A PostgreSQL server that sandboxes live on, reached as a superuser: connections, URLs, and what its errors mean."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from provisioning.errors import TargetFailure, TargetInvalid
from provisioning.target import parse_target
from schemas.ddl_names import literal
from schemas.errors import CompanyOSError, InputError, without_secrets

if TYPE_CHECKING:
    import psycopg

Connection: TypeAlias = "psycopg.Connection[tuple[Any, ...]]"

OLDEST = 15  # of the server: `CREATE DATABASE ... STRATEGY`, and a schema `public` in which nobody makes tables
_PATIENCE = 10  # seconds until a server counts as gone
_GONE_WITHIN = 2.0  # seconds that a session of ours may take to end
# names are looked up in no schema that an owner of a sandbox can write to: else a function of theirs would run as a superuser
_OPTIONS = "-c search_path=pg_catalog -c client_min_messages=error -c statement_timeout=0 -c lock_timeout=60s -c jit=off"
_SHARED = ("host", "hostaddr", "port", "sslmode", "sslrootcert", "sslnegotiation", "channel_binding", "target_session_attrs", "gssencmode")
_MEANINGS = {
    "53300": "the server has no free connection; end sessions, or raise max_connections",
    "53100": "the server's disk is full; free some of it, and do it again",
    "28P01": "the server refused our password; correct the host's URL",
    "28000": "the server refused our user; correct the host's URL, or pg_hba.conf",
    "57P01": "the server ended our session; do it again when it is back",
    "57P02": "the server crashed; do it again when it is back",
    "57P03": "the server is starting or stopping; do it again when it is up",
    "55P03": "another session holds a lock; end that session, and do it again",
    "55006": "other sessions use the database; end them, and do it again",
}


class Server:
    """A server by the URL of a superuser; `name` is what messages call it. Connects anew for each piece of work."""

    def __init__(self, name: str, url: str) -> None:
        psycopg = driver()
        self.name = name
        try:
            target = parse_target(url)
            if target.url is None:
                raise TargetInvalid(f"it is one of {target.dialect}; write postgresql://user:password@host/postgres")
            self._parameters: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(target.url)
        except TargetInvalid as error:
            raise TargetInvalid(f"the URL of host '{name}': {error}") from None
        except psycopg.Error:
            raise TargetInvalid(f"the URL of host '{name}' cannot be read; write postgresql://user:password@host/postgres") from None

    @contextmanager
    def connected(self, doing: str, database: str | None = None) -> Iterator[Connection]:
        """A connection on which each statement is its own transaction, to the database of the URL where no other is named.

        Errors of the server become TargetFailure, with `doing` in the message and without statement or values.
        """
        psycopg = driver()
        with self.failures(doing):
            connection = psycopg.connect(**self._for(database), autocommit=True)
            try:
                if connection.info.server_version < OLDEST * 10_000:
                    raise InputError(f"host '{self.name}' runs PostgreSQL {connection.info.server_version // 10_000}; it takes {OLDEST}")
                if connection.info.parameter_status("is_superuser") != "on":
                    raise InputError(f"host '{self.name}': the user of the URL is no superuser, and limits of roles take one")
                yield connection
            finally:
                connection.close()

    @contextmanager
    def visiting(self, outside: Connection, doing: str, database: str) -> Iterator[Connection]:
        """A connection to a sandbox, beside one `outside` of it.

        When this ends the session is gone, and counted: nothing of it changes the statistics of the database later.
        """
        with self.connected(doing, database) as connection:
            pid = connection.info.backend_pid
            yield connection
        end = time.monotonic() + _GONE_WITHIN
        while time.monotonic() < end and ask(outside, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", (pid,)):
            time.sleep(0.002)

    @contextmanager
    def failures(self, doing: str) -> Iterator[None]:
        """Turn the driver's errors into TargetFailure; `doing` says what was tried."""
        psycopg = driver()
        try:
            yield
        except psycopg.Error as error:
            raise self._failure(error, doing) from None

    def url(self, database: str, *, role: str | None = None) -> str:
        """Return a URL for ourselves; with `role` all is done as that role, and belongs to it."""
        parameters = {**self._parameters, "dbname": database}
        if role is not None:
            parameters["options"] = f"{parameters.get('options') or ''} -c role={role}".strip()
        return "postgresql:///?" + "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parameters.items() if value)

    def address(self, database: str, user: str, password: str | None, options: Mapping[str, str] | None = None) -> str:
        """Return a URL for somebody else: the server's place, and how to speak to it, of ours."""
        given = {name: str(self._parameters[name]) for name in _SHARED if self._parameters.get(name)}
        hosts, ports = given.get("host", "").split(","), given.get("port", "").split(",")
        place = ""
        if all(host and not host.startswith(("/", "@")) for host in hosts):
            place = ",".join(_host(host) + (f":{_nth(ports, n)}" if _nth(ports, n) else "") for n, host in enumerate(hosts))
            given.pop("host", None)
            given.pop("port", None)
        if options:
            given["options"] = " ".join(f"-c {name}={value}" for name, value in options.items())
        secret = "" if password is None else f":{quote(password, safe='')}"
        rest = "&".join(f"{name}={quote(value, safe='/' if name == 'host' else '')}" for name, value in given.items())
        return f"postgresql://{quote(user, safe='')}{secret}@{place}/{quote(database, safe='')}{'?' if rest else ''}{rest}"

    def _for(self, database: str | None) -> dict[str, Any]:
        parameters = {"connect_timeout": _PATIENCE, "application_name": "companyos", **self._parameters}
        parameters["options"] = f"{parameters.get('options') or ''} {_OPTIONS}".strip()
        if database is not None:
            parameters["dbname"] = database
        return parameters

    def _failure(self, error: psycopg.Error, doing: str) -> CompanyOSError:
        meaning = _MEANINGS.get(error.sqlstate or "")
        said = error.diag.message_primary or (str(error).strip().splitlines() or ["no answer"])[0]
        password = self._parameters.get("password")
        said = without_secrets(said.replace(str(password), "***") if password else said)
        if error.sqlstate == "42501":
            meaning = f"the user of the host's URL lacks a privilege: {said}"
        elif not error.sqlstate and isinstance(error, driver().OperationalError):
            meaning = _MEANINGS.get(_state_in(said)) or f"the server cannot be reached, or is gone: {said}"
        return TargetFailure(f"{doing}: host '{self.name}': {meaning or said}")


def server_from_environment(name: str, variable: str | None) -> Server:
    """Return the server whose URL is in an environment variable; InputError where that is not set."""
    url = os.environ.get(variable or "")
    if not variable or not url:
        raise InputError(f"host '{name}': the environment variable {variable or '(url_from)'} does not hold the URL of a PostgreSQL server")
    return Server(name, url)


def driver() -> Any:
    """Return psycopg; InputError where it is not installed."""
    try:
        import psycopg
    except ImportError:
        raise InputError("sandboxes in PostgreSQL need its driver; `pip install 'companyos-data[postgres]'` brings it") from None
    return psycopg


def run(connection: Connection, sql: str) -> None:
    """Run statements that take no parameters: names in them are quoted by `schemas.ddl_names`."""
    connection.execute(sql.encode())


def ask(connection: Connection, sql: str, parameters: tuple[Any, ...] | None = None) -> list[tuple[Any, ...]]:
    """Return all rows of a query."""
    return connection.execute(sql.encode(), parameters).fetchall()


def end_sessions(connection: Connection, *, database: str | None = None, roles: tuple[str, ...] = ()) -> None:
    """End the sessions in a database or of roles, and wait until they have given up what they hold."""
    ask(
        connection,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE (datname = %s OR usename = ANY(%s)) AND pid <> pg_backend_pid() AND backend_type = 'client backend'",
        (database, list(roles)),
    )


def take_over(connection: Connection, what: str) -> None:
    """Be the one session that makes something, until this one ends; one that is still at it is ended first."""
    end_maker(connection, what)
    connection.execute("SELECT pg_advisory_lock(%s)", (_key(what),))


def end_maker(connection: Connection, what: str) -> None:
    """End the session that makes something: after its client was killed the server copies on, and would be done with it later."""
    ask(
        connection,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
        "AND classid::bigint << 32 | objid::bigint = %s AND pid <> pg_backend_pid()",
        (_key(what),),
    )


def _key(what: str) -> int:
    return int.from_bytes(hashlib.sha256(f"companyos making {what}".encode()).digest()[:8], "big") >> 1


def verifier(connection: Connection, role: str, password: str) -> str:
    """Return the SCRAM verifier of a password as an SQL string: the clear text reaches neither the server nor its log."""
    return literal(connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode())


def _host(host: str) -> str:
    return f"[{host}]" if ":" in host else quote(host, safe="")


def _nth(ports: list[str], n: int) -> str:
    return ports[n] if n < len(ports) else ports[0] if len(ports) == 1 else ""


def _state_in(said: str) -> str:
    """The state of an error on connecting, of which libpq gives the text alone."""
    with suppress(StopIteration):
        return next(state for words, state in _CONNECTING.items() if words in said)
    return ""


_CONNECTING = {
    "too many clients": "53300",
    "remaining connection slots": "53300",
    "password authentication failed": "28P01",
    "no password supplied": "28P01",
    "no pg_hba.conf entry": "28000",
    "the database system is starting up": "57P03",
    "the database system is shutting down": "57P03",
    "No space left": "53100",
}
