"""What tests of several rooms share: a real PostgreSQL server, started once for each test process; how hypothesis looks for examples;
garbage is looked for only in what the tests themselves make."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from uuid import uuid4

import pytest
from hypothesis import settings

from tests.servers import postgresql_server

# the same examples each time, so that a change is judged by what it changed; `make search` looks for new ones
settings.register_profile("steady", derandomize=True, deadline=None)
settings.register_profile("search", deadline=None, print_blob=True)
settings.load_profile("steady")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Keep what is imported and collected, millions of objects that live as long as the tests, out of every later search for garbage."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_unconfigure() -> None:
    gc.unfreeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The URL of a running server's `postgres` database; the user may do everything."""
    with postgresql_server() as (url, _):
        yield url


@pytest.fixture
def postgres_url(postgres: str) -> Iterator[str]:
    """The URL of an empty database of the test's own."""
    yield from _database(postgres)


@pytest.fixture
def another_postgres_url(postgres: str) -> Iterator[str]:
    """The URL of a second one."""
    yield from _database(postgres)


def _database(postgres: str) -> Iterator[str]:
    psycopg = pytest.importorskip("psycopg")
    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    yield postgres.replace("/postgres?", f"/{name}?")
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
