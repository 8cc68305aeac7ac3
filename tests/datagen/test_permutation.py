"""Bijections: unique values without retrying."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from datagen.permutation import permute, scatter
from datagen.randomness import stream

OWN = stream(5, "t", "c")


@given(st.integers(1, 3000))
def test_a_permutation_gives_every_number_once(size):
    assert sorted(permute(OWN, np.arange(size), size).tolist()) == list(range(size))


@given(st.integers(1, 2**62), st.lists(st.integers(0, 2**62), min_size=1, max_size=30, unique=True))
def test_a_permutation_of_a_large_domain_stays_in_it_and_repeats_nothing(size, rows):
    chosen = np.array(sorted({r % size for r in rows}))
    found = permute(OWN, chosen, size)
    assert found.min() >= 0 and found.max() < size
    assert len(set(found.tolist())) == len(chosen)


@given(st.integers(0, 5000))
def test_scattered_numbers_never_repeat_and_stay_small(count):
    found = scatter(OWN, np.arange(count))
    assert len(set(found.tolist())) == count
    assert count == 0 or found.max() < 2 * count


def test_scattered_numbers_do_not_depend_on_how_many_there_are():
    assert (scatter(OWN, np.arange(100)) == scatter(OWN, np.arange(1000))[:100]).all()


def test_another_stream_permutes_otherwise():
    assert (permute(OWN, np.arange(100), 100) != permute(stream(6, "t", "c"), np.arange(100), 100)).any()
