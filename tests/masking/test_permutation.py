"""Keyed permutations: one to one, without fixed points, other under another key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.keyed import KeyedHash
from masking.permutation import Permutation

KEY = KeyedHash(b"k" * 32)


@pytest.mark.parametrize("size", [2, 3, 7, 100, 1000, 4_096, 4_097, 99_991, 300_007])
def test_a_whole_domain_is_mapped_onto_itself_and_nothing_stays(size: int) -> None:
    numbers = np.arange(size, dtype=np.uint64)
    mapped = Permutation(KEY, "p", size).numbers(numbers)
    assert (np.sort(mapped) == numbers).all()
    assert not (mapped == numbers).any()


@given(st.integers(2, 2**63), st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=30, unique=True))
def test_numbers_of_large_domains_stay_inside_and_apart(size: int, numbers: list[int]) -> None:
    inside = np.array(sorted({n % size for n in numbers}), np.uint64)
    mapped = Permutation(KEY, "p", size).numbers(inside)
    assert len(set(mapped.tolist())) == len(inside)
    assert all(n < size for n in mapped.tolist())
    assert (Permutation(KEY, "p", size).numbers(inside[::-1]) == mapped[::-1]).all()


def test_tables_and_single_values_agree() -> None:
    numbers = np.arange(200_000, dtype=np.uint64)
    many = Permutation(KEY, "p", 2**31)
    whole = many.numbers(numbers)
    assert many._network._tables, "the tables of round functions are to be used here"
    assert (Permutation(KEY, "p", 2**31).numbers(numbers[:50]) == whole[:50]).all()


@pytest.mark.parametrize("size", [3_000, 99_991, 2**31, 2**50])
def test_walking_to_numbers_that_belong_is_mapping_again_and_again(size: int) -> None:
    permutation = Permutation(KEY, "p", size)
    numbers = np.arange(0, min(size, 6_000), 3, dtype=np.uint64)  # each belongs itself, so that it is come back to at the latest
    walked = permutation.numbers(numbers, lambda found, places: (found % 3 == 0) & (numbers[places] % 3 == 0))
    again = permutation.numbers(numbers)
    while (again % 3).any():
        again = np.where(again % 3 == 0, again, permutation.numbers(again))
    assert (walked == again).all()
    assert len(np.unique(walked)) == len(numbers)


def test_another_key_or_name_gives_another_permutation() -> None:
    numbers = np.arange(10_000, dtype=np.uint64)
    mapped = [Permutation(key, name, 2**31).numbers(numbers) for key, name in ((KEY, "p"), (KEY, "q"), (KeyedHash(b"l" * 32), "p"))]
    for one in range(3):
        for other in range(one):
            assert (mapped[one] == mapped[other]).sum() < 3  # 10^4 / 2^31 are expected


@pytest.mark.parametrize("size", [1000, 2**20, 2**31 - 2**15, 2**50])
def test_where_numbers_go_is_uniform(size: int) -> None:
    """Chi-squared over 100 bins, limit at a false-alarm rate of 1e-6 (99 degrees of freedom: 180.8)."""
    numbers = np.arange(min(size, 20_000), dtype=np.uint64) if size > 1000 else np.arange(500, dtype=np.uint64)
    mapped = Permutation(KEY, "p", size).numbers(numbers)
    counts = np.bincount((mapped.astype(np.float64) * 100 / size).astype(np.int64), minlength=100)
    expected = len(numbers) / 100
    assert ((counts - expected) ** 2 / expected).sum() < 180.8


def test_neighbours_are_torn_apart() -> None:
    mapped = Permutation(KEY, "p", 2**31).numbers(np.arange(10_000, dtype=np.uint64)).astype(np.int64)
    steps, counts = np.unique(np.diff(mapped), return_counts=True)
    assert len(steps) > 9_990
    assert counts.max() <= 2
