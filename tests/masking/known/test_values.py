"""Sets of hashes: what is in them is found, however large they are and however it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from masking.known.values import SHARED, HashedValues


def held(hashes: np.ndarray) -> HashedValues:
    values = HashedValues()
    for part in np.array_split(hashes, 3):
        values.add(part)
    values.settle()
    return values


@pytest.mark.parametrize("size", [0, 1, 500, 200_000])
@pytest.mark.parametrize("spread", [64, 40], ids=["spread", "crowded"])
def test_a_set_tells_what_it_holds_of_few_hashes_and_of_many(size: int, spread: int) -> None:
    draws = np.random.default_rng(size + spread)
    inside, others = (draws.integers(0, 2**spread - 1, count, np.uint64, endpoint=True) for count in (size, 100_000))
    if size:
        inside[0], others[:2] = 0, (0, 2**64 - 1)
    values = held(inside)
    asked = np.concatenate([inside[:50_000], others])
    expected = np.isin(asked, inside)
    assert (values.lookup(asked) == expected).all()
    assert (values.lookup(asked[-20:]) == expected[-20:]).all()
    different, first = np.unique(asked, return_index=True)
    for some in (slice(None), slice(0, None, 1000)):
        assert (values.lookup_sorted(different[some]) == expected[first][some]).all()


def test_what_is_added_after_a_look_up_is_found() -> None:
    draws = np.random.default_rng(3)
    one, other = (draws.integers(0, 2**63, 150_000).astype(np.uint64) for _ in range(2))
    values = held(one)
    assert values.lookup(one).all()
    values.add(other)
    values.add(np.repeat(other[:5], SHARED))
    values.settle()
    assert values.lookup(other).all()
    assert values.shared(other).sum() == 5
