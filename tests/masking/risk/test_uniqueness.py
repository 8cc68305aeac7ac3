"""Estimates of the people who are unique in a population: their equations hold, and known populations are met."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.risk.uniqueness import pitman_uniques, population_uniqueness, snb_uniques, zayatz_uniques

stats = pytest.importorskip("scipy.stats")
optimize = pytest.importorskip("scipy.optimize")

SIZES = st.lists(st.integers(1, 12), min_size=1, max_size=40).map(lambda found: np.array(found, np.int64))


def drawn(cells: int, exponent: float, population: int, sample: int) -> tuple[np.ndarray, int]:
    """The class sizes of a sample of a population over a Zipf distribution, and how many are unique in the population."""
    random = np.random.Generator(np.random.PCG64(7))
    weights = 1 / np.arange(1, cells + 1) ** exponent
    people = random.choice(cells, population, p=weights / weights.sum())
    sizes = np.bincount(random.choice(people, sample, replace=False))
    return sizes[sizes > 0], int((np.bincount(people) == 1).sum())


def test_zayatz_is_bayes_rule_over_hypergeometric_draws():
    sizes, population = np.array([1, 1, 1, 2, 2, 5]), 60
    sample = int(sizes.sum())
    once = {k: stats.hypergeom.pmf(1, population, k, sample) for k in (1, 2, 5)}
    chance = (3 / 6 * once[1]) / (3 / 6 * once[1] + 2 / 6 * once[2] + 1 / 6 * once[5])
    assert zayatz_uniques(sizes, population) == pytest.approx(3 * chance * population / sample, rel=1e-12)


def test_pitman_is_where_the_likelihood_is_highest():
    sizes, _ = drawn(200_000, 1.0, 200_000, 5_000)
    records, classes = int(sizes.sum()), len(sizes)

    def surprise(point):
        theta, alpha = point
        if not 0 < alpha < 1 or theta <= -alpha:
            return math.inf
        likelihood = np.log(theta + alpha * np.arange(1, classes)).sum() - np.log(theta + np.arange(1, records)).sum()
        return -(likelihood + sum(np.log(np.arange(1, size) - alpha).sum() for size in sizes if size > 1))

    theta, alpha = optimize.minimize(surprise, (100.0, 0.5), method="Nelder-Mead", options={"xatol": 1e-8, "fatol": 1e-10}).x
    expected = math.exp(math.lgamma(theta + 1) - math.lgamma(theta + alpha)) * 200_000**alpha
    assert pitman_uniques(sizes, 200_000) == pytest.approx(expected, rel=1e-4)


def test_snb_is_met_by_a_population_that_follows_it():
    """The classes of one and two expected by the model give the model's uniques; its classes are many, so Shlosser is not far."""
    random = np.random.Generator(np.random.PCG64(3))
    classes, alpha, beta = 200_000, 1.5, 0.4
    people = 1 + random.negative_binomial(alpha, beta, classes)
    sample = random.binomial(people, 0.5)
    found = snb_uniques(sample[sample > 0], int(people.sum()))
    assert found == pytest.approx(classes * beta**alpha, rel=0.1)


@pytest.mark.parametrize(("exponent", "sample", "within"), [(1.0, 10_000, 2.0), (1.0, 100_000, 1.1), (0.7, 100_000, 1.25)])
def test_known_populations_are_met_within_a_factor(exponent, sample, within):
    sizes, true = drawn(100_000, exponent, 200_000, sample)
    found = population_uniqueness(sizes, 200_000)
    assert true / within < found.uniques < true * within


def test_the_rule_takes_pitman_for_small_samples_and_the_smaller_of_the_others_for_large_ones():
    small, _ = drawn(200_000, 1.0, 200_000, 20_000)
    assert population_uniqueness(small, 200_000).chosen == "pitman"
    large, _ = drawn(200_000, 1.0, 200_000, 50_000)
    found = population_uniqueness(large, 200_000)
    assert found.chosen == "snb" and found.uniques == found.snb < found.zayatz
    even, _ = drawn(50_000, 0.0, 200_000, 2_000)
    found = population_uniqueness(even, 200_000)
    assert found.pitman is None and found.chosen == "zayatz"


@given(SIZES)
def test_in_a_table_that_is_the_population_the_unique_are_counted(sizes):
    found = population_uniqueness(sizes, int(sizes.sum()))
    assert found.uniques == pytest.approx((sizes == 1).sum())


@given(SIZES, st.integers(1, 10_000))
def test_estimates_are_numbers_of_people(sizes, more):
    population = int(sizes.sum()) + more
    found = population_uniqueness(sizes, population)
    assert 0 <= found.uniques <= population and 0 <= found.share <= 1
    if not (sizes == 1).any():
        assert (found.chosen, found.uniques) == ("none", 0.0)
