"""CORR, COVAR and REGR_SLOPE come to what the database says of the same rows, and to nothing where a value is always the same."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit
from dpsql.binding import bind
from dpsql.ledger import open_ledger
from dpsql.outcome_errors import with_errors
from dpsql.planning.model import Settings
from dpsql.sandbox import work
from dpsql.service import Service
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import arrow, engine_over, tables

UNITS, EACH = 500, 4
AT = datetime.datetime(2024, 5, 1)
TOTALS = [None if n % 7 == 0 else Decimal(100 * (n % 5 + 1) + n * 37 % 400) for n in range(UNITS * EACH)]
ORDERS = arrow(
    shop().schema,
    "orders",
    [(n, n % UNITS, "paid", total, Decimal("0.5"), AT, None, None, None, n % 5 + 1) for n, total in enumerate(TOTALS)],
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    ledger = open_ledger(Path(tmp_path_factory.mktemp("ledger")) / "ledger.db")
    with Service(shop(), engine_over({**tables(), "orders": ORDERS}), ledger, "shop", Limit(1e6, 1e-6)) as made:
        yield made


@pytest.mark.parametrize(
    "asked",
    [
        "CORR(total, parcels)",
        "COVAR_POP(total, parcels)",
        "COVAR_SAMP(total, parcels)",
        "REGR_SLOPE(total, parcels)",
        "REGR_SLOPE(parcels, total)",
        "1 - CORR(total, 6 - parcels) / 2",
        "CORR(total, parcels) FILTER (WHERE parcels < 3 OR parcels = 5)",
    ],
)
def test_it_is_what_the_database_says(service: Service, asked: str) -> None:
    """The noise of each part, at an epsilon of 10,000, is below a thousandth of what it is, but for a chance of less than 1e-6."""
    with duckdb.connect() as connection:
        ((expected,),) = connection.register("orders", ORDERS).sql(f"SELECT {asked} FROM orders").fetchall()
    ((found,),) = service.ask(f"SELECT {asked} FROM orders", analyst="ada", settings=Settings(epsilon=1e4)).rows()
    assert found == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("asked", ["CORR(total, discount * 0)", "REGR_SLOPE(total, discount * 0)"])
def test_it_is_nothing_where_a_value_is_always_the_same(service: Service, asked: str) -> None:
    answer = service.ask(f"SELECT {asked} FROM orders", analyst="ada", settings=Settings(epsilon=1.0))
    assert answer.rows() == [(None,)]


@pytest.mark.parametrize(
    ("parts", "told"),
    [((9.0, 0.0, 0.0, 3.0, 1.0), (1, 0.0617)), ((0.2, 0.0, 0.0, 0.01, 1.0), (1, 2)), ((1.5, 0.0, 0.0, 3.0, 1.0), (0.5, 0.01214))],
)
def test_a_correlation_that_noise_leaves_is_within_its_ends_and_off_by_no_more_than_between_them(
    parts: tuple[float, ...], told: tuple[float, float]
) -> None:
    query = bind("SELECT CORR(total, parcels) FROM orders", shop())
    names = query.releases[0].names[: len(parts)]
    columns = {
        name + ending: [value] for name, part in zip(names, parts, strict=True) for ending, value in ((("", part), ("__deviation", 0.01)))
    }
    row = work(with_errors(query.residual, (("r0", names),)).sql, {"r0": pa.table(columns)}).to_pylist()[0]
    assert tuple(row.values()) == pytest.approx(told, rel=0.01)
