"""Overlapping finds become spans that do not overlap and cover as much."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from masking.text.found import Found, settled

SPANS = st.tuples(
    st.integers(0, 30), st.integers(1, 10), st.sampled_from(["email", "person_name", "address", "city"]), st.sampled_from([0.5, 0.7, 0.9])
)


@given(st.text("ab1 ,\n.é\u0301", min_size=40, max_size=40), st.lists(SPANS, max_size=8))
def test_every_letter_that_was_found_stays_covered_and_nothing_overlaps(text: str, spans: list[tuple[int, int, str, float]]) -> None:
    candidates = [Found(start, start + length, entity, score) for start, length, entity, score in spans]
    result = settled(text, candidates)
    wanted = {i for f in candidates for i in range(f.start, f.end) if text[i].isalnum()}
    assert wanted <= {i for f in result for i in range(f.start, f.end)}
    assert all(a.end <= b.start for a, b in pairwise(result))
    assert result == settled(text, list(reversed(candidates)))


def test_the_higher_score_keeps_its_span_and_the_other_what_is_left() -> None:
    text = "ann@x.org Lee"
    assert settled(text, [Found(0, 13, "person_name", 0.7), Found(0, 9, "email", 0.9)]) == [
        Found(0, 9, "email", 0.9),
        Found(10, 13, "person_name", 0.7),
    ]


def test_a_given_name_and_a_surname_are_one_person_and_names_on_two_lines_are_two() -> None:
    text = "Ann Lee\nBob Ray"
    pieces = [
        Found(0, 3, "person_name", 0.7),
        Found(4, 7, "person_name", 0.8),
        Found(8, 11, "person_name", 0.7),
        Found(12, 15, "person_name", 0.7),
    ]
    assert [(f.start, f.end) for f in settled(text, pieces)] == [(0, 7), (8, 15)]


def test_parts_of_an_address_are_one_address() -> None:
    text = "1 Elm St, Springfield 12345"
    pieces = [Found(0, 8, "address", 0.8), Found(10, 21, "city", 0.7), Found(22, 27, "postcode", 0.7)]
    assert [(f.start, f.end, f.entity) for f in settled(text, pieces)] == [(0, 27, "address")]
