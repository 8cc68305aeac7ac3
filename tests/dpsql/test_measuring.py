"""What is drawn fits what is paid: noise of a plan is for all that one unit changes, in all of the groups that it is in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

pytest.importorskip("opendp")

from dpsql import measuring
from dpsql.binding import bind
from dpsql.kept import GroupKey
from dpsql.measuring import Measured, measure
from dpsql.planning import Plan, plan
from dpsql.planning.model import Settings
from dpsql.pricing import price, shared_out
from tests.dpsql.shop import shop
from tests.dpsql.shop_databases import engine_over, tables

GROUPS = 3  # of one unit
EPSILON, DELTA = 2.0, 1e-6
NOTHING = Measured({}, {})


def planned(sql: str, delta: float = 0.0) -> Plan:
    declaration = shop()
    (release,) = bind(sql, declaration).releases
    (shared,) = shared_out([plan(release, declaration, Settings(max_groups=GROUPS))], EPSILON, delta)
    assert shared.spread == GROUPS
    return shared


def measured(made: Plan, groups: Sequence[GroupKey] | None) -> Measured:
    return measure(made, shop().schema, engine_over(tables()), groups, NOTHING)


def test_noise_on_sums_is_for_all_groups_of_a_unit() -> None:
    made = planned("SELECT status, SUM(total) FROM orders GROUP BY status")
    found = measured(made, [("paid",), ("void",)])
    (part,), bounds = made.parts, {name: kept.values[0] for name, kept in found.thresholds.items()}
    least = GROUPS * measuring.unit_bounds(part, bounds).largest / made.shares.part
    assert found.parts[part.name].mechanism == "laplace"
    assert least <= found.parts[part.name].scale <= least * (1 + 1e-9)


def test_gaussian_noise_on_sums_is_for_all_groups_of_a_unit() -> None:
    made = planned("SELECT status, COUNT(*) FROM orders GROUP BY status")
    made = replace(made, shares=replace(made.shares, rho=0.01, delta=DELTA))
    found = measured(made, [("paid",), ("void",)])
    (part,), bounds = made.parts, {name: kept.values[0] for name, kept in found.thresholds.items()}
    least = (GROUPS / (2 * 0.01)) ** 0.5 * measuring.unit_bounds(part, bounds).largest
    assert found.parts[part.name].mechanism == "gaussian"
    assert least <= found.parts[part.name].scale <= least * (1 + 1e-9)


def test_each_group_of_a_unit_has_its_part_of_what_a_quantile_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[float] = []

    def spied(histogram: Any, bins: int, place: Any, most_rows: int, epsilon: float) -> int:
        spent.append(epsilon)
        return 0

    monkeypatch.setattr(measuring, "quantile", spied)
    made = planned("SELECT status, MEDIAN(total) FROM orders GROUP BY status")
    measured(made, [("paid",), ("void",)])
    assert spent == [made.shares.part / GROUPS] * 2


def test_private_keys_are_released_with_noise_for_all_groups_of_a_unit_and_their_delta_is_paid() -> None:
    made = planned("SELECT note, COUNT(*) FROM orders GROUP BY note", DELTA)
    (units,) = (part for part in made.parts if part.kind == "units")
    least = GROUPS / made.shares.keys
    assert made.private_keys
    assert least <= measured(made, None).parts[units.name].scale <= least * (1 + 1e-9)
    assert price([made], [NOTHING]).delta == DELTA


def test_private_keys_of_several_plans_share_their_delta() -> None:
    declaration = shop()
    made = [plan(r, declaration, Settings()) for r in bind("SELECT note, COUNT(*) FROM orders GROUP BY note", declaration).releases] * 2
    assert all(one.private_keys for one in made)
    assert price(shared_out(made, EPSILON, DELTA), [NOTHING] * 2).delta <= DELTA
