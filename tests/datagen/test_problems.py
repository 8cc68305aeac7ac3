"""Everything that is wrong with a schema comes at once, though some of it is found only where the rest is whole; nothing is told twice."""

from __future__ import annotations

import re
import time

import pytest

import datagen
from datagen.problems import in_full
from schemas.errors import SchemaError
from schemas.reader import parse_schema
from schemas.reference import EXAMPLE

PARENTS = """schema: many
tables:
  parents:
    rows: 10
    columns:
      id: {type: bigint, key: true}
      n: {type: int, generate: {uniform: [1, 5]}}
"""

FAULTS = {
    "bigintt": "{rows: 9, columns: {id: {type: bigintt, key: true}}}",
    "keyy": "{rows: 9, columns: {id: {type: bigint, keyy: true}}}",
    "unifrom": "{rows: 9, columns: {id: {type: bigint, key: true}, x: {type: int, generate: {unifrom: [1, 5]}}}}",
    "parent.id": "{rows: 9, columns: {id: {type: bigint, key: true}, p: {references: parent.id}}}",
    "neither a key nor unique": "{rows: 9, columns: {id: {type: bigint, key: true}, p: {references: parents.n}}}",
    "from: 'nn'": "{rows: 9, columns: {id: {type: bigint, key: true}, p: {references: parents.id}, x: {type: int, generate: {from: p.nn}}}}",
    "check: this is not": "{rows: 9, columns: {id: {type: bigint, key: true, check: id >}}}",
    "no condition": "{rows: 9, columns: {id: {type: bigint, key: true, check: id + 1}}}",
    "no row can satisfy": "{rows: 9, columns: {x: {type: int, generate: {uniform: [1, 5]}, check: x > 9}}}",
    "rule: 'nn'": "{rows: 9, columns: {p: {references: parents.id}, x: {type: int, generate: {uniform: [1, 5]}}}, rules: [x > parents.nn]}",
    "correlate: 'y' is made by choice": "{rows: 9, columns: {x: {type: int, generate: {uniform: [1, 5]}}, y: {type: int, generate: "
    "{choice: [1, 5]}}}, correlate: [{columns: [x, y], matrix: [[1, 0.5], [0.5, 1]]}]}",
    "rows per 'parentss'": "{rows: {per: parentss, count: 2}, columns: {x: {type: int, generate: {uniform: [1, 5]}}}}",
    "10 parents with 1 to 2 rows": "{rows: {per: parents, count: {uniform: [1, 2]}, total: 500}, columns: {p: {references: parents.id}}}",
    "only 5": "{rows: 90, columns: {x: {type: int, unique: true, generate: {uniform: [1, 5]}}}}",
    "smallint cannot hold": "{rows: 99999, columns: {id: {type: smallint, key: true}}}",
    "no date can be made": "{rows: 9, columns: {x: {type: int, generate: {uniform: [1, 5]}}, y: {type: date, generate: "
    "{expression: cast(x as date)}}}}",
    "FROBNICATE": "{rows: 9, columns: {x: {type: int, generate: {uniform: [1, 5]}}, y: {type: int, generate: {expression: frobnicate(x)}}}}",
    "which has only 10": "{rows: 90, columns: {p: {references: parents.id, unique: true}}}",
    "in a circle": "{rows: 9, columns: {x: {type: int, generate: {from: y}}, y: {type: int, generate: {from: x}}}}",
    "different combinations": "{rows: 999, columns: {p: {references: parents.id}, q: {references: parents.id}}, unique: [[p, q]]}",
    "cannot hold all values there": "{rows: 9, columns: {p: {type: \"numeric(1,0)\", references: parents.id}}}",
}  # fmt: skip


def told(text: str) -> list[str]:
    """What is said about a schema, without the file's name."""
    with pytest.raises(SchemaError) as caught:
        datagen.source(parse_schema(text, "f"))
    return [problem.render("f").removeprefix("f:") for problem in in_full(caught.value).problems]


def test_faults_of_every_stage_come_in_one_run() -> None:
    text = PARENTS + "".join(f"  t{place}: {written}\n" for place, written in enumerate(FAULTS.values()))
    found = told(text)
    assert [int(problem.split(":")[0]) for problem in found] == list(range(8, 8 + len(FAULTS))), found
    assert [part for part, problem in zip(FAULTS, found, strict=True) if part not in problem] == []


def test_what_is_found_in_planning_comes_beside_what_reading_finds_in_the_same_table() -> None:
    columns = "{x: {type: intt}, y: {type: int, unique: true, generate: {uniform: [1, 5]}}}"
    assert [problem.split(":")[1] for problem in told(PARENTS + f"  t: {{rows: 9, columns: {columns}}}\n")] == ["36", "82"]


def test_a_file_is_told_in_full_by_whoever_asks_for_its_data(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "s.yaml"
    path.write_text(PARENTS + f"  t: {FAULTS['bigintt']}\n  u: {FAULTS['in a circle']}\n")
    with pytest.raises(SchemaError) as caught:
        datagen.source(path)
    assert [problem.at and problem.at.line for problem in caught.value.problems] == [8, 9]


MISTAKES = (
    (r"type: (\w+)", r"type: \1qq"), (r"generate: \{?([\w.]+)", r"generate: {\1qq: 1}#"), (r"references: ([\w.]+)", r"references: \1qq"),
    (r"rows: (\w+)", r"rows: \1qq"), (r"count: ", "count: qq"), (r"^    columns:", "    columnsqq:"), (r"key: \[", "keyqq: ["),
)  # fmt: skip
RESTING = """schema: s
tables:
  plans:
    rows: 4
    columns:
      id: {type: int, key: true}
      price: {type: int, generate: {uniform: [1, 5]}}
  users:
    rows: 30
    columns:
      id: {type: bigint, key: true}
      plan_id: {type: int, references: plans.id}
      friend_id: {references: users.id, acyclic: true, null: 0.5}
      paid: {type: int, generate: {from: plan_id.price}}
      orders: {type: int, generate: {count: orders}}
      created_at: {type: timestamp, generate: {between: [-1y, now]}}
      state: {type: text, generate: {states: {new: {old: 1}}}}
      grown_at: {type: timestamp, null: 0, generate: {entered: old, of: state}}
  orders:
    rows: {per: users, count: {uniform: [1, 3]}}
    key: [user_id, n]
    columns:
      user_id: {references: users.id}
      n: {type: int, generate: ordinal}
      at: {type: timestamp, generate: {after: users.created_at, within: 9d}}
      price: {type: int, generate: {expression: users.plan_id.price + 1}}
  lines:
    rows: {per: orders, count: 2}
    unique: [[user_id, n, place]]
    foreign_keys:
      - {columns: [user_id, n], references: "orders(user_id, n)"}
    columns:
      user_id: {type: bigint}
      n: {type: int}
      place: {type: int, generate: ordinal}
      price: {type: int, generate: {expression: orders.price * 2}}
      lost: {type: int, null: 0.5, generate: {from: orders.users.paid}}
  helped:
    rows: 9
    columns:
      plan_id: {references: plans.id}
      helper_id: {references: users.id, within: plan_id}
      asker_id: {references: users.id, other_than: helper_id}
      near_id: {references: users.id}
      far_id: {references: users.id, greater_than: near_id}
  praised:
    rows: {per: orders, count: 1}
    foreign_keys:
      - {columns: [user_id, n], references: "orders(user_id, n)"}
    columns:
      user_id: {type: bigint}
      n: {type: int}
      rival_id: {references: users.id, null: 0, other_than: orders.users.friend_id}
"""
MUTATED = [
    (line, pattern, mistake)
    for line, written in enumerate(RESTING.splitlines())
    for pattern, mistake in MISTAKES
    if re.search(pattern, written)
]


@pytest.mark.parametrize(("line", "pattern", "mistake"), MUTATED)
def test_nothing_is_told_of_what_rests_on_a_mistake(line: int, pattern: str, mistake: str) -> None:
    lines = RESTING.splitlines()
    written = re.sub(pattern, mistake, lines[line], count=1)
    lines[line] = written if "#" not in mistake else written.partition("#")[0] + "}"
    with pytest.raises(SchemaError) as caught:
        parse_schema("\n".join(lines) + "\n", "f")
    assert in_full(caught.value).problems == caught.value.problems


def test_a_sound_schema_of_things_that_rest_on_each_other_plans() -> None:
    assert datagen.source(parse_schema(RESTING, "f")).row_count("plans") == 4
    assert datagen.source(parse_schema(EXAMPLE, "f")).row_count("tenants")


def test_very_many_mistakes_are_told_soon() -> None:
    table = "{{rows: 9, columns: {{id: {{type: bigint, key: true}}, {}, {}}}}}"
    mistakes = ", ".join(f"c{i}: {{type: int, generate: {{uniform: [1, 5]}}, foo: 1}}" for i in range(4))
    tables = [table.format("r: {references: t0.id}" if not i else f"r: {{references: t{i - 1}.id}}", mistakes) for i in range(800)]
    with pytest.raises(SchemaError) as caught:
        parse_schema("schema: s\ntables:\n" + "".join(f"  t{i}: {table}\n" for i, table in enumerate(tables)), "f")
    begun = time.process_time()
    assert len(in_full(caught.value).problems) == 3200
    assert time.process_time() - begun < 4  # it took half a minute when every table looked at all that is lost
