"""Reading a real PostgreSQL: types, order, one snapshot, privileges, what cannot be carried, interruption."""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from uuid import UUID, uuid4

import psycopg
import pyarrow as pa
import pytest

from masking.errors import PolicyInvalid, SourceFailure
from masking.source import open_source
from schemas.errors import CompanyOSError, InputError


def run(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def values(url: str, table: str, *columns: str) -> list:
    with open_source(url) as source:
        found = source.read(table, columns or None).read_all()
    return found.column(0).to_pylist() if len(columns) == 1 else [tuple(row.values()) for row in found.to_pylist()]


EVERY = {
    "small": ("smallint", "-32768", -32768),
    "whole": ("integer", "2147483647", 2147483647),
    "large": ("bigint", "-9223372036854775808", -(2**63)),
    "money": ("numeric(12,2)", "1234567890.12", Decimal("1234567890.12")),
    "free": ("numeric", "123456789012345678901234567.123456789", Decimal("123456789012345678901234567.123456789")),
    "cash": ("money", "'12.50'", Decimal("12.50")),
    "single": ("real", "0.25", 0.25),
    "twice": ("double precision", "'NaN'", float("nan")),
    "words": ("text", "'häß😀'", "häß😀"),
    "fixed": ("char(4)", "'ab'", "ab"),
    "truth": ("boolean", "true", True),
    "day": ("date", "'0044-03-15 BC'", None),
    "clock": ("time", "'23:59:59.999999'", dt.time(23, 59, 59, 999999)),
    "zoned_clock": ("timetz", "'12:00+02'", dt.time(12)),
    "moment": ("timestamp", "'2026-03-29 02:30:00.000001'", dt.datetime(2026, 3, 29, 2, 30, 0, 1)),
    "instant": ("timestamptz", "'2026-03-29 02:30:00+05:30'", dt.datetime(2026, 3, 28, 21, tzinfo=dt.UTC)),
    "span": ("interval", "'3 days 00:00:00.000001'", dt.timedelta(days=3, microseconds=1)),
    "uid": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
    "document": ("jsonb", """'{"b": [1, "x"], "a": null}'""", None),
    "raw": ("bytea", "'\\x00ff'", b"\x00\xff"),
    "mood": ("mood", "'so so'", "so so"),
    "address": ("inet", "'10.0.0.1'", "10.0.0.1"),
    "network": ("cidr", "'10.0.0.0/8'", "10.0.0.0/8"),
    "percent": ("percentage", "99.5", Decimal("99.5")),
    "numbers": ("integer[]", "'{1,NULL,3}'", [1, None, 3]),
    "prices": ("numeric(8,2)[]", "'{1.50,-2}'", [Decimal("1.50"), Decimal("-2.00")]),
    "uids": ("uuid[]", "'{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}'", [UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")]),
    "moods": ("mood[]", "'{good}'", ["good"]),
    "spans": ("interval[]", "'{1 day,NULL}'", [dt.timedelta(days=1), None]),
    "none": ("text[]", "'{}'", []),
}


def test_every_type_comes_as_its_column_is_carried(postgres_url: str) -> None:
    columns = ", ".join(f"{name} {type}" for name, (type, _, _) in EVERY.items())
    run(
        postgres_url,
        "CREATE TYPE mood AS ENUM ('good', 'so so')",
        "CREATE DOMAIN share AS numeric(4,1)",
        "CREATE DOMAIN percentage AS share CHECK (VALUE <= 100)",
        f"CREATE TABLE t (id int PRIMARY KEY, {columns}, twofold int GENERATED ALWAYS AS (whole / 2) STORED)",
        f"INSERT INTO t VALUES (1, {', '.join(sql for _, sql, _ in EVERY.values())})",
        "INSERT INTO t (id) VALUES (2)",
    )
    with open_source(postgres_url) as source:
        table = source.schema.table("t")
        found = source.read("t").read_all()
        assert found.schema.equals(table.arrow)
        assert "twofold" not in found.column_names
        assert source.read("t", ["twofold"]).read_all().to_pylist() == [{"twofold": 1073741823}, {"twofold": None}]
    for batch in found.to_batches():
        batch.validate(full=True)
    first, second = (
        {name: found.column(name)[row].as_py() for name in EVERY if name not in ("day", "document", "twice")} for row in (0, 1)
    )
    assert first == {name: value for name, (_, _, value) in EVERY.items() if name in first}
    assert set(second.values()) == {None}
    assert json.loads(found.column("document")[0].as_py()) == {"a": None, "b": [1, "x"]}
    assert str(found.column("twice")[0].as_py()) == "nan"
    assert found.column("day").cast(pa.int32())[0].as_py() == -735_160


@pytest.mark.parametrize(
    ("type", "sql", "reason"),
    [
        ("timestamptz", "'infinity'", "infinite"),
        ("timestamp", "'-infinity'", "infinite"),
        ("timestamp", "'294276-12-31'", "too far"),
        ("date", "'infinity'", "infinite"),
        ("date[]", "'{-infinity}'", "infinite"),
        ("numeric", "'NaN'", "no number"),
        ("numeric", "0.0123456789", "more digits"),
        ("numeric(50,0)", "1e45", "more digits"),
        ("interval", "'1 month'", "months"),
        ("interval[]", "'{1 year}'", "months"),
        ("time", "'24:00'", "24:00"),
        ("int[]", "'{{1,2},{3,4}}'", "several dimensions"),
    ],
)
def test_what_cannot_be_carried_stops_the_read_and_is_not_shown(postgres_url: str, type: str, sql: str, reason: str) -> None:
    run(postgres_url, f"CREATE TABLE t (id int, secret {type})", f"INSERT INTO t VALUES (1, NULL), (2, {sql})")
    with open_source(postgres_url) as source:
        with pytest.raises(SourceFailure) as error:
            source.read("t").read_all()
        assert "table 't', column 'secret'" in str(error.value)
        assert reason in str(error.value)
        assert source.read("t", ["id"]).read_all().num_rows == 2


def test_rows_come_by_their_key_bytewise_whatever_the_columns(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE t (name text, n int, other int, PRIMARY KEY (name, n))",
        "INSERT INTO t VALUES ('b', 2, 1), ('B', 1, 2), ('ä', 1, 3), ('a', 1, 4), ('b', 1, 5)",
        "CREATE INDEX ON t (other)",
    )
    expected = [("B", 1), ("a", 1), ("b", 1), ("b", 2), ("ä", 1)]
    assert values(postgres_url, "t", "name", "n") == expected
    assert values(postgres_url, "t", "other") == [2, 4, 5, 1, 3]
    with open_source(postgres_url) as source:
        assert source.where("t", "other > 2", ["name"]).read_all().column(0).to_pylist() == ["a", "b", "ä"]


def test_rows_without_a_key_come_as_they_lie_whatever_the_columns(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE t (n int, other int NOT NULL, filler text)",
        "INSERT INTO t SELECT i, 5000 - i, repeat('x', 1000) FROM generate_series(1, 5000) i",  # which an index alone is read without
        "CREATE INDEX ON t (other)",
        "VACUUM ANALYZE t",
    )
    assert values(postgres_url, "t", "n") == list(range(1, 5001))
    assert values(postgres_url, "t", "other") == list(range(4999, -1, -1))


def test_conditions_come_as_columns_in_the_order_of_the_rows(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int PRIMARY KEY, a text)", "INSERT INTO t VALUES (2, 'x'), (1, NULL), (3, 'y')")
    with open_source(postgres_url) as source:
        found = source.read("t", ["id"], ["a = 'x' -- a comment", "a IS NULL"]).read_all()
        assert found.to_pydict() == {"id": [1, 2, 3], "condition_0": [False, True, False], "condition_1": [True, False, False]}
        assert source.read("t", [], ["id > 1"]).read_all().column(0).to_pylist() == [False, True, True]
        assert sum(batch.num_rows for batch in source.read("t", [])) == 3


@pytest.mark.parametrize("condition", ["a = ", "b = 1", "1; DROP TABLE t", "1=1) OR (1=1", "a = (SELECT 1)", "a::int > 3", "nothing(a)"])
def test_what_is_no_condition_is_the_policys_fault(postgres_url: str, condition: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int PRIMARY KEY, a text)", "INSERT INTO t VALUES (1, 'Anna Smith')")
    with open_source(postgres_url) as source:
        for read in (lambda: source.where("t", condition, ["id"]), lambda: source.read("t", ["id"], [condition])):
            with pytest.raises(PolicyInvalid, match="the condition on 't'") as error:
                read().read_all()
            assert "Smith" not in str(error.value)


def test_a_value_that_a_condition_stumbles_over_is_not_shown(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int PRIMARY KEY, phone text)", "INSERT INTO t VALUES (1, '4917012345678')")
    with open_source(postgres_url) as source:
        for condition in ("phone::int > 3", "now() AT TIME ZONE phone > now()"):
            with pytest.raises(PolicyInvalid) as error:
                source.where("t", condition, ["id"]).read_all()
            assert "49170" not in str(error.value)


def test_all_reads_see_one_moment_and_nothing_is_written(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int PRIMARY KEY)", "CREATE TABLE u (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    with open_source(postgres_url) as source:
        run(postgres_url, "INSERT INTO t VALUES (2)", "INSERT INTO u VALUES (1)", "DELETE FROM t WHERE id = 1")
        open_reads = [iter(source.read(name)) for name in ("t", "u", "t")]
        assert [sum(b.num_rows for b in read) for read in open_reads] == [1, 0, 1]
        assert source.read("t").read_all().to_pydict() == {"id": [1]}
        assert (source.count("t"), source.count("u")) == (1, 0)
        source.check_unchanged()


def test_the_structure_cannot_change_while_the_source_is_open(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int PRIMARY KEY)")
    with open_source(postgres_url) as source:
        with pytest.raises(psycopg.errors.LockNotAvailable):
            run(postgres_url, "SET lock_timeout = '50ms'", "ALTER TABLE t ADD COLUMN b int")
        source.check_unchanged()
    run(postgres_url, "SET lock_timeout = '5s'", "DROP TABLE t")


def test_partitions_and_heirs_are_read_once(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id)",
        "CREATE TABLE low PARTITION OF parts FOR VALUES FROM (0) TO (10)",
        "CREATE TABLE high PARTITION OF parts FOR VALUES FROM (10) TO (20)",
        "INSERT INTO parts VALUES (12), (3), (11)",
        "CREATE TABLE parent (id int)",
        "CREATE TABLE heir (more int) INHERITS (parent)",
        "INSERT INTO parent VALUES (1)",
        "INSERT INTO heir VALUES (2, 2)",
    )
    with open_source(postgres_url) as source:
        assert [t.name for t in source.schema.tables] == ["heir", "parent", "parts"]
        assert source.read("parts").read_all().to_pydict() == {"id": [3, 11, 12]}
        assert source.read("parent").read_all().to_pydict() == {"id": [1]}
        assert (source.count("parent"), source.count("heir"), source.count("parts")) == (1, 1, 3)


def test_names_may_be_anything(postgres_url: str) -> None:
    run(
        postgres_url,
        'CREATE SCHEMA "my sales"',
        'CREATE TABLE "my sales"."100% ""of"" :it" ("the %s id" int PRIMARY KEY, "CASE" text)',
        """INSERT INTO "my sales"."100% ""of"" :it" VALUES (1, '%s :x')""",
    )
    with open_source(postgres_url) as source:
        (table,) = source.schema.tables
        assert source.read(table.name).read_all().to_pylist() == [{"the %s id": 1, "CASE": "%s :x"}]
        assert source.where(table.name, "\"CASE\" = '%s :x'", ["the %s id"]).read_all().num_rows == 1


@pytest.fixture
def stranger(postgres_url: str):
    """The URL for a user who owns nothing, and the user's name."""
    name = f"stranger_{uuid4().hex[:8]}"
    run(postgres_url, f"CREATE ROLE {name} LOGIN PASSWORD 'pa:ss/wd'")
    yield postgres_url.replace("postgres:@", f"{name}:pa%3Ass%2Fwd@"), name
    run(postgres_url, f"DROP OWNED BY {name}", f"DROP ROLE {name}")


def test_a_missing_privilege_is_named_with_the_grant_that_mends_it(postgres_url: str, stranger: tuple[str, str]) -> None:
    url, name = stranger
    run(postgres_url, "CREATE TABLE mine (id int)", "CREATE TABLE open (id int)", f"GRANT SELECT ON open TO {name}")
    with pytest.raises(SourceFailure) as error, open_source(url):
        pass
    assert f'GRANT SELECT ON "public"."mine" TO "{name}"' in str(error.value)
    assert "open" not in str(error.value).replace("opened", "")
    assert "ss/wd" not in str(error.value)
    run(postgres_url, f"GRANT SELECT ON mine TO {name}")
    with open_source(url) as source:
        assert source.read("mine").read_all().num_rows == 0


def test_rows_that_a_policy_of_the_database_hides_stop_the_read(postgres_url: str, stranger: tuple[str, str]) -> None:
    url, name = stranger
    run(
        postgres_url,
        "CREATE TABLE t (id int)",
        "INSERT INTO t VALUES (1), (2)",
        f"GRANT SELECT ON t TO {name}",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY part ON t USING (id = 1)",
    )
    with pytest.raises(CompanyOSError, match="row-level security"), open_source(url) as source:
        source.read("t").read_all()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://someone:hush%21@127.0.0.1:1/nothing",
        "postgresql://someone:hush!@/nothing?host=/nowhere",
    ],
)
def test_a_server_that_cannot_be_reached_is_told_without_the_password(url: str) -> None:
    with pytest.raises(SourceFailure, match="connection") as error, open_source(url):
        pass
    assert "hush" not in str(error.value)


def test_a_url_that_is_none_is_an_input_error() -> None:
    for url in ("nonsense", "duckdb:///x.db", "sqlite:///no/such/file.db"):
        with pytest.raises(InputError), open_source(url):
            pass


def test_a_server_that_goes_away_in_the_middle_is_a_failure_of_the_source(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int, filler text)", "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 200000) i")
    with open_source(postgres_url) as source:
        read = iter(source.read("t"))
        next(read)
        run(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        with pytest.raises(SourceFailure):
            for _ in read:
                pass
        with pytest.raises(SourceFailure):
            source.check_unchanged()
        with pytest.raises(SourceFailure):
            source.read("t").read_all()


def test_a_read_that_is_given_up_leaves_the_source_usable_and_no_query_behind(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int, filler text)", "INSERT INTO t SELECT i, repeat('x', 500) FROM generate_series(1, 200000) i")
    with open_source(postgres_url) as source:
        for _ in range(3):
            read = source.read("t")
            read.read_next_batch()
            del read
        assert source.read("t", ["id"]).read_all().num_rows == 200_000
        with psycopg.connect(postgres_url) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' AND state = 'active'"
            assert connection.execute(query).fetchone() == (1,)


def test_batches_are_small_even_of_huge_cells(postgres_url: str) -> None:
    run(
        postgres_url,
        "CREATE TABLE t (id int PRIMARY KEY, blob bytea)",
        "INSERT INTO t SELECT i, convert_to(repeat('x', 5000000), 'UTF8') FROM generate_series(1, 20) i",
        "CREATE TABLE narrow (id int PRIMARY KEY)",
        "INSERT INTO narrow SELECT generate_series(1, 200000)",
    )
    told: list[tuple[str, int, int]] = []
    with open_source(postgres_url, lambda table, rows, of: told.append((table, rows, of))) as source:
        sizes = [(b.num_rows, b.nbytes) for b in source.read("t")]
        assert sum(rows for rows, _ in sizes) == 20
        assert max(size for _, size in sizes) <= 32 << 20
        narrow = [b.num_rows for b in source.read("narrow")]
        assert max(narrow) <= 65_536
        assert sum(narrow) == 200_000
    assert told[-1] == ("narrow", 200_000, 200_000)
    assert [rows for table, rows, _ in told if table == "t"][-1] == 20


_SLOW = """
import sys
from masking.source import open_source
with open_source(sys.argv[1]) as source:
    try:
        print("ready", flush=True)
        source.where("t", "pg_sleep(60) IS NOT NULL", ["id"]).read_all()
    except KeyboardInterrupt:
        print("stopped", flush=True)
        sys.exit(7)
"""


def test_ctrl_c_cancels_the_query_that_runs(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t VALUES (1)")
    process = subprocess.Popen([sys.executable, "-c", _SLOW, postgres_url], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_sleep(60)%' AND pid <> pg_backend_pid()"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        while connection.execute(query + " AND state = 'active'").fetchone() != (1,):
            time.sleep(0.02)
        os.kill(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (7, "stopped\n", "")
        while connection.execute(query).fetchone() != (0,):  # the server ends a session a moment after its client
            time.sleep(0.02)


def test_several_threads_read_at_a_time(postgres_url: str) -> None:
    run(postgres_url, "CREATE TABLE t (id int PRIMARY KEY)", "INSERT INTO t SELECT generate_series(1, 100000)")
    found: list[int] = []
    with open_source(postgres_url) as source:
        threads = [threading.Thread(target=lambda: found.append(sum(b.num_rows for b in source.read("t")))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == [100_000] * 4
