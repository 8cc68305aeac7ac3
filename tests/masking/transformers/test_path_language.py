"""Paths into documents: their grammar, and which of them speaks for a place."""

from __future__ import annotations

import pytest

from masking.transformers.path_language import Automaton, NotAPath, Place, Step, parse_path


@pytest.mark.parametrize(
    ("path", "tokens"),
    [
        ("$", ()),
        ("$.a.b", ("a", "b")),
        ("$.a[*].b", ("a", Step.ITEMS, "b")),
        ('$["odd key"].b', ("odd key", "b")),
        ("$['it''s']", None),
        (r"$['it\'s']", ("it's",)),
        (r'$["a\"b\u00e9"]', ('a"bé',)),
        ("$.a.*", ("a", Step.ANY)),
        ("$..email", (Step.DESCEND, "email")),
        ("$.a~", ("a", Step.NAMES)),
        ("$~", (Step.NAMES,)),
        ("$.naïve-name", ("naïve-name",)),
        ("a.b", None),
        ("$a", None),
        ("$.", None),
        ("$.a[0]", None),
        ("$.a b", None),
        ("$.a~.b", None),
        ("$..", None),
        ("", None),
    ],
)
def test_paths_are_read(path: str, tokens: tuple[str | Step, ...] | None) -> None:
    if tokens is None:
        with pytest.raises(NotAPath):
            parse_path(path)
    else:
        assert parse_path(path) == tokens


def find(paths: list[str], *steps: str | Step) -> Place:
    place = Automaton([parse_path(path) for path in paths]).root
    for step in steps:
        place = place.items() if step is Step.ITEMS else place.member(str(step))
    return place


ITEM = Step.ITEMS


@pytest.mark.parametrize(
    ("paths", "steps", "rule"),
    [
        (["$.a"], ("a",), 0),
        (["$.a"], ("b",), None),
        (["$.a"], ("a", "x", ITEM, "y"), 0),  # all below
        (["$"], ("a",), 0),
        (["$.a", "$.a.b"], ("a", "b"), 1),  # the deepest
        (["$..b", "$.a"], ("a", "b"), 0),
        (["$..b", "$.a.b"], ("a", "b"), 1),  # not by `..`
        (["$.*.b", "$.a.b"], ("a", "b"), 1),  # fewer `*`
        (["$.a.*", "$.*.b"], ("a", "b"), 0),  # the first
        (["$.a[*].b"], ("a", ITEM, "b"), 0),
        (["$.a[*].b"], ("a", "b"), None),
        (["$.a.*"], ("a", ITEM), None),
        (["$..b"], ("a", ITEM, "x", "b"), 0),
        (["$..b"], ("b", "x"), 0),
        (["$..b.c"], ("b", "b", "c"), 0),
        (["$.a~"], ("a",), None),
    ],
)
def test_the_path_that_ends_deepest_speaks(paths: list[str], steps: tuple[str | Step, ...], rule: int | None) -> None:
    assert find(paths, *steps).rule == rule


def test_names_have_paths_of_their_own() -> None:
    assert find(["$.a~", "$.*~"], "a").names == 0
    assert find(["$.a~", "$.*~"], "b").names == 1
    assert find(["$.a~"], "a", "b").names is None


def test_documents_with_names_without_end_make_no_more_states() -> None:
    automaton = Automaton([parse_path("$.a.b"), parse_path("$..c")])
    places = {id(automaton.root.member(f"name{i}").member(f"other{i}")) for i in range(1000)}
    assert len(places) == 1 and len(automaton.root._members) == 1
