"""Where a unit is in many public groups, what it adds to all of them together is bounded, exactly, and that is the sensitivity."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpsql.binding import bind
from dpsql.compiling.dialects import Dialect
from dpsql.compiling.measuring import unit_bounds
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.measuring import Cells, clipped
from dpsql.noise import Sensitivity
from dpsql.planning import Plan, plan
from dpsql.planning.model import Settings
from tests.dpsql.shop import shop
from tests.dpsql.test_sensitivity import all_but, everybody

SOURCES = {
    "orders": (
        ["COUNT(*)", "COUNT(total)", "SUM(total)", "SUM(total - 500)", "SUM(weight)"],
        ["status", "parcels", "EXTRACT(month FROM placed_at)"],
    ),
    "items i JOIN products q ON i.product_id = q.id": (
        ["COUNT(*)", "SUM(i.price * i.quantity)", "SUM(-i.price)"],
        ["q.category", "q.title", "i.quantity"],
    ),
    "events": (["COUNT(*)", "COUNT(value)", "SUM(value - 0.5)"], ["kind", "flag"]),
    "(SELECT user_id, status, SUM(total) AS t FROM orders GROUP BY user_id, status) x": (["SUM(t)", "COUNT(*)"], ["status"]),
}


def made(sql: str, asked: Settings | None = None) -> Plan:
    (release,) = bind(sql, shop()).releases
    return plan(release, shop(), asked or Settings())


def cells(query: Plan, engine: DuckDBEngine, bounds: dict[str, int]) -> Cells:
    with engine.read() as reading:
        return clipped(query, shop().schema, engine, reading, bounds, 1)


@st.composite
def queries(draw: st.DrawFn) -> str:
    source = draw(st.sampled_from(list(SOURCES)))
    aggregates, keys = SOURCES[source]
    shown = draw(st.lists(st.sampled_from(aggregates), min_size=1, max_size=3, unique=True))
    grouped = draw(st.lists(st.sampled_from(keys), min_size=1, max_size=2, unique=True))
    return f"SELECT {', '.join([*grouped, *shown])} FROM {source} GROUP BY {', '.join(grouped)}"


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=queries(), unit=st.integers(1, 60), data=st.data())
def test_one_unit_changes_all_groups_together_by_no_more_than_is_claimed(sql: str, unit: int, data: st.DataObject) -> None:
    hold(sql, unit, data)


@pytest.mark.slow
@settings(max_examples=500, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=queries(), unit=st.integers(1, 60), data=st.data())
def test_one_unit_changes_all_groups_together_by_no_more_than_is_claimed_in_many_queries(sql: str, unit: int, data: st.DataObject) -> None:
    hold(sql, unit, data)


def hold(sql: str, unit: int, data: st.DataObject) -> None:
    """Measure with everybody and without one, and compare with the claims."""
    query = made(sql)
    assert query.total, sql
    bounds = {t.name: 2 ** data.draw(st.integers(0, min(t.highest, 22))) for t in query.thresholds}
    one, other = cells(query, everybody(), bounds), cells(query, all_but(unit), bounds)
    assert query.spread is not None
    for part in query.parts:
        a, b = one.sums.get(part.name, {}), other.sums.get(part.name, {})
        changed = sum(abs(a.get(group, 0) - b.get(group, 0)) for group in {*a, *b})
        assert changed <= Sensitivity(query.spread, unit_bounds(part, bounds).largest).l1, sql


def test_shares_that_are_rounded_are_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    def rounded(self: Dialect, value: str, whole: str, most: int) -> str:
        return f"CASE WHEN {whole} > {most} THEN CAST(ROUND({value} * {most} / {whole}) AS BIGINT) ELSE {value} END"

    monkeypatch.setattr(Dialect, "shared", rounded)
    query = made("SELECT parcels, status, COUNT(*) FROM orders GROUP BY parcels, status")
    bounds = {t.name: 4 for t in query.thresholds}
    whole = cells(query, everybody(), bounds).sums["p0"]

    def changed(unit: int) -> int:
        rest = cells(query, all_but(unit), bounds).sums["p0"]
        return sum(abs(whole.get(group, 0) - rest.get(group, 0)) for group in {*whole, *rest})

    assert any(changed(unit) > 4 for unit in range(1, 56))


@pytest.mark.parametrize("value", [1, -1, 7, 2**52, -(2**52), 2**52 - 1])
@pytest.mark.parametrize("most", [1, 3, 2**31, 2**52])
def test_the_shares_of_great_numbers_are_exact(value: int, most: int) -> None:
    whole = abs(value) * 3 + 2
    expected = value if whole <= most else (1 if value > 0 else -1) * (abs(value) * most // whole)
    sql = Dialect("duckdb").shared("v", "w", most)
    with DuckDBEngine().read() as reading:
        rows = reading.rows(f"SELECT {sql} FROM (SELECT CAST({value} AS HUGEINT) AS v, CAST({whole} AS HUGEINT) AS w) AS x")
    assert int(rows[0][0]) == expected


@pytest.mark.parametrize(
    ("sql", "asked"),
    [
        ("SELECT status, COUNT(*) FROM orders GROUP BY status", Settings(max_groups=2)),
        ("SELECT status, COUNT(*) FROM orders GROUP BY status", Settings(min_units=3)),
        ("SELECT note, COUNT(*) FROM orders GROUP BY note", None),  # its groups are private
        ("SELECT status, AVG(total) FROM orders GROUP BY status", None),
        ("SELECT status, COUNT(DISTINCT parcels) FROM orders GROUP BY status", None),
        ("SELECT country, COUNT(*) FROM users GROUP BY country", None),
    ],
)
def test_groups_are_counted_where_a_total_does_not_say_enough(sql: str, asked: Settings | None) -> None:
    assert not made(sql, asked).total
