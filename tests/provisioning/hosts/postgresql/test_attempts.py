"""What the owner of a sandbox tries in SQL and may not: reach files, other roles, its own limits, and what marks it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from provisioning.hosts.base import Place

from .conftest import URL, Yard

Pair = tuple[Yard, Place, Place, psycopg.Connection]


@pytest.fixture(scope="module")
def pair(guarded_server, bundle) -> Iterator[Pair]:
    """A session of one sandbox beside another one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(URL, guarded_server[0])
        yard = Yard(*guarded_server)
        place, other = yard.made("sb-yyyyyyyyyy", bundle), yard.made("sb-zzzzzzzzzz", bundle)
        with yard.as_owner(place) as connection:
            yield yard, place, other, connection
        for found in (place, other):
            yard.host.remove(found)
        for found in yard.host.found():
            yard.host.drop_template(found.name)


@pytest.mark.parametrize(
    "attempt",
    [
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_ls_dir('.')",
        "COPY parents FROM '/etc/passwd'",
        "COPY parents TO '/tmp/companyos-leak'",
        "COPY parents FROM PROGRAM 'id'",
        "SELECT lo_import('/etc/passwd')",
        "CREATE EXTENSION dblink",
        "CREATE EXTENSION postgres_fdw",
        "CREATE EXTENSION file_fdw",
        "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'libc', 'getpid'",
        "LOAD '/tmp/x.so'",
        "CREATE ROLE friend",
        "CREATE DATABASE more",
        "ALTER ROLE {me} SUPERUSER",
        "ALTER ROLE {me} VALID UNTIL 'infinity'",
        "ALTER ROLE {me} CONNECTION LIMIT -1",
        "ALTER ROLE {me} SET temp_file_limit = -1",
        "SET temp_file_limit = -1",
        "SET ROLE {other}",
        "SET ROLE postgres",
        "SET SESSION AUTHORIZATION postgres",
        "GRANT {other} TO {me}",
        "GRANT {me} TO {other}",
        "GRANT CONNECT ON DATABASE {other} TO {me}",
        "ALTER DATABASE {me} OWNER TO {me}",
        "ALTER DATABASE {me} CONNECTION LIMIT 100",
        "ALTER DATABASE {me} SET session_preload_libraries = 'x'",
        "COMMENT ON DATABASE {me} IS 'mine'",
        "COMMENT ON ROLE {me} IS 'mine'",
        "DROP DATABASE {me}",
        "ALTER SYSTEM SET fsync = off",
        "CREATE EVENT TRIGGER t ON login EXECUTE FUNCTION pg_catalog.now()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'postgres'",
        "UPDATE companyos_sandbox.marker SET sandbox = 'sb-bbbbbbbbbb'",
        "DELETE FROM companyos_sandbox.marker",
        "DROP SCHEMA companyos_sandbox CASCADE",
        "CREATE TABLE companyos_sandbox.more (a int)",
        "ALTER TABLE companyos_sandbox.marker ADD COLUMN a int",
        "CREATE TRIGGER t BEFORE UPDATE ON companyos_sandbox.feature_flags EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    ],
)
def test_what_a_sandbox_tries_and_may_not(pair, attempt) -> None:
    yard, place, other, connection = pair
    with pytest.raises(psycopg.Error) as error:
        connection.execute(attempt.format(me=place.role, other=other.role))
    assert error.value.sqlstate in ("42501", "0A000", "42704", "58P01", "42883", "42939"), error.value
    assert yard.host.marker(place) is not None
