"""The queries of TPC-H, whose unit of privacy is the customer: answered exactly at an epsilon of a billion, or refused for a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

pytest.importorskip("opendp")

import datagen
from dpsql.accounting import Limit
from dpsql.declaration import declare
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.errors import QueryRefused
from dpsql.ledger import open_ledger
from dpsql.planning.model import Settings
from dpsql.service import Service
from tests.dpsql.test_exactness import differences

QUERIES = yaml.safe_load((Path(__file__).parent / "tpch.yaml").read_text("utf-8"))
ANSWERED = [name for name, said in QUERIES.items() if "refused" not in said]
EXACT = Settings(epsilon=1e9, delta=1e-6)
OF_NO_ROWS = {"Q19"}  # a sum over no rows is null in a database, and a noisy zero here


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    source = datagen.source("tpch", scale=0.002)
    engine = DuckDBEngine()
    for table in source.schema.tables:
        engine.add(table.name, source.read(table.name).read_all())
    ledger = open_ledger(tmp_path_factory.mktemp("tpch") / "ledger.db")
    with Service(declare(source.schema), engine, ledger, "tpch", Limit(1e12, 0.01), dialect="duckdb") as service:
        yield service


def test_most_of_them_are_answered() -> None:
    assert len(QUERIES) == 22
    assert len(ANSWERED) >= 16


@pytest.mark.parametrize("name", ANSWERED)
def test_a_query_of_tpc_h_is_exact(name: str, asked: Service) -> None:
    sql = QUERIES[name]["sql"]
    plain = asked.engine._connection.execute(sql).fetchall()  # type: ignore[attr-defined]
    answer = asked.ask(sql, analyst="tester", settings=EXACT)
    if name not in OF_NO_ROWS or plain != [(None,)]:
        # with fewer groups than rows, those that are private and small are left out
        assert differences(answer.rows(), plain, len(answer.rows()) < len(plain)) == []


@pytest.mark.parametrize("name", [name for name in QUERIES if name not in ANSWERED])
def test_another_is_refused_for_its_reason_and_what_is_offered_is_answered(name: str, asked: Service) -> None:
    with pytest.raises(QueryRefused, match=QUERIES[name]["refused"]) as refused:
        asked.ask(QUERIES[name]["sql"], analyst="tester", settings=EXACT)
    assert refused.value.instead is not None
    assert asked.ask(refused.value.instead, analyst="tester", settings=EXACT).table.num_rows >= 0
