"""Nulls by which checks hold that ask which columns are null."""

from __future__ import annotations

import time

import pytest

from schemas.null_checks import nulls_that_hold
from tests.schemas.reflecting import all_notes, built, column_of, reflected


@pytest.mark.parametrize(
    ("checks", "always"),
    [
        (["(a IS NULL) = (b IS NULL)"], ""),
        (["num_nonnulls(a, b, c) = 1"], "ab"),
        (["num_nulls(a, b) < 1"], ""),
        (["CAST(a IS NULL AS INT) + CAST(b IS NULL AS INT) = 1"], "a"),
        (["a IS NULL AND b IS NOT NULL OR a IS NOT NULL AND b IS NULL"], "a"),
        (["(a IS NOT NULL OR b IS NOT NULL) AND x = TRUE OR a IS NULL AND b IS NULL"], "ab"),
        (["c <> 2 OR c = 2 AND x = 'y' AND a IS NULL AND b IS NULL", "a IS NULL AND b IS NULL OR x > 1 AND a IS NOT NULL"], "abc"),
    ],
)
def test_as_few_columns_as_may_be_are_always_null(checks, always):
    found = nulls_that_hold(checks, ["x"], ["a", "b", "c"])
    assert {name for name, null in found.always.items() if null} == set(always)
    assert set(found.held) == set(checks)


@pytest.mark.parametrize(
    "check", ["a <> b", "x IS NULL", "x = 2 AND a IS NULL", "a IS TRUE AND b IS NULL", "other IS NULL", "a IS NULL AND a IS NOT NULL"]
)
def test_a_check_that_no_nulls_make_hold_has_no_say(check):
    found = nulls_that_hold([check], ["x"], ["a", "b"])
    assert (dict(found.always), list(found.held)) == ({}, [])


def test_very_many_checks_are_judged_soon():
    columns = [f"c{i}" for i in range(600)]
    possible = [f"num_nonnulls({c}) = 1" for c in columns[::10]]
    impossible = [f"num_nonnulls({', '.join(columns[i : i + 10])}) = 11" for i in range(0, 600, 10)]
    begun = time.process_time()
    assert list(nulls_that_hold(possible + impossible, [], columns).held) == possible
    assert time.process_time() - begun < 8  # it took half a minute when each check was judged anew with all others


def test_a_reflected_table_builds_whose_checks_ask_for_nulls(tmp_path):
    found = reflected(
        tmp_path,
        "CREATE TABLE users(id INTEGER PRIMARY KEY); CREATE TABLE teams(id INTEGER PRIMARY KEY);"
        "CREATE TABLE owned(id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users, team_id INTEGER REFERENCES teams,"
        " lat REAL, lon REAL, begun_at TIMESTAMP, ended_at TIMESTAMP, CHECK ((user_id IS NULL) <> (team_id IS NULL)),"
        " CHECK ((lat IS NULL) = (lon IS NULL)), CHECK (ended_at IS NULL AND begun_at IS NOT NULL))",
    )
    shares = [column_of(found, "owned", name).null for name in ("user_id", "team_id", "lat", "lon", "begun_at", "ended_at")]
    assert shares == [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    assert found.notes["owned", "user_id"] == ["null in all rows, by which a check holds that asks which columns are null"]
    assert not any("nothing is proposed" in said for said in all_notes(found))
    built(found, tmp_path)
