"""Regular expressions made to fit a column."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.values.regex import Either, Letter, Node, Repeated, Sequence, longest, parse_pattern
from schemas.fitted_forms import fitted


@pytest.mark.parametrize(
    ("pattern", "room", "made"),
    [
        ("^[A-Z]{2}[0-9]{1,3}$", 5, "^[A-Z]{2}[0-9]{3}$"),
        ("^[A-Z]{3}(-[0-9]{2})?$", 6, "^[A-Z]{3}-[0-9]{2}$"),
        ("^[a-z]+$", 4, "^[a-z]{4}$"),
        ("^(a|bc|def)\\d*$", 3, "^a\\d{2}$"),
        ("^(ab|cd|e)$", 2, "^(?:ab|cd)$"),
        ("^[A-Z]{3}$", 3, "^[A-Z]{3}$"),
        ("^(x[0-9]{1,2}){2,9}$", 5, "^x[0-9]{2}x[0-9]$"),
        ("^[A-Z]{3}$", 5, "^[A-Z]{3}$"),  # which no value can fill
        ("^[[:upper:]]{2}$", 2, "^[A-Z]{2}$"),
    ],
)
def test_a_pattern_fills_what_is_padded(pattern, room, made):
    assert fitted(pattern, room, filling=True) == made


@pytest.mark.parametrize(
    ("pattern", "made"), [("^[a-z]+$", "^[a-z]{5}$"), ("^[a-z]{1,5}$", "^[a-z]{1,5}$"), ("^(ab|abc)+$", "^abcab$"), ("^[a-z]{6}$", None)]
)
def test_a_pattern_fits_where_its_texts_could_be_too_long(pattern, made):
    if made == "^abcab$":
        made = fitted(pattern, 5, filling=False)
        assert made is not None and re.fullmatch("(abc|ab){2}", made.strip("^$"))
    else:
        assert fitted(pattern, 5, filling=False) == made


@pytest.mark.parametrize(
    "pattern", ["^a(?=b)$", "^(?i)a$", r"^\bword$", r"^(a)\1$", "^a+?$", "^a$|^b$", "^[[:graph:]]$", "^(a$", "^a{,3}$"]
)
def test_what_generators_do_not_know_is_not_proposed(pattern):
    assert fitted(pattern, 9, filling=False) is None


_LETTERS = st.sampled_from(["a", "[bc]", "\\d", "-"])
_PATTERNS = st.recursive(
    _LETTERS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        st.lists(inner, min_size=2, max_size=3).map(lambda options: f"({'|'.join(options)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "{0,2}", "{2,}"])).map(lambda both: f"(?:{both[0]}){both[1]}"),
    ),
    max_leaves=6,
)


def _lengths(node: Node) -> set[int]:
    """The lengths of up to eight characters that texts can have."""
    match node:
        case Letter():
            return {1}
        case Either(options):
            return set().union(*map(_lengths, options))
        case Sequence(parts):
            found = {0}
            for part in parts:
                found = {one + other for one in found for other in _lengths(part) if one + other <= 8}
            return found
        case Repeated(part, least, most):
            return set().union(*(_lengths(Sequence((part,) * count)) for count in range(least, most + 1)))


def _text(node: Node, random: Random) -> str:
    match node:
        case Letter(letters):
            return random.choice(letters)
        case Either(options):
            return _text(random.choice(options), random)
        case Sequence(parts):
            return "".join(_text(part, random) for part in parts)
        case Repeated(part, least, most):
            return "".join(_text(part, random) for _ in range(random.randint(least, most)))


@given(_PATTERNS, st.integers(1, 8), st.booleans(), st.randoms(use_true_random=False))
def test_all_texts_of_a_fitted_pattern_match_the_pattern_and_fit(pattern, room, filling, random):
    possible = {length for length in _lengths(parse_pattern(pattern)) if length <= room}
    made = fitted(f"^{pattern}$", room, filling=filling)
    assert (made is not None) == bool(possible)
    if made is None:
        return
    node = parse_pattern(made)
    assert longest(node) <= room
    texts = [_text(node, random) for _ in range(20)]
    assert all(re.fullmatch(pattern, text) for text in texts)
    if filling and room in possible:
        assert {len(text) for text in texts} == {room}
