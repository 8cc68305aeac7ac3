"""Unique patterns never repeat a word, and those that might are refused."""

from __future__ import annotations

import pytest

from datagen.errors import RecipeError
from tests.datagen.making import column_of


@pytest.mark.parametrize("regex", ["a|a", r"\\d{1,3}\\d{1,3}", "(a|ab)(c|bc)", "[ab]?[ab]?", r"x*\\w?", "(ab|a.)z"])
def test_patterns_that_spell_a_word_in_two_ways_cannot_be_unique(regex):
    with pytest.raises(RecipeError, match="in two ways"):
        column_of(f'{{pattern: "{regex}"}}', "text", 2, ", unique: true")


@pytest.mark.parametrize(
    ("regex", "words"),
    [(r"\\d{1,2}", 110), ("[a-c]{1,3}-[0-2]{0,2}", 39 * 13), ("(x|yy)[01]{2}", 8), ("[ab]{0,2}", 7), ("a?-b?", 4), ("x{0,2}[xy]", 6)],
)
def test_all_words_of_a_unique_pattern_differ(regex, words):
    values = column_of(f'{{pattern: "{regex}"}}', "text", words, ", unique: true").to_pylist()
    assert len(set(values)) == words
