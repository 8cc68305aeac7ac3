"""DDL: what it says of order, cycles and names, and that checks mean the same in every database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.ddl import DIALECTS, PHASES, Ddl, ddl
from schemas.ddl_expressions import Untranslatable, for_duckdb, for_sqlite
from schemas.ddl_names import FreeNames
from schemas.ddl_order import components, fill_order, in_cycle
from schemas.errors import InputError
from schemas.model import Check, Column, ForeignKey, Index, Rows, Schema, Table, Unique
from schemas.types import SqlType

BIGINT = SqlType("bigint")


def linked(links: dict[str, set[str]]) -> Schema:
    """Tables that refer to each other as `links` says."""
    tables = []
    for name, parents in links.items():
        columns = tuple(Column(f"to_{p}", BIGINT) for p in sorted(parents))
        keys = tuple(ForeignKey((f"to_{p}",), p, ("id",)) for p in sorted(parents))
        tables.append(Table(name, (Column("id", BIGINT), *columns), Rows(1), key=("id",), foreign_keys=keys))
    return Schema("s", tuple(tables))


@st.composite
def links(draw: st.DrawFn) -> dict[str, set[str]]:
    names = [f"t{n}" for n in range(draw(st.integers(1, 7)))]
    return {name: draw(st.sets(st.sampled_from(names), max_size=4)) for name in names}


@given(links())
def test_every_table_is_filled_once_and_only_cycles_refer_ahead(drawn: dict[str, set[str]]) -> None:
    schema = linked(drawn)
    order = fill_order(schema)
    assert sorted(order) == sorted(drawn)
    cyclic = {(table, key.table) for table, key in in_cycle(schema)}
    ahead = {(t, p) for t, parents in drawn.items() for p in parents if order.index(p) > order.index(t)}
    assert ahead <= cyclic


@given(links())
def test_two_tables_are_in_one_cycle_if_each_reaches_the_other(drawn: dict[str, set[str]]) -> None:
    reach = {t: {t} for t in drawn}
    for _ in drawn:
        reach = {t: found.union(*(drawn[p] for p in found)) for t, found in reach.items()}
    expected = {frozenset(u for u in drawn if u in reach[t] and t in reach[u]) for t in drawn}
    assert {frozenset(c) for c in components(linked(drawn))} == expected


@given(links())
def test_duckdb_and_sqlite_take_every_shape_of_references(drawn: dict[str, set[str]]) -> None:
    schema = linked(drawn)
    for dialect, connection in (("duckdb", duckdb.connect()), ("sqlite", sqlite3.connect(":memory:"))):
        for statement in ddl(schema, dialect).statements:
            connection.execute(statement.sql)
        connection.close()


def test_duckdb_leaves_out_one_key_of_a_cycle() -> None:
    plan = ddl(linked({"a": {"b"}, "b": {"c"}, "c": {"a", "c"}}), "duckdb")
    assert [(n.table, n.reason) for n in plan.not_enforced] == [("a", "DuckDB takes no foreign keys in a cycle of tables")]
    assert plan.order == ("a", "c", "b")


def test_long_chains_of_tables_need_no_deep_recursion() -> None:
    names = [f"t{n}" for n in range(3000)]
    schema = linked({name: {names[n + 1]} if n + 1 < len(names) else set() for n, name in enumerate(names)})
    assert fill_order(schema) == tuple(reversed(names))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_statements_come_in_phases(dialect: str) -> None:
    plan = ddl(linked({"a": {"b"}, "b": {"a"}}), dialect)
    places = [PHASES.index(s.phase) for s in plan.statements]
    assert places == sorted(places)
    assert plan.script().count(";\n") == len(plan.statements)


def test_an_unknown_dialect_is_refused() -> None:
    with pytest.raises(InputError, match="postgresql, duckdb, sqlite"):
        ddl(linked({"a": set()}), "oracle")


def test_one_name_for_two_indexes_is_given_once() -> None:
    def table(name: str) -> Table:
        indexes = (Index(("id",), name="same"), Index(("id",)))
        return Table(name, (Column("id", BIGINT),), Rows(1), unique=(Unique(("id",), name="pg same"),), indexes=indexes)

    schema = Schema("s", (table("a"), table("b"), table("same_2")))
    for dialect, connection in (("duckdb", duckdb.connect()), ("sqlite", sqlite3.connect(":memory:"))):
        for statement in ddl(schema, dialect).statements:
            connection.execute(statement.sql)
        connection.close()
    script = ddl(schema, "postgresql").script()
    assert script.count('CREATE INDEX "same"') == 1
    assert script.count('CONSTRAINT "pg same"') == 1


def test_free_names_do_not_clash_and_fit() -> None:
    names = FreeNames(["Taken"], limit=8)
    assert [names.take("taken"), names.take("a_long_name"), names.take("a_long_nest"), names.claim("other"), names.claim("OTHER")] == [
        "taken_2", "a_long_n", "a_long_2", True, False,
    ]  # fmt: skip


def test_a_cycle_of_not_null_keys_can_be_deferred_and_others_cannot() -> None:
    script = ddl(linked({"a": {"b"}, "b": {"a"}, "c": {"a"}}), "postgresql").script()
    assert script.count("DEFERRABLE") == 2


def test_identity_in_duckdb_begins_where_it_is_told() -> None:
    schema = Schema("s", (Table("a", (Column("id", BIGINT, identity=True),), Rows(1), key=("id",)),))
    assert "START WITH 42" in ddl(schema, "duckdb", next_values={("a", "id"): 42}).script()


SALES = Table(
    "sales",
    (
        Column("id", BIGINT),
        Column("net", SqlType("numeric", precision=12, scale=2), null=0.1),
        Column("tax", SqlType("numeric", precision=12, scale=2), null=0.1),
        Column("total", SqlType("numeric", precision=12, scale=2), null=0.1),
        Column("wide", SqlType("numeric", precision=30, scale=10), null=0.1),
        Column("rate", SqlType("double"), null=0.1),
        Column("count", SqlType("integer"), null=0.1),
        Column("name", SqlType("text"), null=0.1),
        Column("kind", SqlType("enum", values=("a", "b"), name="kind"), null=0.1),
        Column("day", SqlType("date"), null=0.1),
        Column("at", SqlType("timestamptz"), null=0.1),
        Column("local", SqlType("timestamp"), null=0.1),
        Column("ok", SqlType("boolean"), null=0.1),
        Column("raw", SqlType("bytes"), null=0.1),
        Column("Mixed Case", BIGINT, null=0.1),
    ),
    Rows(1),
    key=("id",),
)

# each check, and rows that it must take (True) or refuse (False); a null is neither and so taken
CHECKS: list[tuple[str, list[tuple[dict[str, object], bool]]]] = [
    ("net + tax = total", [({"net": "0.1", "tax": "0.2", "total": "0.3"}, True), ({"net": "0.1", "tax": "0.2", "total": "0.31"}, False)]),
    ("total = net * 1.19", [({"net": "100", "total": "119"}, True), ({"net": "100", "total": "119.01"}, False)]),
    ("net - tax - total >= 0", [({"net": "0.3", "tax": "0.1", "total": "0.2"}, True), ({"net": "0.3", "tax": "0.2", "total": "0.2"}, False)]),
    ("wide > 9 AND wide <= (100)::numeric", [({"wide": "10"}, True), ({"wide": "100.0000000000"}, True), ({"wide": "8"}, False), ({}, True)]),
    ("wide < 0.00005::numeric", [({"wide": "0.00004"}, True), ({"wide": "0.00006"}, False)]),
    ("wide + 0.1 <> 0.3", [({"wide": "0.1"}, True), ({"wide": "0.2"}, False)]),
    ("count / 2 = 2", [({"count": 5}, True), ({"count": 6}, False)]),
    ("(count + 1) / 2 = -2", [({"count": -6}, True), ({"count": -7}, False)]),
    ("net / 2 = 2.5", [({"net": "5"}, True), ({"net": "4"}, False)]),
    ("count % 2 = 0", [({"count": 4}, True), ({"count": 5}, False)]),
    ("name LIKE 'A%_z'", [({"name": "A--z"}, True), ({"name": "a--z"}, False), ({"name": "Az"}, False)]),
    ("name NOT LIKE 'te*st[%'", [({"name": "TE*ST["}, True), ({"name": "te*st[ x"}, False), ({"name": "testing"}, True)]),
    ("name ILIKE 'ab%'", [({"name": "ABc"}, True), ({"name": "b"}, False)]),
    ("char_length(name) BETWEEN 2 AND 3", [({"name": "é🦊"}, True), ({"name": "x"}, False)]),
    ("octet_length(name) BETWEEN 2 AND 3", [({"name": "ü"}, True), ({"name": "🦊"}, False), ({"name": "x"}, False)]),
    ("octet_length(raw) = 2", [({"raw": b"\xff\x00"}, True), ({"raw": b"\xff"}, False)]),
    ("length(raw) = 2", [({"raw": b"\xff\x00"}, True), ({"raw": b"\xff"}, False)]),
    ("name = btrim(name) AND name <> ''", [({"name": "a"}, True), ({"name": "a "}, False), ({"name": ""}, False)]),
    ("upper(name) = 'AB' || 'C'", [({"name": "abc"}, True), ({"name": "abd"}, False)]),
    ("position('@' IN name) > 1", [({"name": "a@b"}, True), ({"name": "@b"}, False)]),
    ("kind::text = ANY (ARRAY['a'::character varying, 'c'::character varying]::text[])", [({"kind": "a"}, True), ({"kind": "b"}, False)]),
    ("kind <> 'a'::kind", [({"kind": "b"}, True), ({"kind": "a"}, False)]),
    ("day >= '2024-02-29' AND day < DATE '2024-03-02'", [({"day": "2024-03-01"}, True), ({"day": "2024-03-02"}, False)]),
    ("day IN ('2024-01-01'::date)", [({"day": "2024-01-01"}, True), ({"day": "2024-01-02"}, False)]),
    ("at > '2024-01-01 00:00:00+00'::timestamptz", [({"at": "2024-01-01 00:00:00.000001+00:00"}, True), ({"at": "2024-01-01 00:00:00.000000+00:00"}, False)]),
    ("at <= '2024-01-01T12:00:00+02:00'", [({"at": "2024-01-01 10:00:00.000000+00:00"}, True), ({"at": "2024-01-01 11:00:00.000000+00:00"}, False)]),
    ("local BETWEEN '2024-01-01' AND '2024-01-02 08:00'", [({"local": "2024-01-02 08:00:00.000000"}, True), ({"local": "2024-01-02 08:00:00.000001"}, False)]),
    ("local::date = day", [({"local": "2024-01-02 08:00:00.000000", "day": "2024-01-02"}, True), ({"local": "2024-01-02 08:00:00.000000", "day": "2024-01-03"}, False)]),
    ("ok OR count IS NOT NULL", [({"ok": False, "count": 1}, True), ({"ok": False}, False)]),
    ("NOT ok", [({"ok": False}, True), ({"ok": True}, False)]),
    ("ok IS DISTINCT FROM false", [({"ok": None}, True), ({"ok": False}, False)]),
    ("COALESCE(count, 0) < 5", [({}, True), ({"count": 5}, False)]),
    ("CASE WHEN kind = 'a' THEN count > 1 ELSE true END", [({"kind": "b", "count": 0}, True), ({"kind": "a", "count": 1}, False)]),
    ('"Mixed Case" > 0', [({"Mixed Case": 1}, True), ({"Mixed Case": 0}, False)]),
    ("num_nonnulls(net, tax) = 1", [({"net": "1"}, True), ({}, False), ({"net": "1", "tax": "1"}, False)]),
    ("2 * num_nulls(net, tax) = 2", [({"net": "1"}, True), ({}, False), ({"net": "1", "tax": "1"}, False)]),
    ("name::varchar(2) = 'ab'", [({"name": "abc"}, True), ({"name": "a"}, False)]),
    ("left(name, 2) = 'ab' AND right(name, 9) = name", [({"name": "abc"}, True), ({"name": "ba"}, False)]),
    ("name COLLATE \"C\" < 'a'", [({"name": "Z"}, True), ({"name": "b"}, False)]),
    ("net::integer = 7", [({"net": "6.5"}, True), ({"net": "7.5"}, False)]),
    ("(net + tax)::numeric(12,1) = 6.9", [({"net": "6.88", "tax": "0"}, True), ({"net": "6.84", "tax": "0"}, False)]),
    ("rate >= 0.5::double precision", [({"rate": 0.5}, True), ({"rate": 0.25}, False)]),
]  # fmt: skip


def sales(check: str) -> Schema:
    from dataclasses import replace

    return Schema("s", (replace(SALES, checks=(Check(check),)),))


def made(connection: object, plan: Ddl) -> None:
    for statement in plan.statements:
        connection.execute(statement.sql)  # type: ignore[attr-defined]


def try_rows(connection: object, mark: str, rows: list[tuple[dict[str, object], bool]], broken: type[Exception]) -> None:
    for number, (row, taken) in enumerate(rows):
        values = {"id": number, **row}
        names = ", ".join(f'"{name}"' for name in values)
        sql = f"INSERT INTO sales ({names}) VALUES ({', '.join([mark] * len(values))})"
        if taken:
            connection.execute(sql, list(values.values()))  # type: ignore[attr-defined]
        else:
            with pytest.raises(broken):
                connection.execute(sql, list(values.values()))  # type: ignore[attr-defined]


@pytest.mark.parametrize(("check", "rows"), CHECKS, ids=[c for c, _ in CHECKS])
def test_a_check_means_the_same_in_sqlite(check: str, rows: list[tuple[dict[str, object], bool]]) -> None:
    plan = ddl(sales(check), "sqlite")
    assert plan.not_enforced == ()
    connection = sqlite3.connect(":memory:")
    made(connection, plan)
    try_rows(connection, "?", rows, sqlite3.IntegrityError)
    connection.close()


@pytest.mark.parametrize(("check", "rows"), CHECKS, ids=[c for c, _ in CHECKS])
def test_a_check_means_the_same_in_duckdb(check: str, rows: list[tuple[dict[str, object], bool]]) -> None:
    plan = ddl(sales(check), "duckdb")
    assert plan.not_enforced == ()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        made(connection, plan)
        try_rows(connection, "?", rows, duckdb.ConstraintException)


def test_checks_mean_in_postgresql_what_these_tests_say(postgres_url: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        for check, rows in CHECKS:
            connection.execute("DROP TABLE IF EXISTS sales")
            connection.execute("DROP TYPE IF EXISTS kind")
            made(connection, ddl(sales(check), "postgresql"))
            try_rows(connection, "%s", rows, psycopg.errors.CheckViolation)


@pytest.mark.parametrize("check", ["name LIKE 'a\\_%'", "NOT name NOT LIKE 'a\\_%'", "name ILIKE 'A\\_%'", "name LIKE 'a!_%' ESCAPE '!'"])
def test_a_backslash_escapes_in_duckdbs_like_as_in_postgresqls(check: str) -> None:
    plan = ddl(sales(check), "duckdb")
    assert plan.not_enforced == ()
    with duckdb.connect() as connection:
        made(connection, plan)
        try_rows(
            connection, "?", [({"name": "a_b"}, True), ({"name": "a\\b"}, False), ({"name": "axb"}, False)], duckdb.ConstraintException
        )


@pytest.mark.parametrize(
    "check",
    [
        "at + interval '1 day' > at",
        "extract(year FROM day) > 2000",
        "day + 1 > day",
        "day < at",
        "at > now()",
        "at::timestamp > localtimestamp",
        "name LIKE kind",
        "name LIKE 'a\\_b'",
        "name = ANY (name_list)",
        "at::time > '08:00'",
        "day > 'soon'",
        "this is not SQL at all",
        "rate::integer = 7",
        "(net / 3)::integer = 7",
        "net::text = '1.50'",
        "name COLLATE \"de_DE\" < 'a'",
    ],
)
def test_what_would_mean_something_else_in_sqlite_is_left_out(check: str) -> None:
    with pytest.raises(Untranslatable):
        for_sqlite(check, SALES)
    [left_out] = ddl(sales(check), "sqlite").not_enforced
    assert left_out.what == f"check {check}"


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite"])
@pytest.mark.parametrize(
    "check",
    [
        "name SIMILAR TO 'a%'",
        "substring(name FROM '[a-z]+') = name",
        "substr(name, -1, 4) = 'ab'",
        "kind > 'a'",
        "kind BETWEEN 'a' AND 'b'",
    ],
)
def test_what_only_postgresql_means_is_left_out(check: str, dialect: str) -> None:
    [left_out] = ddl(sales(check), dialect).not_enforced
    assert (left_out.what, "PostgreSQL" in left_out.reason) == (f"check {check}", True)


def test_an_array_without_elements_has_no_length_that_a_check_of_duckdb_could_refuse() -> None:
    column = Column("tags", SqlType("array", item=SqlType("text")))
    schema = Schema("s", (Table("a", (column,), Rows(1), checks=(Check("array_length(tags, 1) = 2"),)),))
    with duckdb.connect() as connection:
        made(connection, ddl(schema, "duckdb"))
        connection.execute("INSERT INTO a VALUES (['x', 'y']), ([])")
        with pytest.raises(duckdb.ConstraintException):
            connection.execute("INSERT INTO a VALUES (['x'])")


@pytest.mark.parametrize(("dialect", "connect"), [("duckdb", duckdb.connect), ("sqlite", lambda: sqlite3.connect(":memory:"))])
def test_what_is_over_a_computed_column_that_is_left_out_is_left_out_too(dialect: str, connect: Callable[[], Any]) -> None:
    text = SqlType("text")
    columns = (
        Column("a", text), Column("b", text, computed="ghost(a)", comment="not there"), Column("c", text, computed="b || a"),
        Column("d", text, computed="upper(a)"),
    )  # fmt: skip
    table = Table(
        "t", columns, Rows(1), unique=(Unique(("a",)), Unique(("a", "b"))), checks=(Check("c <> ''"), Check("B <> a"), Check("a <> 'x'")),
        indexes=(Index(("c",), name="over_c"), Index(("a",), name="over_a")),
    )  # fmt: skip
    connection = connect()
    plan = ddl(Schema("s", (table,)), dialect, probe=lambda sql: "no such function" if "GHOST" in sql else None)
    made(connection, plan)
    connection.execute("INSERT INTO t (a) VALUES ('y')")
    assert connection.execute("SELECT * FROM t").fetchall() == [("y", "Y")]
    connection.close()
    assert {n.what: n.reason for n in plan.not_enforced} == {
        "computed column 'b': ghost(a)": "no such function",
        **dict.fromkeys(("computed column 'c': b || a", "unique (a, b)", "check B <> a"), "the computed column 'b' is left out"),
        **dict.fromkeys(("check c <> ''", "index (c)"), "the computed column 'c' is left out"),
    }


MEASURES = Table(
    "measures",
    (
        Column("small", SqlType("smallint")), Column("whole", SqlType("integer")), Column("long", BIGINT),
        Column("net", SqlType("numeric", precision=12, scale=2)), Column("share", SqlType("numeric", precision=12, scale=6)),
        Column("free", SqlType("numeric")),
    ),
    Rows(1),
)  # fmt: skip
QUOTIENTS = [
    "(net / 3)::integer", "(net / 8)::numeric(12,2)", "(whole / 2.0)::integer", "round(net / -8, 2)", "floor(net / 0.1)", "ceil(net / 0.3)",
    "trunc(net / 7, 1)", "round(net * 19 / 100, 2)", "round(net * (1 - share / 100), 2)", "round(100.0 * small / whole, 1)",
    "round(net * 100 / 12, 2)", "(whole::numeric / small)::integer", "round(long / 3.0, 2)", "round(free / 8, 3)",
    "round(free::numeric(12,2) / 7, 3)", "round(abs(net) / NULLIF(whole, 0), 1)", "round(net / 3 + share / 7, 3)", "net / whole = share",
    "net / 3 >= share", "round(COALESCE(net, 0) / (whole / 2), 1)", "whole / 2", "small * 1000", "round(net / whole * share, 2)",
    "round(net / 12 / whole / 7, 4)", "round(net / (small * 2) / 3, 2)", "whole / 2 / 3.0 > 5",
]  # fmt: skip


def test_quotients_and_products_of_duckdb_are_those_of_postgresql(postgres_url: str) -> None:
    psycopg = pytest.importorskip("psycopg")
    rows = """
        SELECT n % 300 + 1 AS small, n - 6001 AS whole, n::bigint * 1000003 AS long, ((n - 3000) / 100.0)::numeric(12,2) AS net,
            (CASE n % 3 WHEN 0 THEN (n - 3000) / 300.0 ELSE (n - 3000) / 100.0 / (n - 6001) END)::numeric(12,6) AS share, n * 0.0625 AS free
        FROM generate_series(1, 5990) AS series(n)
    """
    selected = "SELECT {} FROM measures ORDER BY long"
    with psycopg.connect(postgres_url, autocommit=True) as server, duckdb.connect() as connection:
        made(server, ddl(Schema("s", (MEASURES,)), "postgresql"))
        made(connection, ddl(Schema("s", (MEASURES,)), "duckdb"))
        names = ", ".join(c.name for c in MEASURES.columns)
        server.execute(f"INSERT INTO measures ({names}) {rows}")
        held = [[str(value) for value in column] for column in zip(*server.execute(selected.format(names)).fetchall(), strict=True)]
        connection.execute(f"INSERT INTO measures SELECT {', '.join(['unnest(?)'] * len(held))}", held)
        for quotient in QUOTIENTS:
            expected = server.execute(selected.format(quotient)).fetchall()
            assert connection.execute(selected.format(for_duckdb(quotient, MEASURES))).fetchall() == expected, quotient


@pytest.mark.parametrize("quotient", ["net / 1024", "100.0 * whole / 1024", "net / whole / whole", "net / net / net", "net / whole / 7"])
def test_the_greatest_numbers_are_divided_too(quotient: str) -> None:
    row = "SELECT 2147483647 AS whole, 9999999999.99::decimal(12,2) AS net"
    with duckdb.connect() as connection:
        [[exact, near]] = connection.execute(
            f"SELECT {for_duckdb(quotient, MEASURES)}, {quotient.replace('/', '::double /')} FROM ({row})"
        ).fetchall()
    assert float(exact) == pytest.approx(near, abs=1e-12)


def test_duckdb_leaves_out_a_division_of_too_many_digits() -> None:
    [left_out] = ddl(sales("wide / 3 > 1"), "duckdb").not_enforced
    assert "binary floating point" in left_out.reason
    with pytest.raises(Untranslatable, match="a product of quotients"):
        for_duckdb("(net / 7) * (net / 3 + 1)", MEASURES)
    assert for_duckdb("(net / 8) * (net / 3)", MEASURES)


@pytest.mark.parametrize(
    ("check", "later"),
    [("at <= now()", "2999-01-01 00:00Z"), ("day <= current_date", "2999-01-01"), ("day <= localtimestamp", "2999-01-01")],
)
def test_duckdb_asks_the_clock_in_a_check(check: str, later: str) -> None:
    name = check.split()[0]
    with duckdb.connect() as connection:
        made(connection, ddl(sales(check), "duckdb"))
        try_rows(connection, "?", [({name: "2020-01-01 00:00Z"}, True), ({name: later}, False)], duckdb.ConstraintException)


def test_duckdb_computes_columns_over_others_and_takes_no_check_over_them() -> None:
    columns = (Column("a", BIGINT), Column("c", BIGINT, computed="b * 2"), Column("b", BIGINT, computed="a + 1"))
    schema = Schema("s", (Table("t", columns, Rows(1), checks=(Check("a > 0"), Check("a < c"))),))
    with duckdb.connect() as connection:

        def probe(sql: str) -> str | None:
            try:
                connection.execute(sql)
                connection.execute("DROP TABLE probe")
            except duckdb.Error as error:
                return str(error)
            return None

        plan = ddl(schema, "duckdb", probe=probe)
        made(connection, plan)
        connection.execute("INSERT INTO t (a) VALUES (1)")
        assert connection.execute("SELECT a, b, c FROM t").fetchall() == [(1, 2, 4)]
    reason = "DuckDB takes no check over a computed column, such as 'c'"
    assert [(n.what, n.reason) for n in plan.not_enforced] == [("check a < c", reason)]


def test_a_function_that_is_called_otherwise_there_is_left_out() -> None:
    [left_out] = ddl(sales("datetime(net) IS NOT NULL"), "duckdb").not_enforced
    assert (left_out.what, left_out.reason) == ("check datetime(net) IS NOT NULL", "there are no words of duckdb for it")


def test_what_the_probe_refuses_is_left_out() -> None:
    schema = sales("pg_column_size(net) = 1")
    for dialect in ("sqlite", "duckdb"):
        plan = ddl(schema, dialect, probe=lambda sql: "no such function" if "PG_COLUMN_SIZE" in sql else None)
        assert [(n.what, n.reason) for n in plan.not_enforced] == [("check pg_column_size(net) = 1", "no such function")]
        assert "PG_COLUMN_SIZE" not in plan.script()


@pytest.mark.parametrize(("check", "asks"), [("json_valid(name)", True), ("name IS NOT JSON OBJECT", True), ("name <> 'IS JSON'", False)])
def test_a_server_that_has_no_is_json_is_not_asked_for_it(check: str, asks: bool) -> None:
    assert ddl(sales(check), "postgresql").not_enforced == ddl(sales(check), "postgresql", version=16).not_enforced == ()
    left_out = ddl(sales(check), "postgresql", version=15)
    reason = "IS JSON takes PostgreSQL 16 or newer, and the server is 15"
    assert [(n.what, n.reason) for n in left_out.not_enforced] == ([(f"check {check}", reason)] if asks else [])
    assert ("IS JSON" in left_out.script()) is not asks


@pytest.mark.parametrize("sql", ["x > 0)", "(x > 0", "x > 0; SELECT 1", "x > 0;", "'open", ""])
def test_postgresql_is_given_single_expressions_only(sql: str) -> None:
    schema = Schema("s", (Table("a", (Column("x", BIGINT),), Rows(1), checks=(Check(sql, name="odd"),)),))
    with pytest.raises(InputError, match="table 'a', check odd"):
        ddl(schema, "postgresql")


def test_capitals_in_the_columns_of_a_check_are_kept() -> None:
    schema = Schema("s", (Table("a", (Column("Total", BIGINT),), Rows(1), checks=(Check("Total > 0 AND 'Total' <> ''"),)),))
    assert "\"Total\" > 0 AND 'Total' <> ''" in ddl(schema, "postgresql").script()
