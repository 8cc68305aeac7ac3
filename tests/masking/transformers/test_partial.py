"""partial: all but the first and last few hidden."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from masking.errors import TransformerInvalid, TransformerUnfit
from masking.transformers.registry import read

from .columns import context, mask, masker_for


@pytest.mark.parametrize(
    ("parameters", "before", "after"),
    [
        (None, "4111 1111 1111 1234", "**** **** **** 1234"),
        (None, "DE89-3704-0044", "****-****-0044"),
        (None, "12345678", "****5678"),
        (None, "1234567", "*******"),
        (None, "", ""),
        (None, "(0664) 12-34-567", "(****) **-*4-567"),
        ({"last": 0, "first": 1, "hide": 1}, "Ann Lee", "A** ***"),
        ({"last": 2, "first": 2}, "ABCDEFGH", "AB****GH"),
        ({"last": 2, "first": 2}, "ABCDEFG", "*******"),
        ({"last": 2, "mark": "#"}, "日本語日本語", "####本語"),
        ({"last": 2, "mark": "\\"}, "abcdef", "\\\\\\\\ef"),
        ({"last": 0, "hide": 1}, "a.b@c.d", "*.*@*.*"),
        ({"last": 2, "separators": False}, "ab-cd-ef", "******ef"),
        ({"last": 2}, "abcd\nefg", "****\n*fg"),
        ({"last": 4}, "1234 5678 ", "**** 5678 "),
    ],
)  # fmt: skip
def test_letters_and_digits_are_hidden_and_separators_stay(parameters: dict[str, object] | None, before: str, after: str) -> None:
    assert mask({"partial": parameters}, [before, None]) == [after, None]


@settings(max_examples=60)
@given(st.text(), st.integers(0, 5), st.integers(0, 5), st.integers(1, 6))
def test_lengths_stay_and_at_least_so_many_are_hidden(text: str, first: int, last: int, hide: int) -> None:
    [masked] = mask({"partial": {"first": first, "last": last, "hide": hide, "mark": "\u2588"}}, [text])
    assert len(masked) == len(text)
    shown = sum(c.isalnum() for c in masked)
    assert shown <= first + last
    if shown:
        assert masked.count("\u2588") - text.count("\u2588") >= hide


def test_a_column_that_is_too_short_to_keep_anything_is_refused() -> None:
    with pytest.raises(TransformerUnfit, match=r"no value of a char\(5\) is long enough to keep 4 characters"):
        masker_for("partial", context("char"))
    with pytest.raises(TransformerInvalid, match="'mark' must be one character"):
        read({"partial": {"mark": "ab"}}, "t.c")
