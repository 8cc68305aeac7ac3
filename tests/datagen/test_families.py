"""Families: parents and children from numbers alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datagen.families import Family, counts_with_total
from datagen.links import rotate
from datagen.randomness import below, stream


def counts_up_to(most: int):
    own = stream(1, "x")
    return lambda rows: below(own.draws(rows), most + 1)


@settings(deadline=None, max_examples=40)
@given(st.sampled_from([0, 1, 2, 100, 4095, 4096, 4097, 9000]), st.sampled_from([0, 1, 3, 40]), st.integers(0, 2**32))
def test_parents_and_children_agree_with_counting_them_all(parents, most, seed):
    counts = counts_up_to(most)
    family = Family(parents, counts)
    each = counts(range(parents)) if parents else np.empty(0, np.int64)
    offsets = np.concatenate([[0], np.cumsum(each)]).astype(np.int64)
    owner = np.repeat(np.arange(parents), each)
    assert family.total == len(owner)
    assert (family.parent_of(range(family.total)) == owner).all()
    random = np.random.default_rng(seed)
    if parents:
        asked = random.integers(0, parents, 50)
        start, count = family.children_of(asked)
        assert (start == offsets[asked]).all() and (count == each[asked]).all()
    if family.total:
        asked = random.integers(0, family.total, 50)
        assert (family.parent_of(asked) == owner[asked]).all()
        assert (family.ordinal_of(asked, owner[asked]) == asked - offsets[owner[asked]]).all()
        low = int(random.integers(0, family.total))
        assert (family.parent_of(range(low, family.total)) == owner[low:]).all()


@pytest.mark.parametrize("parents", [0, 1, 4096, 4097, 8192, 12_288])
def test_single_parents_beside_the_edges_of_blocks_have_their_children(parents):
    counts = counts_up_to(3)
    family = Family(parents, counts)
    offsets = np.concatenate([[0], np.cumsum(counts(range(parents)))]) if parents else np.zeros(1)
    for parent in {p for edge in range(0, parents + 1, 4096) for p in (edge - 1, edge, edge + 1) if 0 <= p < parents} | {parents}:
        assert family.starts(np.array([parent])) == [offsets[parent]]
        if parent < parents:
            first, count = family.children_of(np.array([parent]))
            assert (first[0], first[0] + count[0]) == (offsets[parent], offsets[parent + 1])


def evenly(parents: int) -> np.ndarray:
    """Thresholds in no order that spread evenly over (0, 1]."""
    return (np.arange(parents) * 7 % parents + 1) / parents


@pytest.mark.parametrize("total", [0, 17, 500, 2000])
def test_a_total_is_met_exactly_within_the_bounds(total):
    found = counts_with_total(counts_up_to(9), 100, 0, 20, total, evenly(100))(range(100))
    assert found.sum() == total and found.min() >= 0 and found.max() <= 20


def test_a_total_is_met_where_every_draw_is_zero():
    assert counts_with_total(lambda rows: np.zeros(len(rows), np.int64), 10, 0, 25, 25, evenly(10))(range(10)).sum() == 25


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 50), st.integers(1, 6)), max_size=30), st.randoms(use_true_random=False))
def test_a_group_is_rotated_alike_wherever_its_rows_stand(groups, random):
    rows = [(group, size, place) for group, size, count in groups for place in range(count)]
    order = random.sample(range(len(rows)), len(rows))
    group, size, place = np.array(rows, np.int64).reshape(-1, 3).T
    drawn = stream(1, "t", "x")
    together, scattered = rotate(drawn, group, place, size), rotate(drawn, group[order], place[order], size[order])
    assert together[order].tolist() == scattered.tolist()
    assert all(0 <= found < of for found, of in zip(together.tolist(), size.tolist(), strict=True))
