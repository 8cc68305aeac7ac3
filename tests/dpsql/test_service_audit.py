"""A black-box audit of the whole service: two databases that differ in one person, the same question, and what the answers tell apart.

Everything between the SQL and the answer is in it: the bounds that are chosen, clipping, the sharing of epsilon, noise, and what the ledger
charges. A true claim fails with a probability of at most 1e-6.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cache
from itertools import count
from pathlib import Path

import pyarrow as pa
import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit
from dpsql.declaration import Declaration, declare
from dpsql.engines.duckdb import DuckDBEngine
from dpsql.ledger import StoredLedger, open_ledger
from dpsql.noise import Mechanism
from dpsql.planning.model import Settings
from dpsql.service import Service
from schemas import parse_schema
from schemas.privacy import ColumnPrivacy, Privacy
from tests.dpsql.noise.auditing import audit
from tests.dpsql.shop_databases import engine_over

pytestmark = pytest.mark.slow
EPSILON, RUNS = 1.0, 800
SCHEMA = """
schema: visits
seed: 1
tables:
  people:
    rows: 10
    columns:
      id: {type: bigint, key: true}
  visits:
    rows: {per: people, count: {poisson: 3}}
    columns:
      id:        {type: bigint, key: true}
      person_id: {references: people.id}
      place:     {type: text, check: "place IN ('a', 'b')", generate: {choice: {a: 1, b: 1}}}
      minutes:   {type: integer, generate: {uniform: [0, 8]}}
"""
NUMBERS = count()


@cache
def declaration() -> Declaration:
    return declare(parse_schema(SCHEMA, "visits.yaml"), Privacy("people.id", columns={"visits.minutes": ColumnPrivacy((0, 8))}))


def people(visits: list[int]) -> DuckDBEngine:
    """People with so many visits each, of eight minutes."""
    persons = [n for n, rows in enumerate(visits) for _ in range(rows)]
    made = {
        "people": pa.table({"id": pa.array(range(len(visits)), pa.int64())}),
        "visits": pa.table(
            {
                "id": pa.array(range(len(persons)), pa.int64()),
                "person_id": pa.array(persons, pa.int64()),
                "place": ["a"] * len(persons),
                "minutes": pa.array([8] * len(persons), pa.int32()),
            }
        ),
    }
    return engine_over(made)


def answers(visits: list[int], book: StoredLedger, sql: str) -> Callable[[], Hashable]:
    """A run: the first answer about a new release, in whole numbers, which is charged EPSILON and no more."""
    engine = people(visits)

    def run() -> Hashable:
        asked = Service(declaration(), engine, book, f"release {next(NUMBERS)}", Limit(EPSILON, 0.0))
        answer = asked.ask(sql, analyst="ada", settings=Settings(epsilon=EPSILON, delta=0.0))
        assert answer.source == "private"
        assert answer.spend.epsilon <= EPSILON
        return int(answer.rows()[0][-1] or 0)

    return run


# four people, of whom one was there more often than all others together; and the same without that one
WITH, WITHOUT = [4, 4, 4, 40], [4, 4, 4]
COUNT, SUM = "SELECT COUNT(*) FROM visits", "SELECT SUM(minutes) FROM visits"


@pytest.mark.parametrize("sql", [COUNT, SUM, "SELECT place, COUNT(*) FROM visits GROUP BY place"])
def test_answers_tell_no_more_of_one_person_than_was_charged(tmp_path: Path, sql: str) -> None:
    book = open_ledger(tmp_path / "ledger.db")
    verdict = audit(answers(WITH, book, sql), answers(WITHOUT, book, sql), EPSILON, 0.0, RUNS)
    assert verdict.holds, f"epsilon is {verdict.epsilon:.2f} at least"
    book.verify()
    book.close()


@pytest.mark.parametrize("sql", [COUNT, SUM])
def test_noise_of_too_small_a_scale_anywhere_in_the_service_is_caught(tmp_path: Path, sql: str, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Mechanism.laplace

    def broken(sensitivity: object, epsilon: float) -> Mechanism:
        return Mechanism("laplace", honest(sensitivity, epsilon).scale / 12)  # type: ignore[arg-type]

    monkeypatch.setattr("dpsql.measuring.Mechanism.laplace", broken)
    book = open_ledger(tmp_path / "ledger.db")
    assert not audit(answers(WITH, book, sql), answers(WITHOUT, book, sql), EPSILON, 0.0, RUNS // 2).holds
    book.close()
