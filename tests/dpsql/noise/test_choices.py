"""Private choices: exact where epsilon is huge, near the best where it is not, refused where nothing can be made."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

pytest.importorskip("opendp")

from dpsql.noise import choose, choose_threshold, keys_above, quantile
from dpsql.noise.quantiles import _target
from schemas.errors import InputError

HUGE = 1e9
places = st.sampled_from([Fraction(0), Fraction(1, 10), Fraction(1, 4), Fraction(1, 2), Fraction(2, 3), Fraction(99, 100), Fraction(1)])


@given(st.dictionaries(st.integers(0, 9_999), st.integers(1, 5_000), min_size=1, max_size=30), places, st.integers(1, 1000))
@settings(max_examples=150, deadline=None)
def test_at_a_huge_epsilon_a_quantile_is_that_of_percentile_disc(histogram: dict[int, int], place: Fraction, most_rows: int) -> None:
    rows = [position for position, count in sorted(histogram.items()) for _ in range(count)]
    wanted = rows[max(1, math.ceil(place * len(rows))) - 1]
    assert quantile(histogram, 10_000, place, most_rows, HUGE) == wanted


@pytest.mark.parametrize("bins", [1, 2, 3, 5, 1023, 2**20])
def test_the_first_and_the_last_bin_are_found(bins: int) -> None:
    for only in {0, bins - 1}:
        for place in (Fraction(0), Fraction(1, 2), Fraction(1)):
            assert quantile({only: 3}, bins, place, 1, HUGE) == only


def test_no_rows_give_some_bin() -> None:
    assert 0 <= quantile({}, 100, Fraction(1, 2), 1, 1.0) < 100


@given(
    st.dictionaries(st.integers(0, 30), st.integers(1, 20), max_size=10),
    st.dictionaries(st.integers(0, 30), st.integers(1, 3), min_size=1, max_size=2),
    places,
)
@settings(deadline=None)
def test_a_unit_changes_every_score_by_no_more_than_the_sensitivity(
    histogram: dict[int, int], unit: dict[int, int], place: Fraction
) -> None:
    most_rows = sum(unit.values())
    target = _target(place, 31, most_rows, 1.0)
    counts = [histogram.get(n, 0) for n in range(31)]
    more = [c + unit.get(n, 0) for n, c in enumerate(counts)]
    before, after = target.scores(counts, 0, sum(counts)), target.scores(more, 0, sum(more))
    assert max(abs(a - b) for a, b in zip(before, after, strict=True)) <= target.sensitivity(most_rows)


@pytest.mark.parametrize(
    ("place", "most"), [(Fraction(0), 97), (Fraction(1, 2), 34), (Fraction(9, 10), 60), (Fraction(1), 97)], ids=["0", "1/2", "9/10", "1"]
)
def test_ranks_are_off_by_a_few_rows(place: Fraction, most: int) -> None:
    # one row a bin, so that bins are ranks. Each of two rounds at half of epsilon has 100 candidates, so that with exponential noise the chosen is
    # off by 4 max(p, 1 - p) log(4000) rows at most, but for 2.5 %; at an end another 30 are spared. 15 of 40 beyond it: in 4e-10 of cases
    histogram = dict.fromkeys(range(10000), 1)
    wanted = max(1, math.ceil(place * 10_000)) - 1
    assert sum(abs(quantile(histogram, 10_000, place, 1, 1.0) - wanted) > most for _ in range(40)) < 15


def test_the_greatest_value_is_not_lost_among_empty_bins_above_it() -> None:
    # values fill a thousandth of the bins; each of the two rounds lands beyond the last of them with at most 5 %
    histogram = dict.fromkeys(range(1000), 5)
    beyond = sum(quantile(histogram, 2**20, Fraction(1), 1, 1.0) > 1000 for _ in range(30))
    assert beyond < 16  # 16 of 30 at 10 % each: 3e-9


def test_places_with_endless_digits_and_many_rows_fit() -> None:
    assert quantile({5: 2**37, 9: 2**37}, 16, Fraction(123_456_789_012_345, 10**15), 1, HUGE) == 5


def test_units_of_boundless_rows_are_no_error() -> None:
    assert 0 <= quantile({5: 10}, 16, Fraction(1, 3), 2**60, 1.0) < 16
    assert 0 <= quantile({5: 10}, 16, Fraction(1), 2**60, 1.0) < 16


def test_at_a_huge_epsilon_the_greatest_score_is_chosen() -> None:
    assert choose([3, 2**61, -(2**61), 2**61 - 1], 1, HUGE) == 1
    assert choose([7], 1, 1e-12) == 0


def test_scores_and_epsilons_out_of_range_are_refused() -> None:
    with pytest.raises(InputError, match="cannot be measured"):
        choose([1, 2**62], 1, 1.0)
    with pytest.raises(InputError, match="epsilon is"):
        choose([1, 2], 1, 0.0)


@given(st.lists(st.integers(1, 2**40), min_size=1, max_size=50))
@settings(max_examples=50, deadline=None)
def test_at_a_huge_epsilon_a_chosen_threshold_clips_nothing_and_is_the_least_such(contributions: list[int]) -> None:
    exceeding = {2**j: sum(c > 2**j for c in contributions) for j in range(53)}
    bound = choose_threshold(exceeding, HUGE, HUGE)
    assert bound >= max(contributions)
    assert bound == 1 or bound // 2 < max(contributions)


def test_a_chosen_threshold_clips_few_units_and_is_not_far_too_great() -> None:
    # 20,000 units evenly up to 1000, the choice at epsilon 0.08: beyond 16 * 1024 lies less than e^-4 / (1 - 1/e) of the probability
    exceeding = {2**j: 20 * max(0, 1000 - 2**j) for j in range(53)}
    chosen = [choose_threshold(exceeding, 0.08, 0.72) for _ in range(60)]
    assert all(bound >= 512 for bound in chosen)  # 256 would score 4,800 units worse, at noise of 12.5: e^-380
    assert sum(bound > 2**13 for bound in chosen) < 20  # each with e^-3 / (1 - 1/e) = 8 %: 20 of 60 in 1e-7 of cases


def test_a_threshold_of_means_leaves_more_units_above_it() -> None:
    # most of 18,000 units have few rows: for a count 32 would score 73 units worse than the best, at noise of a quarter: e^-290
    above = [14_512, 10_856, 6_187, 2_375, 574, 80, 4]
    exceeding = {2**j: above[j] if j < len(above) else 0 for j in range(32)}
    assert all(choose_threshold(exceeding, 4.0, 0.8) >= 64 for _ in range(20))
    # for a mean 8 would score 29 worse than 16, and 64 14 worse than 32: e^-54
    assert all(choose_threshold(exceeding, 4.0, 0.8, of_means=True) in (16, 32) for _ in range(20))


def test_no_contributions_at_all_choose_a_small_threshold() -> None:
    assert choose_threshold({2**j: 0 for j in range(53)}, HUGE, HUGE) == 1


def test_keys_of_enough_units_are_released_with_their_counts_at_a_huge_epsilon() -> None:
    outcome = keys_above({("a", 1): 10, ("b", None): 2, "c": 1}, 3, HUGE, 0.5)
    assert outcome.threshold == 2
    assert dict(outcome.counts) == {("a", 1): 10, ("b", None): 2}


def test_the_least_number_of_units_comes_on_top() -> None:
    assert dict(keys_above({"a": 10, "b": 4}, 1, HUGE, 0.5, min_units=5).counts) == {"a": 10}


def test_a_key_of_one_unit_stays_hidden() -> None:
    # each with a probability of at most delta
    assert not any(keys_above(dict.fromkeys(range(5), 1), 1, 1.0, 1e-9).counts for _ in range(200))


def test_the_threshold_is_the_least_that_delta_allows() -> None:
    for epsilon, delta in ((1.0, 1e-6), (0.1, 1e-9), (2.0, 0.03), (5.0, 0.3)):
        threshold = keys_above({}, 1, epsilon, delta).threshold
        q = math.exp(-epsilon)
        at, below = (q ** (t - 1) / (1 + q) for t in (threshold, threshold - 1))  # of one unit and noise reaching t
        assert at <= delta
        assert threshold == 2 or below > delta


@pytest.mark.parametrize("delta", [0.2, 0.03, 0.005])
def test_keys_of_one_unit_are_released_no_more_often_than_delta(delta: float) -> None:
    many = 20_000
    released = len(keys_above(dict.fromkeys(range(many), 1), 1, 1.0, delta).counts)
    assert binomtest(released, many, delta, alternative="greater").pvalue > 1e-6
    assert released > 0  # else this shows nothing


def test_released_keys_come_in_an_order_that_tells_only_what_was_released() -> None:
    counts = {"x": 50, "a": 90, "m": 70}
    assert (
        list(keys_above(counts, 1, HUGE, 0.5).counts)
        == list(keys_above(dict(reversed(counts.items())), 1, HUGE, 0.5).counts)
        == ["a", "m", "x"]
    )


@pytest.mark.parametrize("delta", [0.0, 1.0, -0.1, math.nan])
def test_private_keys_need_a_delta(delta: float) -> None:
    with pytest.raises(InputError, match="needs a delta"):
        keys_above({"a": 3}, 1, 1.0, delta)
