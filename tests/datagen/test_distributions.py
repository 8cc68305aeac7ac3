"""Every distribution against the one it declares. Samples are fixed by the seed, so each test always has the same outcome;
the thresholds are those of a false-alarm rate of 1e-6 over all seeds."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc
import pytest
from scipy import stats

from datagen import distributions
from datagen.errors import RecipeError
from tests.datagen.making import column_of, source_of

ROWS = 40_000
ALARM = 1e-6


def floats(recipe: str, type: str = "double") -> np.ndarray:
    return column_of(recipe, type, ROWS).cast("double").to_numpy(zero_copy_only=False)


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("{uniform: [2, 5]}", stats.uniform(2, 3)),
        ("{normal: {mean: 40, sd: 12}}", stats.norm(40, 12)),
        ("{normal: {mean: 40, sd: 12}, min: 18, max: 50}", stats.truncnorm((18 - 40) / 12, (50 - 40) / 12, 40, 12)),
        ("{lognormal: {median: 50, sigma: 1.2}}", stats.lognorm(1.2, scale=50)),
        ("{exponential: 30}", stats.expon(scale=30)),
        ("{beta: {a: 2, b: 5}, min: 0, max: 100}", stats.beta(2, 5, 0, 100)),
        ("{beta: {a: 0.5, b: 0.5}, min: -1, max: 1}", stats.beta(0.5, 0.5, -1, 2)),
        ("{histogram: {edges: [0, 10, 50], weights: [3, 1]}}", stats.rv_histogram(([3 / 4, 1 / 4], [0, 10, 50]), density=False)),
    ],
)
def test_continuous_distributions_fit(recipe, expected):
    assert stats.kstest(floats(recipe), expected.cdf).pvalue > ALARM


def chi_squared(values: np.ndarray, expected: stats.rv_discrete) -> float:
    low, high = int(values.min()), int(values.max())
    points = np.arange(low, high + 1)
    chances = expected.pmf(points)
    counts = np.bincount(values.astype(np.int64) - low, minlength=len(points)).astype(float)
    big = chances * len(values) >= 10
    seen = np.append(counts[big], len(values) - counts[big].sum())
    wanted = np.append(chances[big], 1 - chances[big].sum()) * len(values)
    keep = wanted > 1
    return stats.chisquare(seen[keep], wanted[keep] * seen[keep].sum() / wanted[keep].sum()).pvalue


@pytest.mark.parametrize(
    ("recipe", "expected"),
    [
        ("{poisson: 24}", stats.poisson(24)),
        ("{poisson: 0.4}", stats.poisson(0.4)),
        ("{zipf: 1.3, min: 1, max: 500}", stats.zipfian(1.3, 500)),
        ("{zipf: 0.7, max: 20}", stats.zipfian(0.7, 20)),
        ("{uniform: [3, 17]}", stats.randint(3, 18)),
        ("{histogram: {edges: [0, 10, 12], weights: [1, 1]}}", stats.rv_discrete(values=(range(12), [0.05] * 10 + [0.25] * 2))),
    ],
)
def test_whole_distributions_fit(recipe, expected):
    assert chi_squared(column_of(recipe, "bigint", ROWS).to_numpy(), expected) > ALARM


def test_rounded_normals_fit_an_integer_and_a_numeric_column():
    whole = column_of("{normal: {mean: 100, sd: 7}}", "integer", ROWS).to_numpy()
    assert stats.kstest(whole + stats.uniform.rvs(-0.5, 1, len(whole), random_state=1), stats.norm(100, 7).cdf).pvalue > ALARM
    cents = floats("{lognormal: {median: 50, sigma: 1}}", "numeric(12,2)")
    assert stats.kstest(cents, stats.lognorm(1, scale=50).cdf).pvalue > ALARM


def test_weighted_choices_fit():
    found = column_of("{choice: {a: 60, b: 30, c: 10}}", "text", ROWS).value_counts().to_pylist()
    counts = {f["values"]: f["counts"] for f in found}
    assert stats.chisquare([counts[k] for k in "abc"], [ROWS * w for w in (0.6, 0.3, 0.1)]).pvalue > ALARM


def test_shares_of_nulls_and_truths_fit():
    nulls = column_of("{uniform: [1, 9]}", "bigint", ROWS, ", null: 0.25").null_count
    assert stats.binomtest(nulls, ROWS, 0.25).pvalue > ALARM
    truths = pc.sum(column_of("{boolean: 0.8}", "boolean", ROWS)).as_py()
    assert stats.binomtest(truths, ROWS, 0.8).pvalue > ALARM


def test_bounds_are_kept_and_steps_are_met():
    found = floats("{normal: {mean: 0, sd: 10}, min: -3, max: 4}")
    assert found.min() >= -3 and found.max() <= 4
    stepped = column_of("{uniform: [0, 100], step: 25}", "integer", 2000).unique().to_pylist()
    assert sorted(stepped) == [0, 25, 50, 75, 100]


@pytest.mark.parametrize(
    ("recipe", "type", "expected"),
    [
        ("{uniform: [5, 17], step: 10}", "integer", [10]),
        ("{uniform: [5, 17], step: 10}", "double", [10]),
        ("{uniform: [0.3, 0.55], step: 0.1}", "numeric(4,1)", [0.3, 0.4, 0.5]),
        ("{histogram: {edges: [5, 25], weights: [1], step: 10}}", "double", [10, 20]),
        ("{normal: {mean: 7, sd: 3}, min: 1, max: 19, step: 5}", "double", [5, 10, 15]),
        ("{poisson: 5, min: 4.5, max: 9, step: 3}", "real", [6, 9]),
        ("{poisson: 5, min: 4.5, max: 9, step: 3}", "integer", [6, 9]),
        ("{poisson: 2, min: 0.5, max: 3.5}", "double", [1, 2, 3]),
    ],
)
def test_steps_stay_within_bounds_in_every_type(recipe, type, expected):
    found = column_of(recipe, type, 2000).cast("double").unique().to_pylist()
    assert sorted(found) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("edges", "shares"),
    [
        ("[0.5, 1.5, 2.5], weights: [1, 1]", {1: 0.5, 2: 0.5}),
        ("[0.5, 0.7, 2.5], weights: [0, 1]", {1: 0.5, 2: 0.5}),
        ("[-1.5, 0.5, 2], weights: [2, 1]", {-1: 1 / 3, 0: 1 / 3, 1: 1 / 3}),
    ],
)
def test_intervals_of_a_histogram_have_the_whole_values_that_lie_in_them(edges, shares):
    found = column_of(f"{{histogram: {{edges: {edges}}}}}", "integer", 9000).to_pylist()
    assert set(found) == set(shares)
    assert all(abs(found.count(value) / 9000 - share) < 0.03 for value, share in shares.items())


@pytest.mark.parametrize(
    ("recipe", "type", "words"),
    [
        ("{zipf: -1}", "bigint", "exponent"),
        ("{zipf: 1.3, min: 0, max: 9}", "bigint", "min must be at least 1, not 0"),
        ("{zipf: 1.3, min: 0, max: 9}", "double", "min must be at least 1, not 0"),
        ("{normal: {mean: 5, sd: 0}}", "double", "sd"),
        ("{normal: {mean: 0, sd: 1}, min: 50}", "double", "no chance"),
        ("{uniform: [1, 100000]}", "smallint", "do not fit smallint"),
        ("{poisson: -4}", "bigint", "mean"),
        ("{histogram: {edges: [0, 1], weights: [1, 2]}}", "bigint", "edges"),
        ("{beta: {a: 0, b: 1}}", "double", "above 0"),
        ("{histogram: {edges: [0.05, 0.22, 0.28], weights: [1, 3]}}", "numeric(3,1)", "has no value from 0.22 to below 0.28, and that"),
    ],
)
def test_impossible_distributions_are_refused_with_the_reason(recipe, type, words):
    with pytest.raises(Exception, match=words):
        column_of(recipe, type)


def test_a_distribution_that_does_not_fit_the_type_is_an_error_and_never_a_silent_uniform():
    with pytest.raises(Exception, match="does not fit text"):
        column_of("{normal: {mean: 5, sd: 1}}", "text")


def test_every_impossible_column_is_reported_at_once():
    text = """tables:
  t:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      a:  {type: integer, unique: true, generate: {uniform: [1, 3]}}
      b:  {type: double, generate: {normal: {mean: 0, sd: 1}, min: 50}}
"""
    with pytest.raises(RecipeError) as found:
        source_of(text)
    assert len(found.value.problems) == 2
    assert "10 unique numbers are asked for and there are only 3" in str(found.value)


@pytest.mark.parametrize("a", [0.5, 1, 1.5, 8, 30, 1000, 1e6])
@pytest.mark.parametrize("b", [0.5, 1, 2.5, 20, 300, 1e5])
def test_the_quantiles_of_the_beta_distribution_are_those_of_scipy_for_shapes_of_every_size(a, b):
    quantile = distributions.beta(a, b)
    assert quantile is not None
    u = (np.arange(2000) + 0.5) / 2000
    assert np.abs(stats.beta(a, b).cdf(quantile(u)) - u).max() < 3e-4


@pytest.mark.parametrize("shapes", [(1e-9, 2), (2, 1e-9), (1e12, 3)])
def test_shapes_whose_mass_is_lost_in_rounding_have_no_quantiles(shapes):
    assert distributions.beta(*shapes) is None


@pytest.mark.parametrize(("a", "b"), [(0.19, 0.19), (2, 0.15), (1, 0.1), (0.05, 0.05), (30, 0.1)])
def test_as_much_of_the_beta_distribution_is_1_as_no_double_below_it_can_tell(a, b):
    quantile = distributions.beta(a, b)
    assert quantile is not None
    ones = float((quantile((np.arange(200_000) + 0.5) / 200_000) == 1.0).mean())
    assert abs(ones - stats.beta(b, a).cdf(2.0**-54)) < 5e-4
