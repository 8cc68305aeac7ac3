"""Noise on whole numbers: of the right law, within what is charged, exact where epsilon is huge."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import pytest
from scipy.stats import chisquare

pytest.importorskip("opendp")

from dpsql.amounts import decimal
from dpsql.noise import Mechanism, Sensitivity, add_noise
from schemas.errors import InputError

FALSE_ALARM = 1e-6


def pmf(mechanism: Mechanism, x: int) -> float:
    weight = (
        (lambda n: math.exp(-abs(n) / mechanism.scale))
        if mechanism.kind == "laplace"
        else (lambda n: math.exp(-((n / mechanism.scale) ** 2) / 2))
    )
    far = math.ceil(60 * mechanism.scale) + 2
    return weight(x) / sum(weight(n) for n in range(-far, far + 1))


@pytest.mark.parametrize(
    "mechanism", [Mechanism("laplace", 2.0), Mechanism("gaussian", 2.5), Mechanism("laplace", 0.3), Mechanism("gaussian", 0.4)]
)
def test_the_noise_has_the_law_that_it_says(mechanism: Mechanism) -> None:
    drawn = Counter(value - 7 for value in add_noise([7] * 20_000, mechanism))
    bins = [n for n in range(-12, 13) if pmf(mechanism, n) * 20_000 > 10]
    inside = sum(pmf(mechanism, n) for n in bins)
    seen = [drawn[n] for n in bins] + [20_000 - sum(drawn[n] for n in bins)]
    expected = [20_000 * pmf(mechanism, n) for n in bins] + [20_000 * (1 - inside)]
    if expected[-1] < 5:
        expected, seen = [*expected[:-2], expected[-2] + expected[-1]], [*seen[:-2], seen[-2] + seen[-1]]
    assert chisquare(seen, expected).pvalue > FALSE_ALARM


@pytest.mark.parametrize("kind", ["laplace", "gaussian"])
@pytest.mark.parametrize("scale", [0.05, 0.3, 0.5, 1.0, 3.7, 20.0, 250.0])
def test_errors_are_those_of_the_law(kind: str, scale: float) -> None:
    mechanism = Mechanism(kind, scale)  # type: ignore[arg-type]
    # far enough out that nothing is left
    law = {n: p for n in range(math.ceil(40 * scale) + 2) if (p := math.exp(-n / scale if kind == "laplace" else -((n / scale) ** 2) / 2))}
    whole = 2 * math.fsum(law.values()) - 1
    assert mechanism.variance == pytest.approx(2 * math.fsum(n * n * p for n, p in law.items()) / whole, rel=1e-9)
    n = int(mechanism.error95)
    assert n == mechanism.error95
    assert 2 * math.fsum(p for m, p in law.items() if m > n) / whole <= 0.05
    assert n == 0 or 2 * math.fsum(p for m, p in law.items() if m >= n) / whole > 0.05


def test_the_error_of_great_gaussian_noise_is_at_most_one_off() -> None:
    assert 1.95996 * 1e6 <= Mechanism("gaussian", 1e6).error95 <= 1.95997 * 1e6
    assert Mechanism("gaussian", 301.0).error95 - Mechanism("gaussian", 300.0).error95 in (1, 2, 3)


@pytest.mark.parametrize("epsilon", [1e-9, 0.001, 0.1, 0.3, 1.0, 7.7, 1e9])
@pytest.mark.parametrize("sensitivity", [Sensitivity(1, 1), Sensitivity(3, 1000), Sensitivity(999, 123_456)])
def test_noise_costs_less_than_what_is_charged_for_it(epsilon: float, sensitivity: Sensitivity) -> None:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    mechanism = Mechanism.laplace(sensitivity, epsilon)
    theirs = dp.m.make_laplace(dp.vector_domain(dp.atom_domain(T="i64")), dp.l1_distance(T="i64"), scale=mechanism.scale)
    assert theirs.map(sensitivity.l1) < decimal(epsilon)
    assert mechanism.scale <= sensitivity.l1 / epsilon * (1 + 1e-12)


@pytest.mark.parametrize("rho", [1e-9, 0.01, 1.0, 1e6])
def test_gaussian_noise_costs_less_than_what_is_charged_for_it(rho: float) -> None:
    import opendp.prelude as dp

    dp.enable_features("contrib")
    sensitivity = Sensitivity(7, 31)
    mechanism = Mechanism.gaussian(sensitivity, rho)
    theirs = dp.m.make_gaussian(dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"), scale=mechanism.scale)
    assert theirs.map(sensitivity.l2) < decimal(rho)
    assert mechanism.scale == pytest.approx(math.sqrt(7) * 31 / math.sqrt(2 * rho), rel=1e-12)


def test_a_huge_epsilon_leaves_values_as_they_are() -> None:
    values = [0, -5, 2**61, 12345]
    assert add_noise(values, Mechanism.laplace(Sensitivity(1000, 1000), 1e9)) == values
    assert add_noise(values, Mechanism.gaussian(Sensitivity(10, 100), 1e9)) == values


@pytest.mark.parametrize("law", [Mechanism.laplace, Mechanism.gaussian])
def test_nothing_that_a_unit_changes_needs_no_noise(law: Callable[[Sensitivity, float], Mechanism]) -> None:
    mechanism = law(Sensitivity(3, 0), 1.0)
    assert add_noise([4, 5], mechanism) == [4, 5]
    assert add_noise([], mechanism) == []


def test_l2_sensitivity_is_never_rounded_down() -> None:
    for l0 in (1, 2, 3, 7, 10**6 + 1):
        for linf in (1, 3, 2**53 + 1, 10**18 + 9):
            from fractions import Fraction

            assert Fraction(Sensitivity(l0, linf).l2) ** 2 >= l0 * linf**2


@pytest.mark.parametrize("epsilon", [0.0, -1.0, 1e-13, math.inf, math.nan, 1e300])
def test_an_epsilon_out_of_range_is_refused(epsilon: float) -> None:
    with pytest.raises(InputError, match="epsilon is"):
        Mechanism.laplace(Sensitivity(1, 1), epsilon)


def test_numbers_that_do_not_fit_are_refused_without_telling_them() -> None:
    with pytest.raises(InputError, match="cannot be measured") as caught:
        add_noise([2**62 + 987654321], Mechanism("laplace", 1.0))
    assert "987654321" not in str(caught.value) and str(2**62 + 987654321) not in str(caught.value)
    with pytest.raises(InputError, match="too many to measure"):
        Mechanism.laplace(Sensitivity(2, 2**62), 1.0)
    with pytest.raises(InputError, match="greater than 64 bits hold"):
        Mechanism.laplace(Sensitivity(1, 2**60), 1e-3)
    with pytest.raises(InputError, match="rho must be above 0"):
        Mechanism.gaussian(Sensitivity(1, 1), 0.0)
