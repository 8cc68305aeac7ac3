"""What a query spends on what."""

from __future__ import annotations

import pytest

pytest.importorskip("opendp")

from dpsql.binding import bind
from dpsql.planning import plan
from dpsql.planning.model import Settings
from dpsql.pricing import shared_out
from tests.dpsql.shop import shop


@pytest.mark.parametrize(
    ("asked", "part_of_thresholds"),
    [
        ("AVG(total)", 0.1),
        ("AVG(total), COUNT(total)", 0.2),
        ("SUM(total)", 0.2),
    ],
)
def test_a_bound_for_means_alone_costs_half_of_one_for_sums(asked: str, part_of_thresholds: float) -> None:
    declaration = shop()
    query = bind(f"SELECT {asked} FROM orders", declaration)
    (shared,) = shared_out([plan(release, declaration, Settings()) for release in query.releases], epsilon=2.0, delta=0.0)
    assert shared.thresholds
    assert len(shared.thresholds) * shared.shares.threshold == pytest.approx(2 * part_of_thresholds)
    assert len(shared.parts) * shared.shares.part == pytest.approx(2 * (1 - part_of_thresholds))
    assert len(shared.thresholds) * shared.shares.threshold + len(shared.parts) * shared.shares.part <= 2
