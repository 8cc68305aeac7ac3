"""The risks of three attackers, against figures by hand and properties that hold for all tables."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.risk.reidentification import NOBODY, journalist_risk, marketer_risk, prosecutor_risk

SIZES = st.lists(st.integers(1, 20), min_size=1, max_size=20).map(lambda found: np.array(found, np.int64))


def test_a_prosecutor_finds_one_of_a_class():
    risk = prosecutor_risk(np.array([2, 3, 1]), 0.4)
    assert (risk.highest, risk.average, risk.at_risk, risk.records_at_highest) == (1.0, 3 / 6, 3 / 6, 1)
    assert prosecutor_risk(np.array([2, 3, 1]), 0.5).at_risk == 1 / 6  # a risk that is the threshold is accepted


def test_a_journalist_sees_the_people_of_the_population():
    risk = journalist_risk(np.array([2, 3, 1]), np.array([4, 3, 5]), 0.22)
    assert (risk.highest, risk.records_at_highest) == (1 / 3, 3)
    assert risk.average == pytest.approx(max(3 / 12, (2 / 4 + 3 / 3 + 1 / 5) / 6))
    assert risk.at_risk == 5 / 6
    assert marketer_risk(np.array([2, 3, 1]), np.array([4, 3, 5])) == pytest.approx(1.7 / 6)


def test_where_the_table_is_the_population_all_attackers_are_alike():
    sizes = np.array([1, 4, 4, 7])
    assert journalist_risk(sizes, sizes, 0.2) == prosecutor_risk(sizes, 0.2)
    assert marketer_risk(sizes, sizes) == prosecutor_risk(sizes, 0.2).average


def test_where_all_is_suppressed_nobody_is_at_risk():
    nothing = np.array([], np.int64)
    assert prosecutor_risk(nothing, 0.2) == journalist_risk(nothing, nothing, 0.2) == NOBODY
    assert marketer_risk(nothing, nothing) is None


@given(SIZES, st.data())
def test_merging_classes_never_raises_a_risk(sizes, data):
    if len(sizes) < 2:
        return
    i, j = data.draw(st.lists(st.integers(0, len(sizes) - 1), min_size=2, max_size=2, unique=True))
    merged = np.append(np.delete(sizes, [i, j]), sizes[i] + sizes[j])
    before, after = prosecutor_risk(sizes, 0.2), prosecutor_risk(merged, 0.2)
    assert after.highest <= before.highest and after.average < before.average and after.at_risk <= before.at_risk


@given(SIZES, st.data())
def test_a_larger_population_never_raises_a_risk(sizes, data):
    more = np.array([data.draw(st.integers(0, 50)) for _ in sizes])
    inner, outer = journalist_risk(sizes, sizes, 0.2), journalist_risk(sizes, sizes + more, 0.2)
    assert outer.highest <= inner.highest and outer.average <= inner.average + 1e-12 and outer.at_risk <= inner.at_risk
    assert marketer_risk(sizes, sizes + more) <= marketer_risk(sizes, sizes) + 1e-12
