"""What is done with noisy outcomes has its time and its place, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

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
