"""Every distribution in every type of column: the declared one where it fits, an error with its place where it does not.

Samples of 40,000 values are held to the declared distribution by Kolmogorov and Smirnov's test (continuous ones) or by the chi-squared
test (discrete ones) at a false-alarm rate of 1e-6 for each; the seed fixes the outcome. Whole units are spread evenly over the unit
that they stand for before a continuous test, whose distributions hardly bend within one unit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

from schemas.errors import SchemaError
from schemas.recipes import BY_NAME, DISTRIBUTIONS
from schemas.types import FLOATS, INTEGERS, KINDS
from tests.datagen.making import column_of, source_of

ROWS = 40_000
ALARM = 1e-6
SECOND = 1_000_000
WRITTEN = {"numeric": "numeric(12,2)", "varchar": "varchar(40)", "char": "char(9)", "array": "bigint[]", "enum": "mood"}


@dataclass(frozen=True)
class Proof:
    """A recipe, the distribution that it declares (in ones, or in seconds of an interval), and how values become whole units.

    `recipe` has its measures as `{n}` numbers, which intervals write as seconds. `rounding` is where a unit begins, seen from the
    value that stands for it: -0.5 where values are rounded, 0 where they are floored or whole.
    """

    name: str
    recipe: str
    expected: Any
    rounding: float = -0.5
    discrete: bool = False


PROOFS = (
    Proof("uniform", "{uniform: [100_, 900_]}", stats.uniform(100, 800), 0.0),
    Proof("normal", "{normal: {mean: 500_, sd: 90_}}", stats.norm(500, 90)),
    Proof("normal", "{normal: {mean: 500_, sd: 90_}, min: 400_, max: 700_}", stats.truncnorm(-100 / 90, 200 / 90, 500, 90)),
    Proof("lognormal", "{lognormal: {median: 900_, sigma: 0.6}}", stats.lognorm(0.6, scale=900)),
    Proof("lognormal", "{lognormal: {median: 900_, sigma: 0.6}, max: 30000_}", stats.lognorm(0.6, scale=900)),
    Proof("exponential", "{exponential: 700_}", stats.expon(scale=700)),
    Proof("beta", "{beta: {a: 2, b: 5}, min: 100_, max: 1100_}", stats.beta(2, 5, 100, 1000)),
    Proof("beta", "{beta: {a: 0.7, b: 0.6}, min: 0_, max: 5000_}", stats.beta(0.7, 0.6, 0, 5000)),
    Proof("beta", "{beta: {a: 20, b: 3}, min: 0_, max: 5000_}", stats.beta(20, 3, 0, 5000)),
    Proof("beta", "{beta: {a: 30, b: 30}, min: 0_, max: 9000_}", stats.beta(30, 30, 0, 9000)),
    Proof("histogram", "{histogram: {edges: [0_, 100_, 500_, 900_], weights: [3, 0, 1]}}", stats.rv_histogram(([0.75, 0, 0.25], [0, 100, 500, 900]), density=False), 0.0),
    Proof("poisson", "{poisson: 24}", stats.poisson(24), discrete=True),
    Proof("poisson", "{poisson: 0.3}", stats.poisson(0.3), discrete=True),
    Proof("zipf", "{zipf: 1.3, max: 300}", stats.zipfian(1.3, 300), discrete=True),
    Proof("zipf", "{zipf: 0.6, min: 1, max: 40}", stats.zipfian(0.6, 40), discrete=True),
)  # fmt: skip


def sample(proof: Proof, kind: str) -> tuple[np.ndarray, float]:
    """The values as numbers (of an interval microseconds), and how many units make one."""
    recipe = proof.recipe.replace("_", "s" if kind == "interval" and not proof.discrete else "")
    found = column_of(recipe, WRITTEN.get(kind, kind), ROWS)
    whole = found.cast("int64") if kind == "interval" else found
    unit = {"numeric": 100.0, "interval": 1.0 if proof.discrete else float(SECOND)}.get(kind, 1.0)
    return whole.cast("double").to_numpy(zero_copy_only=False), unit


def spread(values: np.ndarray, proof: Proof, kind: str, unit: float) -> np.ndarray:
    """Values in ones, those of whole units moved to a place within their unit that no value prefers."""
    if kind in FLOATS:
        return values
    within = stats.uniform.rvs(size=len(values), random_state=7) + proof.rounding
    units = values if kind == "interval" else np.round(values * unit)
    moved = (units + within) / unit
    low, high = proof.expected.support()
    return np.clip(moved, low, high)


@pytest.mark.parametrize("kind", BY_NAME["normal"].fits)
@pytest.mark.parametrize("proof", PROOFS, ids=lambda p: p.recipe)
def test_a_distribution_is_the_declared_one_in_every_type_that_it_fits(proof, kind):
    values, unit = sample(proof, kind)
    if proof.discrete:
        assert (values == np.floor(values)).all()
        assert chi_squared(values, proof.expected) > ALARM
        return
    expected = proof.expected
    if proof.name == "uniform" and kind not in FLOATS:
        expected = stats.uniform(100, 800 + 1 / unit)
    assert stats.kstest(spread(values, proof, kind, unit), expected.cdf).pvalue > ALARM


def chi_squared(values: np.ndarray, expected: Any) -> float:
    points = np.arange(0, 400)
    wanted = expected.pmf(points) * len(values)
    seen = np.bincount(values.astype(np.int64), minlength=len(points))[: len(points)].astype(float)
    big = wanted >= 10
    rest = len(values) - wanted[big].sum()
    seen_all, wanted_all = np.append(seen[big], len(values) - seen[big].sum()), np.append(wanted[big], rest)
    keep = wanted_all > 1e-6
    assert seen_all[~keep].sum() == 0
    return stats.chisquare(seen_all[keep], wanted_all[keep] * seen_all[keep].sum() / wanted_all[keep].sum()).pvalue


def test_every_distribution_has_a_proof():
    assert {p.name for p in PROOFS} == {d.name for d in DISTRIBUTIONS}
    assert {d.fits for d in DISTRIBUTIONS} == {BY_NAME["normal"].fits}
    assert set(BY_NAME["normal"].fits) == {*INTEGERS, *FLOATS, "numeric", "interval"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in BY_NAME["normal"].fits])
@pytest.mark.parametrize("name", [d.name for d in DISTRIBUTIONS])
def test_a_distribution_in_a_column_of_another_type_is_an_error(name, kind):
    recipe = next(p.recipe for p in PROOFS if p.name == name).replace("_", "")
    column = f'{{type: "{WRITTEN.get(kind, kind)}", generate: {recipe}}}'
    with pytest.raises(SchemaError) as found:
        source_of(f"types: {{mood: [happy, sad]}}\ntables:\n  t:\n    rows: 9\n    columns:\n      x: {column}\n")
    assert len(found.value.problems) == 1
    assert f"{name} does not fit" in found.value.problems[0].message
    assert found.value.problems[0].at is not None


@pytest.mark.parametrize("kind", ["smallint", "integer", "numeric"])
@pytest.mark.parametrize(
    "recipe",
    ["{uniform: [0, 99999999999]}", "{normal: {mean: 0, sd: 1}, max: 99999999999}", "{zipf: 1.1, min: 99999999999, max: 99999999999}"],
)
def test_bounds_that_the_type_cannot_hold_are_an_error(recipe, kind):
    with pytest.raises(SchemaError, match="do not fit"):
        column_of(recipe, WRITTEN.get(kind, kind))


@pytest.mark.parametrize(
    ("recipe", "type", "message"),
    [
        ("{normal: {mean: 0, sd: 1000000}}", "smallint", "97% of the values of this normal do not fit smallint"),
        ("{normal: {mean: 0, sd: 1000000}, min: 0}", "smallint", "97% of the values of this normal do not fit smallint"),
        ("{normal: {mean: 0, sd: 100000000000000000000}}", "numeric(38,10)", "100% of the values of this normal do not fit numeric"),
        ("{exponential: 90000}", "smallint", "69% of the values of this exponential do not fit smallint"),
        ("{poisson: 33000}", "smallint", "90% of the values of this poisson do not fit smallint"),
    ],
)
def test_a_distribution_most_of_which_the_type_cannot_hold_is_an_error(recipe, type, message):
    with pytest.raises(SchemaError, match=message):
        column_of(recipe, type)


def test_bounds_of_ones_own_may_leave_little_of_a_distribution():
    found = column_of("{normal: {mean: 0, sd: 1000000}, min: -9, max: 9}", "smallint", 200).to_numpy()
    assert -9 <= found.min() < found.max() <= 9


@pytest.mark.parametrize("recipe", ["{exponential: 20000}", "{normal: {mean: 30000, sd: 9000}}", "{lognormal: {median: 30000, sigma: 2}}"])
def test_what_a_type_cannot_hold_is_cut_off_and_not_heaped_up(recipe):
    found = column_of(recipe, "smallint", ROWS).to_numpy()
    assert found.max() <= 2**15 - 1
    assert (found == 2**15 - 1).sum() < 20, "the last value is as rare as those before it"
