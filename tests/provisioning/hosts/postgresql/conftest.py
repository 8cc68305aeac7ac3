"""A PostgreSQL server that asks all but its superuser for passwords, and a host of sandboxes on it; each test must leave it empty."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from provisioning.hosts.base import Place
from provisioning.hosts.postgresql import PostgreSQLHost
from schemas.environments import Host, Limits

sys.path.insert(0, str(Path(__file__).parents[2]))

from loading_sources import build, simple, simple_rows

from bundles import Bundle
from tests.servers import postgresql_server

URL = "SANDBOX_SERVER_URL"
PASSWORD = "it's a ;\"secret\\ word"
GUARDED = "local all postgres trust\nlocal all all scram-sha-256\n"
LIMITS = Limits(connections=3, bytes=300 * 2**20, statement_seconds=7)


class Yard:
    """A host, what stands around it, and the shortest ways to what tests do over and over."""

    def __init__(self, url: str, log: Path) -> None:
        self.url, self.log = url, log
        self.now = datetime.now(UTC)
        self.control = uuid4().hex[:16]
        self.host = self.another(self.control)

    def another(self, control: str) -> PostgreSQLHost:
        return PostgreSQLHost(Host("server", "postgresql", url_from=URL), control=control, clock=lambda: self.now)

    def ask(self, sql: str, database: str = "postgres") -> list[tuple]:
        with psycopg.connect(self.of(database), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    def of(self, database: str) -> str:
        return self.url.replace("/postgres?", f"/{database}?")

    def databases(self) -> set[str]:
        rows = self.ask("SELECT datname FROM pg_database WHERE datname NOT IN ('postgres', 'template0', 'template1')")
        return {name for (name,) in rows}

    def roles(self) -> set[str]:
        return {name for (name,) in self.ask("SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres'")}

    def made(self, sandbox: str, bundle: Bundle, password: str = PASSWORD) -> Place:
        place = self.host.place(sandbox)
        self.host.seed(place, bundle, limits=LIMITS)
        self.host.admit(place, password, self.now + timedelta(hours=1), LIMITS)
        return place

    def as_owner(self, place: Place, password: str = PASSWORD) -> psycopg.Connection:
        return psycopg.connect(self.host.address(place, password), autocommit=True)


@pytest.fixture(scope="session")
def guarded_server() -> Iterator[tuple[str, Path]]:
    """The superuser's URL of a server with passwords, and the file that it logs to."""
    with postgresql_server() as (url, log):
        trust(url, GUARDED)
        yield url, log


def trust(url: str, lines: str) -> None:
    """Have the server let in whom these lines of pg_hba.conf let in."""
    with psycopg.connect(url, autocommit=True) as connection:
        (path,) = connection.execute("SHOW hba_file").fetchone()
        Path(path).write_text(lines)
        connection.execute("SELECT pg_reload_conf()")
        wanted = len(lines.splitlines())
        while connection.execute("SELECT count(*) FROM pg_hba_file_rules").fetchone() != (wanted,):
            pass


@pytest.fixture
def yard(guarded_server: tuple[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Yard]:
    url, log = guarded_server
    monkeypatch.setenv(URL, url)
    yard = Yard(url, log)
    yield yard
    for sandbox in {f.sandbox for f in yard.host.found() if f.sandbox}:
        yard.host.remove(yard.host.place(sandbox))
    for found in yard.host.found():
        yard.host.drop_template(found.name)
    assert (yard.databases(), yard.roles()) == (set(), set())


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle of a few rows."""
    return build(simple(), simple_rows(), tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="session")
def bundles_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Bundle]:
    """Bundles of as many rows as asked for."""
    return lambda rows: build(simple(rows), simple_rows(rows), tmp_path_factory.mktemp("store"))
