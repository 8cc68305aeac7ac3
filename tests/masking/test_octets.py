"""Texts cut and searched by their bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from masking.octets import are_ascii, before, first_within, octets_of, stretches

TEXTS = st.lists(st.one_of(st.none(), st.text("aé李😀 .", max_size=6)), max_size=12)


@given(TEXTS, st.integers(0, 4))
def test_the_bytes_of_a_slice_are_those_of_its_texts(texts: list[str | None], start: int) -> None:
    offsets, octets = octets_of(pa.array(texts, pa.string()).slice(start))
    wanted = [(text or "").encode() for text in texts[start:]]
    assert octets.tobytes() == b"".join(wanted)
    assert np.diff(offsets).tolist() == [len(text) for text in wanted]
    assert are_ascii(octets) == all(text.isascii() for text in wanted)


@given(TEXTS)
def test_stretches_are_the_texts_between_two_places(texts: list[str | None]) -> None:
    offsets, octets = octets_of(pa.array(texts, pa.string()))
    assert stretches(octets, offsets[:-1], offsets[1:]).to_pylist() == [text or "" for text in texts]
    assert stretches(octets, offsets[1:], offsets[1:]).to_pylist() == [""] * len(texts)


def test_before_counts_the_flags_up_to_each_place() -> None:
    assert before(np.array([True, False, True])).tolist() == [0, 1, 1, 2]


@given(st.lists(st.integers(0, 3) | st.just(2), max_size=9), st.integers(1, 3))
def test_the_first_places_within_texts_are_found_where_all_have_as_many_and_where_not(counts: list[int], room: int) -> None:
    offsets, places = [0], list[int]()
    for count in counts:
        places += [offsets[-1] + room * i for i in range(count)]
        offsets.append(offsets[-1] + 3 * room)
    found = first_within(np.array(places, np.int64), np.array(offsets, np.int32))
    assert found.tolist() == np.searchsorted(places, offsets).tolist()


def test_as_many_places_as_texts_may_still_stand_in_others() -> None:
    assert first_within(np.array([0, 1]), np.array([0, 2, 4], np.int32)).tolist() == [0, 2, 2]
    assert first_within(np.array([2, 3]), np.array([0, 2, 4], np.int32)).tolist() == [0, 0, 2]
    assert first_within(np.array([], np.int64), np.array([0, 2], np.int32)).tolist() == [0, 0]
    assert first_within(np.array([], np.int64), np.array([0], np.int32)).tolist() == [0]
