"""What several groupings of one query cost, and how far they may be off."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit
from dpsql.ledger import open_ledger
from dpsql.planning.model import Settings
from dpsql.service import Service
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import engine_over, tables

ROLLED = "SELECT status, COUNT(*) AS n, SUM(total) AS s FROM orders GROUP BY ROLLUP (status)"


@pytest.fixture
def asked(tmp_path: Path) -> Service:
    return Service(shop(), engine_over(tables()), open_ledger(tmp_path / "ledger.db"), "shop", Limit(1e3, 1e-6))


def test_all_groupings_together_cost_the_epsilon_of_the_query(asked: Service) -> None:
    assert asked.ask(ROLLED, analyst="ada", settings=Settings(epsilon=1.0, delta=0)).spend.epsilon == pytest.approx(1.0)


def test_a_grouping_that_was_answered_before_is_not_measured_again(asked: Service) -> None:
    first = asked.ask("SELECT COUNT(*) AS n, SUM(total) AS s FROM orders", analyst="ada", settings=Settings(epsilon=1.0, delta=0))
    both = asked.ask(ROLLED, analyst="ada", settings=Settings(epsilon=1.0, delta=0))
    assert both.spend.epsilon < 0.7
    assert [row[1:] for row in both.rows() if row[0] is None] == first.rows()


def test_each_row_has_the_error_of_its_own_grouping(asked: Service) -> None:
    answer = asked.ask(ROLLED, analyst="ada", settings=Settings(epsilon=1.0, delta=0))
    total = [row[0] for row in answer.rows()].index(None)
    assert sorted(answer.errors) == [1, 2]
    for errors in answer.errors.values():
        assert all(error is not None and error > 0 for error in errors)
    alone = asked.ask("SELECT COUNT(*), SUM(total) FROM orders", analyst="ada", settings=Settings(epsilon=0.1, delta=0))
    assert alone.source == "kept"
    assert [alone.errors[n] for n in (0, 1)] == [[answer.errors[n][total]] for n in (1, 2)]


def test_the_error_that_is_expected_of_groupings_is_that_of_the_worst(asked: Service) -> None:
    sql = "SELECT active, country, COUNT(*) AS n FROM users GROUP BY {}"
    alone = [asked.explain(sql.format("active, country"), analyst="ada", settings=Settings(epsilon=e, delta=0)).columns[2] for e in (1, 2)]
    rolled = asked.explain(sql.format("ROLLUP (active, country)"), analyst="ada", settings=Settings(epsilon=3, delta=0)).columns[2]
    assert rolled.error95 is not None
    assert rolled.error95 == alone[0].error95 != alone[1].error95


def test_what_is_worked_out_of_a_moment_has_no_known_error(asked: Service) -> None:
    answer = asked.ask("SELECT EXTRACT(YEAR FROM MAX(placed_at)) AS y, COUNT(*) FROM orders", analyst="ada")
    assert answer.rows()[0][0] == 2024
    assert answer.errors[0] == [None]
    assert answer.errors[1][0] is not None


def test_a_subquery_of_from_is_paid_for_once(asked: Service) -> None:
    nested = "SELECT t.n FROM (SELECT COUNT(*) AS n FROM users) AS t"
    plain = "SELECT COUNT(*) AS n FROM users"
    error = asked.explain(plain, analyst="ada", settings=Settings(epsilon=1.0)).columns[0].error95
    answer = asked.ask(nested, analyst="ada", settings=Settings(epsilon=1.0))
    again = asked.ask(plain, analyst="ada", settings=Settings(epsilon=1.0))
    assert again.source == "kept"
    assert again.rows() == answer.rows()
    assert again.errors[0] == [error]
