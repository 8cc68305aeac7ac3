"""The service as the faces use it."""

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


def service(folder: Path, limit: Limit = Limit(1e3, 1e-6)) -> Service:
    return Service(shop(), engine_over(tables()), open_ledger(folder / "ledger.db"), "shop", limit)


def test_a_service_that_ends_closes_its_ledger(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        asked.ask("SELECT COUNT(*) FROM users", analyst="ada")
        assert (tmp_path / "ledger.db-wal").exists()
    assert not (tmp_path / "ledger.db-wal").exists()  # SQLite keeps it as long as somebody is connected


def test_a_question_is_three_entries_of_the_ledger(tmp_path: Path) -> None:
    with service(tmp_path) as asked:
        for _ in range(2):  # the second time it is answered from what was kept
            asked.ask("SELECT status, COUNT(*), SUM(total) FROM orders GROUP BY status", analyst="ada", settings=Settings(epsilon=1.0))
        assert [e.kind for e in asked.ledger.entries()] == ["limit", "charge", "kept", "finish"]
        asked.ledger.verify()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT COUNT(*) AS n FROM users",
        "SELECT status AS s, COUNT(*) AS n, AVG(total) AS a, COUNT(*) AS again FROM orders GROUP BY status",
        "SELECT country, SUM(balance), MAX(age) FROM users GROUP BY country",
        "SELECT EXTRACT(month FROM placed_at), COUNT(*) FROM orders GROUP BY 1",
        "SELECT active, kind, COUNT(*) FROM events e JOIN users u ON e.user_id = u.id GROUP BY active, kind",
        "SELECT shipped, COUNT(*) FROM orders GROUP BY shipped",
        "SELECT happened, COUNT(*) FROM events GROUP BY happened",
        "SELECT p.name, COUNT(*) FROM plans p JOIN users u ON u.plan_id = p.id GROUP BY p.name",
    ],
)
def test_an_answer_has_the_columns_that_were_announced(tmp_path: Path, sql: str) -> None:
    with service(tmp_path, Limit(1e12, 0.5)) as asked:
        prepared = asked.prepare(sql)
        answer = asked.ask(sql, analyst="ada", settings=Settings(epsilon=1e9, delta=0.01))
    assert tuple(answer.table.column_names) == prepared.columns
    assert tuple(answer.table.schema.types) == prepared.types
    assert tuple(answer.errors) == prepared.noisy
