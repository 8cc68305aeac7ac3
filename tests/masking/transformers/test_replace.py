"""replace: what a regular expression finds."""

from __future__ import annotations

import pytest

from masking.errors import TransformerUnfit

from .columns import context, mask, masker_for


@pytest.mark.parametrize(
    ("parameters", "before", "after"),
    [
        ({"pattern": "[0-9]", "with": "9"}, ["a1b22", None], ["a9b99", None]),
        ({"pattern": "[0-9]", "with": "9", "first": True}, ["a1b22"], ["a9b22"]),
        ({"pattern": r"(\w+)@(\w+)", "with": r"\2@\1"}, ["ann@site"], ["site@ann"]),
        ({"pattern": "[0-9]+"}, ["a1", "secret", ""], ["a***", "***", "***"]),
        ({"pattern": "[0-9]+", "unmatched": "keep"}, ["secret"], ["secret"]),
        ({"pattern": "[0-9]+", "unmatched": "null"}, ["secret", "1"], [None, "***"]),
        ({"pattern": "é|日"}, ["café 日本"], ["caf*** ***本"]),
        ({"pattern": "(a+)+$"}, ["a" * 50_000 + "b"], ["***"]),  # which takes a backtracking engine years
    ],
)
def test_finds_are_replaced_and_values_without_any_hidden(parameters: dict[str, object], before: list[str], after: list[str]) -> None:
    assert mask({"replace": parameters}, before) == after


def test_a_result_is_cut_to_the_column() -> None:
    assert mask({"replace": {"pattern": "a", "with": "bcdefgh"}}, ["aaa"], "varchar") == ["bcdefghbcdef"]


@pytest.mark.parametrize("parameters", [{"pattern": "("}, {"pattern": "(?=a)"}, {"pattern": "a", "with": r"\3"}, {"pattern": r"(a)\1"}])
def test_a_pattern_that_is_wrong_is_refused_before_any_row(parameters: dict[str, str]) -> None:
    with pytest.raises(TransformerUnfit, match="the pattern or its replacement is wrong"):
        masker_for({"replace": parameters}, context())


def test_null_for_the_unmatched_needs_a_nullable_column() -> None:
    with pytest.raises(TransformerUnfit, match="the column is NOT NULL"):
        masker_for({"replace": {"pattern": "a", "unmatched": "null"}}, context(null=False))
