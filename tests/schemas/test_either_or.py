"""Amounts of which checks let only one be above 0: what is proposed keeps the checks, and a note says where nothing is."""

from __future__ import annotations

import duckdb
import pytest

import provisioning
from tests.schemas.reflecting import all_notes, built, column_of, reflected

AMOUNTS = "debit NUMERIC(12,2) NOT NULL, credit NUMERIC(12,2) NOT NULL"


@pytest.mark.parametrize(
    "columns",
    [
        f"{AMOUNTS}, CHECK (debit = 0 OR credit = 0)",
        f"{AMOUNTS}, CHECK (debit = 0 OR credit = 0), CHECK (debit >= 0 AND credit >= 0), CHECK (debit > 0 OR 0 < credit)",
        f"{AMOUNTS}, CHECK (debit >= 0 AND credit >= 0 AND ((debit = 0 AND credit > 0) OR (debit > 0 AND credit = 0)))",
        f"{AMOUNTS}, CHECK (debit * credit = 0 AND debit + credit > 0)",
        f"{AMOUNTS}, CHECK (NOT (debit > 0.00 AND Credit > CAST(0 AS NUMERIC)))",
        f"{AMOUNTS}, CHECK ((debit > 0) <> (credit > 0)), CHECK (debit <= 500)",
        "debit INTEGER, credit REAL, is_debit TEXT, CHECK (debit = 0 OR credit = 0)",
    ],
)
def test_one_of_two_amounts_is_above_0_where_checks_ask_for_that(tmp_path, columns):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {columns});")
    assert not [said for said in all_notes(found) if "nothing is proposed" in said]
    target = f"duckdb:///{tmp_path}/t.duckdb"
    provisioning.load(built(found, tmp_path), target)
    with duckdb.connect(f"{tmp_path}/t.duckdb") as connection:
        sides = connection.execute("SELECT DISTINCT sign(debit)::int, sign(credit)::int FROM t WHERE debit + credit > 0").fetchall()
        assert sorted(sides) == [(0, 1), (1, 0)]
        names = [name for name, *_ in connection.execute("DESCRIBE t").fetchall()]
    assert names == [c.name for c in found.schema.table("t").columns if not c.hidden]


@pytest.mark.parametrize(
    "columns",
    [
        f"{AMOUNTS}, CHECK (debit = 5 OR credit = 0)",
        f"{AMOUNTS}, CHECK (debit = 0 OR credit = 0), CHECK (debit + 1 > credit OR credit = 0)",
        "debit INT NOT NULL UNIQUE, credit INT NOT NULL, CHECK (debit = 0 OR credit = 0)",
        "debit INT NOT NULL CHECK (debit < 0), credit INT NOT NULL, CHECK (debit = 0 OR credit = 0)",
        "debit TEXT NOT NULL, credit TEXT NOT NULL, CHECK (debit = '0' OR credit = '0')",
        "debit INT NOT NULL, credit INT NOT NULL, tax INT NOT NULL, CHECK (debit = 0 OR credit = 0 OR tax = 0)",
    ],
)
def test_what_this_does_not_hold_is_noted(tmp_path, columns):
    found = reflected(tmp_path, f"CREATE TABLE t(id INTEGER PRIMARY KEY, {columns});")
    assert [said for said in all_notes(found) if "nothing is proposed" in said]
    assert not any(c.hidden for c in found.schema.table("t").columns)


def test_an_amount_has_one_other_and_keeps_its_bounds(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a INT NOT NULL CHECK (a BETWEEN 0 AND 7), b INT NOT NULL, c INT NOT NULL,"
        " CHECK (a = 0 OR b = 0), CHECK (b = 0 OR c = 0))",
    )
    assert column_of(found, "t", "a").generate.args["cases"]["true"].args == {"range": (1, 7)}
    assert [said for said in all_notes(found) if "b = 0 OR c = 0" in said]
