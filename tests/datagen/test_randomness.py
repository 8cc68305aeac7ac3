"""Streams: a pure function of names and row numbers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datagen.randomness import below, multiply_high, stream, unit


def test_a_range_gives_the_raw_draws_of_numpys_philox():
    found = stream(1, "t", "c").draws(range(10))
    key = stream(1, "t", "c").key
    assert (found == np.random.Philox(key=key[0] | key[1] << 64).random_raw(10)).all()


@given(st.integers(0, 2**40), st.integers(0, 500))
def test_any_range_is_a_part_of_the_whole_stream(start, length):
    own = stream(7, "table", "column")
    whole = own.draws(range(start, start + length + 3))
    assert (own.draws(range(start + 1, start + 1 + length)) == whole[1 : 1 + length]).all()


@given(st.lists(st.integers(0, 2**45), min_size=1, max_size=50))
def test_scattered_rows_have_the_draws_they_have_in_a_range(rows):
    own = stream(3, "x")
    alone = np.array([own.draws(range(r, r + 1))[0] for r in rows])
    assert (own.draws(np.array(rows)) == alone).all()
    assert (own._scattered(np.array(rows)) == alone).all()


def test_names_are_told_apart_by_where_they_end():
    assert stream(1, "ab", "c").key != stream(1, "a", "bc").key
    assert stream(1, "a").key != stream(2, "a").key


def test_seeds_count_in_full():
    keys = {stream(seed, "a").key for seed in (1, 2**32 + 1, 2**64 + 1, -1)}
    assert len(keys) == 4


def test_streams_are_pinned():
    assert stream(42, "users", "email", "value").key == (0xB0EA3FA7FD5EE2E4, 0xAA70518870BF06A8)
    assert stream(42, "users", "email", "value").draws(range(2)).tolist() == [7183612441844458820, 13029121817059351257]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_the_upper_half_of_a_product_is_exact(a, b):
    assert int(multiply_high(np.array([a], np.uint64), np.array([b], np.uint64))[0]) == a * b >> 64


@given(st.integers(1, 2**62))
def test_numbers_below_a_bound_stay_below_it(bound):
    draws = np.array([0, 1, 2**32, 2**63, 2**64 - 1], np.uint64)
    found = below(draws, bound)
    assert found.min() >= 0 and found.max() < bound
    assert unit(draws).max() < 1


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1), st.integers(1, 2**62))
def test_draws_are_mapped_by_the_share_of_a_bound_that_they_are(draws, bound):
    most = 32 if bound <= 2**31 else 64  # bits of a draw that count
    assert below(np.array(draws, np.uint64), bound).tolist() == [((draw >> 64 - most) * bound) >> most for draw in draws]


def test_bounds_beyond_32_bits_lose_nothing():
    draws = np.array([2**64 - 1, 2**63], np.uint64)
    for bound in (2**31, 2**31 + 1, 2**32 + 1, 2**35, 2**62):
        assert below(draws, bound).tolist() == [bound - 1, bound // 2]
