"""Bloom filters: what was added always passes, and hardly anything else does."""

from __future__ import annotations

import numpy as np
import pytest

from masking.known.filters import Filter, GrowingFilter

STRANGERS = 1 << 18


def hashes(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64 - 1, count, np.uint64, endpoint=True)


@pytest.mark.parametrize("ordered", [True, False], ids=["sorted", "as they come"])
@pytest.mark.parametrize("bits", [14, 20, 23])
def test_what_was_added_passes_and_of_strangers_one_in_twenty_three_at_most(bits: int, ordered: bool) -> None:
    """A capacity that is a power of two has the fewest bits for each hash, eight: one in twenty-five is expected (two probes: one in 20)."""
    some = hashes(1 << bits, bits)
    known = Filter(len(some))
    for part in np.array_split(np.sort(some) if ordered else some, 3):
        known.add(part)
    assert len(known.passing(some)) == len(some)
    passing = known.passing(hashes(STRANGERS, 99))
    assert (np.diff(passing) > 0).all()
    assert len(passing) < STRANGERS / 23


def test_an_empty_filter_lets_nothing_pass() -> None:
    known = Filter(100)
    known.add(hashes(0, 1))
    assert known.empty
    assert len(known.passing(hashes(1000, 2))) == 0


def test_a_growing_filter_lets_all_pass_that_came_in_parts_of_any_size() -> None:
    known, some = GrowingFilter(), hashes(400_000, 3)
    for part in np.split(some, [1, 5_000, 9_000, 100_000, 390_000]):
        known.add(part)
        known.add(part[:1000])
    assert (known.passing(some) == np.arange(len(some))).all()
    assert len(known.passing(hashes(STRANGERS, 99))) < STRANGERS / 40
