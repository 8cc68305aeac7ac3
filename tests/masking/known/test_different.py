"""The different ones of many numbers: what numpy tells by other means."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.known.different import counted, different


@pytest.mark.parametrize("kind", [np.uint64, np.int64])
@given(st.lists(st.integers(0, 2**63 - 1) | st.integers(0, 5), max_size=50))
def test_numbers_are_told_apart_and_counted(kind: type, drawn: list[int]) -> None:
    values = np.array(drawn, np.uint64)
    values = values * 2 + (values & 1) if kind is np.uint64 else values.view(np.int64) - 3
    expected, counts = np.unique(values, return_counts=True)
    assert different(values).dtype == kind
    assert (different(values) == expected).all()
    assert [array.tolist() for array in counted(values)] == [expected.tolist(), counts.tolist()]
