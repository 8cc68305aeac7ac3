"""Stretches of texts that the scan looks at, against what they are by definition."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.known.escapes import unescaped
from masking.known.index import KnownPlace, KnownValues
from masking.known.stream import Hasher
from masking.proof.sampling import SIZE, Sample
from masking.proof.scanner import Scanner, _meant, _within

TEXTS = st.lists(st.lists(st.sampled_from(["123456", "12", "7", " ", "-", "a", "é"]), max_size=9).map("".join), min_size=1, max_size=6)


@given(st.sets(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=40), st.data())
def test_stretches_are_within_others_that_begin_no_later_and_end_no_sooner(drawn: set[tuple[int, int]], data: st.DataObject) -> None:
    stretches = sorted(((start, start + size) for start, size in drawn), key=lambda s: (s[0], -s[1]))
    numbers = st.lists(st.sampled_from(range(len(stretches))), unique=True) if stretches else st.just([])
    longer = [data.draw(numbers), data.draw(numbers)]
    marked = [stretches[i] for hit in longer for i in hit]
    expected = [any(a <= start and end <= b and (a, b) != (start, end) for a, b in marked) for start, end in stretches]
    ends = np.array([end for _, end in stretches], np.int64)
    assert _within(ends, [np.array(hit, np.int64) for hit in longer]).tolist() == expected


@given(TEXTS, st.sets(st.integers(4, 26), min_size=1, max_size=5))
def test_numbers_are_all_stretches_of_digits_as_long_as_some_value(texts: list[str], lengths: set[int]) -> None:
    known = KnownValues(b"secret")
    known.add(KnownPlace("people.number"), pa.array(["1" * length for length in lengths]))
    known.seal()
    [stream] = known.hasher.streams(pa.array(texts, pa.large_string()))
    bounds = set(np.flatnonzero(stream.bounds).tolist())
    folded = "".join(chr(code) for code in stream.characters_at(np.arange(len(stream.sums) - 1)))
    expected = set()
    for begin, end in zip(stream.begins[:-1].tolist(), stream.begins[1:].tolist(), strict=True):
        for start in range(begin, end):
            for length in lengths & set(range(6, 25)):
                stop = start + length
                if stop <= end and {start, stop} <= bounds and folded[start:stop].isdigit():
                    expected.add((start, stop))
    starts, ends = Scanner(known, ())._numbers(stream)
    found = list(zip(starts.tolist(), ends.tolist(), strict=True))
    assert len(found) == len(expected)
    assert set(found) == expected


@given(st.lists(st.text("ab ", max_size=9), min_size=1, max_size=9), st.data())
def test_the_texts_of_few_places_are_those_of_many(some: list[str], data: st.DataObject) -> None:
    texts = 40 * ["ab", *some]
    [stream] = Hasher(b"secret").streams(pa.array(texts, pa.large_string()))
    expected = [row for row, length in enumerate(stream.lengths.tolist()) for _ in range(length)] + [len(texts)]
    for size in (1, len(expected)):
        places = data.draw(st.lists(st.sampled_from(range(len(expected))), min_size=size, max_size=size))
        assert stream.rows_of(np.array(places)).tolist() == [expected[place] for place in places]


@pytest.mark.parametrize("written", ["\\u0041", "\\/", "%41", "&amp;", "&#65;", "=41", "=\n", "=\r\n"])
def test_texts_are_read_behind_every_kind_of_escape(written: str) -> None:
    texts = ["nothing", f"x{written}y", "nothing"]
    found = unescaped(texts[1])
    assert found is not None
    meant, rows = _meant(pa.array(texts, pa.large_string()), None)
    assert (meant.to_pylist(), rows.tolist()) == ([found.text], [1])


def test_of_texts_without_escapes_none_is_read_again() -> None:
    meant, rows = _meant(pa.array(["a+b@x.org", None, "\u0131"], pa.large_string()), None)
    assert (len(meant), len(rows)) == (0, 0)


def test_a_sample_holds_each_different_value_once_however_its_texts_come() -> None:
    texts = [f"name {i % 30_000} of many" for i in range(60_000)]
    samples = []
    for step in (60_000, 7_001):
        sample, hasher = Sample(), Hasher(b"secret")
        for first in range(0, len(texts), step):
            for stream in hasher.streams(pa.array(texts[first : first + step], pa.large_string())):
                sample.take(stream, stream.begins[:-1], stream.begins[1:], stream.cells)
        samples.append(sample)
    one, other = (np.sort(sample.records, order="mixed") for sample in samples)
    assert samples[0].level == samples[1].level == 1
    assert len(np.unique(one["mixed"])) == len(one) > SIZE // 2
    assert (one == other).all()
