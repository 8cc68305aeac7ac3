"""What is done with noisy outcomes has its time and its place, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import pyarrow as pa
import pytest

from dpsql import sandbox
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.errors import QueryInvalid


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A sandbox that waits for a fifth of a second."""
    sandbox._locked.cache_clear()
    short = tuple(s if "max_execution_time" not in s else "GLOBAL max_execution_time = 200" for s in sandbox.SETTINGS)
    monkeypatch.setattr(sandbox, "SETTINGS", short)
    yield
    sandbox._locked.cache_clear()


def test_what_takes_too_long_is_ended(hasty: None) -> None:
    with pytest.raises(QueryInvalid, match="took longer than"):
        sandbox.work("SELECT sum(a.range * b.range) FROM range(10_000_000) a, range(10_000_000) b", {})
    assert sandbox.work("SELECT 1 AS one", {}).to_pydict() == {"one": [1]}


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SET threads = 4",
        "SET GLOBAL max_execution_time = 0",
        "COPY (SELECT 1) TO '/tmp/one.csv'",
        "ATTACH '/tmp/one.db'",
        "INSTALL httpfs",
    ],
)
def test_the_world_outside_and_its_own_settings_are_out_of_reach(sql: str) -> None:
    with pytest.raises(QueryInvalid, match="failed"):
        sandbox.work(sql, {})


def test_times_are_worked_out_in_utc_wherever_the_machine_is() -> None:
    assert sandbox.work("SELECT current_setting('TimeZone') AS zone", {}).to_pydict() == {"zone": ["UTC"]}
    with DuckDBEngine().read() as reading:
        assert reading.rows("SELECT current_setting('TimeZone')") == [("UTC",)]


def test_one_query_does_not_see_the_tables_of_another() -> None:
    assert sandbox.work("SELECT x FROM r0", {"r0": pa.table({"x": [1]})}).to_pydict() == {"x": [1]}
    with pytest.raises(QueryInvalid):
        sandbox.work("SELECT x FROM r0", {})


@pytest.mark.parametrize(
    "call",
    [
        "LN(x)", "LN(z)", "LOG(x)", "LOG(2, x)", "LOG(1, 2)", "LOG2(x)", "LOG10(z)", "SQRT(x)", "ACOS(x)", "ASIN(x)", "ACOSH(x)", "ATANH(x)",
        "COT(z)", "POWER(x, 0.5)", "POW(z, -1)", "EXP(1000 - x)", "LN(SUM(x) OVER ())",
    ],
)  # fmt: skip
def test_what_comes_to_no_number_is_null_in_conditions_too(call: str) -> None:
    noisy = {"r0": pa.table({"x": [-2.0], "z": [0.0]})}
    sql = f"SELECT COALESCE(y, 7) AS y FROM (SELECT {call} AS y FROM r0) WHERE (y > 0) IS NULL"
    assert sandbox.work(sql, noisy).to_pydict() == {"y": [7.0]}


def test_functions_that_come_to_a_number_give_it() -> None:
    noisy = {"r0": pa.table({"x": [0.25]})}
    assert sandbox.work("SELECT SQRT(x) AS a, POWER(x, 2) AS b, LOG(2, x) AS c, LN(NULL) AS d, EXP(0) AS e FROM r0", noisy).to_pylist() == [
        {"a": 0.5, "b": 0.0625, "c": -2.0, "d": None, "e": 1.0}
    ]


@pytest.mark.parametrize(
    ("a", "b", "outcome"),
    [
        ("n", "0", 3),
        ("n", "3", None),
        ("n", "NULL", 3),
        ("NULL", "3", None),
        ("n - 3", "0.0", None),
        ("t", "'u'", "t"),
        ("n", "(SELECT MAX(n) FROM r0)", None),
    ],
)
def test_nullif_is_what_it_is_everywhere(a: str, b: str, outcome: object) -> None:
    assert sandbox.work(f"SELECT NULLIF({a}, {b}) AS y FROM r0", {"r0": pa.table({"n": [3], "t": ["t"]})}).to_pydict() == {"y": [outcome]}


def test_quotients_in_each_other_are_planned_once() -> None:
    quotient = "n"
    for _ in range(30):
        quotient = f"(1 / NULLIF({quotient}, 0))"
    started = perf_counter()
    assert sandbox.work(f"SELECT {quotient} AS y FROM r0", {"r0": pa.table({"n": [2]})}).to_pydict() == {"y": [2.0]}
    assert perf_counter() - started < 20  # doubling, it would take days
