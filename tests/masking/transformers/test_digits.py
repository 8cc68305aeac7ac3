"""Digits taken out of texts, and others put in their places."""

from __future__ import annotations

import re

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from masking.transformers.digits import digits_of, with_digits

TEXTS = st.lists(st.none() | st.text(st.sampled_from("0189/:+ aé–٣😀"), max_size=8), max_size=6)


@given(TEXTS, st.integers(0, 2))
def test_the_digits_of_texts_are_those_of_ascii(texts: list[str | None], start: int) -> None:
    found = digits_of(pa.array(texts, pa.string()).slice(start))
    assert found.to_pylist() == [None if text is None else re.sub("[^0-9]", "", text) for text in texts[start:]]
    found.validate(full=True)


@given(TEXTS, st.integers(0, 2), st.integers(0, 3))
def test_digits_behind_some_are_exchanged_and_all_else_stays(texts: list[str | None], start: int, behind: int) -> None:
    values = pa.array(texts, pa.string()).slice(start)
    counts = [max(len(re.sub("[^0-9]", "", text or "")) - behind, 0) for text in texts[start:]]
    changed = with_digits(values, pa.array(["7" * count for count in counts], pa.string()), behind)
    changed.validate(full=True)

    def expected(text: str | None) -> str | None:
        seen = iter(range(len(text or "")))
        return None if text is None else re.sub("[0-9]", lambda digit: digit.group() if next(seen) < behind else "7", text)

    assert changed.to_pylist() == [expected(text) for text in texts[start:]]
