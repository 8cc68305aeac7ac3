"""The sensitivity oracle: taking one unit away changes clipped outcomes by no more than the plan claims, exactly."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpsql import measuring
from dpsql.binding import bind, full_joins
from dpsql.compiling import measuring as compiled
from dpsql.compiling.dialects import Dialect
from dpsql.compiling.relations import Relations
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.errors import QueryRefused
from dpsql.measuring import Cells, clipped, clipped_at_once
from dpsql.planning import Plan, plan
from dpsql.planning.model import Settings
from dpsql.tree import Release
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import engine_over, few_people, tables, without

USERS = "users u"
ORDERS = "orders o"
SOURCES = {
    USERS: ("u",),
    ORDERS: ("o",),
    "orders o JOIN users u ON o.user_id = u.id": ("o", "u"),
    "users u LEFT JOIN orders o ON u.id = o.user_id": ("o", "u"),
    "users u FULL JOIN orders o ON u.id = o.user_id AND u.active": ("o", "u"),
    "events e FULL JOIN orders o ON e.user_id = o.user_id AND e.flag": ("e", "o"),
    "items i FULL JOIN orders o ON i.order_id = o.id AND i.quantity > 3": ("i", "o"),
    "(users u FULL JOIN orders o ON u.id = o.user_id AND u.active) LEFT JOIN events e ON e.user_id = u.id": ("e", "o", "u"),
    "(SELECT * FROM events WHERE value > 0.5) e FULL JOIN (SELECT * FROM orders WHERE total > 500) o ON e.user_id = o.user_id": ("e", "o"),
    "items i JOIN orders o ON i.order_id = o.id": ("i", "o"),
    "items i": ("i",),
    "events e": ("e",),
    "users u JOIN plans p ON u.plan_id = p.id JOIN orders o USING (user_id)": (),
    "events e JOIN orders o ON e.user_id = o.user_id": ("e", "o"),
    "items i JOIN products q ON i.product_id = q.id": ("i", "q"),
    "users u CROSS JOIN plans p": ("u", "p"),
    "users u LEFT JOIN (SELECT id, name FROM plans WHERE price > 10) p ON p.id = u.plan_id": ("u", "p"),
    "users u JOIN (SELECT category, COUNT(*) AS n FROM products GROUP BY category) q ON q.n >= u.plan_id": ("u", "q"),
    "orders o JOIN (VALUES (1, 3), (2, 5), (2, 4)) AS r(lo, hi) ON o.parcels BETWEEN r.lo AND r.hi": ("o",),
    "users u JOIN (SELECT id FROM plans ORDER BY price DESC LIMIT 2) p ON p.id <= u.plan_id": ("u",),
    "items i JOIN (SELECT id FROM products EXCEPT SELECT 2) r ON r.id >= i.product_id": ("i",),
    "items i JOIN (SELECT id FROM products UNION ALL SELECT id FROM plans) r ON r.id = i.product_id": ("i",),
}
NUMBERS = {
    "u": ["u.age", "u.balance", "u.score", "ABS(u.balance)", "u.age * u.age - 7", "COALESCE(u.age, 5)"],
    "o": ["o.total", "o.weight", "o.total * (1 - o.discount)", "CASE WHEN o.status = 'paid' THEN o.total ELSE -5 END", "o.parcels"],
    "i": ["i.quantity", "i.price * i.quantity", "-i.price"],
    "e": ["e.value", "e.value - 0.5"],
}
KEYS = {
    "u": ["u.country", "u.active", "u.city", "u.age / 30", "UPPER(u.country)", "u.plan_id"],
    "o": ["o.status", "o.note", "EXTRACT(month FROM o.placed_at)", "o.parcels"],
    "i": ["i.quantity", "i.product_id"],
    "e": ["e.kind", "e.flag"],
    "p": ["p.name"],
    "q": ["q.category"],
}
CONDITIONS = {
    "u": [
        "u.age > 40",
        "u.active",
        "u.country IN ('DE', 'FR')",
        "u.name LIKE '%1%'",
        "u.score IS NOT NULL",
        "u.plan_id = (SELECT MAX(id) FROM plans)",
        "(u.age > 60 OR EXISTS (SELECT 1 FROM orders x WHERE x.user_id = u.id AND x.total > 900))",
        "(SELECT COUNT(*) FROM orders x WHERE x.user_id = u.id) > 4",
        "u.plan_id IN (SELECT id FROM plans GROUP BY id HAVING MAX(price) > 10)",
    ],
    "o": ["o.total > 300", "o.status <> 'void'", "o.placed_at >= TIMESTAMP '2024-05-01'"],
    "i": ["i.quantity < 5"],
    "e": [
        "e.flag",
        "e.value > 0.2",
        "(e.flag OR e.user_id IN (SELECT x.user_id FROM orders x WHERE x.total > 900))",
        "(SELECT COUNT(*) FROM events x WHERE x.user_id = e.user_id) > 1",
    ],
}


@st.composite
def queries(draw: st.DrawFn) -> str:
    """A query over the shop: a source, perhaps a condition, keys, and one to three aggregates."""
    source = draw(st.sampled_from([s for s in SOURCES if SOURCES[s]]))
    names = SOURCES[source]
    numbers = [n for name in names for n in NUMBERS.get(name, [])]
    keys = [k for name in names for k in KEYS.get(name, [])]
    conditions = [c for name in names for c in CONDITIONS.get(name, [])]
    aggregates = [st.just("COUNT(*)")]
    if numbers:
        number = st.sampled_from(numbers)
        kinds = [
            "COUNT({})",
            "SUM({})",
            "AVG({})",
            "STDDEV({})",
            "COUNT(DISTINCT {})",
            "SUM(DISTINCT {})",
            "AVG(DISTINCT {})",
            "PERCENTILE_DISC(0.3) WITHIN GROUP (ORDER BY {})",
        ]
        aggregates.append(st.builds(lambda kind, n: kind.format(n), st.sampled_from(kinds), number))
    shown = draw(st.lists(st.one_of(*aggregates), min_size=1, max_size=3, unique=True))
    grouped = draw(st.lists(st.sampled_from(keys), max_size=2, unique=True)) if keys else []
    where = draw(st.lists(st.sampled_from(conditions), max_size=2, unique=True)) if conditions else []
    sql = f"SELECT {', '.join([*grouped, *shown])} FROM {source}"
    sql += f" WHERE {' AND '.join(where)}" if where else ""
    groups = draw(st.sampled_from(["{}", "{}", "ROLLUP ({})", "CUBE ({})"])).format(", ".join(grouped))
    return sql + (f" GROUP BY {groups}" if grouped else "")


PER_UNIT = [
    "SELECT AVG(t) FROM (SELECT user_id, SUM(total) AS t FROM orders GROUP BY user_id) x",
    "SELECT n, COUNT(*) FROM (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id HAVING COUNT(*) > 2) x GROUP BY n",
    "SELECT COUNT(*) FROM (SELECT DISTINCT user_id, status FROM orders) x",
    "SELECT SUM(v) FROM (SELECT total AS v FROM orders UNION ALL SELECT balance FROM users) x",
    "SELECT SUM(n * 3) FROM (SELECT user_id, COUNT(*) AS n FROM orders GROUP BY user_id) x",
    "SELECT COUNT(*) FROM (SELECT user_id, note FROM orders WHERE total > 300 EXCEPT SELECT user_id, note FROM orders WHERE discount < 0.5) x",
    "SELECT COUNT(*) FROM (SELECT user_id FROM orders INTERSECT SELECT id FROM users WHERE active) x",
]


@cache
def everybody() -> DuckDBEngine:
    return engine_over(tables())


@cache
def all_but(unit: int) -> DuckDBEngine:
    return engine_over(without(unit))


@cache
def few(seed: int) -> tuple[DuckDBEngine, list[DuckDBEngine]]:
    """A small database, and what it is without each of its units; the rows of nobody are one."""
    found, people = few_people(seed)
    return engine_over(found), [engine_over(without(unit, found)) for unit in (None, *people)]


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=queries() | st.sampled_from(PER_UNIT), unit=st.integers(1, 60), data=st.data())
def test_one_unit_changes_no_more_than_is_claimed(sql: str, unit: int, data: st.DataObject) -> None:
    hold(sql, unit, data)


@pytest.mark.slow
@settings(max_examples=2500, deadline=None, suppress_health_check=list(HealthCheck))
@given(sql=queries() | st.sampled_from(PER_UNIT), unit=st.integers(1, 60), data=st.data())
def test_one_unit_changes_no_more_than_is_claimed_in_thousands_of_queries(sql: str, unit: int, data: st.DataObject) -> None:
    hold(sql, unit, data)


def hold(sql: str, unit: int, data: st.DataObject) -> None:
    """Measure without noise, with everybody and without one, and compare with the claims."""
    try:
        releases = bind(sql, shop()).releases
    except QueryRefused:
        return
    for release in releases:
        hold_release(sql, release, unit, data)


def hold_release(sql: str, release: Release, unit: int, data: st.DataObject) -> None:
    """Hold what one of the groupings of a query claims."""
    declaration = shop()
    most = data.draw(st.sampled_from([None, 1, 2, 5]))
    made = plan(release, declaration, Settings(max_groups=most))
    seed = data.draw(st.none() | st.integers(0, 7))
    engines = (everybody(), all_but(unit)) if seed is None else (few(seed)[0], few(seed)[1][unit % 4])
    highest = 18 if seed is None else 4
    bounds = {t.name: 2 ** data.draw(st.integers(0, min(t.highest, highest))) for t in made.thresholds}
    salt = data.draw(st.integers(0, 2**62))
    one, other = (_cells(made, engine, bounds, salt) for engine in engines)
    at_once = [_at_once(made, engine, bounds) for engine in engines]
    groups = made.groups if made.groups is not None else bounds["groups"]
    for part in made.parts:
        limit = compiled.unit_bounds(part, bounds)
        if part.kind == "quantile":
            moved = _moved_rows(one.bins.get(part.name, {}), other.bins.get(part.name, {}))
        else:
            moved = _moved(one.sums.get(part.name, {}), other.sums.get(part.name, {}))
        assert len(moved) <= groups, f"{part.kind} changed in {len(moved)} groups, {groups} are claimed: {sql}"
        assert all(change <= limit.largest for change in moved), f"{part.kind} changed by {max(moved)}, {limit.largest} is claimed: {sql}"
        if at_once[0] is not None and at_once[1] is not None:
            changes = _moved(at_once[0].sums[part.name], at_once[1].sums[part.name])
            assert all(change <= limit.largest for change in changes), f"{part.kind} changed at once by more than is claimed: {sql}"
    for name, j, counts in _exceeding(made, engines):
        assert abs(counts[0] - counts[1]) <= 1, f"threshold {name} at 2^{j} changed by more than one unit: {sql}"


def _cells(made: Plan, engine: DuckDBEngine, bounds: dict[str, int], salt: int) -> Cells:
    with engine.read() as reading:
        return clipped(made, shop().schema, engine, reading, bounds, salt)


def _at_once(made: Plan, engine: DuckDBEngine, bounds: dict[str, int]) -> Cells | None:
    with engine.read() as reading:
        return clipped_at_once(made, shop().schema, engine, reading, bounds)


def _moved(one: dict, other: dict) -> list[int]:
    return [change for key in {*one, *other} if (change := abs(one.get(key, 0) - other.get(key, 0)))]


def _moved_rows(one: dict, other: dict) -> list[int]:
    """By group, how many rows came or went."""
    return [moved for key in {*one, *other} if (moved := sum(_moved(one.get(key, {}), other.get(key, {}))))]


def _exceeding(made: Plan, engines: tuple[DuckDBEngine, DuckDBEngine]):
    """For each threshold and power of two, how many units exceed it, in each of two databases."""
    dialect = Dialect("duckdb")
    sql = compiled.Measuring(made, Relations(shop().schema, dialect), dialect).thresholds
    if sql is None:
        return
    found = []
    for engine in engines:
        with engine.read() as reading:
            found.append({(t, j): n for t, j, n in reading.rows(sql)})
    for threshold in made.thresholds:
        for j in range(threshold.highest):
            yield threshold.name, j, tuple(sum(n for (t, k), n in one.items() if t == threshold.name and k > j) for one in found)


@pytest.mark.parametrize(
    ("sql", "rule"),
    [("SELECT COUNT(*) FROM orders", "sum_by_rows"), ("SELECT SUM(r) FROM (SELECT total AS r FROM orders) x", "clipped_sum")],
)
def test_a_rule_that_clips_at_once_to_too_much_is_caught(monkeypatch: pytest.MonkeyPatch, sql: str, rule: str) -> None:
    honest = getattr(measuring, rule)
    monkeypatch.setattr(measuring, rule, lambda *found: 2 * honest(*found))
    (release,) = bind(sql, shop()).releases
    made = plan(release, shop(), Settings())
    bounds = {t.name: 1 for t in made.thresholds}
    found = [_at_once(made, engine, bounds) for engine in (everybody(), *(all_but(u) for u in range(1, 5)))]
    sums = [one.sums["p0"][()] for one in found if one is not None]
    assert max(abs(sums[0] - one) for one in sums[1:]) > compiled.unit_bounds(made.parts[0], bounds).largest


def test_a_rule_that_claims_too_little_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = compiled.Measuring._clipped
    monkeypatch.setattr(compiled.Measuring, "_clipped", lambda self, part, bounds: f"2 * {honest(self, part, bounds)}")
    declaration = shop()
    (release,) = bind("SELECT COUNT(*) FROM orders", declaration).releases
    made = plan(release, declaration, Settings())
    bounds = {t.name: 1 for t in made.thresholds}
    changes = [
        abs(_cells(made, everybody(), bounds, 1).sums["p0"][()] - _cells(made, all_but(u), bounds, 1).sums["p0"][()]) for u in range(1, 5)
    ]
    assert max(changes) > 1


def test_a_rule_that_counts_too_many_different_values_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = compiled.Measuring._most_values
    (release,) = bind("SELECT SUM(DISTINCT total) FROM orders", shop()).releases
    made = plan(release, shop(), Settings())
    bounds = {t.name: 1 for t in made.thresholds}

    def largest() -> int:
        everyone = _cells(made, everybody(), bounds, 1).sums["p0"][()]
        return max(abs(everyone - _cells(made, all_but(u), bounds, 1).sums["p0"][()]) for u in range(1, 9))

    claimed = compiled.unit_bounds(made.parts[0], bounds).largest
    assert largest() <= claimed
    monkeypatch.setattr(compiled.Measuring, "_most_values", lambda *given: 50 * honest(*given))
    assert largest() > claimed


@pytest.mark.slow
def test_rows_that_many_units_feed_are_caught_under_a_unit_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A unit's own rows and its share of those of nobody would change at once, by more than the bound on either."""
    sql = "SELECT SUM(o.total - 500) FROM events e FULL JOIN orders o ON e.user_id = o.user_id AND e.flag"

    def largest() -> float:
        (release,) = bind(sql, shop()).releases
        made = plan(release, shop(), Settings())
        excess = []
        for j in range(10, 20):
            bounds = {t.name: 2**j for t in made.thresholds}
            claimed = compiled.unit_bounds(made.parts[0], bounds).largest
            for whole, others in map(few, range(8)):
                found = [_cells(made, engine, bounds, 1).sums["p0"][()] for engine in (whole, *others)]
                excess += [abs(found[0] - one) - claimed for one in found[1:]]
        return max(excess)

    assert largest() <= 0
    honest = full_joins._side

    def of_nobody(relation, own, fields, unit, renamed, names):
        left = renamed.get(of_nobody.left, own)
        of_nobody.left = own
        return honest(relation, left, fields, unit, renamed, names)

    of_nobody.left = ""
    monkeypatch.setattr(full_joins, "_side", of_nobody)
    assert largest() > 0
