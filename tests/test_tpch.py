"""The built-in TPC-H schema keeps to what clause 4.2 of its specification says of the data."""

from __future__ import annotations

import duckdb
import pytest

import bundles
import datagen

SCALE = 0.02


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    source = datagen.source("tpch", scale=SCALE)
    bundle = bundles.build(source, store=tmp_path_factory.mktemp("store"))
    assert bundles.verify(bundle).ok
    connection = duckdb.connect()
    for table in source.schema.tables:
        connection.register(table.name, bundle.table(table.name).to_arrow())
    yield connection
    connection.close()


def one(tables, sql: str):
    return tables.sql(sql).fetchall()[0][0]


def test_row_counts_follow_the_scale_factor(tables):
    counts = {
        t: one(tables, f"SELECT count(*) FROM {t}") for t in ("region", "nation", "supplier", "customer", "part", "partsupp", "orders")
    }
    assert counts == {"region": 5, "nation": 25, "supplier": 200, "customer": 3000, "part": 4000, "partsupp": 16_000, "orders": 30_000}
    # lines of an order: the mean of 30,000 draws from 1 to 7 lies within six standard deviations (0.07) of 4
    assert abs(one(tables, "SELECT count(*) FROM lineitem") / 30_000 - 4) < 0.07


@pytest.mark.parametrize(
    "never",
    [
        "SELECT * FROM orders WHERE o_custkey % 3 = 0",
        "SELECT * FROM orders WHERE (o_orderkey - 1) % 32 >= 8",
        "SELECT * FROM orders WHERE o_orderdate NOT BETWEEN DATE '1992-01-01' AND DATE '1998-08-02'",
        "SELECT * FROM part WHERE p_retailprice * 100 <> 90000 + (p_partkey // 10) % 20001 + 100 * (p_partkey % 1000)",
        "SELECT * FROM part WHERE len(list_distinct(string_split(p_name, ' '))) <> 5",
        "SELECT * FROM part WHERE p_brand[7:7] <> p_mfgr[14:14]",
        "SELECT * FROM lineitem JOIN part ON l_partkey = p_partkey WHERE l_extendedprice <> l_quantity * p_retailprice",
        "SELECT * FROM lineitem ANTI JOIN partsupp ON l_partkey = ps_partkey AND l_suppkey = ps_suppkey",
        "SELECT ps_partkey FROM partsupp GROUP BY ps_partkey HAVING count(DISTINCT ps_suppkey) <> 4",
        "SELECT * FROM lineitem JOIN orders ON l_orderkey = o_orderkey WHERE l_shipdate - o_orderdate NOT BETWEEN 1 AND 121",
        "SELECT * FROM lineitem JOIN orders ON l_orderkey = o_orderkey WHERE l_commitdate - o_orderdate NOT BETWEEN 30 AND 90",
        "SELECT * FROM lineitem WHERE l_receiptdate - l_shipdate NOT BETWEEN 1 AND 30",
        "SELECT * FROM lineitem WHERE (l_returnflag = 'N') <> (l_receiptdate > DATE '1995-06-17') OR l_returnflag NOT IN ('N', 'R', 'A')",
        "SELECT * FROM lineitem WHERE l_linestatus <> CASE WHEN l_shipdate > DATE '1995-06-17' THEN 'O' ELSE 'F' END",
        "SELECT * FROM lineitem WHERE l_quantity NOT BETWEEN 1 AND 50 OR l_quantity <> floor(l_quantity)",
        "SELECT * FROM lineitem WHERE l_discount NOT BETWEEN 0 AND 0.10 OR l_tax NOT BETWEEN 0 AND 0.08",
        "SELECT * FROM lineitem WHERE length(l_comment) NOT BETWEEN 10 AND 43",
        "SELECT * FROM partsupp WHERE length(ps_comment) NOT BETWEEN 49 AND 198",
        "SELECT * FROM customer WHERE c_phone NOT SIMILAR TO '[123][0-9]-[1-9][0-9]{2}-[1-9][0-9]{2}-[1-9][0-9]{3}' OR c_phone[:2]::int <> c_nationkey + 10",
        "SELECT * FROM customer WHERE length(c_address) NOT BETWEEN 10 AND 40 OR c_name <> 'Customer#' || lpad(c_custkey::text, 9, '0')",
    ],
)
def test_no_row_breaks_the_rules(tables, never):
    assert tables.sql(never).fetchall() == []


def test_totals_and_statuses_of_orders_are_those_of_their_lines(tables):
    wrong = """
        SELECT o_orderkey FROM orders JOIN lineitem ON l_orderkey = o_orderkey
        GROUP BY o_orderkey, o_totalprice, o_orderstatus
        HAVING o_totalprice <> sum((l_extendedprice * (1 - l_discount) * (1 + l_tax))::DECIMAL(15, 2))
            OR o_orderstatus <> CASE count(DISTINCT l_linestatus) WHEN 1 THEN min(l_linestatus) ELSE 'P' END"""
    assert tables.sql(wrong).fetchall() == []
    assert {s for (s,) in tables.sql("SELECT DISTINCT o_orderstatus FROM orders").fetchall()} == {"F", "O", "P"}


def test_quantities_are_equally_likely_and_two_thirds_of_the_customers_order(tables):
    shares = tables.sql("SELECT count(*) / sum(count(*)) OVER () FROM lineitem GROUP BY l_quantity").fetchall()
    # 120,000 lines: a share of 1/50 has a standard deviation of 0.0004; seven of them, for 50 values, leave less than 1e-9
    assert len(shares) == 50 and all(abs(s - 0.02) < 0.0029 for (s,) in shares)
    assert one(tables, "SELECT count(DISTINCT o_custkey) FROM orders") == 2000


@pytest.mark.parametrize("jobs", [1, 5])
def test_the_values_stay_what_they_are(tmp_path, jobs):
    bundle = bundles.build(datagen.source("tpch", scale=0.01), store=tmp_path, jobs=jobs, chunk_rows=65_536)
    assert bundle.content_digest == "blake3:832d931ca838ea852f5b83e0f8739593efe36227467c0fbfbdbb7676cf5f0eea"


def test_its_state_of_a_moment_is_sound(tmp_path):
    source = datagen.source("tpch", scale=0.002, as_of="-900d")
    assert 0 < source.row_count("lineitem") < datagen.source("tpch", scale=0.002).row_count("lineitem")
    assert bundles.verify(bundles.build(source, store=tmp_path)).ok
