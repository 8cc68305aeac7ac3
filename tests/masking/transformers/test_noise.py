"""noise: spread, sign, scale and range."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.registry import read

from .columns import OTHER_KEY, context, in_batches, mask, masker_for, rows_of

SHAPES = ("normal", "laplace", "uniform")
# standard deviations of the distributions at spread 1
DEVIATION = {"normal": 1.0, "laplace": 2**0.5, "uniform": 3**-0.5}


def test_equal_values_stay_equal_and_another_key_gives_another_noise() -> None:
    once = mask({"noise": 0.1}, [1000, 2000, 1000, None], "integer")
    assert once[0] == once[2] and once[3] is None
    assert once == mask({"noise": 0.1}, [1000, 2000, 1000, None], "integer")
    assert once != mask({"noise": 0.1}, [1000, 2000, 1000, None], "integer", key=OTHER_KEY)


@pytest.mark.parametrize("distribution", SHAPES)
@pytest.mark.parametrize("type", ["double", "numeric"])
def test_the_spread_is_as_said(distribution: str, type: str) -> None:
    """20,000 draws: the standard error of a standard deviation is below 1.6 %; the bound of 10 % is at six of them (below 1e-8)."""
    values = [v if type != "numeric" else Decimal(v) for v in range(1_000_000, 1_020_000)]
    masked = mask({"noise": {"spread": 5000, "unit": "absolute", "distribution": distribution, "sign": False}}, values, type)
    noise = np.array([float(m) - float(v) for m, v in zip(masked, values)])
    assert abs(noise.std() / 5000 / DEVIATION[distribution] - 1) < 0.1
    assert abs(noise.mean()) < 6 * 5000 * DEVIATION[distribution] / 20_000**0.5
    if distribution == "uniform":
        assert np.abs(noise).max() <= 5000


def test_relative_noise_grows_with_the_value() -> None:
    small, large = (
        mask({"noise": {"spread": 0.1, "distribution": "uniform"}}, list(range(v, v + 500)), "bigint") for v in (1000, 1_000_000)
    )
    assert all(abs(m - v) <= 0.1 * v + 1 for m, v in zip(small, range(1000, 1500)))
    assert max(abs(m - v) for m, v in zip(large, range(1_000_000, 1_000_500))) > 50_000


@settings(max_examples=50)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20), st.sampled_from(SHAPES), st.floats(1e-6, 1e6))
def test_signs_stay(values: list[int], distribution: str, spread: float) -> None:
    for value, masked in zip(values, mask({"noise": {"spread": spread, "distribution": distribution}}, values, "bigint")):
        assert value * masked >= 0


def test_signs_may_turn_where_that_is_asked_for() -> None:
    masked = mask({"noise": {"spread": 100, "unit": "absolute", "sign": False}}, list(range(100)), "integer")
    assert min(masked) < 0


@pytest.mark.parametrize(
    ("type", "checks", "low", "high"),
    [
        ("integer", ["c >= 18", "c <= 65"], 18, 65),
        ("integer", ["c > 17 AND c < 66"], 18, 65),
        ("integer", ["c BETWEEN 18 AND 65"], 18, 65),
        ("numeric", ["c > 17.99 AND c < 65.01"], 18, 65),
        ("double", ["c >= 18 AND c <= 65"], 18, 65),
    ],
)
def test_a_check_of_the_column_holds_afterwards(type: str, checks: list[str], low: int, high: int) -> None:
    values: list[Any] = [Decimal(v) if type == "numeric" else v for v in range(18, 66)]
    masked = mask({"noise": {"spread": 50, "unit": "absolute"}}, values, type, checks=checks)
    assert low <= min(masked) and max(masked) <= high


@pytest.mark.parametrize(
    ("type", "checks", "values"),
    [
        ("integer", ["c >= 0", "c <= 1000"], list(range(1001)) * 20),
        ("double", ["c >= 0", "c <= 1000"], [float(v) for v in range(1001)] * 20),
        ("bigint", [], [1] * 20_000),  # and positive numbers stay so
    ],
)
def test_what_would_leave_the_range_is_thrown_back_and_does_not_gather_at_its_ends(type: str, checks: list[str], values: list[Any]) -> None:
    """Each end gets about 1/1000 of 20,000, where clipping puts a sixth; more than 100 with a probability below 1e-30."""
    subjects = [str(i) for i in range(len(values))]
    asked = {"noise": {"spread": 500, "unit": "absolute", "per": "subject"}}
    masked = mask(asked, values, type, checks=checks, subject=subjects)
    ends = (0, 1000) if checks else (0,)
    assert all(sum(value == end for value in masked) < 100 for end in ends)
    assert min(masked) >= 0 and (not checks or max(masked) <= 1000)


@pytest.mark.parametrize(
    ("type", "values", "step"),
    [
        ("smallint", list(range(1, 40)), 1),
        ("numeric", [Decimal("0.05")], Decimal("0.01")),
        ("date", [dt.date(2024, 1, 1)] * 5, dt.timedelta(1)),
    ],
)
def test_no_number_stays_for_want_of_digits(type: str, values: list[Any], step: Any) -> None:
    asked = {"spread": "1d"} if type == "date" else {"spread": 0.001}
    subjects = [str(i) for i in range(len(values))]
    masked = mask({"noise": {**asked, "per": "subject"}}, values, type, subject=subjects)
    assert all(abs(after - before) >= step for before, after in zip(values, masked))
    if type != "date":
        assert mask({"noise": 0.001}, [0], "smallint") == [0]


@pytest.mark.parametrize(
    ("type", "values"),
    [
        ("smallint", [2**15 - 1, -(2**15)]),
        ("integer", [2**31 - 1, -(2**31)]),
        ("bigint", [2**63 - 1, -(2**63)]),
        ("numeric", [Decimal("99999999.99"), Decimal("-99999999.99")]),
        ("wide", [Decimal("9" * 29 + ".999999999"), Decimal("-" + "9" * 29 + ".999999999")]),
        ("real", [3.4028234663852886e38]),
        ("double", [1.7976931348623157e308]),
        ("date", [dt.date(9999, 12, 31), dt.date(1, 1, 1)]),
        ("timestamptz", [dt.datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=dt.UTC), dt.datetime(1, 1, 1, tzinfo=dt.UTC)]),
    ],
)
def test_the_ends_of_a_type_hold(type: str, values: list[Any]) -> None:
    timed = type in ("date", "timestamptz")
    for key in (context().key, OTHER_KEY):
        for parameters in (
            ({"spread": "4000y", "unit": "absolute"}, {"spread": "9d"})
            if timed
            else ({"spread": 5}, {"spread": 1e300, "unit": "absolute", "sign": False})
        ):
            assert len(mask({"noise": parameters}, values, type, key=key)) == len(values)


def test_zero_and_what_is_no_number_stay_in_relative_noise() -> None:
    assert mask({"noise": 0.5}, [0.0, float("inf"), float("-inf")], "double") == [0.0, float("inf"), float("-inf")]
    [nan] = mask({"noise": {"spread": 5, "unit": "absolute"}}, [float("nan")], "double")
    assert nan != nan


def test_all_values_of_a_subject_move_alike() -> None:
    masked = mask({"noise": {"spread": 0.2, "per": "subject"}}, [1000.0, 2000.0, 1000.0], "double", subject=["ann", "ann", "bob"])
    assert masked[1] == 2 * masked[0] and masked[2] != masked[0]


def test_deviations_are_those_of_the_column_however_it_is_cut() -> None:
    """The bound of 10 % is at six standard errors, as above."""
    values = pa.array((np.arange(100_000) * 7919 % 100_000).astype(float))
    at = context("double")
    masked = in_batches(masker_for({"noise": {"spread": 0.5, "unit": "deviations", "sign": False}}, at), values, rows_of(values), [])
    noise = masked.to_numpy() - values.to_numpy()
    assert abs(noise.std() / (0.5 * values.to_numpy().std()) - 1) < 0.1
    for cuts in ([65_535], [65_536, 65_537], [1, 99_999]):
        cut = in_batches(masker_for({"noise": {"spread": 0.5, "unit": "deviations", "sign": False}}, at), values, rows_of(values), cuts)
        assert cut.equals(masked)


@pytest.mark.parametrize("values", [[8.98846567431158e307, 0.0, 0.0], [1.7e308, -1.7e308, 5.0]])
def test_deviations_of_the_greatest_numbers_are_no_failure(values: list[float]) -> None:
    found = mask({"noise": {"spread": 0.5, "unit": "deviations"}}, values, "double")
    assert np.isfinite(found).all() and found != values


def test_dates_move_by_a_length_of_time() -> None:
    before = [dt.date(2024, 1, 1) + dt.timedelta(i) for i in range(200)]
    after = mask({"noise": {"spread": "10d", "distribution": "uniform"}}, before, "date")
    assert before != after and all(abs((a - b).days) <= 10 for a, b in zip(after, before))


@pytest.mark.parametrize("mask_", [{"noise": 0}, {"noise": "soon"}, {"noise": -1}, {"noise": {"spread": 1, "unit": "percent"}}])
def test_parameters_that_mean_nothing_are_refused(mask_: Any) -> None:
    with pytest.raises(TransformerInvalid):
        read(mask_, "t.c")


@pytest.mark.parametrize(
    ("type", "parameters", "says"),
    [
        ("date", {"spread": 0.1}, "'spread' must be a length of time such as 3d"),
        ("date", {"spread": 0.1, "unit": "relative"}, "a share of a date or time means nothing"),
        ("integer", {"spread": "3d"}, "'spread' must be a number"),
        ("integer", {"spread": 1, "per": "subject"}, "the table has no subject"),
    ],
)
def test_what_does_not_go_with_the_column_is_refused(type: str, parameters: Any, says: str) -> None:
    with pytest.raises(TransformerUnfit) as caught:
        masker_for({"noise": parameters}, context(type))
    assert says in str(caught.value)
