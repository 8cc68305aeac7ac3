"""What BI tools and drivers look up, in the words that they use."""

from __future__ import annotations

from typing import Any

import pytest
import sqlglot

from dpsql.endpoint.catalog import Catalog, touches
from dpsql.endpoint.sqlstates import Fault
from schemas import parse_schema
from tests.dpsql.shop import shop

SESSION = {"user": "ana", "server_version": "16.0", "standard_conforming_strings": "on"}


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog(shop().schema, "shop")


def look_up(catalog: Catalog, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    found = catalog.run(sqlglot.parse_one(sql, read="postgres"), SESSION, parameters=parameters, seconds=20, most=1000)
    return list(zip(*(c.to_pylist() for c in found.table.columns), strict=True))


def test_metabase_finds_the_tables(catalog: Catalog) -> None:
    found = look_up(
        catalog,
        """SELECT "n"."nspname" AS "schema", "c"."relname" AS "name", CASE "c"."relkind" WHEN 'r' THEN 'TABLE' ELSE NULL END AS "type",
        "d"."description" AS "description", NULLIF("stat"."n_live_tup", 0) AS "estimated_row_count" FROM "pg_catalog"."pg_class" AS "c"
        INNER JOIN "pg_catalog"."pg_namespace" AS "n" ON "c"."relnamespace" = "n"."oid" LEFT JOIN "pg_catalog"."pg_description" AS "d"
        ON ("c"."oid" = "d"."objoid") AND ("d"."objsubid" = 0) AND ("d"."classoid" = 'pg_class'::regclass)
        LEFT JOIN "pg_stat_user_tables" AS "stat" ON ("n"."nspname" = "stat"."schemaname") AND ("c"."relname" = "stat"."relname")
        WHERE ("n"."nspname" !~ '^information_schema|catalog_history|pg_') AND c.relkind in ('r', 'p', 'v', 'f', 'm') ORDER BY 2""",
    )
    assert [row[1] for row in found] == ["audit", "events", "items", "orders", "plans", "products", "profiles", "users"]
    assert {row[4] for row in found} == {None}


def test_jdbc_finds_columns_primary_and_foreign_keys(catalog: Catalog) -> None:
    columns = look_up(
        catalog,
        """SELECT * FROM (SELECT n.nspname,c.relname,a.attname,a.atttypid,a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull,
        row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc
        FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a
        ON (a.attrelid=c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) LEFT JOIN pg_catalog.pg_attrdef def
        ON (a.attrelid=def.adrelid AND a.attnum = def.adnum) WHERE c.relkind in ('r','p','v','f','m') and a.attnum > 0
        AND NOT a.attisdropped AND n.nspname LIKE 'public' AND c.relname LIKE 'profiles') c WHERE true ORDER BY nspname,c.relname,attnum""",
    )
    assert [(r[2], r[3], r[4]) for r in columns] == [("user_id", 20, True), ("bio", 25, True), ("height", 23, True)]
    primary = look_up(
        catalog,
        """SELECT result.COLUMN_NAME, result.KEY_SEQ FROM (SELECT a.attname AS COLUMN_NAME,
        (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, information_schema._pg_expandarray(i.indkey) AS KEYS,
        a.attnum AS A_ATTNUM FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid)
        JOIN pg_catalog.pg_index i ON ( a.attrelid = i.indrelid) WHERE ct.relname = 'items' AND i.indisprimary ) result
        where result.A_ATTNUM = (result.KEYS).x ORDER BY result.key_seq""",
    )
    assert primary == [("order_id", 1), ("line", 2)]
    foreign = look_up(
        catalog,
        """SELECT pkc.relname, pka.attname, fkc.relname, fka.attname, pos.n, con.conname, pkic.relname FROM pg_catalog.pg_class pkc,
        pg_catalog.pg_attribute pka, pg_catalog.pg_class fkc, pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con,
        pg_catalog.generate_series(1, 32) pos(n), pg_catalog.pg_class pkic WHERE pkc.oid = pka.attrelid AND pka.attnum = con.confkey[pos.n]
        AND con.confrelid = pkc.oid AND fkc.oid = fka.attrelid AND fka.attnum = con.conkey[pos.n] AND con.conrelid = fkc.oid
        AND con.contype = 'f' AND pkic.relkind = 'i' AND pkic.oid = con.conindid AND fkc.relname = 'orders'""",
    )
    assert foreign == [("users", "id", "orders", "user_id", 1, "orders_user_id_fkey", "users_pkey")]


def test_dbeaver_and_npgsql_find_databases_types_and_arrays(catalog: Catalog) -> None:
    assert look_up(catalog, "SELECT db.oid, db.datname FROM pg_catalog.pg_database db WHERE datallowconn") == [(5, "shop")]
    assert look_up(catalog, "SELECT typname FROM pg_type WHERE typinput = 'pg_catalog.array_in'::regproc AND typelem = 23") == [("_int4",)]
    types = "SELECT t.oid, format_type(nullif(t.typbasetype, 0), t.typtypmod), format_type(t.oid, NULL) FROM pg_catalog.pg_type t WHERE t.oid = 1184"
    assert look_up(catalog, types) == [(1184, None, "timestamp with time zone")]


def test_the_information_schema_tells_columns_and_foreign_keys(catalog: Catalog) -> None:
    columns = (
        "SELECT column_name, data_type, numeric_precision, numeric_scale, is_nullable FROM information_schema.columns WHERE table_name = $1"
    )
    assert ("total", "numeric", 10, 2, "YES") in look_up(catalog, columns, "orders")
    foreign = look_up(
        catalog,
        """SELECT kcu.column_name, ccu.table_name, ccu.column_name FROM information_schema.table_constraints AS tc
        JOIN information_schema.key_column_usage AS kcu ON tc.constraint_name = kcu.constraint_name
        JOIN information_schema.constraint_column_usage AS ccu ON ccu.constraint_name = tc.constraint_name
        WHERE tc.constraint_type = 'FOREIGN KEY' AND tc.table_name = 'orders'""",
    )
    assert foreign == [("user_id", "users", "id")]


def test_names_and_numbers_of_tables_lead_to_each_other(catalog: Catalog) -> None:
    sql = (
        "SELECT oid::regclass::text, 'orders'::regclass::oid = oid, 'public.orders'::regclass = oid FROM pg_class WHERE relname = 'orders'"
    )
    assert look_up(catalog, sql) == [("orders", True, True)]
    assert look_up(catalog, "SELECT to_regclass('nowhere')") == [(None,)]


def test_tables_of_other_schemas_and_comments_are_shown() -> None:
    text = """
schema: two
tables:
  hr.staff:
    comment: who works here
    rows: 1
    columns:
      id: {type: bigint, key: true, comment: a number}
"""
    found = look_up(
        Catalog(parse_schema(text, "two.yaml"), "two"),
        """SELECT n.nspname, c.relname, obj_description(c.oid, 'pg_class'), col_description(c.oid, 1), c.oid::regclass::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'""",
    )
    assert found == [("hr", "staff", "who works here", "a number", "hr.staff")]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_text('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM duckdb_settings()",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT getenv('HOME')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT * FROM pg_catalog.pg_authid",
    ],
)
def test_nothing_outside_can_be_reached(catalog: Catalog, sql: str) -> None:
    with pytest.raises(Fault):
        look_up(catalog, sql)


def test_a_lookup_that_finds_too_much_is_stopped(catalog: Catalog) -> None:
    for many in ("SELECT * FROM pg_type a, pg_type b", "SELECT repeat('x', 34000000)"):
        with pytest.raises(Fault) as stopped:
            look_up(catalog, many)
        assert stopped.value.code == "54000"


@pytest.mark.parametrize(
    ("sql", "about"),
    [
        ("SELECT 1", "neither"),
        ("SELECT * FROM pg_class", "catalogs"),
        ("SELECT * FROM information_schema.tables", "catalogs"),
        ("SELECT count(*) FROM users", "tables"),
        ("SELECT count(*) FROM public.users", "tables"),
        ("SELECT count(*) FROM nowhere", "tables"),
        ("SELECT * FROM pg_class WHERE relname IN (SELECT name FROM users)", "both"),
        ("WITH users AS (SELECT 1) SELECT * FROM users", "tables"),
        ("WITH pg_class AS (SELECT * FROM users) SELECT * FROM pg_class", "tables"),
    ],
)
def test_a_query_is_about_tables_or_about_catalogs(sql: str, about: str) -> None:
    assert touches(sqlglot.parse_one(sql, read="postgres"), shop().schema) == about


def test_what_grows_by_a_power_is_refused(catalog: Catalog) -> None:
    condition = "oid"
    for _ in range(20):
        condition = f"CASE WHEN {condition} BETWEEN SYMMETRIC 1 AND 3 THEN 1 ELSE 2 END"
    with pytest.raises(Fault):
        look_up(catalog, f"SELECT {condition} FROM pg_catalog.pg_class")
