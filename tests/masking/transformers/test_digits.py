"""Digits taken out of texts, and others put in their places."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from masking.transformers.digits import Digits, digits_of

TEXTS = st.lists(st.none() | st.text(st.sampled_from("0189/:+ aé–٣😀"), max_size=8), max_size=6)


@given(TEXTS, st.integers(0, 2))
def test_the_digits_of_texts_are_those_of_ascii(texts: list[str | None], start: int) -> None:
    found = digits_of(pa.array(texts, pa.string()).slice(start))
    assert found.to_pylist() == [None if text is None else re.sub("[^0-9]", "", text) for text in texts[start:]]
    found.validate(full=True)


@given(TEXTS, st.integers(0, 2), st.integers(0, 2), st.integers(1, 3))
def test_digits_are_read_and_exchanged_and_all_else_stays(texts: list[str | None], start: int, behind: int, length: int) -> None:
    digits = Digits.of(pa.array(texts, pa.string()).slice(start))
    found = [re.sub("[^0-9]", "", text or "") for text in texts[start:]]
    assert digits.counts.tolist() == [len(text) for text in found]
    rows = np.array([i for i, text in enumerate(found) if len(text) >= behind + length], np.int64)
    assert digits.numbers(rows, behind, length).tolist() == [int(found[i][behind : behind + length]) for i in rows]

    digits.write(rows, behind, length, np.full(len(rows), int("7" * length), np.uint64))
    changed = digits.texts()
    changed.validate(full=True)

    def expected(text: str | None, exchanged: bool) -> str | None:
        seen = iter(range(len(text or "")))
        there = range(behind, behind + length) if exchanged else ()
        return None if text is None else re.sub("[0-9]", lambda digit: "7" if next(seen) in there else digit.group(), text)

    assert changed.to_pylist() == [expected(text, i in rows) for i, text in enumerate(texts[start:])]
