"""Conditions on the keys of groups, wherever they stand, are asked of the rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpsql.accounting import Limit
from dpsql.binding import bind
from dpsql.planning.model import Settings
from tests.dpsql.shop import shop
from tests.dpsql.test_service import service

BY_STATUS = "SELECT status, COUNT(*) AS n FROM orders GROUP BY status"
PAID = "SELECT status, COUNT(*) AS n FROM orders WHERE status = 'paid' GROUP BY status"
WITH_ONE = Settings(epsilon=1)
BY_KIND = "SELECT kind, DATE_TRUNC('month', happened) AS m, SUM(value) AS s FROM events GROUP BY 1, 2"


@pytest.mark.parametrize(
    ("sql", "inside"),
    [
        (f"SELECT s.n FROM ({BY_STATUS}) s WHERE s.status = 'paid'", PAID),
        (f"SELECT n FROM ({BY_STATUS}) s WHERE n > 3 AND (status = 'paid' AND n < 900)", PAID),
        (f"WITH s AS ({BY_STATUS}) SELECT SUM(n) FROM s WHERE status = 'paid'", PAID),
        (f"WITH s AS ({BY_STATUS}), t AS (SELECT * FROM s), u AS (SELECT n, status AS x FROM t) SELECT n FROM u WHERE x = 'paid'", PAID),
        (f"SELECT s.n, p.name FROM plans p JOIN ({BY_STATUS}) s ON s.n > p.id WHERE s.status = 'paid'", PAID),
        (f"SELECT s.n, p.name FROM plans p, ({BY_STATUS}) s WHERE p.id = 1 AND s.status = 'paid'", PAID),
        (f"SELECT n, LAG(n) OVER (ORDER BY n) FROM ({BY_STATUS}) s WHERE status = 'paid'", PAID),
        (f"{BY_STATUS} HAVING COUNT(*) > 3 AND status = 'paid'", PAID),
        (
            "SELECT note, COUNT(*) FROM orders GROUP BY note HAVING note = 'gift'",
            "SELECT note, COUNT(*) FROM orders WHERE note = 'gift' GROUP BY 1",
        ),
        (
            f"SELECT * FROM ({BY_KIND}) s WHERE m >= '2024-06-01' AND kind <> 'buy'",
            "SELECT kind, DATE_TRUNC('month', happened) AS m, SUM(value) AS s FROM events "
            "WHERE DATE_TRUNC('month', happened) >= '2024-06-01' AND kind <> 'buy' GROUP BY 1, 2",
        ),
    ],
)
def test_a_condition_on_keys_is_asked_of_the_rows_as_if_it_stood_there(tmp_path: Path, sql: str, inside: str) -> None:
    with service(tmp_path) as asked:
        asked.ask(inside, analyst="ada", settings=WITH_ONE)
        assert asked.explain(sql, analyst="ada", settings=WITH_ONE).free


@pytest.mark.parametrize(
    "sql",
    [
        f"SELECT n FROM ({BY_STATUS} LIMIT 2) s WHERE status = 'paid'",
        f"SELECT n FROM ({BY_STATUS} OFFSET 1) s WHERE status = 'paid'",
        "WITH s (b, a) AS (SELECT status AS a, note AS b FROM orders GROUP BY 1, 2) SELECT b FROM s WHERE a = 'gift'",
        f"SELECT n FROM (SELECT * FROM ({BY_STATUS}) t ORDER BY n LIMIT 2) s WHERE status = 'paid'",
        "SELECT n FROM (SELECT status, COUNT(*) AS n, RANK() OVER (ORDER BY COUNT(*)) AS r FROM orders GROUP BY status) s WHERE status = 'paid'",
        f"SELECT n FROM (SELECT *, ROW_NUMBER() OVER (ORDER BY n) AS r FROM ({BY_STATUS}) t) s WHERE status = 'paid'",
        f"SELECT p.name, s.n FROM plans p LEFT JOIN ({BY_STATUS}) s ON s.n = p.id WHERE s.status IS NULL",
        f"WITH s AS ({BY_STATUS}) SELECT a.n, (SELECT SUM(n) FROM s) FROM s AS a WHERE a.status = 'paid'",
        "SELECT n FROM (SELECT status, COUNT(*) AS n FROM orders GROUP BY ROLLUP (status)) s WHERE status = 'paid'",
        "SELECT status, COUNT(*) FROM orders GROUP BY ROLLUP (status) HAVING status = 'paid'",
        f"{BY_STATUS} HAVING status = 'paid' OR COUNT(*) > 3",
        f"SELECT n FROM ({BY_STATUS}) s WHERE status = 'paid' OR n > 3",
        f"SELECT n FROM ({BY_STATUS}) s WHERE RANDOM() < 0.5 AND LENGTH(status) + RANDOM() > 3",
        "SELECT country, COUNT(*) FROM users GROUP BY country HAVING country = 'DE'",  # of which a user has one: nothing is gained
    ],
)
def test_a_condition_that_means_more_than_the_rows_stays_where_it_is(sql: str) -> None:
    query = bind(sql, shop())
    assert query.whole is None
    assert {type(release.rows).__name__ for release in query.releases} == {"Scan"}


def test_a_condition_is_asked_of_the_rows_of_the_query_that_it_names_alone() -> None:
    query = bind(f"SELECT a.n, b.n FROM ({BY_STATUS}) a JOIN ({BY_STATUS}) b ON a.n < b.n WHERE b.status = 'paid'", shop())
    assert sorted(type(release.rows).__name__ for release in query.releases) == ["Filter", "Scan"]


def test_groups_that_are_not_shown_take_no_part_in_what_a_unit_adds(tmp_path: Path) -> None:
    people = "SELECT status, COUNT(DISTINCT user_id) AS n FROM orders GROUP BY status"
    with service(tmp_path) as asked:
        errors = [
            asked.explain(sql, analyst="ada", settings=WITH_ONE).columns[1].error95 for sql in (people, f"{people} HAVING status = 'paid'")
        ]
    assert errors == [9, 3]


def test_what_all_groups_were_asked_before_answers_a_condition_on_them(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        before = asked.ask(BY_STATUS, analyst="ada", settings=WITH_ONE)
        for sql in (f"{BY_STATUS} HAVING status = 'paid'", f"SELECT * FROM ({BY_STATUS}) s WHERE status = 'paid'"):
            assert asked.explain(sql, analyst="ada", settings=WITH_ONE).free
            after = asked.ask(sql, analyst="ada", settings=WITH_ONE)
            assert (after.source, after.table.to_pylist()) == ("kept", [row for row in before.table.to_pylist() if row["status"] == "paid"])


def test_groups_that_a_condition_closes_need_no_delta(tmp_path: Path) -> None:
    with service(tmp_path, Limit(1e3, 0)) as asked:
        answer = asked.ask("SELECT note, COUNT(*) FROM orders GROUP BY note HAVING note = 'gift'", analyst="ada", settings=WITH_ONE)
    assert answer.table.column("note").to_pylist() == ["gift"]
