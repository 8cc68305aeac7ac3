"""Unique patterns count through their words: each once, however many ways there are to spell it."""

from __future__ import annotations

import re

import numpy as np
import pytest

from datagen.errors import RecipeError
from datagen.randomness import stream
from datagen.values.regex import parse_pattern
from datagen.values.words import Tangled, Words
from tests.datagen.making import column_of


def draws(i, here):
    return stream(1, f"ending {i}").draws(here)


@pytest.mark.parametrize(
    ("regex", "words"),
    [
        ("", 1),
        ("a|a", 1),
        (r"\\d{1,2}", 110),
        (r"\\d{1,2}\\d{1,2}", 100 + 1000 + 10000),
        ("(a|ab)(c|bc)", 3),
        ("[ab]?[ab]?", 7),
        (r"x*\\w?", 9 * 63 + 1),
        ("(ab|a.)z", 95),
        ("(a?){5}", 6),
        ("(ab?){1,2}", 2 + 4),
        ("[\u00e4\u00f6]{1,2}-?", 12),
        ("[a-c]{1,3}-[0-2]{0,2}", 39 * 13),
    ],
)
def test_every_word_has_one_number(regex, words):
    found = Words(parse_pattern(regex.replace("\\\\", "\\")))
    assert (found.size, found.ending) == (words, 0)
    written = found.write(np.arange(words), draws).to_pylist()
    assert len(set(written)) == words
    assert all(re.fullmatch(regex.replace("\\\\", "\\"), w) for w in written)
    values = column_of(f'{{pattern: "{regex}"}}', "text", words, ", unique: true").to_pylist()
    assert sorted(values) == sorted(written)
    with pytest.raises(RecipeError, match="unique words"):
        column_of(f'{{pattern: "{regex}"}}', "text", words + 1, ", unique: true")


@pytest.mark.parametrize(
    ("regex", "lengths"), [(r"\w{8,40}", (8, 40)), ("[A-Z0-9]{40}", (40, 40)), ("x{50}-.{1,200}", (52, 251)), (r"(ab|c)?-\w{30}", (31, 33))]
)
def test_more_words_than_numbers_are_told_apart_by_how_they_begin(regex, lengths):
    found = Words(parse_pattern(regex))
    assert 2**53 < found.size <= 2**62
    numbers = np.unique(np.random.default_rng(1).integers(0, found.size, 5000))
    numbers[:3] = 0, 1, found.size - 1
    written = found.write(np.unique(numbers), draws).to_pylist()
    assert len(set(written)) == len(written)
    assert all(re.fullmatch(regex, w) for w in written)
    assert lengths[0] <= min(map(len, written)) <= max(map(len, written)) <= lengths[1]
    # all of the room is used, and every place varies that can
    assert max(map(len, written)) > lengths[1] - 3
    assert len({w[lengths[0] - 1] for w in written}) > 20


def test_unique_patterns_whose_parts_overlap_are_told_apart_by_their_words():
    values = column_of("{pattern: '^[A-Z]{1,3}[A-Z0-9]{1,3}$'}", "varchar(6)", 20_000, ", unique: true").to_pylist()
    assert len(set(values)) == 20_000
    assert all(re.fullmatch("[A-Z]{1,3}[A-Z0-9]{1,3}", v) for v in values)


@pytest.mark.parametrize("regex", ["(a?b?){500}", "(.{0,60},){0,40}", "(a?){1000}[a-z]{20}", "[a-c]{0,2000}(x|[a-c]{0,2000})"])
def test_what_cannot_be_numbered_in_reasonable_time_is_refused(regex):
    with pytest.raises(Tangled, match="optional|written out"):
        Words(parse_pattern(regex))
    with pytest.raises(RecipeError, match="cannot be unique: its parts"):
        column_of(f"{{pattern: '{regex}'}}", "text", 2, ", unique: true")
