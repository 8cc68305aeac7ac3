"""The mean of what each unit comes to: its sum is cut off at the bound that is chosen, and with it the mean."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit
from dpsql.ledger import open_ledger
from dpsql.planning.model import Settings
from dpsql.service import Service
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import arrow, engine_over, tables

UNITS, EACH = 2_000, 30


@pytest.mark.parametrize("each", ["COUNT(*)", "SUM(parcels)"])
def test_a_mean_of_what_units_come_to_is_near_what_they_come_to(each: str, tmp_path: Path) -> None:
    """Fails by chance less than once in five million times.

    All units are above each bound below the mean, which are chosen with e^-100 at most. A bound of 32 * 2^j is chosen with e^(-2 j) at most,
    and its noise, of 2.5 times the bound, is half of the sum with e^(-375 / 2^j); from j = 5 on that sums up to 2e-7.
    """
    at = datetime.datetime(2024, 5, 1)
    orders = [(n, n % UNITS, "paid", None, 0, at, None, None, None, 1) for n in range(UNITS * EACH)]
    engine = engine_over({**tables(), "orders": arrow(shop().schema, "orders", orders)})
    sql = f"SELECT AVG(n) FROM (SELECT user_id, {each} AS n FROM orders GROUP BY user_id) t"
    with Service(shop(), engine, open_ledger(tmp_path / "ledger.db"), "shop", Limit(10, 1e-6)) as service:
        ((mean,),) = service.ask(sql, analyst="ada", settings=Settings(epsilon=1.0)).rows()
    assert EACH / 2 < mean < EACH * 1.5
