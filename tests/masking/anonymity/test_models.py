"""The privacy models, on tables small enough to be counted by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.anonymity.class_statistics import Observations, class_statistics, whole_counts
from masking.anonymity.models import (
    DistinctDiversity,
    EntropyDiversity,
    EqualCloseness,
    KAnonymity,
    OrderedCloseness,
    RecursiveDiversity,
    all_met,
    require_feasible,
    smallest_class,
)
from masking.errors import ModelInfeasible
from schemas.errors import InputError


def counted(*classes: list[int], values: int | None = None):
    """Statistics of classes given as lists of sensitive values; each row is a tuple of its own."""
    rows = [(i, value) for i, held in enumerate(classes) for value in held]
    size = values or 1 + max(value for _, value in rows)
    tuples = np.arange(len(rows), dtype=np.int64)
    seen = {"d": Observations(tuples, np.array([v for _, v in rows]), np.ones(len(rows), np.int64), size)}
    return class_statistics(np.array([c for c, _ in rows]), len(classes), np.ones(len(rows), np.int64), seen, whole_counts(seen))


def test_k_is_the_rows_of_a_class():
    model = KAnonymity(3)
    found = model.measure(counted([0, 0, 0], [0, 1]))
    assert found.tolist() == [3, 2]
    assert model.met(found).tolist() == [True, False]


def test_no_class_with_fewer_rows_than_the_strictest_model_asks_for_is_tried():
    assert smallest_class([KAnonymity(2), EntropyDiversity(2.5, "d"), EqualCloseness(0.5, "d")]) == 3
    assert smallest_class([DistinctDiversity(3, "d"), KAnonymity(2)]) == 3


def test_distinct_diversity_counts_different_values():
    assert DistinctDiversity(2, "d").measure(counted([0, 0, 0], [0, 1, 2], [1, 1, 2])).tolist() == [1, 3, 2]


def test_entropy_diversity_is_the_number_of_equally_frequent_values():
    found = EntropyDiversity(2, "d").measure(counted([0, 1], [0, 0, 1, 1], [0, 0, 0, 1], [2]))
    quarter = math.exp(-(0.75 * math.log(0.75) + 0.25 * math.log(0.25)))
    assert found == pytest.approx([2, 2, quarter, 1])
    assert EntropyDiversity(2, "d").met(found).tolist() == [True, True, False, False]


def test_recursive_diversity_weighs_the_first_value_against_the_last_ones():
    # counts 4, 2, 1: with l = 2 the rest is 3, with l = 3 it is 1
    statistics = counted([0, 0, 0, 0, 1, 1, 2], [0, 0])
    assert RecursiveDiversity(2, "d", 1.5).measure(statistics) == pytest.approx([4 / 3, math.inf])
    assert RecursiveDiversity(3, "d", 4.0).measure(statistics)[0] == pytest.approx(4)
    assert RecursiveDiversity(3, "d", 4.0).met(np.array([4.0])).tolist() == [False], "less than c times, not c times"


def test_equal_closeness_is_half_the_difference_of_the_shares():
    # the whole: 0, 1, 2 at 3/6, 2/6, 1/6
    found = EqualCloseness(0.5, "d").measure(counted([0, 0, 0], [1, 1, 2]))
    assert found == pytest.approx([(1 / 2 + 1 / 3 + 1 / 6) / 2, (1 / 2 + 1 / 3 + 1 / 6) / 2])


def test_ordered_closeness_is_the_example_of_its_authors():
    # salaries 3k .. 11k, one each; the classes {3, 4, 5} and {6, 8, 11} of Li, Li & Venkatasubramanian 2007, section 4
    found = OrderedCloseness(0.2, "d").measure(counted([0, 1, 2], [3, 5, 8], [4, 6, 7], values=9))
    assert found[:2] == pytest.approx([0.375, 0.167], abs=5e-4)


def test_models_are_asked_all_at_once():
    statistics = counted([0, 1, 1], [0, 0, 0], [0, 1])
    assert all_met([KAnonymity(3), DistinctDiversity(2, "d")], statistics).tolist() == [True, False, False]


MODELS = st.one_of(
    st.builds(KAnonymity, st.integers(1, 6)),
    st.builds(DistinctDiversity, st.integers(1, 4), st.just("d")),
    st.builds(EntropyDiversity, st.floats(1, 4), st.just("d")),
    st.builds(RecursiveDiversity, st.integers(1, 3), st.just("d"), st.floats(0.1, 4)),
    st.builds(EqualCloseness, st.floats(0, 1), st.just("d")),
    st.builds(OrderedCloseness, st.floats(0, 1), st.just("d")),
)


@given(MODELS, st.lists(st.lists(st.integers(0, 4), min_size=1, max_size=8), min_size=2, max_size=6))
def test_classes_that_meet_a_model_meet_it_together(model, classes):
    met = all_met([model], counted(*classes, values=5))
    united = [value for held, good in zip(classes, met, strict=True) if good for value in held]
    rest = [held for held, good in zip(classes, met, strict=True) if not good]
    if united:
        assert all_met([model], counted(united, *rest, values=5))[0]


@pytest.mark.parametrize(
    ("model", "nearest"),
    [
        (KAnonymity(7), "k = 6"),
        (DistinctDiversity(4, "d"), "l = 3"),
        (EntropyDiversity(3, "d"), "l = 2.749"),
        (RecursiveDiversity(2, "d", 1.0), "c = 1.001 with l = 2"),
        (RecursiveDiversity(4, "d", 9.0), "a smaller l"),
    ],
)
def test_what_a_table_cannot_meet_is_said_with_the_nearest_that_it_can(model, nearest):
    whole = counted([0, 0, 0, 1, 1, 2])
    with pytest.raises(ModelInfeasible, match="cannot be met") as caught:
        require_feasible([KAnonymity(2), model], whole)
    assert nearest in str(caught.value)
    assert "2-anonymity" not in str(caught.value), "only what cannot be met is said"


def test_the_nearest_that_is_offered_can_be_met():
    whole = counted([0, 0, 0, 1, 1, 2])
    require_feasible([KAnonymity(6), DistinctDiversity(3, "d"), EntropyDiversity(2.749, "d"), RecursiveDiversity(2, "d", 1.001)], whole)


@pytest.mark.parametrize(
    "make",
    [
        lambda: KAnonymity(0),
        lambda: DistinctDiversity(0.5, "d"),
        lambda: EntropyDiversity(math.nan, "d"),
        lambda: RecursiveDiversity(2.5, "d", 1.0),
        lambda: RecursiveDiversity(2, "d", 0.0),
        lambda: EqualCloseness(1.2, "d"),
        lambda: OrderedCloseness(-0.1, "d"),
    ],
)
def test_parameters_out_of_range_are_refused(make):
    with pytest.raises(InputError):
        make()
