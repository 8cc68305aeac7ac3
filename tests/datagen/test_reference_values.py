"""References by value: a column with a generator of its own, and one that is narrower than what it references."""

from __future__ import annotations

import re

import pytest

import bundles
from datagen.errors import GenerationFailed, RecipeError
from tests.datagen.making import source_of


def test_a_value_that_no_parent_has_is_found():
    text = """tables:
  p: {rows: {fixed: 3}, columns: {id: {type: integer, key: true}, name: {type: text, generate: {list: [a, b, c]}}}}
  c:
    rows: 10
    columns:
      id:   {type: bigint, key: true}
      p_id: {references: p.id, type: integer, generate: {choice: [1, 2, 9]}}
      name: {type: text, generate: {from: p_id.name}}
"""
    with pytest.raises(Exception, match="no row of p has"):
        source_of(text).read("c").read_all()


@pytest.mark.parametrize(
    ("target", "own", "there", "missing"),
    [
        ("bigint", "integer", "{uniform: [1, 9]}", "{constant: 10}"),
        ("bigint", "bigint", "{constant: 1}", "{constant: 0}"),
        ("bigint, generate: {sequence: {start: 90, step: -10}}", "bigint", "{choice: [90, 10]}", "{choice: [90, 85]}"),
        ("bigint, generate: {sequence: {run: 3, skip: 7}}", "bigint", "{choice: [3, 11]}", "{choice: [3, 4]}"),
        ('"numeric(10,2)", generate: sequence', "bigint", "{uniform: [1, 9]}", "{constant: 10}"),
        ("bigint", '"numeric(30,1)"', "{choice: [1, 2]}", "{constant: 1.5}"),
        ("text, generate: {sequence: {format: 'k{n}'}}", "text", "{choice: [k1, k9]}", "{constant: k}"),
        ("uuid, generate: uuid4", "uuid", "{constant: null}", "{constant: 2c5b5e0e-2c5b-4c5b-8c5b-2c5b5e0e0e0e}"),
    ],
)
def test_a_reference_by_a_generator_of_its_own_refers_to_rows_that_are_there(target, own, there, missing):
    text = """tables:
  p: {rows: {fixed: 9}, columns: {id: {type: %s, key: true}}}
  c: {rows: 40, columns: {id: {type: bigint, key: true}, p: {references: p.id, type: %s, null: 0.2, generate: %s}}}
"""
    assert source_of(text % (target, own, there)).read("c").read_all()["p"].null_count
    made = source_of(text % (target, own, missing))
    with pytest.raises(GenerationFailed, match=r"c\.p is generated with a value that no row of p has as its id"):
        made.read("c").read_all()
    with pytest.raises(GenerationFailed, match="no row of p has as its id"):
        made.read_rows("c", 10, 40)


def test_a_reference_to_a_row_that_is_not_there_yet_is_empty_in_a_state_and_one_to_none_is_refused():
    text = """tables:
  p:
    rows: {fixed: 30}
    lives: {from: since}
    columns: {id: {type: bigint, key: true}, since: {type: timestamptz, generate: {between: [-30d, now]}}}
  c: {rows: 300, columns: {id: {type: bigint, key: true}, p: {references: p.id, type: bigint, null: 0, generate: {uniform: [1, %d]}}}}
"""
    state = source_of(text % 30, as_of="-15d").read("c").read_all()
    assert 0 < state["p"].null_count < len(state)
    with pytest.raises(GenerationFailed, match="no row of p has as its id"):
        source_of(text % 31, as_of="-15d").read("c").read_all()


NARROW = """tables:
  p: {rows: %d, columns: {id: {type: int, key: true}, code: {type: "%s", unique: true, generate: %s}}}
  a: {rows: 30, columns: {id: {type: bigint, key: true}, p: {references: p.code, type: "%s"}}}
"""


@pytest.mark.parametrize(
    ("rows", "target", "recipe", "own", "why"),
    [
        (9, "text", "{pattern: '[A-Z]{4}'}", "varchar(2)", "which is text"),
        (9, "varchar(5)", "{pattern: '[A-Z]{4}'}", "char(4)", r"which is varchar\(5\)"),
        (9, "numeric(10,2)", "{uniform: [1, 99]}", "integer", r"which is numeric\(10,2\)"),
        (9, "numeric(10,2)", "{uniform: [1, 99]}", "numeric(10,1)", r"which is numeric\(10,2\)"),
        (9, "numeric(10,2)", "{uniform: [1, 99]}", "numeric(9,2)", r"which is numeric\(10,2\)"),
        (9, "bigint", "{uniform: [1, 99]}", "numeric(9,2)", "which is bigint"),
        (32768, "bigint", "sequence", "smallint", "whose values go to 32,768"),
        (9, "bigint", "{sequence: {start: -2147483648, step: 1}}", "integer", "whose values go to 2,147,483,648"),
        (9, "bigint", "{sequence: {run: 3, skip: 9999999999}}", "integer", "whose values go to 20,000,000,007"),
        (999, "bigint", "{sequence: {gaps: 50}}", "smallint", "whose values go to 51,200"),
    ],
)
def test_a_reference_that_is_narrower_than_its_target_is_refused(rows, target, recipe, own, why):
    told = (
        rf"6:\d+: p is {re.escape(own)} and references p\.code, {why}, so it cannot hold all values there; give it a type that is as wide"
    )
    with pytest.raises(RecipeError, match=told):
        source_of(NARROW % (rows, target, recipe, own))


@pytest.mark.parametrize(
    ("rows", "target", "recipe", "own"),
    [
        (9, "varchar(4)", "{pattern: '[A-Z]{4}'}", "char(4)"),
        (9, "varchar(4)", "{pattern: '[A-Z]{4}'}", "text"),
        (32767, "bigint", "sequence", "smallint"),
        (9, "bigint", "{uniform: [1, 99]}", "smallint"),
        (9, "numeric(18,4)", "sequence", "integer"),
        (9, "bigint", "sequence", "numeric(9,2)"),
        (9, "integer", "{uniform: [1, 99]}", "numeric(12,2)"),
    ],
)
def test_a_narrower_reference_is_one_where_its_values_fit(rows, target, recipe, own, tmp_path):
    assert bundles.verify(bundles.build(source_of(NARROW % (rows, target, recipe, own)), store=tmp_path)).ok


def test_a_number_that_does_not_fit_a_narrower_reference_is_told_with_its_column():
    made = source_of(NARROW % (9, "bigint", "{uniform: [40000, 40099]}", "smallint"))
    with pytest.raises(GenerationFailed, match=r"a\.p cannot be made: a value of bigint does not fit smallint"):
        made.read("a").read_all()
