"""What a query spends on what."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("opendp")

from dpsql.accounting import Limit
from dpsql.binding import bind
from dpsql.measuring import Measured
from dpsql.planning import plan
from dpsql.planning.model import Settings
from dpsql.pricing import price, shared_out
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


@pytest.mark.parametrize(
    ("groups", "delta", "gaussian"),
    [(None, 1e-6, False), (2, 1e-6, False), (200, 1e-6, True), (200, 0.0, False)],
)
def test_the_noise_that_errs_less_is_taken(groups: int | None, delta: float, gaussian: bool) -> None:
    # a unit in many groups: Laplace noise grows with their number, Gaussian noise with its root
    declaration = shop()
    query = bind("SELECT COUNT(*) FROM orders" + (" GROUP BY status" if groups else ""), declaration)
    made = [replace(plan(release, declaration, Settings()), groups=groups, total=False) for release in query.releases]
    (shared,) = shared_out(made, epsilon=1.0, delta=delta)
    assert (shared.shares.rho is not None) == gaussian
    assert Limit(1.0, 2 * delta).allows(price([shared], [Measured({}, {})]))
