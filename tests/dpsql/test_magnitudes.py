"""Thresholds and clipped sums in one pass are those of the statements that clip, which the sensitivity oracle holds to their claims."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.binding import bind
from dpsql.compiling.dialects import Dialect
from dpsql.compiling.measuring import Measuring, unit_bounds
from dpsql.compiling.relations import Relations
from dpsql.measuring import Magnitude, WithRows, clipped, clipped_sum, sum_by_rows, units_by_magnitude
from dpsql.planning import Plan, plan
from dpsql.planning.model import Bounds, Part, Settings
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


def _first(count: int, queries: Sequence[str]) -> list[Any]:
    """The first ones, and the others where there is time: each takes seconds, bound by bound."""
    return [*queries[:count], *(pytest.param(sql, marks=pytest.mark.slow) for sql in queries[count:])]


def _made(sql: str) -> tuple[Plan, Measuring]:
    (release,) = bind(sql, shop()).releases
    made, dialect = plan(release, shop(), Settings()), Dialect("duckdb")
    return made, Measuring(made, Relations(shop().schema, dialect), dialect)


@pytest.mark.parametrize("sql", _first(3, QUERIES))
def test_one_pass_says_for_every_bound_what_clipping_says(sql: str) -> None:
    made, statements = _made(sql)
    one_pass, by_threshold = statements.magnitudes, statements.thresholds
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


BY_ROWS = (
    "SELECT COUNT(*) FROM orders",
    "SELECT COUNT(note) FROM orders",
    "SELECT AVG(total) FROM orders",
    "SELECT AVG(total), COUNT(total) FROM orders",
    "SELECT STDDEV(price), AVG(price) FROM items JOIN orders ON items.order_id = orders.id",
    "SELECT AVG(value) FROM events WHERE flag",
    "SELECT VARIANCE(parcels), COUNT(*) FROM orders WHERE total > 1e9",
)


@pytest.mark.parametrize("sql", _first(3, BY_ROWS))
def test_numbers_of_rows_say_for_every_bound_what_clipping_says(sql: str) -> None:
    made, statements = _made(sql)
    statement, by_threshold = statements.by_rows, statements.thresholds
    assert statement is not None
    assert by_threshold is not None
    (threshold,) = made.thresholds
    outcomes: list[dict[tuple[str, int], int]] = []
    for engine in (everybody(), all_but(1), all_but(2), all_but(17)):
        with engine.read() as reading:
            found = [_with_rows(row, statement.parts) for row in reading.rows(statement.sql)]
            units = {j: int(n) for _, j, n in reading.rows(by_threshold)}
            assert units_by_magnitude(found) == units
            outcomes.append({})
            for j in range(threshold.highest + 1):
                exact = clipped(made, shop().schema, engine, reading, {threshold.name: 2**j}, 1)
                for part in made.parts:
                    outcomes[-1][part.name, j] = sum_by_rows(found, part, 2**j)
                    # the statement that clips rounds what each unit adds, and here the sum is rounded
                    assert abs(outcomes[-1][part.name, j] - exact.sums[part.name].get((), 0)) <= (60 if part.scaled else 0)
    for (name, j), everyone in outcomes[0].items():
        claimed = unit_bounds(made.part(name), {threshold.name: 2**j}).largest
        assert all(abs(everyone - without[name, j]) <= claimed for without in outcomes[1:])


@settings(deadline=None)
@given(
    units=st.lists(st.lists(st.integers(-7, 11), min_size=1, max_size=9), min_size=1, max_size=12),
    most=st.sampled_from([1, 2, 4, 8, 16]),
    data=st.data(),
)
def test_no_unit_changes_a_sum_that_is_scaled_down_by_more_than_its_bounds(units: list[list[int]], most: int, data: st.DataObject) -> None:
    part = Part("p1", "sum", step=Fraction(1), row=Bounds(-7, 11), threshold="t", scaled=True)
    out = data.draw(st.integers(0, len(units) - 1))

    def total(rows: list[list[int]]) -> int:
        lengths = sorted({len(one) for one in rows})
        found = [WithRows(n, sum(len(one) == n for one in rows), {"p1": sum(sum(one) for one in rows if len(one) == n)}) for n in lengths]
        return sum_by_rows(found, part, most)

    assert -7 * most <= total(units) - total(units[:out] + units[out + 1 :]) <= 11 * most


def _with_rows(row: tuple[Any, ...], names: Sequence[str]) -> WithRows:
    rows, units, *totals = row
    return WithRows(int(rows), int(units), {name: int(total or 0) for name, total in zip(names, totals, strict=True)})


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT SUM(total) FROM orders",
        "SELECT COUNT(*), SUM(total) FROM orders",
        "SELECT COUNT(*), COUNT(note) FROM orders",
        "SELECT AVG(total), AVG(weight) FROM orders",
        "SELECT status, AVG(total) FROM orders GROUP BY status",
        "SELECT COUNT(*) FROM users",
        "SELECT AVG(age) FROM users",
    ],
)
def test_what_other_bounds_hold_does_not_follow_from_numbers_of_rows(sql: str) -> None:
    assert _made(sql)[1].by_rows is None


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
    assert _made(sql)[1].magnitudes is None
