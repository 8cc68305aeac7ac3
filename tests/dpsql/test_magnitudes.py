"""Thresholds and clipped sums in one pass are those of the statements that clip, which the sensitivity oracle holds to their claims."""

from __future__ import annotations

import pytest

from dpsql.binding import bind
from dpsql.compiling.dialects import Dialect
from dpsql.compiling.measuring import Measuring, unit_bounds
from dpsql.compiling.relations import Relations
from dpsql.measuring import Magnitude, clipped, clipped_sum
from dpsql.planning import Plan, plan
from dpsql.planning.model import Settings
from tests.dpsql.shop import shop
from tests.dpsql.test_sensitivity import all_but, everybody

QUERIES = (
    "SELECT COUNT(*) FROM orders",
    "SELECT COUNT(note) FROM orders",
    "SELECT SUM(total) FROM orders",
    "SELECT SUM(total - 500) FROM orders",
    "SELECT SUM(-price) FROM items",
    "SELECT SUM(value - 0.5) FROM events WHERE flag",
    "SELECT SUM(CASE WHEN o.status = 'paid' THEN o.total ELSE -5 END) FROM orders o JOIN users u ON o.user_id = u.id",
    "SELECT COUNT(*) FROM orders WHERE total > 1e9",
)


def _made(sql: str) -> tuple[Plan, Measuring]:
    (release,) = bind(sql, shop()).releases
    made, dialect = plan(release, shop(), Settings()), Dialect("duckdb")
    return made, Measuring(made, Relations(shop().schema, dialect), dialect)


@pytest.mark.parametrize("sql", QUERIES)
def test_one_pass_says_for_every_bound_what_clipping_says(sql: str) -> None:
    made, statements = _made(sql)
    one_pass, by_threshold = statements.magnitudes(), statements.thresholds()
    assert one_pass is not None
    assert by_threshold is not None
    (part,), (threshold,) = made.parts, made.thresholds
    for engine in (everybody(), all_but(1)):
        with engine.read() as reading:
            found = [Magnitude(int(j), below, int(n), int(s)) for j, below, n, s in reading.rows(one_pass)]
            units = {j: int(n) for _, j, n in reading.rows(by_threshold)}
            assert {j: sum(m.units for m in found if m.j == j) for j in {m.j for m in found}} == units
            for j in range(threshold.highest + 1):
                bounds = {threshold.name: 2**j}
                exact = clipped(made, shop().schema, engine, reading, bounds, 1).sums[part.name].get((), 0)
                assert clipped_sum(found, unit_bounds(part, bounds)) == exact


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT AVG(total) FROM orders",
        "SELECT COUNT(*), SUM(total) FROM orders",
        "SELECT status, COUNT(*) FROM orders GROUP BY status",
        "SELECT COUNT(DISTINCT status) FROM orders",
        "SELECT COUNT(*) FROM users",
    ],
)
def test_what_is_more_than_a_sum_that_is_cut_off_is_not_taken_in_one_pass(sql: str) -> None:
    assert _made(sql)[1].magnitudes() is None
