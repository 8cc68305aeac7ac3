"""References that are unique, alone or with other columns: chains, trees, and different rows of one parent."""

from __future__ import annotations

import pytest

from datagen.errors import RecipeError
from tests.datagen.making import source_of


def chained(options: str) -> str:
    return f"""tables:
  steps:
    rows: 3000
    columns:
      id:   {{type: bigint, key: true}}
      after: {{references: steps.id, acyclic: true, unique: true{options}}}
"""


@pytest.mark.parametrize(("options", "deepest"), [(", null: 0", 2999), (", depth: 3, null: 0", 3), (", null: 0.2", 200)])
def test_a_unique_reference_without_cycles_makes_chains(options, deepest):
    made = source_of(chained(options))
    steps = made.read("steps").read_all().to_pylist()
    assert made.read_rows("steps", 450, 460).to_pylist() == steps[450:460]
    named = [s["after"] for s in steps if s["after"] is not None]
    assert len(set(named)) == len(named)
    level: dict[int, int] = {}
    for step in steps:
        level[step["id"]] = 0 if step["after"] is None else level[step["after"]] + 1  # those before have been seen
    assert 3 <= max(level.values()) <= deepest


def test_a_chain_needs_a_first_row_that_references_none():
    with pytest.raises(RecipeError) as caught:
        source_of(chained(""))
    [problem] = caught.value.problems
    assert "the first none; give it `null: 0`" in problem.message


@pytest.mark.parametrize(("options", "deepest"), [("", 12), (", depth: 2", 2), (", depth: 1000000", 12)])
@pytest.mark.parametrize("places", ["{uniform: [1, 50]}", "{choice: [left, right]}"])
def test_an_acyclic_reference_that_is_unique_with_others_makes_trees(options, deepest, places):
    type = "int" if "uniform" in places else "text"
    made = source_of(f"""tables:
  nodes:
    rows: 3000
    unique: [[up, place]]
    columns:
      id:    {{type: bigint, key: true}}
      up:    {{references: nodes.id, acyclic: true, null: 0{options}}}
      place: {{type: {type}, generate: {places}}}
""")
    nodes = made.read("nodes").read_all().to_pylist()
    assert made.read_rows("nodes", 450, 460).to_pylist() == nodes[450:460]
    named = [(n["up"], n["place"]) for n in nodes if n["up"] is not None]
    assert len(set(named)) == len(named)
    level: dict[int, int] = {}
    for node in nodes:
        level[node["id"]] = 0 if node["up"] is None else level[node["up"]] + 1
    assert 2 <= max(level.values()) <= deepest


def test_two_acyclic_references_that_are_unique_together_make_one_of_them_a_chain():
    edges = (
        source_of("""tables:
  nodes:
    rows: 200
    unique: [[up, other]]
    columns:
      id:    {type: bigint, key: true}
      up:    {references: nodes.id, acyclic: true, null: 0}
      other: {references: nodes.id, acyclic: true, null: 0}
""")
        .read("nodes")
        .read_all()
        .to_pylist()
    )
    named = [(n["up"], n["other"]) for n in edges if None not in n.values()]
    assert len(set(named)) == len(named) > 150
    assert all(n["up"] is None or n["up"] < n["id"] for n in edges)


@pytest.mark.parametrize(("mark", "made"), [("{uniform: [1, 5]}", False), ("{uniform: [1, 900]}", True)])
def test_a_tree_makes_one_set_of_columns_unique_and_others_are_so_without_it(mark, made):
    text = f"""tables:
  nodes:
    rows: 300
    unique: [[up, kind], [up, mark]]
    columns:
      id:   {{type: bigint, key: true}}
      up:   {{references: nodes.id, acyclic: true, null: 0}}
      kind: {{type: int, generate: {{uniform: [1, 4]}}}}
      mark: {{type: int, generate: {mark}}}
"""
    if not made:
        with pytest.raises(
            RecipeError, match=r"\(mark, up\) of nodes cannot be unique: 300 different combinations are asked for and there are only 5"
        ):
            source_of(text)
        return
    nodes = source_of(text).read("nodes").read_all().to_pylist()
    for column in ("kind", "mark"):
        named = [(n["up"], n[column]) for n in nodes if n["up"] is not None]
        assert len(set(named)) == len(named) > 250


def test_trees_over_references_to_no_rows_are_refused():
    with pytest.raises(RecipeError, match="9 different combinations are asked for and there are only 0"):
        source_of("""tables:
  kinds: {rows: 0, columns: {id: {type: bigint, key: true}}}
  nodes:
    rows: 9
    unique: [[up, kind]]
    columns:
      id:   {type: bigint, key: true}
      up:   {references: nodes.id, acyclic: true, null: 0}
      kind: {references: kinds.id, null: 0}
""")


def test_columns_that_cannot_be_unique_are_told_once():
    with pytest.raises(RecipeError) as caught:
        source_of("""tables:
  kinds: {rows: 5, columns: {id: {type: bigint, key: true}}}
  nodes:
    rows: 9
    key: [kind, word]
    unique: [[kind, mark]]
    columns:
      kind: {references: kinds.id}
      word: {type: text, generate: {choice: [a, b]}}
      mark: {type: text, generate: {choice: [a, b]}}
""")
    [problem] = caught.value.problems  # and not that kind has no generator
    assert "nothing makes (kind, word) unique" in problem.message


def pieces(unique: str) -> str:
    return f"""tables:
  boards:
    rows: 60
    key: [x, y]
    columns:
      x: {{type: int, unique: true, generate: {{uniform: [1, 90]}}}}
      y: {{type: int, generate: {{uniform: [1, 5]}}}}
  pieces:
    rows: 50
    columns:
      id: {{type: int, key: true}}
      x:  {{type: int}}
      y:  {{type: int}}
    foreign_keys: [{{columns: [x, y], references: "boards(x, y)"}}]
    unique: [[{unique}]]
"""


def test_a_part_of_a_reference_that_is_unique_is_unique():
    found = source_of(pieces("x")).read("pieces").read_all()["x"].to_pylist()
    assert len(set(found)) == len(found)
    with pytest.raises(RecipeError, match=r"\(y\) is unique, and what it references, \(y\) of boards, is not"):
        source_of(pieces("y"))


def grouped(rows: str, options: str) -> str:
    return f"""tables:
  halls: {{rows: 40, columns: {{id: {{type: bigint, key: true}}}}}}
  seats:
    rows: {{per: halls, count: {{uniform: [5, 9]}}}}
    columns:
      id:      {{type: bigint, key: true}}
      hall_id: {{references: halls.id}}
  guests:
    rows: {rows}
    columns:
      id:      {{type: bigint, key: true}}
      hall_id: {{references: halls.id}}
      seat_id: {{references: seats.id, unique: true{options}}}
"""


@pytest.mark.parametrize("null", ["", ", null: 0.3"])
def test_a_unique_reference_within_a_parent_names_different_rows_of_that_parent(null):
    made = source_of(grouped("{per: halls, count: {uniform: [0, 5]}}", f", within: hall_id{null}"))
    hall_of = {s["id"]: s["hall_id"] for s in made.read("seats").read_all().to_pylist()}
    guests = made.read("guests").read_all().to_pylist()
    seated = [g for g in guests if g["seat_id"] is not None]
    assert (len(seated) < len(guests)) == bool(null)
    assert len({g["seat_id"] for g in seated}) == len(seated) > 50
    assert all(hall_of[g["seat_id"]] == g["hall_id"] for g in seated)


@pytest.mark.parametrize("rows", ["20", "{per: people, count: 2}"])
def test_a_skewed_reference_that_is_part_of_a_unique_key_is_refused(rows):
    text = f"""tables:
  people: {{rows: 20, columns: {{id: {{type: bigint, key: true}}}}}}
  roles: {{rows: 5, columns: {{id: {{type: bigint, key: true}}}}}}
  seats:
    rows: {rows}
    key: [person_id, role_id]
    columns: {{person_id: {{references: people.id}}, role_id: {{references: roles.id, skew: 1.2}}}}
"""
    with pytest.raises(RecipeError, match="skew is for references that may repeat, and role_id is part of a unique key"):
        source_of(text)


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        ("30", ", within: hall_id", "seat_id is unique, so guests needs rows per parent, by hall_id"),
        ("{per: halls, count: 6}", ", within: hall_id", "have more guests than there are different seats for them"),
        ("30", ", skew: 1.2", "skew is for references that may repeat, and seat_id is unique"),
        ("900", "", "900 rows of guests must reference different rows of seats"),
    ],
)
def test_a_unique_reference_that_cannot_be_is_refused_with_one_reason(rows, options, message):
    with pytest.raises(RecipeError) as caught:
        source_of(grouped(rows, options))
    [problem] = caught.value.problems
    assert message in problem.message


@pytest.mark.parametrize("again", ["unique: [[student, course]]", "indexes: [{columns: [student, course], unique: true}]"])
def test_the_columns_of_a_key_may_be_unique_in_another_order_too(again):
    text = """tables:
  courses: {rows: 10, columns: {id: {type: integer, key: true}}}
  students: {rows: 50, columns: {id: {type: integer, key: true}}}
  places:
    rows: {per: courses, count: {uniform: [3, 8]}}
    columns: {course: {references: courses.id}, student: {references: students.id}}
    key: [course, student]
"""
    assert source_of(f"{text}    {again}\n").read("places").read_all() == source_of(text).read("places").read_all()
