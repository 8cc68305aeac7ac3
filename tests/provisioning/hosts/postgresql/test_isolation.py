"""Sandboxes on one server: none can reach another, the server's files, or its own limits; a test connects as one and tries."""

from __future__ import annotations

import re
import threading
from datetime import timedelta

import psycopg
import pytest

from provisioning.errors import NotASandbox, WrongState
from provisioning.hosts.postgresql_server import take_over
from schemas.environments import Limits

from .conftest import GUARDED, LIMITS, PASSWORD, trust


def into(url: str, database: str) -> str:
    """The same URL with another database."""
    return re.sub(r"(?<=@/)\w+", database, url)


def refused(url: str) -> str:
    with pytest.raises(psycopg.OperationalError) as error:
        psycopg.connect(url)
    return str(error.value)


def test_a_sandbox_enters_neither_another_one_nor_a_template_by_its_own_name_or_another(yard, bundle) -> None:
    place, other = yard.made("sb-aaaaaaaaaa", bundle), yard.made("sb-bbbbbbbbbb", bundle, "another")
    yard.host.seed(other, bundle, limits=LIMITS, swap=True)
    template = "companyos_t_" + bundle.manifest_digest[7:27]
    mine = yard.host.address(place, PASSWORD)
    with yard.as_owner(other, "another") as connection:  # one who lets another in has no right to
        connection.execute(f"GRANT CONNECT ON DATABASE {other.database} TO {place.role}, PUBLIC")
    for database in (other.database, other.database + "_next", template):
        said = refused(into(mine, database))
        assert "permission denied for database" in said or "not currently accepting" in said or "too many connections" in said
    assert "password authentication failed" in refused(yard.host.address(other, PASSWORD))
    assert "no password supplied" in refused(yard.host.address(other, None))
    for user in ("postgres_x", place.role + "_op", template):
        assert "failed" in refused(mine.replace(f"//{place.role}", f"//{user}"))


def test_a_control_database_on_the_same_server_keeps_its_tables_to_itself(yard, bundle) -> None:
    yard.ask("CREATE DATABASE control")
    try:
        yard.ask("CREATE TABLE tokens AS SELECT 'hash' AS hash", "control")
        place = yard.made("sb-aaaaaaaaaa", bundle)
        with psycopg.connect(into(yard.host.address(place, PASSWORD), "control"), autocommit=True) as connection:
            for attempt in ("SELECT * FROM tokens", "CREATE TABLE more (a int)", "DROP TABLE tokens"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(attempt)
    finally:
        yard.ask("DROP DATABASE control WITH (FORCE)")


def test_two_lines_of_pg_hba_keep_sandboxes_out_of_all_databases_but_their_own(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    mine = yard.host.address(place, PASSWORD)
    try:
        trust(yard.url, 'local sameuser /^companyos_sb_ scram-sha-256\nlocal all "/^companyos_sb_[a-z2-7]{10}$" reject\n' + GUARDED)
        with yard.as_owner(place) as connection:
            assert connection.execute("SELECT count(*) FROM parents").fetchone() == (5,)
        for database in ("postgres", "template1"):
            assert "reject" in refused(into(mine, database))
        with psycopg.connect(yard.host.admin_address(place)) as connection:
            assert connection.execute("SELECT count(*) FROM parents").fetchone() == (5,)
    finally:
        trust(yard.url, GUARDED)


def test_a_password_ends_with_the_time_of_the_sandbox_and_a_new_one_replaces_it(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    hour = timedelta(hours=1)
    yard.host.admit(place, "second", yard.now + hour, LIMITS)
    assert "failed" in refused(yard.host.address(place, PASSWORD))
    yard.host.admit(place, None, yard.now + 2 * hour, LIMITS)
    yard.as_owner(place, "second").close()
    yard.host.admit(place, None, yard.now - hour, LIMITS)
    assert "failed" in refused(yard.host.address(place, "second"))


def test_who_is_shut_out_loses_its_sessions_and_none_of_its_data(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    mine, operator = yard.host.address(place, PASSWORD), yard.host.admin_address(place)
    with yard.as_owner(place) as connection, psycopg.connect(operator) as ours, psycopg.connect(into(mine, "postgres")) as elsewhere:
        connection.execute("INSERT INTO parents VALUES (9, 'kept')")
        for _ in range(2):
            yard.host.shut(place)
        for open in (connection, ours, elsewhere):
            with pytest.raises(psycopg.OperationalError):
                open.execute("SELECT 1")
    for url in (mine, operator):
        assert "not permitted to log in" in refused(url)
    yard.host.admit(place, None, yard.now + timedelta(hours=1), LIMITS)
    with yard.as_owner(place) as connection:
        assert connection.execute("SELECT name FROM parents WHERE id = 9").fetchone() == ("kept",)


def test_a_role_whose_database_is_gone_is_shut_out_as_well(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    yard.ask(f"DROP DATABASE {place.database}")
    yard.host.shut(place)
    assert "not permitted to log in" in refused(into(yard.host.address(place, PASSWORD), "postgres"))


def test_no_more_sessions_than_the_limit(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    open = [yard.as_owner(place) for _ in range(LIMITS.connections)]
    assert "too many connections for role" in refused(yard.host.address(place, PASSWORD))
    for connection in open:
        connection.close()


def test_the_limits_of_statements_and_temporary_files_are_those_of_the_sandbox(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    with yard.as_owner(place) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("7s",)
        assert connection.execute("SHOW temp_file_limit").fetchone() == ("100MB",)
        connection.execute("ALTER ROLE CURRENT_USER RESET ALL")
    yard.host.admit(place, None, yard.now + timedelta(hours=1), Limits(2, 64 * 2**20, 3))
    with yard.as_owner(place) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("3s",)
        assert connection.execute("SHOW temp_file_limit").fetchone() == ("64MB",)
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            connection.execute("SET work_mem = '64kB'; SELECT count(*) FROM (SELECT i FROM generate_series(1, 6000000) i ORDER BY -i) s")


def test_an_owner_who_resets_all_settings_keeps_the_limit_of_temporary_files(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    with yard.as_owner(place) as connection:
        connection.execute("ALTER ROLE CURRENT_USER RESET ALL")
    with yard.as_owner(place) as connection:
        assert connection.execute("SHOW temp_file_limit").fetchone() == ("100MB",)


def test_a_sandbox_that_takes_too_much_is_made_read_only_until_it_is_let_in_again(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    before = yard.host.bytes(place)
    with yard.as_owner(place) as connection:
        connection.execute("CREATE TABLE big AS SELECT repeat('x', 1000) AS x FROM generate_series(1, 5000)")
        assert yard.host.bytes(place) > before + 5_000_000
        yard.host.restrict(place)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    with yard.as_owner(place) as connection, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        connection.execute("INSERT INTO big VALUES ('y')")
    yard.host.admit(place, None, yard.now + timedelta(hours=1), LIMITS)
    with yard.as_owner(place) as connection:
        connection.execute("INSERT INTO big VALUES ('y')")


def test_no_password_reaches_the_servers_log_even_when_it_logs_all(yard, bundle) -> None:
    yard.ask("ALTER SYSTEM SET log_statement = 'all'")
    yard.ask("SELECT pg_reload_conf()")
    try:
        place = yard.made("sb-aaaaaaaaaa", bundle, "clear-text-of-this-test")
        admin = yard.host.admin_address(place)
        yard.as_owner(place, "clear-text-of-this-test").close()
    finally:
        yard.ask("ALTER SYSTEM RESET log_statement")
        yard.ask("SELECT pg_reload_conf()")
    log = yard.log.read_text(errors="replace")
    assert f'ALTER ROLE "{place.role}" LOGIN' in log
    assert "clear-text-of-this-test" not in log
    assert psycopg.conninfo.conninfo_to_dict(admin)["password"] not in log


def test_what_an_owner_hides_in_the_data_runs_without_any_rights_of_ours(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    with yard.as_owner(place) as connection:
        connection.execute("CREATE TABLE caught (session text, super text)")
        connection.execute(
            "CREATE FUNCTION trap() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RESET ROLE; "
            "INSERT INTO public.caught VALUES (session_user, current_setting('is_superuser')); "
            "EXECUTE 'CREATE ROLE companyos_evil SUPERUSER'; RETURN true; END $$"
        )
        connection.execute("ALTER TABLE parents RENAME TO hidden; CREATE VIEW parents AS SELECT * FROM hidden WHERE trap()")
    with psycopg.connect(yard.host.admin_address(place)) as ours:
        assert ours.execute("SELECT session_user, current_user").fetchone() == (place.role + "_op", place.role)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            ours.execute("SELECT * FROM parents")
    assert "companyos_evil" not in yard.roles()


def test_functions_of_an_owner_are_not_called_by_our_steps(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    with yard.as_owner(place) as connection:
        connection.execute("CREATE FUNCTION public.count(text) RETURNS bigint LANGUAGE sql AS 'SELECT 1/0::bigint'")
        connection.execute("CREATE TABLE public.marker (sandbox text, control text)")
        connection.execute("CREATE TABLE public.pg_database (datname text)")
    yard.host.configure(place, {"a": True}, {})
    yard.host.seed(place, bundle, limits=LIMITS, swap=True)
    yard.host.swap(place)
    yard.host.forget_old(place)
    assert yard.ask("SELECT count(*) FROM parents", place.database) == [(5,)]


def test_roles_of_others_may_be_valid_until_any_moment(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    yard.host.seed(place, bundle, limits=LIMITS, swap=True)
    yard.host.admin_address(place)  # whose role may log in for an hour
    until = yard.ask(f"SELECT rolvaliduntil FROM pg_roles WHERE rolname = '{place.role}'")[0][0]
    yard.ask("CREATE DATABASE theirs")
    try:
        for moment in ("-infinity", "infinity", "20000-01-01"):
            yard.ask(f"CREATE ROLE theirs VALID UNTIL '{moment}'")
            found = [(f.name, f.until) for f in yard.host.found() if f.sandbox]
            yard.ask("DROP ROLE theirs")
            names = place.database, place.database + "_next", place.role, place.role + "_op"
            assert found == [(name, until) for name in names]
    finally:
        yard.ask("DROP DATABASE theirs")


def test_two_control_databases_share_a_server_and_not_their_sandboxes(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    theirs = yard.another("f" * 16)
    assert [f.what for f in theirs.found()] == ["template"]
    for step in (
        lambda: theirs.remove(place),
        lambda: theirs.seed(place, bundle, limits=LIMITS),
        lambda: theirs.marker(place),
        lambda: theirs.shut(place),
        lambda: theirs.configure(place, {}, {}),
        lambda: theirs.admit(place, "mine now", yard.now + timedelta(hours=1), LIMITS),
        lambda: theirs.swap_back(place),
    ):
        with psycopg.connect(yard.url) as making:
            take_over(making, place.database)
            with pytest.raises(NotASandbox):
                step()
            assert making.execute("SELECT 1").fetchone() == (1,)
    yard.as_owner(place).close()


def test_access_of_our_own_lasts_an_hour(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    yard.host.admin_address(place)
    left = f"SELECT rolvaliduntil - now() BETWEEN '50 minutes' AND '1 hour' FROM pg_roles WHERE rolname = '{place.role}_op'"
    assert yard.ask(left) == [(True,)]


def test_work_of_ours_ends_with_the_sandbox(yard, bundle) -> None:
    place = yard.made("sb-aaaaaaaaaa", bundle)
    with psycopg.connect(yard.host.admin_address(place), autocommit=True) as ours:
        ours.execute("CREATE TABLE made_by_us (a int)")
        assert ours.execute("SELECT tableowner FROM pg_tables WHERE tablename = 'made_by_us'").fetchone() == (place.role,)
        stop = threading.Timer(0, yard.host.remove, (place,))
        stop.start()
        stop.join()
    assert yard.roles() == {"companyos_t_" + bundle.manifest_digest[7:27]}
    with pytest.raises(WrongState):
        yard.host.admin_address(place)
