"""Random schemas: whatever can be planned keeps every key, reference, unique set and check, and any rows can be made alone."""

from __future__ import annotations

import tempfile

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import bundles
from datagen import RecipeError
from schemas.errors import SchemaError
from tests.datagen.making import source_of

VALUES = (
    'type: integer, generate: {uniform: [1, 40]}', 'type: "numeric(10,2)", generate: {normal: {mean: 5, sd: 2}}', "type: text, generate: person.name",
    "type: text, generate: {words: {uniform: [1, 3]}}", "type: date, generate: {between: [-1y, now]}", "type: text, generate: {choice: {a: 3, b: 1}}",
    "type: boolean, generate: boolean", "type: uuid, generate: uuid4", "type: double, generate: {exponential: 3}", 'type: "varchar(9)", generate: person.username',
)  # fmt: skip
COUNTS = ("{poisson: 2}", "{uniform: [0, 3]}", "{zipf: 1.5, min: 1, max: 9}", "3", "{exponential: 2, min: 1, max: 20}", "{from: n}", "{uniform: [0, 4]}, mean: 1.5",
          "{by: k, cases: {a: {poisson: 2}, b: {from: n}}}", '{expression: "n + 1"}, mean: 2')  # fmt: skip
OWN = """      n: {type: integer, generate: {uniform: [0, 3]}}
      k: {type: text, generate: {choice: [a, b]}}
      at: {type: timestamptz, generate: {between: [-2y, -1y]}}
"""
OF_PARENT = """      c: {type: integer, null: 0.1, generate: {by: owner.k, cases: {a: {from: owner.n}}, else: {uniform: [4, 9]}}}
      p: {type: timestamptz, generate: {slot: {gap: {exponential: 3h}, length: {uniform: [1m, 9h]}, after: owner.at, until: -1y}}}
      q: {type: timestamptz, generate: {slot_end: p}}
      z: {type: double, generate: {normal: {mean: 0, sd: 1}}}
    correlate: {columns: [z, owner.n, at], matrix: [[1, 0.5, 0.2], [0.5, 1, 0.1], [0.2, 0.1, 1]]}
    rules: [p <= q, p >= owner.at]
"""


@st.composite
def schemas(draw) -> str:
    """The `tables:` of a schema with up to five tables that reference each other, themselves and their parents."""
    names = [f"t{i}" for i in range(draw(st.integers(1, 5)))]
    lines = ["tables:"]
    parents: dict[str, str] = {}
    for i, name in enumerate(names):
        parent = draw(st.sampled_from([None, *names[:i]])) if i else None
        rows = str(draw(st.integers(1, 60))) if parent is None else f"{{per: {parent}, count: {draw(st.sampled_from(COUNTS))}}}"
        lines += [
            f"  {name}:",
            f"    rows: {rows}",
            "    columns:",
            f"      id: {{type: {draw(st.sampled_from(['bigint', 'uuid']))}, key: true}}",
        ]
        columns = []
        differing: list[tuple[str, str]] = []
        if parent is not None:
            parents[name] = parent
            lines.append(f"      owner: {{references: {parent}.id}}")
            columns.append("owner")
        leads: dict[str, str] = {} if parent is None else {"owner": parent}
        for j in range(draw(st.integers(0, 2))):
            target = draw(st.sampled_from(names))
            options = [f"references: {target}.id"]
            if draw(st.booleans()):
                options.append("null: 0.2")
            if target == name and draw(st.booleans()):
                options.append("acyclic: true")
                if draw(st.booleans()):
                    options.append("depth: 2")
            elif draw(st.booleans()):
                options.append("skew: 1.1")
            if parent is not None and parents.get(target) == parent and draw(st.booleans()) and "skew: 1.1" not in options:
                options.append("within: owner")
            beside = [column for column, there in leads.items() if there == target]
            able = "acyclic: true" not in options or ("null: 0.2" in options and "depth: 2" not in options)
            if beside and able and draw(st.booleans()):
                options.append(f"other_than: {draw(st.sampled_from(beside))}")
                differing.append((f"r{j}", options[-1].removeprefix("other_than: ")))
            leads[f"r{j}"] = target
            lines.append(f"      r{j}: {{{', '.join(options)}}}")
            columns.append(f"r{j}")
        lines.append(OWN.rstrip())
        for j in range(draw(st.integers(0, 3))):
            extra = draw(st.sampled_from(["", ", unique: true", ", null: 0.3"]))
            lines.append(f"      v{j}: {{{draw(st.sampled_from(VALUES))}{extra}}}")
            columns.append(f"v{j}")
        if parent is not None and draw(st.booleans()):
            lines.append(OF_PARENT.rstrip())
        if len(columns) > 1 and draw(st.booleans()):
            chosen = draw(st.lists(st.sampled_from(columns), min_size=2, max_size=3, unique=True))
            lines.append(f"    unique: [[{', '.join(chosen)}]]")
        if differing:
            lines.append(f"    checks: [{', '.join(f'{a} <> {b}' for a, b in differing)}]")
    return "\n".join(lines) + "\n"


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(schemas(), st.integers(0, 2**63 - 1), st.data())
@pytest.mark.slow
def test_whatever_is_planned_keeps_its_promises(text, seed, data):
    try:
        made = source_of(text, seed=seed)
    except (RecipeError, SchemaError):
        assume(False)
    with tempfile.TemporaryDirectory() as folder:
        report = bundles.verify(bundles.build(made, store=folder, tag="x:v1", jobs=data.draw(st.integers(1, 3))))
        assert report.ok, (text, [str(p) for p in report.problems])
    for table in made.schema.tables:
        count = made.row_count(table.name)
        whole = made.read(table.name).read_all().to_pylist()
        start = data.draw(st.integers(0, count))
        stop = data.draw(st.integers(start, count))
        assert made.read_rows(table.name, start, stop).to_pylist() == whole[start:stop]
