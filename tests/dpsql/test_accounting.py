"""Spending adds up without ever getting cheaper, and limits hold in both views."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpsql.accounting import NOTHING, Limit, Spend, rho_of, zcdp_epsilon
from dpsql.amounts import at_least, decimal, share, strictly_below, total

amounts = st.floats(min_value=0, max_value=1e9, allow_subnormal=False)
typed = st.decimals(min_value=0, max_value=1000, places=6).map(float)  # what people type


def spent(epsilons: list[float]) -> Spend:
    return sum((Spend.pure(e) for e in epsilons), NOTHING)


def test_ten_questions_of_a_tenth_fit_in_one_and_no_eleventh() -> None:
    limit = Limit(1.0, 0.0)
    assert limit.allows(spent([0.1] * 10))
    assert not limit.allows(spent([0.1] * 10 + [1e-12]))


@given(st.lists(amounts, max_size=20))
def test_a_sum_is_never_less_than_the_decimals_that_it_stands_for(values: list[float]) -> None:
    exact = sum((Decimal(repr(v)) for v in values), Decimal(0))
    together = spent(values).epsilon
    assert Fraction(repr(together)) >= Fraction(exact)
    assert together <= float(exact) * (1 + 1e-14) + 1e-300


@given(st.permutations([0.1, 0.25, 0.007, 3.0, 1e-6]))
def test_the_order_of_questions_does_not_matter(values: list[float]) -> None:
    assert spent(values).epsilon == spent([3.0, 1e-6, 0.1, 0.25, 0.007]).epsilon == 3.357001


@given(st.lists(typed, min_size=1, max_size=8), typed, st.sampled_from([0.0, 1e-9, 1e-6]))
@settings(max_examples=50)
def test_spending_more_never_costs_less(values: list[float], more: float, delta: float) -> None:
    limit = Limit(1.0, delta)
    assert limit.epsilon_of(spent([*values, more])) >= limit.epsilon_of(spent(values))


@given(amounts.filter(lambda a: a > 0), st.integers(1, 40), st.integers(1, 40))
def test_shares_together_stay_within_what_is_shared(amount: float, thresholds: int, parts: int) -> None:
    pieces = [share(amount, Fraction(1, 10 * thresholds))] * thresholds + [share(amount, Fraction(9, 10 * parts))] * parts
    assert sum(map(decimal, pieces)) <= decimal(amount)
    assert spent(pieces).epsilon <= amount
    assert spent(pieces).epsilon >= amount * (1 - 1e-10)


@given(amounts.filter(lambda a: a > 1e-300))
def test_noise_is_drawn_for_less_than_the_decimal_that_is_charged(amount: float) -> None:
    assert Fraction(strictly_below(amount)) < decimal(amount)


@given(st.floats(min_value=1e-6, max_value=100), st.integers(1, 1000))
def test_pure_spending_is_half_its_square_in_the_other_view_and_never_less(epsilon: float, spread: int) -> None:
    rho = Spend.pure(epsilon, spread).rho
    assert decimal(rho) >= decimal(epsilon) ** 2 / (2 * spread)
    assert rho == pytest.approx(epsilon**2 / (2 * spread), rel=1e-14)


def test_amounts_are_rounded_up_to_the_next_float_and_not_further() -> None:
    third = Fraction(1, 3)
    assert decimal(at_least(third)) >= third > decimal(math.nextafter(at_least(third), 0))
    assert total([math.inf, 1.0]) == math.inf


def test_many_small_questions_cost_less_in_the_view_of_zcdp() -> None:
    limit = Limit(1.0, 1e-6)
    together = spent([0.01] * 200)
    assert together.epsilon == 2.0
    assert limit.epsilon_of(together) < 1.0
    assert limit.allows(together)
    assert not Limit(1.0, 0.0).allows(together)


def test_deltas_of_questions_take_at_most_half_of_the_limit_in_both_views() -> None:
    limit = Limit(1.0, 1e-6)
    assert limit.allows(Spend.threshold(0.1, 5e-7))
    assert not limit.allows(Spend.threshold(0.1, 5e-7) + Spend.threshold(0.1, 1e-12))
    assert not limit.allows(Spend(0.1, math.nan, 0.005, 0.0))
    assert not limit.allows(Spend(math.inf, 0.0, math.inf, 0.0))


def test_delta_spent_leaves_less_for_the_conversion() -> None:
    limit = Limit(10.0, 1e-6)
    small = spent([0.01] * 900)
    assert limit.epsilon_of(small + Spend.threshold(0.01, 4e-7)) > limit.epsilon_of(small + Spend.threshold(0.01, 0.0))


def test_nothing_costs_nothing() -> None:
    assert Limit(0.0, 0.0).epsilon_of(NOTHING) == 0
    assert Limit(0.0, 0.0).allows(NOTHING)
    assert not Limit(0.0, 0.0).allows(Spend.pure(1e-9))


class TestAgainstOpenDP:
    """Never below what OpenDP's own composition and conversion say of the noise that is drawn for a charge."""

    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("opendp")

    @pytest.mark.parametrize("epsilons", [[1.0], [0.5, 1 / 3], [0.1] * 30])
    def test_composed_laplace_noise(self, epsilons: list[float]) -> None:
        import opendp.prelude as dp

        from dpsql.noise import Mechanism, Sensitivity

        dp.enable_features("contrib")
        scales = [Mechanism.laplace(Sensitivity(1, 1), epsilon).scale for epsilon in epsilons]
        parts = [dp.m.make_laplace(dp.atom_domain(T="i64"), dp.absolute_distance(T="i64"), scale=s) for s in scales]
        together = dp.c.make_composition(parts)
        charged = sum((Spend.pure(epsilon) for epsilon in epsilons), NOTHING)
        assert Fraction(charged.epsilon) >= sum(Fraction(part.map(1)) for part in parts)  # exactly: OpenDP rounds each step of its sum up
        assert charged.epsilon == pytest.approx(together.map(1), rel=1e-12)

    @pytest.mark.parametrize("rhos", [[0.5], [0.125, 1 / 18], [0.005] * 30])
    @pytest.mark.parametrize("delta", [1e-9, 1e-6])
    def test_composed_gaussian_noise(self, rhos: list[float], delta: float) -> None:
        import opendp.prelude as dp

        from dpsql.noise import Mechanism, Sensitivity

        dp.enable_features("contrib")
        scales = [Mechanism.gaussian(Sensitivity(1, 1), rho).scale for rho in rhos]
        parts = [dp.m.make_gaussian(dp.atom_domain(T="i64"), dp.absolute_distance(T="f64"), scale=s) for s in scales]
        together = dp.c.make_zCDP_to_approxDP(dp.c.make_composition(parts))
        charged = sum((Spend.gaussian(rho, delta) for rho in rhos), NOTHING)
        told = Limit(1e9, 2 * delta).epsilon_of(charged)
        assert told >= together.map(1.0).epsilon(delta)
        assert told == pytest.approx(together.map(1.0).epsilon(delta), rel=1e-6)

    @pytest.mark.parametrize(("rho", "delta"), [*itertools.product([1e-9, 1e-4, 0.1, 5.0, 99.0, 101.0, 1e6], [1e-12, 1e-6, 1e-2])])
    def test_the_conversion_is_never_above_the_closed_form_nor_below_zero(self, rho: float, delta: float) -> None:
        assert 0 <= zcdp_epsilon(rho, delta) <= (rho + 2 * math.sqrt(rho * math.log(1 / delta))) * (1 + 1e-12)
        assert zcdp_epsilon(rho, delta) <= zcdp_epsilon(rho * 1.01, delta)
        assert zcdp_epsilon(rho, delta) >= zcdp_epsilon(rho, delta * 1.01)

    @pytest.mark.parametrize(("epsilon", "delta"), [*itertools.product([1e-3, 0.1, 1.0, 10.0, 1e9], [1e-9, 1e-2])])
    def test_rho_costs_the_epsilon_that_it_is_made_for(self, epsilon: float, delta: float) -> None:
        cost = Spend.gaussian(rho_of(epsilon, delta), delta)
        assert epsilon * (1 - 1e-6) <= cost.epsilon <= epsilon


def test_pure_spending_is_told_without_opendp_and_else_the_extra_is_named() -> None:
    code = """
import sys
sys.modules["opendp"] = None
from dpsql.accounting import Limit, Spend
assert Limit(1.0, 0.0).allows(Spend.pure(0.5))
from schemas.errors import InputError
try:
    Limit(1.0, 1e-6).allows(Spend.pure(1.5))
except InputError as error:
    assert "companyos-data[dp]" in str(error)
else:
    raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
