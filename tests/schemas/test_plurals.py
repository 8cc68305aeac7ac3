"""Numbers of things read as people say them."""

from __future__ import annotations

import pytest

from schemas.plurals import counted


@pytest.mark.parametrize(
    ("number", "words", "said"),
    [
        (0, ("row",), "0 rows"),
        (1, ("row",), "1 row"),
        (2000, ("row",), "2,000 rows"),
        (1, ("entry", "entries"), "1 entry"),
        (3, ("near miss", "near misses"), "3 near misses"),
    ],
)
def test_one_is_one_and_all_else_is_many(number, words, said):
    assert counted(number, *words) == said
