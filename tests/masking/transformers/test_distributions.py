"""Distributions out of keyed draws: as their inverse distribution functions say."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.transformers.distributions import laplace, natural_logarithm, normal, uniform, unit

ENDS = np.array([0, 1, 2**12, 2**63 - 1, 2**63, 2**64 - 1], np.uint64)
draws_of_64_bits = st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=50).map(lambda d: np.array(d, np.uint64))


@settings(max_examples=60)
@given(draws_of_64_bits)
def test_normal_is_the_inverse_of_the_normal_distribution_function(draws: np.ndarray) -> None:
    expected = [NormalDist().inv_cdf(p) for p in unit(draws)]
    assert np.allclose(normal(draws), expected, rtol=1e-13, atol=1e-15)


@settings(max_examples=60)
@given(draws_of_64_bits)
def test_laplace_is_the_inverse_of_the_laplace_distribution_function(draws: np.ndarray) -> None:
    expected = [math.log(2 * p) if p < 0.5 else -math.log(2 * (1 - p)) for p in unit(draws)]
    assert np.allclose(laplace(draws), expected, rtol=1e-12, atol=1e-15)


@settings(max_examples=60)
@given(st.lists(st.floats(5e-324, 1.7e308), min_size=1))
def test_the_logarithm_is_one(numbers: list[float]) -> None:
    assert np.allclose(natural_logarithm(np.array(numbers)), [math.log(x) for x in numbers], rtol=1e-15, atol=1e-16)


def test_the_ends_are_finite_and_neither_zero_nor_one() -> None:
    assert unit(ENDS).min() > 0 and unit(ENDS).max() < 1
    for distribution in (uniform, laplace, normal):
        values = distribution(ENDS)
        assert np.isfinite(values).all() and values[0] == -values[-1]


def test_the_place_in_a_batch_does_not_matter() -> None:
    draws = np.random.Generator(np.random.Philox(1)).integers(0, 2**64, 1001, np.uint64)
    for distribution in (uniform, laplace, normal):
        together = distribution(draws)
        assert all(distribution(draws[i : i + 1])[0] == together[i] for i in range(0, 1001, 7))
        assert np.array_equal(distribution(draws[3:20]), together[3:20])


def test_values_are_the_same_on_every_machine() -> None:
    draws = np.array([0, 2**62, 2**63 + 12345, 2**64 - 2**40], np.uint64)
    assert [x.hex() for x in normal(draws)] == NORMAL and [x.hex() for x in laplace(draws)] == LAPLACE


NORMAL = ["-0x1.06b48528cea51p+3", "-0x1.5956b87528a46p-1", "0x1.18be0bbf76226p-49", "0x1.52dc6e85fa3eep+2"]
LAPLACE = ["-0x1.205966f2b4f12p+5", "-0x1.62e42fefa39ebp-1", "0x1.c000000000006p-50", "0x1.fe2804e97b348p+3"]
