"""Other databases: what they are asked, in their own words; and a real MariaDB, read, sampled and masked."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
import sqlglot
from sqlalchemy.dialects import mssql, mysql, oracle

from masking.errors import PolicyInvalid, SourceFailure
from masking.sampling import sample
from masking.source import open_source
from masking.source.any_database import _SNAPSHOTS, query_of, sampled_query
from masking.source.losses import NotCarried
from masking.source.row_values import array_of, plain
from schemas.model import Column, Rows, Table
from schemas.reflected_types import column_type
from schemas.types import SqlType

DIALECTS = {"mysql": mysql.dialect(), "tsql": mssql.dialect(), "oracle": oracle.dialect()}


def table_of(*key: str) -> tuple[sa.Table, Table]:
    """The same table as SQLAlchemy and as a schema have it, with names that have to be quoted."""
    columns = ("id", "select", "odd na`me]", "sure")
    held = sa.Table("order", sa.MetaData(), *(sa.Column(c, sa.Integer) for c in columns), schema="Sales")
    return held, Table("Sales.order", tuple(Column(c, SqlType("bigint")) for c in columns), Rows(10), key=key)


def compiled(query: sa.Select[Any], dialect: str) -> str:
    text = str(query.compile(dialect=DIALECTS[dialect], compile_kwargs={"literal_binds": True}))
    assert len(sqlglot.parse(text.replace("%%", "%"), dialect=dialect)) == 1
    return " ".join(text.split())


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (
            "mysql",
            "SELECT `Sales`.`order`.`select`, `Sales`.`order`.`odd na``me]`, CASE WHEN ( id % 2 = 1 -- odd ) THEN 1 ELSE 0 END AS condition_0 "
            "FROM `Sales`.`order` WHERE ( name = 'a:b\\\\c' ) ORDER BY `Sales`.`order`.id, `Sales`.`order`.sure",
        ),
        (
            "tsql",
            "SELECT [Sales].[order].[select], [Sales].[order].[odd na`me]]], CASE WHEN ( id % 2 = 1 -- odd ) THEN 1 ELSE 0 END AS condition_0 "
            "FROM [Sales].[order] WHERE ( name = 'a:b\\\\c' ) ORDER BY [Sales].[order].id, [Sales].[order].sure",
        ),
        (
            "oracle",
            'SELECT "Sales"."order"."select", "Sales"."order"."odd na`me]", CASE WHEN ( id % 2 = 1 -- odd ) THEN 1 ELSE 0 END AS condition_0 '
            'FROM "Sales"."order" WHERE ( name = \'a:b\\\\c\' ) ORDER BY "Sales"."order".id, "Sales"."order".sure',
        ),
    ],
)
def test_a_database_is_asked_in_its_own_words(dialect: str, expected: str) -> None:
    """Names are quoted as each has it, conditions are as they were written, and the order is that of the key."""
    held, table = table_of("id", "sure")
    query = query_of(held, table, [table.column("select"), table.column("odd na`me]")], "name = 'a:b\\\\c'", ["id % 2 = 1 -- odd"])
    text = str(query.compile(dialect=DIALECTS[dialect], compile_kwargs={"literal_binds": True})).replace("%%", "%")
    assert " ".join(text.split()) == expected


@pytest.mark.parametrize(
    ("dialect", "expected"),
    [
        (
            "mysql",
            "SELECT `Sales`.`order`.sure FROM `Sales`.`order` WHERE mod(crc32(`Sales`.`order`.id) + crc32(`Sales`.`order`.`select`), 80) = 0 "
            "ORDER BY `Sales`.`order`.id, `Sales`.`order`.`select`",
        ),
        ("tsql", "SELECT order_1.sure FROM [Sales].[order] AS order_1 TABLESAMPLE system(1.250000000 PERCENT) REPEATABLE (1)"),
        (
            "oracle",
            'SELECT "Sales"."order".sure FROM "Sales"."order" WHERE mod(ora_hash("Sales"."order".id) + ora_hash("Sales"."order"."select"), 80) '
            '= 0 ORDER BY "Sales"."order".id, "Sales"."order"."select"',
        ),
    ],
)
def test_a_sample_is_drawn_by_the_database(dialect: str, expected: str) -> None:
    held, table = table_of("id", "select")
    assert compiled(sampled_query(held, table, [table.column("sure")], 0.0125, dialect), dialect) == expected


@pytest.mark.parametrize(
    ("type", "carried"),
    [
        (mysql.LONGBLOB(), "bytes"),
        (sa.VARBINARY(8), "bytes"),
        (mysql.INTEGER(unsigned=True), "bigint"),
        (mysql.SMALLINT(unsigned=True), "integer"),
        (mysql.SET("a", "b"), "text"),
        (mysql.YEAR(), "smallint"),
        (mysql.BIT(1), "boolean"),
        (mysql.BIT(12), "bigint"),
        (mysql.TIMESTAMP(fsp=3), "timestamptz"),
        (mysql.DATETIME(fsp=3), "timestamp"),
        (mssql.MONEY(), "numeric(19,4)"),
        (mssql.ROWVERSION(), "bytes"),
        (mssql.TIMESTAMP(), "bytes"),
        (mssql.DATETIMEOFFSET(), "timestamptz"),
        (mssql.BIT(), "boolean"),
        (mssql.UNIQUEIDENTIFIER(), "uuid"),
        (oracle.NUMBER(10, 2), "numeric(10,2)"),
        (oracle.NUMBER(10, 0), "bigint"),
        (oracle.NUMBER(30, 0), "numeric(30,0)"),
        (oracle.RAW(16), "bytes"),
        (oracle.DATE(), "timestamp"),
    ],
)
def test_a_databases_own_types_are_carried_by_ones_that_have_room(type: Any, carried: str) -> None:
    assert str(column_type(type)[0]) == carried


def test_the_isolation_that_is_asked_for_is_known_to_each_database() -> None:
    known = {name: DIALECTS[dialect].get_isolation_level_values(None) for name, (_, _, dialect) in _SNAPSHOTS.items()}
    assert all(isolation is None or isolation in known[name] for name, (isolation, _, _) in _SNAPSHOTS.items())


EVERY = {
    "truth": ("bit(1)", "b'1'", True),
    "bits": ("bit(12)", "b'101'", 5),
    "small": ("tinyint", "-5", -5),
    "counted": ("int unsigned", "4294967295", 4294967295),
    "middle": ("mediumint", "-8388608", -8388608),
    "price": ("decimal(10,2)", "12.50", Decimal("12.50")),
    "ratio": ("double", "0.1", 0.1),
    "day": ("date", "'1999-12-31'", dt.date(1999, 12, 31)),
    "moment": ("datetime(6)", "'2026-03-29 02:30:00.000001'", dt.datetime(2026, 3, 29, 2, 30, 0, 1)),
    "instant": ("timestamp(3) NULL", "'2026-03-29 02:30:00.123'", dt.datetime(2026, 3, 29, 0, 0, 0, 123000, dt.UTC)),
    "clock": ("time(6)", "'23:59:59.999999'", dt.time(23, 59, 59, 999999)),
    "born": ("year", "1999", 1999),
    "document": ("json", """'{"b": [1, "x"]}'""", '{"b": [1, "x"]}'),
    "raw": ("varbinary(8)", "x'00ff'", b"\x00\xff"),
    "large": ("longblob", "x'00'", b"\x00"),
    "mood": ("enum('so so','glad')", "'so so'", "so so"),
    "tags": ("set('x','y','z')", "'z,x'", "x,z"),
    "words": ("longtext", "'häß😀'", "häß😀"),
    "fixed": ("char(4)", "'ab'", "ab"),
    "uid": ("uuid", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", UUID("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
}


def run(url: str, *statements: str) -> None:
    engine = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement.replace("%", "%%"))


@pytest.mark.parametrize(
    ("type", "value"),
    [("time", dt.timedelta(hours=32)), ("time", dt.timedelta(hours=-1)), ("date", dt.datetime(2026, 1, 1, 8))],
)
def test_a_value_of_a_driver_is_refused_where_arrow_would_drop_a_part_of_it(type: str, value: object) -> None:
    column = Column("x", SqlType(type), null=0.5)
    with pytest.raises(NotCarried, match="time that is none of a day|date with a time of day"):
        array_of(column, [value, None], plain)


def test_times_come_as_drivers_give_them() -> None:
    given = [dt.timedelta(hours=8), None, dt.timedelta(hours=23, microseconds=1)]
    assert array_of(Column("x", SqlType("time"), null=0.5), given, plain).to_pylist() == [dt.time(8), None, dt.time(23, 0, 0, 1)]


def test_every_type_of_mariadb_is_carried_exactly(mariadb_url: str) -> None:
    columns = ", ".join(f"`{name}` {type}" for name, (type, _, _) in EVERY.items())
    literals = ", ".join(literal for _, literal, _ in EVERY.values())
    nulls = ", ".join("NULL" for _ in EVERY)
    run(mariadb_url, f"CREATE TABLE `odd ta%ble` (id bigint PRIMARY KEY, {columns})", "SET time_zone = '+02:30'")
    engine = sa.create_engine(mariadb_url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        connection.exec_driver_sql("SET time_zone = '+02:30'")  # the zone of who writes, which the reader need not know
        connection.exec_driver_sql(f"INSERT INTO `odd ta%%ble` VALUES (2, {nulls}), (1, {literals})")
    with open_source(mariadb_url) as source:
        first, second = source.read("odd ta%ble").read_all().to_pylist()
    assert {name: first[name] for name in EVERY} == {name: value for name, (_, _, value) in EVERY.items()}
    assert (first["id"], second["id"]) == (1, 2) and not any(second[name] is not None for name in EVERY)


def test_all_of_mariadb_is_read_as_of_one_moment_and_nothing_can_be_written(mariadb_url: str) -> None:
    run(
        mariadb_url,
        "CREATE TABLE a (id int PRIMARY KEY)",
        "CREATE TABLE b (id int PRIMARY KEY, a_id int, FOREIGN KEY (a_id) REFERENCES a (id))",
    )
    run(mariadb_url, "INSERT INTO a VALUES (1), (2)", "INSERT INTO b VALUES (1, 2)")
    with open_source(mariadb_url) as source:
        run(mariadb_url, "INSERT INTO a VALUES (3)", "DELETE FROM b")
        assert source.read("a").read_all().column(0).to_pylist() == [1, 2]
        assert source.read("b").read_all().to_pylist() == [{"id": 1, "a_id": 2}]
        assert [k.table for k in source.schema.table("b").foreign_keys] == ["a"]
        found = source.read("a", ["id"], ["id = 2 -- 'x:y'", "id % 2 = 1"]).read_all().to_pylist()
        assert found == [{"id": 1, "condition_0": False, "condition_1": True}, {"id": 2, "condition_0": True, "condition_1": False}]
        assert source.where("a", "id > 1", ["id"]).read_all().to_pylist() == [{"id": 2}]
        source.check_unchanged()
        with pytest.raises(sa.exc.DBAPIError, match="READ ONLY"):
            source._connection.exec_driver_sql("DELETE FROM a")  # type: ignore[attr-defined]
        with pytest.raises(PolicyInvalid):
            source.where("a", "no_such_function(id) > 1", ["id"]).read_all()


def test_a_table_without_snapshots_is_refused(mariadb_url: str) -> None:
    run(mariadb_url, "CREATE TABLE good (id int PRIMARY KEY)", "CREATE TABLE old (id int PRIMARY KEY) ENGINE = MyISAM")
    with pytest.raises(SourceFailure, match="table 'old' is kept by MyISAM, which gives no snapshot"), open_source(mariadb_url):
        pass


def test_a_date_that_is_none_stops_the_read(mariadb_url: str) -> None:
    engine = sa.create_engine(mariadb_url, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with engine.connect() as connection:
        for statement in ("SET sql_mode = ''", "CREATE TABLE t (id int PRIMARY KEY, born date)", "INSERT INTO t VALUES (1, '0000-00-00')"):
            connection.exec_driver_sql(statement)
    with open_source(mariadb_url) as source, pytest.raises(SourceFailure, match=r"column 'born': the source holds .* no date") as caught:
        source.read("t").read_all()
    assert "0000" not in str(caught.value)


@pytest.mark.parametrize("value", ["24:00:00", "800:00:00", "-01:00:00"])
def test_a_time_that_is_none_of_a_day_stops_the_read(mariadb_url: str, value: str) -> None:
    run(mariadb_url, "CREATE TABLE t (id int PRIMARY KEY, clock time)", f"INSERT INTO t VALUES (1, '08:00:00'), (2, '{value}')")
    with (
        open_source(mariadb_url) as source,
        pytest.raises(SourceFailure, match="column 'clock': the source holds a time that is none of a"),
    ):
        source.read("t").read_all()


def test_all_parts_of_a_large_mariadb_table_are_in_a_sample(mariadb_url: str) -> None:
    """Every thirtieth or so is drawn by a hash of its key, the same ones each time."""
    run(mariadb_url, "CREATE TABLE t (id int PRIMARY KEY, late text)")
    run(mariadb_url, "INSERT INTO t SELECT seq, IF(seq > 1000000, concat('p', seq), NULL) FROM seq_1_to_1200000")
    with open_source(mariadb_url) as source:
        found = sample(source, "t", 1000)
        again = sample(source, "t", 1000, ["late", "id"])
    ids = found.column("id").to_pylist()
    assert ids == sorted(set(ids)) == again.column("id").to_pylist()
    counts = [sum((i - 1) * 10 // 1_200_000 == tenth for i in ids) for tenth in range(10)]
    assert all(50 < n < 200 for n in counts), counts


def test_a_mariadb_database_is_masked_and_proved(mariadb_url: str, tmp_path, capfd: pytest.CaptureFixture[str]) -> None:
    from companyos.cli import run as companyos

    run(
        mariadb_url,
        "CREATE TABLE users (id int unsigned AUTO_INCREMENT PRIMARY KEY, email varchar(80) NOT NULL UNIQUE, name varchar(60) NOT NULL)",
        "CREATE TABLE orders (id int PRIMARY KEY, user_id int unsigned NOT NULL, note text, FOREIGN KEY (user_id) REFERENCES users (id))",
        "INSERT INTO users SELECT 1000 + seq, concat('mail.', seq, '@kolibri-werke.example'), concat('Gunhild Schneidewind', seq) "
        "FROM seq_1_to_50",
        "INSERT INTO orders SELECT seq, 1000 + 1 + seq % 50, NULL FROM seq_1_to_200",
    )
    policy = tmp_path / "policy.yaml"
    policy.write_text(
        "policy: p\ntables:\n"
        "  users: {columns: {id: {class: direct, mask: {hash: {form: integer}}}, email: {class: direct, mask: email}, "
        "name: {class: direct, mask: name}}}\n"
        "  orders: {columns: {id: {class: public, mask: keep}, user_id: {class: direct, mask: reference}, note: {class: public, mask: keep}}}\n"
    )
    code = companyos(["mask", "run", mariadb_url, "--policy", str(policy), "--store", str(tmp_path / "store"), "--json"])
    out, err = capfd.readouterr()
    assert code == 0, err
    made = json.loads(out)
    assert made["certificate"]["scan"]["survivors"] == 0
    assert [(t["table"], t["rows"]) for t in made["certificate"]["tables"]] == [("orders", 200), ("users", 50)]
