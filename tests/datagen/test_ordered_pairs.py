"""References to a greater key than the one beside them: each pair once or equally often, by numbers alone."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from datagen.errors import RecipeError
from datagen.ordered_pairs import pair_of, places, rounds
from schemas.errors import SchemaError
from tests.datagen.making import source_of

TIES = """tables:
  users: {rows: %d, columns: {id: {type: bigint, key: true%s}}}
  ties:
    rows: %d
    %s
    columns:
      first:  {references: users.id%s}
      second: {references: users.id, greater_than: first%s}
"""
UNIQUE = "key: [first, second]"
FALLING = ", generate: {sequence: {start: 90, step: -2}}"
GAPS = ", generate: {sequence: {start: 100, gaps: 3}}"


def pairs(made, start: int | None = None, stop: int | None = None) -> list[tuple[int | None, int | None]]:
    rows = made.read("ties").read_all() if start is None else made.read_rows("ties", start, stop)
    return [(row["first"], row["second"]) for row in rows.to_pylist()]


@given(st.integers(2, 60))
def test_a_tournament_has_every_pair_meet_once(size):
    turn, place = (axis.ravel() for axis in np.meshgrid(np.arange(rounds(size)), np.arange(places(size))))
    met = [frozenset(pair) for pair in zip(*pair_of(size, turn, place), strict=True)]
    assert sorted(map(sorted, set(met))) == [[a, b] for a in range(size) for b in range(a + 1, size)]
    assert len(met) == size * (size - 1) // 2


@pytest.mark.parametrize("keys", ["", FALLING, GAPS], ids=["rising", "falling", "gaps"])
def test_all_pairs_are_as_likely_and_in_the_order_of_their_keys(keys):
    made = source_of(TIES % (7, keys, 21_000, "", "", ""))
    found = Counter(pairs(made))
    assert all(first < second for first, second in found)
    # a share of 1/21 of 21,000 rows: 1,000, with a standard deviation of 31; six of them are passed once in 2.4e7 runs
    assert len(found) == 21 and max(abs(n - 1000) for n in found.values()) < 6 * 31
    assert pairs(made, 300, 400) == pairs(made)[300:400]


@pytest.mark.parametrize(("size", "rows"), [(7, 21), (8, 28), (2, 1), (31, 100)])
def test_unique_pairs_can_be_all_that_there_are(size, rows):
    made = source_of(TIES % (size, GAPS, rows, UNIQUE, "", ""))
    found = pairs(made)
    assert len(set(found)) == rows and all(first < second for first, second in found)
    assert pairs(made, rows // 2, rows) == found[rows // 2 :]


def test_where_one_is_null_the_other_is_any_row():
    found = pairs(source_of(TIES % (9, "", 2000, "", ", null: 0.3", ", null: 0.3")))
    assert all(first < second for first, second in found if first and second)
    assert {second for first, second in found if first is None} == {None, *range(2, 10)} and {first for first, _ in found} == {
        None,
        *range(1, 9),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TIES % (7, "", 22, UNIQUE, "", ""), "22 different combinations are asked for and there are only 21"),
        (TIES % (1, "", 5, "", "", ""), "name two rows of users, which has 1"),
        (TIES % (9, "", 5, "unique: [second]", "", ""), "may be unique together, and none without the other"),
        ((TIES % (9, "", 5, "", "", "")).replace("bigint", "uuid"), "let users.id be one"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(text, message):
    with pytest.raises(RecipeError, match=message):
        source_of(text)


@pytest.mark.parametrize(
    ("first", "second", "message"),
    [
        (", skew: 1.2", "", "skew of 'first' and greater_than cannot stand together"),
        ("", ", other_than: first", "other_than of 'second' and greater_than cannot stand together"),
        (", generate: {uniform: [1, 9]}", "", "'first' has a generator of its own"),
    ],
)
def test_nothing_else_has_a_say_in_either(first, second, message):
    with pytest.raises(SchemaError, match=message):
        source_of(TIES % (9, "", 5, "", first, second))


def test_the_column_that_it_is_greater_than_must_be_another_reference_that_is_chosen():
    text = TIES % (9, "", 5, "", "", "")
    for changed, message in (
        (text.replace("than: first", "than: frist"), "no column 'frist'; did you mean 'first'"),
        (text.replace("than: first", "than: second"), "must be part of another reference of 'ties' to users"),
        (text.replace("    rows: 5\n", "    rows: {per: users, count: 1}\n"), "so 'first' has no choice"),
    ):
        with pytest.raises(SchemaError, match=message):
            source_of(changed)


SCENARIO = """tables:
  users: {rows: 40, columns: {id: {type: bigint, key: true, generate: {sequence: {gaps: 8}}}}}
  ties:
    rows: 60
    columns:
      id: {type: uuid, key: true, generate: uuid4}
      a:  {references: users.id}
      b:  {references: users.id, greater_than: a}
scenarios: {s: {subjects: users, share: 0.5, at: {between: [-1y, now]}, add: {%s}}}
"""


def test_rows_that_a_scenario_adds_do_not_change_the_order():
    made = source_of(SCENARIO % "users: {count: 3}", scenarios={"s": 0.5})
    ties = made.read("ties").read_all().to_pylist()
    assert made.read("users").read_all().num_rows > 60 and len(ties) == 60
    assert all(tie["a"] < tie["b"] for tie in ties)


def test_rows_cannot_be_added_for_a_row_that_both_references_would_name():
    with pytest.raises(SchemaError, match="its references a and b would both name that row, and are to differ"):
        source_of(SCENARIO % "ties: {count: 3}")
