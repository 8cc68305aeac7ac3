"""How many people of a population fit a class, whatever notation its cells are in."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from masking.risk.equivalence import equivalence_classes
from masking.risk.population import sizes_in_population
from schemas.errors import InputError
from tests.masking.risk.tables import HIERARCHY, cells_over, rows, table


def fitting(sample, people, hierarchies):
    names = "xy"[: len(sample[0])]
    classes = equivalence_classes(table(names, sample), list(names))
    found = sizes_in_population(classes, equivalence_classes(table(names, people), list(names)), hierarchies, "people.csv")
    return {tuple(classes.cells[c][t] for c, t in enumerate(tuple_)): n for tuple_, n in zip(classes.tuples.tolist(), found.tolist())}


def test_people_fit_a_class_where_all_its_cells_cover_them():
    people = [("a", "a"), ("a", "b"), ("b", "a"), ("c", "d"), ("c", "d")]
    sample = [("ab", "a"), ("ab", "*"), ("{a,c}", "b"), ("c", "cd"), ("*", "*")]
    found = fitting(sample, people, {"x": HIERARCHY, "y": HIERARCHY})
    assert found == {("ab", "a"): 2, ("ab", "*"): 3, ("{a,c}", "b"): 1, ("c", "cd"): 2, ("*", "*"): 0}


def test_without_hierarchies_values_sets_and_ranges_are_understood():
    assert fitting([("[1,5]",), ("9",)], [("1",), ("5",), ("5",), ("9",)], {}) == {("[1,5]",): 3, ("9",): 1}


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ([("a",), ("a",), ("b",)], "people.csv lacks 1 of the people"),
        ([("{a,b}",)] * 5, "people.csv lacks 2 of the people"),
        ([("Secret",), ("a",)], "people.csv: nobody there fits 1 different cells of column 'x'"),
        ([("{a,Secret}",)], "people.csv: nobody there fits 1 different cells of column 'x'"),
    ],
)
def test_a_population_without_the_people_of_the_table_is_refused(sample, words):
    with pytest.raises(InputError, match=words) as caught:
        fitting(sample, [("a",), ("b",), ("b",)], {})
    assert "Secret" not in str(caught.value)


def test_values_that_nobody_has_together_fit_nobody():
    with pytest.raises(InputError, match="lacks 1 of the people"):
        fitting([("a", "a"), ("a", "b")], [("a", "a"), ("b", "b")], {})


def test_people_whose_values_no_hierarchy_has_fit_suppressed_cells_alone():
    found = fitting([("*", "a"), ("ab", "a")], [("a", "a"), ("z", "a"), ("", "a")], {"x": HIERARCHY})
    assert found == {("*", "a"): 3, ("ab", "a"): 1}


@given(rows(2), rows(2), st.data())
def test_the_counts_are_those_of_looking_at_everybody(taken, others, data):
    covers = {label: {r[0] for r in HIERARCHY.rows if label in r} for r in HIERARCHY.rows for label in r}
    sample = [tuple(data.draw(st.sampled_from(cells_over(v))) for v in row) for row in taken]
    found = fitting(sample, taken + others, {"x": HIERARCHY, "y": HIERARCHY})

    def fits(person, cells):
        return all(v in (set(c[1:-1].split(",")) if c.startswith("{") else covers[c]) for v, c in zip(person, cells))

    for cells, count in found.items():
        assert count == (0 if cells == ("*", "*") else sum(fits(person, cells) for person in taken + others))
